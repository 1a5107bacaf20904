// Simulated time on the page: the last known instant, run on at the set speed.

let startMs = Date.now();
let t = 0;
let since = performance.now();
let speed = 1;
let running = false;

export function set(now, newSpeed = speed) {
  t = now;
  speed = newSpeed;
  since = performance.now();
}

export function begin(startIso, isRunning) {
  const parsed = Date.parse(startIso); // ISO without a zone is local time, and it is shown as local time
  startMs = Number.isNaN(parsed) ? Date.now() : parsed;
  running = isRunning;
}

export const halt = () => { set(now()); running = false; };
export const now = () => (running ? t + (performance.now() - since) * speed : t);
export const currentSpeed = () => speed;
export const wall = (at = now()) => new Date(startMs + at);
