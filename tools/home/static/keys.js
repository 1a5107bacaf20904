// The four keys: pressed by mouse, touch or keyboard; how long they were held goes with the press.

import { find } from "./dom.js";
import { t } from "./text.js";

const SHOW_HOLD_MS = 600;
const HOLD_MIN_MS = 60; // a click shorter than a contact bounces
const HOLD_MAX_MS = 15000;

export function wireKeys(press) {
  for (const key of find("keys").querySelectorAll(".key")) wire(key, (held) => press(key.dataset.button, held));
}

function wire(key, done) {
  let since = null;
  let ticker = 0;

  function down() {
    if (since !== null) return;
    since = performance.now();
    key.classList.add("down");
    ticker = setInterval(() => show(key, performance.now() - since), 100);
  }

  function up(counts) {
    if (since === null) return;
    const held = performance.now() - since;
    since = null;
    clearInterval(ticker);
    key.classList.remove("down", "holding");
    if (counts) done(Math.round(Math.min(HOLD_MAX_MS, Math.max(HOLD_MIN_MS, held))));
  }

  key.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    key.setPointerCapture(event.pointerId);
    down();
  });
  key.addEventListener("pointerup", () => up(true));
  key.addEventListener("pointercancel", () => up(false));
  key.addEventListener("keydown", (event) => { if (isPress(event)) { event.preventDefault(); if (!event.repeat) down(); } });
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

