// The link to the relay as the relay knows it: up or not and since when, what waits, what was stored last; and the
// care system's commands. Shows what broker, relay and its database say, nothing the switches suggest.

import { duration, find, h, pad } from "./dom.js";
import { t } from "./text.js";
import * as time from "./time.js";

// A command and fields to begin with: the gateway knows these (docs/relay-protocol.md, docs/registration.md).
const COMMANDS = [["state", ""], ["sensors.register", "seconds=60"], ["sensors.register_close", ""], ["settings.set", "setting=door_announce value=false"],
  ["smoke.silence", ""], ["alarm.cancel", 'sensor="부엌 화재감지기"'], ["sensors.rename", 'sensor="부엌 화재감지기" place=주방'], ["sensors.remove", 'sensor="현관 출입감지기"']];
let account = null;

export function build(send) {
  const name = find("order_name");
  const fields = find("order_fields");
  name.replaceChildren(...COMMANDS.map(([each]) => h("option", { value: each }, each)));
  name.addEventListener("change", () => { fields.value = COMMANDS.find(([each]) => each === name.value)[1]; });
  find("order").addEventListener("submit", (event) => {
    event.preventDefault();
    send({ name: name.value, fields: fields.value });
  });
}

export function use(told) {
  account = told ?? null;
  draw();
}

// The gateway was cut off, and the relay has noticed.
export const isLost = () => account !== null && account.link !== null && account.link !== "up";

export function draw() {
  if (!account) return;
  const now = time.now();
  put("link_state", stateText());
  put("link_since", account.relay === "up" && account.since !== null ? duration(now - account.since) : "");
  put("link_facts", facts(now).join(" · "));
  put("link_how", `${account.gateway} · ${t(`by_${account.broker}`)}`);
  find("linkbar").dataset.link = tone();
}

function put(id, text) {
  if (find(id).textContent !== text) find(id).textContent = text;
}

function tone() {
  if (account.relay !== "up") return account.relay;
  return account.silent ? "lost" : account.link ?? "none";
}

function stateText() {
  if (account.relay === "dead") return `${t("relay_dead")}: ${account.tail.at(-1) ?? ""}`;
  if (account.relay === "starting") return t("relay_starting");
  if (account.link === null) return t("link_none");
  return t(account.link === "up" ? "link_up" : "link_cut");
}

function facts(now) {
  const told = [];
  if (account.silent) told.push(t("link_silent"));
  if (account.waiting !== null) told.push(t("waiting").replace("%n", account.waiting).replace("%s", clock(account.heard)));
  if (account.committed !== null) told.push(`${t("committed")} ${clock(Math.min(account.committed, now))}`);
  if (account.repeats) told.push(`${t("repeats")} ${account.repeats}`);
  if (account.conflicts) told.push(`${t("conflicts")} ${account.conflicts}`);
  return told;
}

function clock(at) {
  const wall = time.wall(at);
  return `${pad(wall.getHours())}:${pad(wall.getMinutes())}:${pad(wall.getSeconds())}`;
}
