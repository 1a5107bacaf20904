// What an installer does on the gateway's screen: the list of sensors, and registration. Asks the firmware by touches.

import { h } from "./dom.js";
import { gloss, has, t } from "./text.js";
import * as time from "./time.js";

let open = false; // the list is looked at, on this page
let chosen = ""; // the sensor whose form is open
let sure = ""; // the sensor that was asked to be removed once
let typed = {}; // in its form

export const isOpen = () => open;

// What the firmware says, and what it means to who reads English.
export const glossed = (text) => (gloss(text) ? h("span", {}, text, h("small", { class: "s-gloss" }, ` ${gloss(text)}`)) : text);

// The button on the home view that leads here.
export const button = (touch, redraw) => h("button", { onclick: () => { open = true; touch("sensors.show"); redraw(); } }, t("touch_sensors"));

const STALE_MS = 150_000; // the gateway tells it every minute, and for ten minutes only
const ASK_MS = 1000;
let asked = 0;

// While the list is looked at the gateway is asked again: after ten minutes, and after it was switched off, it tells it no more.
export function keep({ screen, listed }, touch) {
  if (!open || screen.view !== "home" || (listed !== null && time.now() - listed < STALE_MS) || performance.now() - asked < ASK_MS) return;
  asked = performance.now();
  touch("sensors.show");
}

export function view({ screen, list }, touch, redraw) {
  const close = () => { open = false; chosen = ""; touch("sensors.hide"); redraw(); };
  const choose = (name) => {
    chosen = chosen === name ? "" : name;
    sure = "";
    typed = {};
    redraw();
    document.querySelector("#screen .s-form")?.scrollIntoView({ block: "nearest" });
  };
  return h("div", { class: "view view-sensors" },
    h("div", { class: "s-top" }, h("b", {}, `${t("sensors")} ${list.length}`),
      h("span", { class: "s-touch" },
        h("button", { class: "real", onclick: () => touch("sensors.register") }, t("touch_register")),
        h("button", { onclick: close }, t("touch_close")))),
    screen.notice ? h("p", { class: "s-notice", role: "alert" }, glossed(screen.notice)) : "",
    ...(screen.lines ?? []).map((line) => h("p", { class: "s-notice" }, glossed(String(line)))),
    register(screen, touch) ?? "",
    h("ul", { class: "s-list" }, ...list.flatMap((each) => rows(each, touch, choose, redraw)), more(touch)));
}

// What is seldom needed, below the list: install codes, settings, replacing the gateway.
function more(touch) {
  const input = (name) => h("input", { name, value: typed[name] ?? "", "aria-label": t(`field_${name}`), placeholder: t(`field_${name}`), maxlength: 60, oninput: (event) => { typed[name] = event.target.value; } });
  const send = (action, fields) => () => { touch(action, fields()); document.activeElement.blur(); };
  const setting = (name, ...values) => h("p", { class: "s-set" }, h("span", {}, t(`set_${name}`)),
    ...values.map(([value, word]) => h("button", { onclick: () => touch("settings.set", { setting: name, value }) }, word)));
  return h("li", { class: "s-form more" },
    input("ieee"), input("code"), h("button", { onclick: send("sensors.code", () => ({ ieee: typed.ieee ?? "", code: typed.code ?? "" })) }, t("give_code")),
    setting("install_code_required", [true, t("set_on")], [false, t("set_off")]), setting("door_announce", [true, t("set_on")], [false, t("set_off")]),
    setting("status_period_h", ...[1, 2, 3, 4].map((hours) => [hours, `${hours}`])),
    h("p", { class: "s-set" }, h("span", {}, t("takeover")), h("button", { onclick: () => touch("takeover.make") }, t("takeover_make"))));
}

function rows(sensor, touch, choose, redraw) {
  const head = h("li", { class: `s-sensor ${sensor.link ?? ""}${sensor.alarm && sensor.kind !== "door" ? " alarm" : ""}` },
    h("button", { class: "s-name", "aria-expanded": String(chosen === sensor.name), onclick: () => choose(sensor.name) },
      h("b", {}, sensor.name), h("small", {}, [sensor.place, has(`kind_${sensor.kind}`) ? t(`kind_${sensor.kind}`) : sensor.kind].filter(Boolean).join(" · "))),
    h("span", { class: `s-link ${sensor.link ?? ""}`, title: sensor.dbm === null || sensor.dbm === undefined ? "" : `${sensor.dbm} dBm` }, h("i"), h("i"), h("i"), linkText(sensor)),
    h("span", { class: `s-cell ${sensor.state ?? ""}` }, sensor.percent === null || sensor.percent === undefined ? "–" : `${sensor.percent}%`),
    h("span", { class: "s-heard" }, sensor.ready === false ? t("not_done") : ago(sensor.heard_min)));
  return chosen === sensor.name ? [head, form(sensor, touch, redraw)] : [head];
}

const linkText = (sensor) => (sensor.link ? t(`link_${sensor.link}`) : t("link_unknown"));
const ago = (minutes) => (minutes === null || minutes === undefined ? t("never_heard") : minutes < 1 ? t("just_now") : minutes < 120 ? t("min_ago").replace("%s", minutes) : t("h_ago").replace("%s", Math.floor(minutes / 60)));

function form(sensor, touch, redraw) {
  const field = (name, value) => h("input", { name, value: typed[name] ?? value, "aria-label": t(`field_${name}`), placeholder: t(`field_${name}`), maxlength: 24,
    oninput: (event) => { typed[name] = event.target.value; } });
  const name = field("name", sensor.name);
  const place = field("place", sensor.place ?? "");
  const remove = () => {
    if (sure === sensor.name) { touch("sensors.remove", { sensor: sensor.name }); chosen = ""; } else sure = sensor.name;
    redraw();
  };
  return h("li", { class: "s-form" }, name, place,
    h("button", { onclick: () => { touch("sensors.rename", { sensor: sensor.name, to: name.value, place: place.value }); chosen = ""; document.activeElement.blur(); redraw(); } }, t("save")),
    h("button", { onclick: () => touch("sensors.replace", { sensor: sensor.name }) }, t("replace")),
    h("button", { class: sure === sensor.name ? "real" : null, onclick: remove }, t(sure === sensor.name ? "remove_sure" : "remove")));
}

// The panel of registration mode; null when the firmware shows none.
export function register(screen, touch) {
  const panel = screen.register;
  if (!panel) return null;
  const until = screen.t + (screen.register_left_s ?? 0) * 1000;
  const head = panel.open || until > time.now()
    ? h("p", { class: "s-open" }, h("b", {}, t("registering")), h("time", { "data-tick": "register", "data-until": until }), h("button", { onclick: () => touch("sensors.register_close") }, t("touch_stop")))
    : h("p", { class: "s-open closed" }, h("b", {}, t("registered_end")));
  return h("section", { class: "s-register", "aria-label": t("registering") }, head,
    panel.open && panel.code ? h("p", { class: "s-more" }, t("code_needed")) : "",
    panel.replaces ? h("p", { class: "s-more" }, t("replaces").replace("%s", panel.replaces)) : "",
    ...(panel.now ?? []).map((each) => h("p", { class: "s-step" }, h("b", {}, each.name), h("progress", { max: each.of, value: each.done, "aria-label": each.name }), h("span", {}, glossed(each.text)))),
    ...(panel.said ?? []).slice(-3).map((each) => h("p", { class: each.ok ? "s-ok" : "s-no" }, glossed(each.text))));
}
