// The 119 control room: rings, is answered, hears the report. Owns nothing but what it shows.

import { duration, find, h, segments } from "./dom.js";
import { gloss, isEnglish, t } from "./text.js";
import * as time from "./time.js";

let mark = () => {};
let drawn = "";

export function build(wish, step) {
  find("pick_up").onclick = () => wish("pick_up");
  find("hang_up").onclick = () => step({ do: "hang_up" });
  mark = segments(find("policy").querySelector("[role=radiogroup]"), "auto", wish);
}

export const setMode = (mode) => mark(mode);

export function draw(state) {
  const phase = state.call?.state;
  const ringing = phase === "ringing";
  const active = phase === "answered";
  const node = find("desk");
  node.classList.toggle("ringing", ringing);
  node.classList.toggle("active", active);
  find("desk_state").textContent = t(ringing ? "desk_ringing" : active ? "desk_active" : "desk_idle");
  find("desk_title").textContent = t(!phase ? "desk_idle_title" : `desk_${active ? "active" : ringing ? "ringing" : "dialling"}_title`);
  find("desk_sub").textContent = phase ? `${t("to_number")} ${state.call.number ?? ""} · ${attemptText(state.attempts)}` : t("desk_idle_sub");
  find("desk_time").textContent = phase ? duration(time.now() - state.call.t) : "";
  find("pick_up").disabled = !ringing;
  find("hang_up").disabled = !ringing && !active;
  drawHeard(state);
}

const attemptText = (count) => (isEnglish() ? `${t("attempt")} ${count}` : `${count}${t("attempt")}`);

function drawHeard({ heard }) {
  const key = JSON.stringify([heard, isEnglish()]);
  if (key === drawn) return;
  drawn = key;
  const rows = heard.map((each) => (each.text ? speech(each) : h("p", { class: "line" }, lineText(each))));
  const node = find("heard");
  node.replaceChildren(...(rows.length ? rows : [h("p", { class: "empty" }, t("heard_empty"))]));
  node.scrollTop = node.scrollHeight;
}

const speech = ({ text, now }) => h("p", { class: now ? "now" : null }, text, gloss(text) ? h("small", {}, gloss(text)) : null);

function lineText({ kind, attempt, cause, number }) {
  if (kind === "dial") return `${number ?? ""} ← ${attemptText(attempt)}`;
  return [t(`call_${kind}`), cause].filter(Boolean).join(" · ");
}
