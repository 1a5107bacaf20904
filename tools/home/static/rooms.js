// The rooms: make smoke, press the pendant, open the door, walk. Shows what the sensors send and hear back.

import { find, h } from "./dom.js";
import { LABELS, PLACES, SENSORS, WORDS, picture, shape } from "./plan.js";
import { t } from "./text.js";

const MOVE_MS = 4000;
let sensors = {}; // kind -> sensor of the scenario
let step = () => {};
let nodes = {};

export function build(send) {
  step = send;
  const plan = find("plan");
  plan.replaceChildren(picture());
  nodes = {
    smoke: chip(128, 150, toggleSmoke), door: chip(612, 348, toggleDoor),
    call: h("button", { class: "call", onclick: () => pendant("call") }), cancel: h("button", { class: "cancel", onclick: () => pendant("cancel") }),
    heard: h("div", { class: "bubble", role: "status" }),
  };
  nodes.pendant = at(h("div", { class: "pendant", role: "group" }, nodes.call, nodes.cancel), 330, 138);
  plan.append(...Object.entries(LABELS).map(([place, [x, y]]) => at(h("span", { class: "label", "data-place": place, "aria-hidden": "true" }), x, y)));
  plan.append(nodes.smoke, nodes.door, nodes.pendant, at(nodes.heard, 330, 176));
  for (const room of plan.querySelectorAll(".room")) {
    room.addEventListener("click", () => walk(room.dataset.place));
    room.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); walk(room.dataset.place); }
    });
  }
  translate();
  goTo("거실");
}

const chip = (x, y, act) => at(h("button", { class: "chip", "aria-pressed": "false", onclick: act }), x, y);

function at(node, x, y) {
  node.style.left = `${x / 7.2}%`;
  node.style.top = `${y / 5}%`;
  return node;
}

export function useSensors(list) {
  sensors = {};
  for (const sensor of list) sensors[sensor.kind] ??= sensor;
  nodes.smoke.hidden = !sensors.smoke;
  nodes.pendant.hidden = !sensors.call_button;
  nodes.door.hidden = !sensors.door;
}

export function translate() {
  const plan = find("plan");
  for (const label of plan.querySelectorAll(".label")) label.textContent = t(WORDS[label.dataset.place]);
  for (const room of plan.querySelectorAll(".room")) room.setAttribute("aria-label", `${t(WORDS[room.dataset.place])}: ${t("walk_to")}`);
  nodes.call.textContent = t("pendant_call");
  nodes.cancel.textContent = t("pendant_cancel");
  nodes.call.setAttribute("aria-label", `${t("pendant")}: ${t("pendant_call")}`);
  nodes.cancel.setAttribute("aria-label", `${t("pendant")}: ${t("pendant_cancel")}`);
  nodes.pendant.setAttribute("aria-label", t("pendant"));
  nodes.heard.textContent = t("confirmed");
  show({}, { beacon: {} });
}

const isOn = (what) => nodes[what].getAttribute("aria-pressed") === "true";
const toggleSmoke = () => step({ do: "smoke", sensor: sensors.smoke.name, on: !isOn("smoke") });
const toggleDoor = () => step({ do: "door", sensor: sensors.door.name, open: !isOn("door") });
const pendant = (button) => step({ do: "call_button", sensor: sensors.call_button.name, button });
const walk = (place) => step({ do: "move", place, for_ms: MOVE_MS });

// The lasting things: smoke, door, darkness, beacon, voice.
export function show(world, state) {
  const plan = find("plan");
  const smoking = Boolean(world.smoke?.[sensors.smoke?.name]);
  const open = Boolean(world.door?.[sensors.door?.name]);
  nodes.smoke.setAttribute("aria-pressed", String(smoking));
  nodes.door.setAttribute("aria-pressed", String(open));
  nodes.smoke.textContent = t(smoking ? "smoke_off" : "smoke_on");
  nodes.door.textContent = t(open ? "door_close" : "door_open");
  plan.classList.toggle("smoking", smoking);
  plan.classList.toggle("door-open", open);
  plan.classList.toggle("mains-off", world.mains?.on === false);
  plan.classList.toggle("flashing", Boolean(state.beacon.light));
  plan.classList.toggle("speaking", state.prompt?.to === "room");
}

// What was just done in the home, by this page or another one.
export function did(done) {
  if (done.do === "smoke" && done.on) radio("smoke");
  if (done.do === "call_button") radio("call_button");
  if (done.do === "door") radio("door");
  if (done.do === "move") { goTo(done.place); if (done.place === sensors.activity?.place) radio("activity"); }
}

function goTo(place) {
  const spot = PLACES[place];
  if (!spot) return;
  const person = find("person");
  person.style.transform = `translate(${spot[0]}px, ${spot[1]}px)`;
  person.classList.add("walking");
  clearTimeout(goTo.timer);
  goTo.timer = setTimeout(() => person.classList.remove("walking"), 1600);
}

function radio(kind, back = false) {
  const [x, y] = SENSORS[kind];
  const [gx, gy] = SENSORS.gateway;
  const line = shape("path", { d: `M${x} ${y}Q${(x + gx) / 2} ${Math.min(y, gy) + 20} ${gx} ${gy}`, class: `radio go${back ? " back" : ""}` });
  find("plan_radio").append(line);
  setTimeout(() => line.remove(), 1400);
}

// The pendant showed that the gateway heard it.
export function confirmed() {
  radio("call_button", true);
  nodes.pendant.classList.remove("confirmed");
  void nodes.pendant.offsetWidth; // restart the animation
  nodes.pendant.classList.add("confirmed");
  nodes.heard.classList.add("show");
  clearTimeout(confirmed.timer);
  confirmed.timer = setTimeout(() => {
    nodes.heard.classList.remove("show");
    nodes.pendant.classList.remove("confirmed");
  }, 3500);
}
