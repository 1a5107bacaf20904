// A timeline line in one sentence and one colour. Pure.

import { eventName, gloss, has, isEnglish, t } from "./text.js";

const KINDS = { did: "person", prompt: "voice", prompt_end: "voice", dial: "call", call: "call", sms: "call", relay: "record", repeat: "record", link: "record", silent: "record", heard: "record", order: "record",
  confirm: "sensor", joined: "sensor", not_joined: "sensor", left: "sensor", screen: "panel", sensors: "panel", lamp: "panel", beacon: "panel" };
export const ALL_KINDS = ["person", "voice", "call", "sensor", "record", "panel", "system"];
const A_DATE_MS = 1e12; // since 1970: 2001; no other number of a record is that large
const A_MASK = /^[0-9a-f]{24,}$/i;
const LOOKING = new Set(["sensors.show", "sensors.hide"]); // the page asks by itself, while the list is open
export const kindOf = (line) => (LOOKING.has(line.step?.touch) ? "panel" : KINDS[line.what] || "system");

export function sentence(line) {
  const own = SENTENCES[line.what];
  return own ? own(line) : plain(line);
}

const plain = (line) => `${line.what} ${rest(line)}`;
const pick = (ko, en) => (isEnglish() ? en : ko);

// Short enough to read; the whole value is in the row's raw line.
function shown(value) {
  if (typeof value === "number" && value > A_DATE_MS) {
    return new Date(value).toLocaleTimeString("en-GB", { timeZone: "Asia/Seoul" }); // the gateway's own zone
  }
  if (typeof value === "string" && A_MASK.test(value)) return `${value.slice(0, 4)}… (${value.length})`;
  if (Array.isArray(value)) return value.map(shown).join(", ") || "–";
  if (value === null || typeof value !== "object") return value;
  return `(${Object.entries(value).map(([name, each]) => `${name} ${shown(each)}`).join(", ")})`;
}

function rest(line, skip = ["t", "what"]) {
  return Object.entries(line).filter(([name, value]) => !skip.includes(name) && value !== null && value !== undefined)
    .map(([name, value]) => `${name} ${shown(value)}`).join(" · ");
}

const SENTENCES = {
  did: ({ step }) => `▸ ${didText(step)}`,
  prompt: (line) => `“${line.text || "?"}” ${line.to === "line" ? pick("— 전화 속으로", "— into the call") : ""} ${line.play > 1 ? pick(`(${line.play}번째)`, `(play ${line.play})`) : ""} ${gloss(line.text || "")}`.trim(),
  prompt_end: (line) => (line.cut ? pick("말이 끊김", "speech cut off") : pick("말이 끝남", "speech ended")),
  dial: (line) => pick(`${line.number}에 전화를 겁니다`, `dials ${line.number}`),
  call: (line) => `${line.number ?? ""} ${callText(line)}`.trim(),
  sms: (line) => `SMS → ${line.to}: ${line.text}`,
  beacon: (line) => `${pick("경광등", "beacon")} ${onOff(line.light)} · ${pick("경보음", "siren")} ${onOff(line.sound)}`,
  lamp: (line) => `${pick("램프", "lamp")} ${line.name ?? line.button ?? ""} ${onOff(line.on ?? line.lit ?? line.state)}`,
  screen: (line) => `${pick("화면", "screen")}: ${line.title || viewText(line.view)}`,
  confirm: (line) => `${line.sensor}: ${t("confirmed")}`,
  relay: ({ record }) => record ? recordText(record) : "",
  repeat: ({ record }) => `${pick("되풀이된 기록을 버림", "repeat dropped")}: ${record ? recordText(record) : ""}`,
  link: (line) => t({ up: "line_up", down: "line_down" }[line.link] ?? "line_lost"),
  silent: () => t("line_silent"),
  heard: () => t("line_heard"),
  order: (line) => `${t("order")} ${line.name}: ${t(`order_${line.state}`)}${line.reason ? ` (${line.reason})` : ""}`,
  joined: (line) => `${line.sensor}: ${t("air_joined")}`,
  not_joined: (line) => `${line.sensor}: ${t("air_not_joined")}`,
  left: (line) => `${line.sensor}: ${t("air_left")}`,
  sensors: (line) => `${t("sensors")} ${line.count ?? ""}: ${(line.sensors ?? []).map((each) => each.name).join(", ")}`,
  boot: (line) => `${pick("게이트웨이가 켜짐", "the gateway boots")} (${line.reason ?? "?"})`,
  armed: () => pick("119 준비 완료", "armed: ready to call 119"),
  log: (line) => `${line.level ?? ""} ${line.text ?? ""}`.trim(),
};

const onOff = (on) => (on ? pick("켜짐", "on") : pick("꺼짐", "off"));
const viewText = (view) => (has(`v_${view}`) && t(`v_${view}`)) || String(view);

function callText(line) {
  const word = { ringing: t("desk_ringing"), answered: t("call_answered"), ended: t("call_ended"), failed: t("call_failed") }[line.state] ?? line.state;
  return line.cause ? `${word} (${line.cause})` : word;
}

export function recordText(record) {
  const name = record.event ?? record.kind ?? "?";
  const label = eventName(name);
  return label && label !== name ? `${label} — ${name}` : name;
}

export function recordDetail(record) {
  return rest(record, ["boot", "seq", "at", "up", "clock", "kind", "event", "test", "ladder", "ieee"]);
}

function didText(step = {}) {
  const words = {
    press: () => pick(`${buttonName(step.button)} 버튼을 누름 (${(step.hold_ms / 1000).toFixed(1)}초)`, `pressed ${buttonName(step.button)} (${(step.hold_ms / 1000).toFixed(1)} s)`),
    smoke: () => `${step.sensor}: ${t(step.on ? "smoke_on" : "smoke_off")}`,
    call_button: () => `${step.sensor}: ${t(`pendant_${step.button}`)}`,
    door: () => `${step.sensor}: ${t(step.open ? "door_open" : "door_close")}`,
    move: () => pick(`${step.place}(으)로 걸어감`, `walks to ${step.place}`),
    pair: () => `${step.name}: ${t("box_on")} (${[t(`kind_${step.kind}`), step.model].filter(Boolean).join(", ")})`,
    monitor: () => `${t("monitor")} ${step.touch ?? ""} ${rest(step.with ?? step, ["do", "touch"])}`.trim(),
    sensor: () => `${step.sensor}: ${rest(step, ["do", "sensor"])}`,
    hang_up: () => pick("119 상황실이 끊음", "the 119 desk hangs up"),
    relay: () => step.command ? `${t("order")}: ${step.command.name} ${rest(step.command, ["name"])}` : `${t("relay")} ${t(step.up ? "on" : "off")}`,
    power_cut: () => t("power_cut"),
    speed: () => `${t("speed_label")} ×${step.x}`,
  };
  return words[step.do] ? words[step.do]() : `${has(step.do) ? t(step.do) : step.do} ${rest(step, ["do"])}`;
}

const buttonName = (button) => (button === "119" ? "119" : t(`key_${button}`));
