// What is heard: the prompts (in the room, or as on a telephone line), the siren, quietly. Only at x1, never when muted.

const KEY = "home.muted";
const LINE_GAIN = 0.4;
const ROOM_GAIN = 0.9;
const SIREN_GAIN = 0.035;

let muted = read();
let names = {};
let context = null;
let playing = null;
let siren = null;

function read() {
  try { return localStorage.getItem(KEY) === "yes"; } catch { return false; }
}

export const isMuted = () => muted;
export const isBlocked = () => !muted && (!context || context.state === "suspended");

export function setMuted(value) {
  muted = value;
  try { localStorage.setItem(KEY, value ? "yes" : "no"); } catch { /* a private window forgets */ }
  if (muted) silence();
}

export async function load() {
  try {
    names = await (await fetch("/sound/index.json")).json();
  } catch { names = {}; }
}

// A browser gives sound only after a gesture: called on the first one.
export function unlock() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
}

function nameOf(text) {
  const entry = names[text] ?? Object.entries(names).find(([, value]) => value?.text === text)?.[0];
  return typeof entry === "string" ? entry : entry?.name ?? entry?.file?.replace(/\.wav$/, "");
}

export function play(text, to) {
  stop();
  const name = nameOf(text);
  if (muted || !name) return;
  const element = new Audio(`/sound/${encodeURIComponent(name)}.wav`);
  element.dataset.to = to;
  if (context) wire(element, to);
  playing = element;
  element.play().catch(() => { /* not allowed before a gesture: the text is on the screen */ });
}

function wire(element, to) {
  const source = context.createMediaElementSource(element);
  const gain = context.createGain();
  gain.gain.value = to === "line" ? LINE_GAIN : ROOM_GAIN;
  if (to !== "line") {
    source.connect(gain).connect(context.destination);
    return;
  }
  const low = new BiquadFilterNode(context, { type: "highpass", frequency: 320, Q: 0.9 }); // a telephone passes 300 to 3400 Hz
  const high = new BiquadFilterNode(context, { type: "lowpass", frequency: 3300, Q: 0.9 });
  source.connect(low).connect(high).connect(gain).connect(context.destination);
}

export function stop() {
  if (playing) playing.pause();
  playing = null;
}

export function setSiren(on, speaking) {
  if (!on || muted || !context) { endSiren(); return; }
  if (!siren) siren = startSiren();
  siren.gain.gain.setTargetAtTime(speaking ? SIREN_GAIN / 5 : SIREN_GAIN, context.currentTime, 0.05);
}

function startSiren() {
  const tone = new OscillatorNode(context, { type: "triangle", frequency: 820 });
  const sweep = new OscillatorNode(context, { type: "sine", frequency: 0.9 });
  const depth = new GainNode(context, { gain: 190 });
  const gain = new GainNode(context, { gain: 0 });
  sweep.connect(depth).connect(tone.frequency);
  tone.connect(gain).connect(context.destination);
  tone.start();
  sweep.start();
  return { gain, end() { tone.stop(); sweep.stop(); gain.disconnect(); } };
}

function endSiren() {
  if (siren) siren.end();
  siren = null;
}

export function silence() {
  stop();
  endSiren();
}
