// The timeline as it grows, newest on top, and what the relay has stored. Bounded: old rows leave the page.

import { find, h, pad } from "./dom.js";
import { t } from "./text.js";
import * as time from "./time.js";
import { ALL_KINDS, kindOf, recordDetail, recordText, sentence } from "./words.js";

const KEEP = 800;
const ROWS = 300;
const QUIET = new Set(["panel"]); // hidden until asked for: there is much of it
let lines = [];
let records = [];
let shown = new Set(ALL_KINDS.filter((kind) => !QUIET.has(kind)));
let wanted = "";

export function build() {
  find("search").addEventListener("input", (event) => { wanted = event.target.value.trim().toLowerCase(); redraw(); });
  find("filters").replaceChildren(...ALL_KINDS.map((kind) => {
    const button = h("button", { class: `k-${kind}`, "aria-pressed": String(shown.has(kind)), "data-t": `k_${kind}` }, t(`k_${kind}`));
    button.addEventListener("click", () => {
      if (shown.has(kind)) shown.delete(kind); else shown.add(kind);
      button.setAttribute("aria-pressed", String(shown.has(kind)));
      redraw();
    });
    return button;
  }));
  for (const id of ["lines", "records"]) find(id).addEventListener("click", (event) => expand(event.target.closest("li")));
}

export function clear() {
  lines = [];
  records = [];
  redraw();
}

// origin: when the present emergency began, for the relative time.
export function add(fresh, origins) {
  fresh.forEach((line, index) => {
    const entry = { line, origin: origins[index] };
    lines.push(entry);
    if (line.what === "relay" && line.record) records.push(entry);
  });
  if (lines.length > KEEP) lines = lines.slice(-KEEP);
  if (records.length > KEEP) records = records.slice(-KEEP);
  const visible = fresh.map((line, index) => ({ line, origin: origins[index] })).filter(isShown);
  put(find("lines"), rows(find("lines"), visible), "log_empty");
  put(find("records"), visible.length || fresh.length ? fresh.flatMap((line, index) => (line.what === "relay" && line.record ? [recordRow({ line, origin: origins[index] })] : [])) : [], "records_empty");
  find("record_count").textContent = String(records.length);
}

export function redraw() {
  const list = find("lines");
  list.replaceChildren();
  put(list, rows(list, lines.filter(isShown).slice(-ROWS)), "log_empty");
  const stored = find("records");
  stored.replaceChildren();
  put(stored, records.slice(-ROWS).map(recordRow), "records_empty");
  find("record_count").textContent = String(records.length);
}

function put(list, rows, empty) {
  if (rows.length) list.querySelector(".empty")?.remove();
  list.prepend(...rows.reverse());
  while (list.childElementCount > ROWS) list.lastElementChild.remove();
  if (!list.childElementCount) list.append(h("li", { class: "empty" }, t(empty)));
}

function isShown({ line }) {
  if (!shown.has(kindOf(line))) return false;
  return !wanted || `${sentence(line)} ${JSON.stringify(line)}`.toLowerCase().includes(wanted);
}

// What the system says again and again is one row that counts; the rows that are new.
function rows(list, entries) {
  const fresh = [];
  let top = list.firstElementChild;
  for (const entry of entries) {
    if (top?.raw && isAgain(top.raw, entry.line)) count(top, entry);
    else fresh.push(top = row(entry));
  }
  return fresh;
}

const isAgain = (one, other) => one.what === "log" && other.what === "log" && one.level === other.level && one.text === other.text;

function count(node, { line, origin }) {
  node.raw = line;
  node.times = (node.times ?? 1) + 1;
  node.querySelector("time").textContent = clock(line.t);
  node.querySelector(".rel").textContent = relative(line.t, origin);
  node.querySelector(".times")?.remove();
  node.querySelector(".text").append(h("b", { class: "times" }, ` ×${node.times}`));
}

function row({ line, origin }) {
  const kind = kindOf(line);
  const node = h("li", { class: `k-${kind}` }, h("time", {}, clock(line.t)), h("span", { class: "rel" }, relative(line.t, origin)),
    h("span", { class: "kind" }, t(`k_${kind}`)), h("span", { class: "text" }, sentence(line)));
  node.raw = line;
  return node;
}

function recordRow({ line }) {
  const { record } = line;
  const detail = recordDetail(record);
  const node = h("li", { class: "k-record" }, h("time", {}, clock(line.t)), h("code", {}, `${record.boot ?? "?"}·${record.seq ?? "?"}`),
    h("span", { class: "text" }, h("b", {}, recordText(record)), record.test ? h("span", { class: "mark" }, t("test_badge")) : null,
      detail ? h("br") : null, detail ? h("code", {}, detail) : null));
  node.raw = record;
  return node;
}

function expand(node) {
  if (!node?.raw) return;
  const open = node.querySelector("pre");
  if (open) open.remove();
  else node.append(h("pre", {}, JSON.stringify(node.raw, null, 1)));
}

function clock(at) {
  const wall = time.wall(at ?? 0);
  return `${pad(wall.getHours())}:${pad(wall.getMinutes())}:${pad(wall.getSeconds())}`;
}

function relative(at, origin) {
  if (origin === null || origin === undefined || typeof at !== "number") return "";
  const s = (at - origin) / 1000;
  return s > 5999 ? "" : `${s < 0 ? "−" : "+"}${Math.abs(s).toFixed(s < 600 ? 2 : 0)}`;
}
