// Puts the page together: lines from the server into the state, the state onto the page, wishes back.

import { find, segments, toast, untoast } from "./dom.js";
import * as desk from "./desk.js";
import * as devices from "./devices.js";
import * as faults from "./faults.js";
import { showLamps, showPress, wireKeys } from "./keys.js";
import { connect } from "./link.js";
import * as log from "./log.js";
import * as relay from "./relay.js";
import * as rooms from "./rooms.js";
import * as screen from "./screen.js";
import * as sound from "./sound.js";
import { blank, fold } from "./state.js";
import { apply, has, isEnglish, onLanguage, switchLanguage, t } from "./text.js";
import * as time from "./time.js";

let state = blank();
let world = {};
let alive = false; // the simulator runs
let fast = false;
const OUTSIDE = new Set(["did", "relay", "repeat", "link", "silent", "heard", "order"]); // lines whose time may be the server's guess

const link = connect(receive, linkChanged);
const markSpeed = segments(find("speed"), "1", (x) => link.step({ do: "speed", x: Number(x) }));

const RECEIVE = { hello, lines, world: (message) => { world = message.world; draw(); }, sim: died, desk: ({ desk: mode }) => desk.setMode(mode), refused: ({ text }) => toast(`${t("refused")}: ${text}`),
  speed: ({ x, pace, now }) => setSpeed(x, pace, now), account: ({ account }) => { relay.use(account); draw(); } };

function receive(message) {
  RECEIVE[message.type]?.(message);
}

function hello(message) {
  state = blank();
  world = message.world;
  alive = message.state !== "dead";
  time.begin(message.scenario.start, alive);
  setSpeed(message.x, message.pace, message.now);
  rooms.useSensors(message.scenario.sensors);
  devices.use(message.scenario.sensors, message.products ?? []);
  desk.setMode(message.desk);
  sound.silence();
  log.clear();
  take(message.history, true);
  for (const line of message.latest) if (line.what !== "prompt" && line.what !== "prompt_end") fold(state, line);
  trouble(alive ? null : message);
  relay.use(message.account);
  draw();
}

function lines(message) {
  take(message.lines, false);
  draw();
}

function take(fresh, past) {
  const origins = fresh.map((line) => {
    fold(state, line);
    if (!past) react(line);
    else if (line.what === "did" && line.step.do === "move") rooms.did(line.step);
    return state.origin;
  });
  const last = fresh.findLast((line) => !OUTSIDE.has(line.what));
  if (!past && last && typeof last.t === "number") time.set(last.t);
  log.add(fresh, origins);
}

function did(step) {
  untoast(); // what was refused is over once something else was done
  if (step.do === "press") showPress(step.button);
  rooms.did(step);
}

// What a line sets off once, when it happens: sounds, the pendant's light, a refusal.
function react(line) {
  if (line.what === "did") did(line.step);
  if (line.what === "prompt" && !fast) sound.play(line.text, line.to);
  if (line.what === "prompt_end") sound.stop();
  if (line.what === "boot") sound.silence();
  if (line.what === "confirm") rooms.confirmed();
  if (line.what === "log" && line.level === "error" && /^step\b/.test(line.text)) toast(`${t("refused")}: ${line.text}`);
}

// pace: how fast the home really goes; x is what was asked for.
function setSpeed(x, pace, now) {
  fast = x > 1;
  time.set(now ?? time.now(), pace ?? x);
  markSpeed(String(x));
  if (fast) sound.silence();
  draw();
}

function died(message) {
  alive = message.state !== "dead";
  trouble(alive ? null : message);
  time.halt();
  sound.silence();
}

function linkChanged(up) {
  if (up) return;
  time.halt();
  sound.silence();
  showTrouble(t("lost"), "", false);
}

function trouble(message) {
  if (!message) { find("trouble").hidden = true; return; }
  showTrouble(t("dead").replace("%s", message.status), message.tail.join("\n") || t("dead_silent"), true);
}

function showTrouble(title, tail, canRestart) {
  find("trouble_title").textContent = title;
  find("trouble_tail").textContent = tail;
  find("trouble_tail").hidden = !tail;
  find("trouble_restart").hidden = !canRestart;
  find("trouble").hidden = false;
}

function draw() {
  const { view } = state.screen;
  document.body.dataset.view = view;
  screen.draw(state, relay.isLost() ? { ...world, lost: true } : world, (touch, fields) => link.step({ do: "monitor", touch, ...(fields ? { with: fields } : {}) }));
  showLamps(state.lamps);
  document.body.classList.toggle("alarm", state.beacon.light);
  find("beacon").classList.toggle("on", state.beacon.light);
  find("beacon").setAttribute("aria-label", t(state.beacon.light ? "beacon_on" : "beacon"));
  find("grille").classList.toggle("speaking", state.prompt?.to === "room");
  find("power_led").className = `led${view === "off" ? " off" : world.mains?.on === false ? " battery" : ""}`;
  const gateway = document.querySelector(".gateway");
  gateway.classList.toggle("invite", (view === "home" || view === "starting") && state.origin === null);
  gateway.classList.toggle("window", view === "prompt");
  rooms.show(world, state);
  devices.draw(world, state.radio, isEnglish(), state.list);
  faults.show(world);
  desk.draw(state);
  relay.draw();
  hint(view);
  sound.setSiren(state.beacon.sound && !fast, Boolean(state.prompt));
  const at = time.wall();
  find("clock").textContent = at.toTimeString().slice(0, 8);
  find("date").textContent = screen.dateText(at);
}

function hint(view) {
  const key = state.screen.test && view === "home" ? "h_test" : has(`h_${view}`) ? `h_${view}` : "h_home";
  const extra = fast && view !== "starting" ? ` · ${t("h_fast")}` : "";
  const text = t(key) + extra;
  if (find("hint_text").textContent !== text) find("hint_text").textContent = text;
}

function showMute() {
  find("mute").setAttribute("aria-pressed", String(sound.isMuted()));
  find("mute").setAttribute("aria-label", t("mute_label"));
}

wireKeys((button, hold) => link.step({ do: "press", button, hold_ms: hold }));
rooms.build(link.step);
devices.build(link.step);
desk.build(link.desk, link.step);
faults.build(link.step);
log.build();
relay.build((command) => link.command(command));
sound.load();
find("mute").onclick = () => { sound.setMuted(!sound.isMuted()); showMute(); draw(); };
find("language").onclick = switchLanguage;
find("restart").onclick = () => link.restart();
find("trouble_restart").onclick = () => link.restart();
for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, sound.unlock, { capture: true });
onLanguage(() => { rooms.translate(); devices.translate(); log.redraw(); showMute(); draw(); });
apply();
log.redraw();
setInterval(draw, 200);
