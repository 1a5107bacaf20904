// The gateway's own screen: clock, emergency, ladder. Shows what the firmware says, in large type.

import { duration, find, h, pad } from "./dom.js";
import { isEnglish, gloss, has, t } from "./text.js";
import * as sensors from "./sensors.js";
import { LADDER, ladderOf } from "./state.js";
import * as time from "./time.js";

const CASES = new Set(["prompt", "dialling", "reporting", "talking", "cancelled", "ended"]);
const DAYS = [["일", "월", "화", "수", "목", "금", "토"], ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]];
let drawn = "";

export function draw(state, world, touch) {
  const again = () => { drawn = ""; draw(state, world, touch); };
  const key = JSON.stringify([state.screen, sensors.isOpen(), state.list, state.prompt?.text, state.window, state.call, state.attempts, world, isEnglish(), state.origin]);
  if (key !== drawn && !typing(state)) {
    drawn = key;
    fade(find("screen"), state.screen.view);
    const node = find("screen");
    const view = state.screen.view;
    node.classList.toggle("test", Boolean(state.screen.test) || view === "test");
    node.replaceChildren(view === "off" ? h("div", { class: "view view-off" }) : view === "starting" && !state.screen.title ? starting() : CASES.has(view) ? caseView(state) : sensors.isOpen() ? sensors.view(state, touch, again) : homeView(state, world, touch, again));
    if (world.monitor?.attached === false) node.append(h("div", { class: "cut" }, t("monitor_cut")));
  }
  sensors.keep(state, touch);
  tick(state);
}

// While somebody types a name, what changes elsewhere on the screen waits; an emergency does not.
const typing = ({ screen }) => document.activeElement?.matches("#screen .s-form input") && !CASES.has(screen.view) && screen.view !== "off";

let faded = "";

// A new view fades in; a new line in the same view does not flicker.
function fade(node, view) {
  if (view === faded) return;
  faded = view;
  node.classList.add("fresh");
  clearTimeout(fade.timer);
  fade.timer = setTimeout(() => node.classList.remove("fresh"), 350);
}

function starting() {
  return h("div", { class: "view view-starting" }, h("p", { class: "s-wait" }, t("booting")));
}

function homeView({ screen }, world, touch, again) {
  const test = screen.view === "test" || screen.test;
  const top = h("div", { class: "s-top" },
    test ? h("span", { class: "s-badge" }, t("test_badge")) : readiness(screen),
    h("span", { class: "s-icons" },
      world.relay?.up === false || world.modem?.data === false || world.lost ? h("span", { class: "bad" }, t("relay_off")) : null,
      world.mains?.on === false ? h("span", { class: "bad" }, t("on_battery")) : null));
  const lines = (screen.lines || []).map((line) => h("p", {}, gloss(String(line)) || String(line)));
  return h("div", { class: `view ${test ? "view-test" : "view-home"}` }, top,
    h("div", { class: "s-clock", "data-tick": "clock" }), h("div", { class: "s-date", "data-tick": "date" }),
    test && screen.test_ends_min ? h("p", { class: "s-more" }, t("test_ends").replace("%s", screen.test_ends_min)) : "",
    screen.notice ? h("p", { class: "s-notice", role: "alert" }, sensors.glossed(screen.notice)) : "",
    sensors.register(screen, touch) ?? "",
    h("div", { class: "s-lines" }, ...lines), touches(test, world, touch, again));
}

function readiness(screen) {
  if (screen.view === "starting") return h("span", { class: "s-ready bad" }, t("not_ready"));
  return h("span", { class: "s-ready" }, t("ready"));
}

function touches(test, world, touch, again) {
  const actions = test ? [["test.leave", "touch_leave"], ["test.extend", "touch_extend"], ["test.real", "touch_real"]] : [["test.enter", "touch_test"]];
  if (Object.values(world.smoke || {}).some(Boolean)) actions.push(["smoke.silence", "touch_silence"]);
  return h("div", { class: "s-touch" }, ...actions.map(([action, word]) =>
    h("button", { class: action === "test.real" ? "real" : null, onclick: () => touch(action) }, t(word))),
    test ? "" : sensors.button(touch, again));
}

function caseView(state) {
  const { screen } = state;
  return h("div", { class: `view case view-${screen.view}` },
    h("div", { class: "s-main" }, cause(screen), h("p", { class: "s-title" }, titleOf(screen)), said(state), ...more(screen), foot(state)),
    ladder(screen));
}

function cause(screen) {
  const causes = screen.causes ?? [];
  const words = causes.map((each) => (has(`cause_${each}`) ? t(`cause_${each}`) : String(each)));
  const badge = screen.test ? h("span", { class: "s-badge" }, t("test_badge")) : null;
  return h("p", { class: "s-cause" }, badge, badge && words.length ? " " : "", words.join(" · "));
}

function titleOf(screen) {
  const own = isEnglish() ? "" : screen.title;
  return String(own || (has(`v_${screen.view}`) ? t(`v_${screen.view}`) : screen.title || screen.view));
}

function said({ screen, prompt }) {
  const text = prompt?.text || (screen.view === "prompt" ? screen.lines?.[0] : "");
  if (!text || (text === titleOf(screen) && !gloss(text))) return "";
  return h("p", { class: prompt ? "s-say speaking" : "s-say" }, text, gloss(text) ? h("span", { class: "s-gloss" }, gloss(text)) : null);
}

function more(screen) {
  if (screen.view === "prompt") return [];
  if (isEnglish()) return screen.view === "dialling" ? [h("p", { class: "s-more" }, t("can_cancel"))] : [];
  return (screen.lines || []).slice(0, 3).map((line) => h("p", { class: "s-more" }, String(line)));
}

function foot(state) {
  const { view, test } = state.screen;
  if (view === "prompt") {
    return h("div", { class: "s-foot" },
      h("div", { class: "s-count" }, h("b", { "data-tick": "count" }), t(test ? "to_dial_test" : "to_dial")),
      h("div", { class: "s-bar" }, h("i", { "data-tick": "bar" })));
  }
  if (view === "dialling") {
    const attempt = isEnglish() ? `${t("attempt")} ${state.attempts}` : `${state.attempts}${t("attempt")}`;
    return h("div", { class: "s-calling" }, h("i"), h("i"), h("i"), state.attempts ? attempt : t("calling"));
  }
  if (view === "cancelled" || view === "ended") return h("div", { class: "s-mark", "aria-hidden": "true" });
  return view === "talking" || view === "reporting" ? h("div", { class: "s-time", "data-tick": "talk" }) : "";
}

function ladder(screen) {
  const rungs = ladderOf(screen);
  const list = rungs.length ? rungs : LADDER.map((step) => ({ step, at: null }));
  const reached = list.reduce((last, rung, index) => (rung.at !== null ? index : last), -1);
  return h("ol", { class: "s-ladder" }, ...list.map((rung, index) => {
    const kind = rung.at === null ? "" : index === reached && screen.view !== "ended" && screen.view !== "cancelled" ? "now" : "done";
    const after = typeof rung.at === "number" && rung.at >= 50 ? seconds(rung.at) : "";
    return h("li", { class: kind, "aria-current": kind === "now" ? "step" : null },
      has(`l_${rung.step}`) ? t(`l_${rung.step}`) : rung.step, after ? h("time", {}, after) : null);
  }));
}

const seconds = (ms) => (ms < 100000 ? `+${(ms / 1000).toFixed(1)}` : `+${Math.round(ms / 1000)}`);

// What changes without a new line from the firmware: clock, countdown, length of the call.
function tick(state) {
  const now = time.now();
  for (const node of find("screen").querySelectorAll("[data-tick]")) TICKS[node.dataset.tick](node, state, now);
}

const TICKS = {
  register: (node, _state, now) => { node.textContent = duration(Number(node.dataset.until) - now); },
  clock: (node) => { const at = time.wall(); node.textContent = `${pad(at.getHours())}:${pad(at.getMinutes())}`; },
  date: (node) => { node.textContent = dateText(time.wall()); },
  count: (node, state, now) => { node.textContent = String(Math.max(0, Math.ceil((state.window.to - now) / 1000))); },
  bar: (node, { window: { from, to } }, now) => {
    node.style.transform = `scaleX(${Math.min(1, Math.max(0, (to - now) / Math.max(1, to - from)))})`;
  },
  talk: (node, state, now) => { node.textContent = state.call?.state === "answered" ? duration(now - state.call.t) : ""; },
};

export function dateText(at) {
  const day = DAYS[isEnglish() ? 1 : 0][at.getDay()];
  if (isEnglish()) return `${day} ${at.getDate()} ${at.toLocaleString("en", { month: "long" })}`;
  return `${at.getMonth() + 1}월 ${at.getDate()}일 ${day}요일`;
}
