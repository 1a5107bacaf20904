// What the home is like now, folded from timeline lines. Pure: no page, no clock of its own.
// Unknown lines and missing fields change nothing.

export const LADDER = ["pressed", "heard", "prompting", "dialling", "answered", "reported", "closed", "acknowledged"];
const CASE_VIEWS = new Set(["prompt", "dialling", "reporting", "talking"]);
const WINDOW_MS = 15000; // trigger to dial, at most; the screen may say it more exactly

export function blank() {
  return {
    screen: { view: "starting" }, lamps: {}, beacon: { light: false, sound: false },
    prompt: null, call: null, attempts: 0, window: null, origin: null, heard: [], booted: false,
    list: [], // the gateway's sensors, as it told last
    listed: null, // when; null: not since it was switched on
    radio: {}, // sensor of the home -> joined, not_joined or left, as far as it ever changed
  };
}

export function fold(state, line) {
  const step = FOLDS[line.what];
  if (step) step(state, line);
}

const FOLDS = {
  did(state, { step, t }) {
    if (step?.do !== "power_cut") return;
    Object.assign(state, blank(), { origin: state.origin, attempts: state.attempts, heard: state.heard, call: state.call });
    state.screen = { view: "off", t };
  },
  boot(state, line) {
    state.listed = null;
    Object.assign(state, { prompt: null, window: null, lamps: {}, beacon: { light: false, sound: false }, booted: true });
    state.screen = { view: "starting", t: line.t }; // until the firmware says what it shows
  },
  screen(state, line) {
    const before = state.screen;
    state.screen = line;
    const anew = CASE_VIEWS.has(line.view) && !CASE_VIEWS.has(before.view);
    if (line.view === "home") state.origin = null; // what comes next has nothing to do with the last emergency
    if (anew || (line.view === "prompt" && before.view !== "prompt")) begin(state, line);
    if (state.origin !== null) state.origin = Math.min(state.origin, line.t - lastReached(line));
    state.window = line.view === "prompt" ? windowOf(state, line) : null;
    if (line.attempt > 0) state.attempts = line.attempt;
  },
  sensors(state, line) { // a long list comes in pieces
    const first = line.first ?? 0;
    state.list = state.list.slice(0, first).concat(line.sensors ?? []).slice(0, line.count ?? undefined);
    state.listed = line.t;
  },
  joined(state, line) { state.radio[line.sensor] = "joined"; },
  not_joined(state, line) { state.radio[line.sensor] = "not_joined"; },
  left(state, line) { state.radio[line.sensor] = "left"; },
  lamp(state, line) {
    const name = line.name ?? line.button ?? line.lamp;
    if (name !== undefined) state.lamps[name] = Boolean(line.on ?? line.lit ?? line.state);
  },
  beacon(state, line) {
    state.beacon = { light: Boolean(line.light), sound: Boolean(line.sound) };
  },
  prompt(state, line) {
    state.prompt = line;
    if (line.to === "line") state.heard.push({ t: line.t, text: line.text, now: true });
  },
  prompt_end(state, line) {
    if (state.prompt && (line.to ?? state.prompt.to) !== state.prompt.to) return;
    state.prompt = null;
    for (const each of state.heard) each.now = false;
  },
  dial(state, line) {
    state.attempts = Math.max(state.attempts, 1);
    state.call = { state: "dialling", number: line.number, t: line.t };
    note(state, line, "dial");
  },
  call(state, line) {
    if (line.dir === "in") return;
    const number = line.number ?? state.call?.number;
    if (line.state === "ringing" || line.state === "answered") state.call = { state: line.state, number, t: line.t };
    else state.call = null;
    if (line.state !== "ringing") note(state, line, line.state);
  },
};

function begin(state, line) {
  state.origin = line.t - lastReached(line);
  state.attempts = 0;
  state.window = null;
  state.heard = [];
}

// The newest rung's time since the trigger: the trigger was at least so long before this line.
const lastReached = (screen) => Math.max(0, ...ladderOf(screen).map((rung) => rung.at ?? 0));

function note(state, line, kind) {
  state.heard.push({ t: line.t, kind, attempt: state.attempts, cause: line.cause, number: line.number });
  if (state.heard.length > 60) state.heard.shift();
}

// When 119 is dialled: the screen says whole seconds, rounded up, so the earliest it ever meant is right.
function windowOf(state, line) {
  const said = typeof line.dials_in_s === "number" ? line.t + line.dials_in_s * 1000 : Infinity;
  return { from: state.origin, to: Math.min(said, state.window?.to ?? state.origin + WINDOW_MS) };
}

// The rungs as {step, at}: ms since the trigger, null when not reached.
export function ladderOf(screen) {
  const given = Array.isArray(screen.ladder) ? screen.ladder : [];
  return given.filter((rung) => rung && typeof rung.step === "string").map((rung) => ({ step: rung.step, at: rung.at ?? null }));
}

export const inCase = (state) => CASE_VIEWS.has(state.screen.view);
