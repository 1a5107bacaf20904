// Things to break: mains, networks, relay, monitor, chips, everything at once. Shows the switches as they are.

import { find, h, segments } from "./dom.js";
import { t } from "./text.js";

const SWITCHES = [
  ["mains", (on) => ({ do: "mains", on }), (world) => world.mains?.on !== false],
  ["voice", (on) => ({ do: "modem", voice: on }), (world) => world.modem?.voice !== false],
  ["data", (on) => ({ do: "modem", data: on }), (world) => world.modem?.data !== false],
  ["relay", (on) => ({ do: "relay", up: on }), (world) => world.relay?.up !== false],
  ["monitor", (on) => ({ do: "monitor", attached: on }), (world) => world.monitor?.attached !== false],
];
const CHOICES = [["ncp", ["none", "hang", "reset", "garbage", "unplugged", "replace"]], ["modem", ["none", "hang", "reset", "no_sim"]]];
const POWER_CUT_MS = 5000;
let step = () => {};
let marks = {};

export function build(send) {
  step = send;
  const switches = SWITCHES.map(([name, make]) => {
    const button = h("button", { class: "switch", role: "switch", "aria-checked": "true", "data-name": name }, h("span", { "data-t": name }, t(name)), h("i"));
    button.addEventListener("click", () => step(make(button.getAttribute("aria-checked") !== "true")));
    return button;
  });
  const choices = CHOICES.map(([name, faults]) => choice(name, faults));
  find("faults").replaceChildren(
    h("h2", {}, h("span", { "data-t": "faults" }, t("faults")), h("small", { "data-t": "faults_note" }, t("faults_note"))),
    h("div", { class: "switches" }, ...switches),
    h("div", { class: "choices" }, ...choices),
    h("button", { class: "button cut-power", "data-t": "power_cut", onclick: () => step({ do: "power_cut", for_ms: POWER_CUT_MS }) }, t("power_cut")));
}

function choice(name, faults) {
  const buttons = faults.map((fault) => h("button", { role: "radio", "data-value": fault, "data-t": `f_${fault}` }, t(`f_${fault}`)));
  const group = h("div", { class: "segments", role: "radiogroup", "aria-label": t(name), "data-t-label": name }, ...buttons);
  marks[name] = segments(group, "none", (fault) => step({ do: name, fault }));
  return h("div", { class: "choice" }, h("span", { "data-t": name }, t(name)), group);
}

export function show(world) {
  for (const [name, , isOn] of SWITCHES) {
    find("faults").querySelector(`[data-name="${name}"]`).setAttribute("aria-checked", String(isOn(world)));
  }
  for (const [name] of CHOICES) marks[name](world[name]?.fault ?? "none");
}
