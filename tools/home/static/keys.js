// The four keys: pressed by mouse, touch or keyboard; how long they were held goes with the press.
// One pointer cannot hold two: with Shift, or the right button, a key stays down until the next one is let go.

import { find } from "./dom.js";
import { t } from "./text.js";

const SHOW_HOLD_MS = 600;
const HOLD_MIN_MS = 60; // a click shorter than a contact bounces
const HOLD_MAX_MS = 15000;
const kept = new Set(); // of each key that stays down: what ends it

export function wireKeys(press) {
  for (const key of find("keys").querySelectorAll(".key")) wire(key, (held) => press(key.dataset.button, held));
}

function wire(key, done) {
  let since = null;
  let stays = false;
  let ticker = 0;

  function down() {
    if (since !== null) return;
    since = performance.now();
    key.classList.add("down");
    ticker = setInterval(() => {
      const held = performance.now() - since;
      show(key, held);
      if (stays && held > HOLD_MAX_MS) end(true);
    }, 100);
  }

  function end(counts) {
    if (since === null) return;
    const held = performance.now() - since;
    since = null;
    stays = false;
    kept.delete(end);
    clearInterval(ticker);
    key.classList.remove("down", "holding");
    if (counts) done(Math.round(Math.min(HOLD_MAX_MS, Math.max(HOLD_MIN_MS, held))));
  }

  function up(counts) {
    if (since === null || stays) return;
    end(counts);
    for (const other of [...kept]) other(counts);
  }

  // True when this press is about staying down, not about a press of its own.
  function keep(wanted) {
    if (stays) { for (const each of [...kept]) each(true); return true; }
    if (!wanted) return false;
    down();
    stays = true;
    kept.add(end);
    return true;
  }

  key.addEventListener("pointerdown", (event) => {
    if (event.button > 0 && event.button !== 2) return;
    if (keep(event.button === 2 || event.shiftKey)) return;
    key.setPointerCapture(event.pointerId);
    down();
  });
  key.addEventListener("pointerup", () => up(true));
  key.addEventListener("pointercancel", () => up(false));
  key.addEventListener("keydown", (event) => {
    if (!isPress(event)) return;
    event.preventDefault();
    if (!event.repeat && !keep(event.shiftKey)) down();
  });
  key.addEventListener("keyup", (event) => { if (isPress(event)) { event.preventDefault(); up(true); } });
  key.addEventListener("blur", () => up(false));
  // A screen reader sends a click without a pointer or key before it.
  key.addEventListener("click", (event) => { if (event.detail === 0 && event.pointerType === "") done(200); });
  key.addEventListener("contextmenu", (event) => event.preventDefault());
}

const isPress = (event) => event.key === " " || event.key === "Enter";

function show(key, held) {
  if (held < SHOW_HOLD_MS) return;
  key.dataset.held = `${(held / 1000).toFixed(1)}${t("hold_s")}`;
  key.classList.add("holding");
}

// A press that this or another page made, seen on the key.
export function showPress(button) {
  const key = find("keys").querySelector(`[data-button="${CSS.escape(String(button))}"]`);
  if (!key || key.classList.contains("down")) return;
  key.classList.add("down");
  setTimeout(() => key.classList.remove("down"), 180);
}

export function showLamps(lamps) {
  for (const key of find("keys").querySelectorAll(".key")) {
    const on = Boolean(lamps[key.dataset.button]);
    key.querySelector(".lamp").classList.toggle("on", on);
    const name = key.dataset.button === "119" ? "119" : t(`key_${key.dataset.button}`);
    key.setAttribute("aria-label", on ? `${name} (${t("lamp_on")})` : name);
  }
}

