// The WebSocket to the server: connects again by itself, for ever. Steps asked for while it is down are not kept:
// a press must never happen later than it was made.

const AGAIN_MS = [300, 600, 1200, 2500];

export function connect(receive, changed) {
  let socket = null;
  let tries = 0;

  function open() {
    socket = new WebSocket(`ws://${location.host}/ws`);
    socket.onopen = () => { tries = 0; changed(true); };
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = () => {
      changed(false);
      setTimeout(open, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
    };
  }

  function send(message) {
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  }

  open();
  return { send, step: (step) => send({ step }), desk: (desk) => send({ desk }), command: (command) => send({ command }), restart: () => send({ restart: true }) };
}
