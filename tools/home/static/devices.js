// The home's own sensors, one card each: what happens to them, their battery and radio; and new ones from the box.

import { find, h } from "./dom.js";
import { PLACES, WORDS } from "./plan.js";
import { t } from "./text.js";

const BATTERIES = [100, 93, 85];
const KINDS = ["smoke", "call_button", "door", "activity"];
const MOVE_MS = 4000;
let step = () => {};
let there = []; // of the scenario
let products = [];
let count = 0;
let brought = 0;
let drawn = "";
let called = {}; // address -> name in the gateway
// What is printed on a sensor that has an install code; the code is the one of the Zigbee specification's example.
const CODE = "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5";
const ieeeOf = (number) => `00124b00c0de${String(number).padStart(4, "0")}`;

export function build(send) {
  step = send;
}

export function use(sensors, bought) {
  there = sensors;
  products = bought;
  count = 0;
  drawn = "";
  fillBox();
}

// list: the gateway's sensors as its screen lists them; they say under which name it knows a new one.
export function draw(world, radio, english, list = []) {
  const all = there.concat(world.brought ?? []);
  brought = world.brought?.length ?? 0;
  called = Object.fromEntries(list.map((each) => [each.ieee, each.name]));
  const key = JSON.stringify([all, world.sensor, world.smoke, world.door, radio, english, called]);
  if (key === drawn) return;
  const focus = document.activeElement?.dataset?.key;
  drawn = key;
  find("devices").replaceChildren(...all.map((each) => card(each, world, radio[each.name])));
  if (focus) find("devices").querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
}

function card(sensor, world, radio) {
  const { name } = sensor;
  const state = world.sensor?.[name] ?? {};
  const isNew = !there.includes(sensor) && radio !== "joined";
  return h("li", { class: `device-card${isNew ? " new" : ""}${state.radio === false ? " silent" : ""}`, "data-sensor": name },
    h("p", {}, h("b", {}, name), h("small", {}, [sensor.place && t(WORDS[sensor.place] ?? sensor.place), sensor.model].filter(Boolean).join(" · ")),
      called[sensor.ieee] ? h("small", {}, `= ${called[sensor.ieee]}`) : null,
      sensor.coded ? h("small", { class: "label" }, `${sensor.ieee} · ${CODE}`) : null,
    radio || isNew ? h("em", { class: radio ?? "looking" }, t(`air_${radio ?? "looking"}`)) : null),
    h("div", { class: "acts" }, ...ACTS[sensor.kind](sensor, world),
      ...BATTERIES.map((level) => small(`${name} ${level}`, `${level}%`, (state.battery ?? 100) === level, () => step({ do: "sensor", sensor: name, battery: level }))),
      small(`${name} radio`, t(state.radio === false ? "radio_back" : "radio_off"), state.radio === false, () => step({ do: "sensor", sensor: name, radio: state.radio === false }))));
}

const small = (key, text, on, act) => h("button", { class: "chip-small", "data-key": key, "aria-pressed": String(on), onclick: act }, text);

const ACTS = {
  smoke: ({ name }, world) => {
    const on = Boolean(world.smoke?.[name]);
    return [small(`${name} smoke`, t(on ? "smoke_off" : "smoke_on"), on, () => step({ do: "smoke", sensor: name, on: !on }))];
  },
  call_button: ({ name }) => ["call", "cancel"].map((button) => small(`${name} ${button}`, t(`pendant_${button}`), false, () => step({ do: "call_button", sensor: name, button }))),
  door: ({ name }, world) => {
    const open = Boolean(world.door?.[name]);
    return [small(`${name} door`, t(open ? "door_close" : "door_open"), open, () => step({ do: "door", sensor: name, open: !open }))];
  },
  activity: ({ name, place }) => [small(`${name} move`, t("walk_to"), false, () => step({ do: "move", place, for_ms: MOVE_MS }))],
};

// A new sensor is taken out of its box: which product, for which room.
function fillBox() {
  const product = h("select", { id: "box_product", "aria-label": t("box_product"), "data-t-label": "box_product" },
    h("optgroup", { label: t("own_profile") }, ...KINDS.map((kind) => h("option", { value: `${kind}|` }, t(`kind_${kind}`)))),
    ...KINDS.map((kind) => h("optgroup", { label: t(`kind_${kind}`) }, ...products.filter((each) => each.kind === kind).map((each) => h("option", { value: `${kind}|${each.model}` }, `${each.maker} ${each.model}`)))));
  const place = h("select", { id: "box_place", "aria-label": t("box_place"), "data-t-label": "box_place" }, ...Object.keys(PLACES).map((each) => h("option", { value: each }, t(WORDS[each]))));
  const coded = h("input", { type: "checkbox", id: "box_code", "aria-label": t("box_code"), "data-t-label": "box_code" });
  find("box").replaceChildren(h("b", {}, t("box")), product, place, h("label", {}, coded, t("box_code")),
    h("button", { class: "button primary", id: "box_on", onclick: () => bring(product.value, place.value, coded.checked) }, t("box_on")));
}

function bring(value, place, coded) {
  const [kind, model] = value.split("|");
  count = Math.max(count, brought) + 1; // another page, or this one before it was loaded anew, brought some too
  step({ do: "pair", kind, place, name: `${t("new_sensor")} ${count}`, ...(model ? { model } : {}),
    ieee: ieeeOf(count), ...(coded ? { install_code: CODE.replaceAll(" ", "") } : {}) });
}

export const translate = () => { drawn = ""; if (find("box").childElementCount) fillBox(); };
