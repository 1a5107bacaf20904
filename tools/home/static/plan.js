// The drawing of the home from above, 720 x 500. Owns the picture and where things are in it; nothing moves it but rooms.js.

export const PLACES = { "거실": [385, 372], "부엌": [120, 140], "화장실": [330, 100], "침실": [490, 205], "현관": [575, 410] };
export const WORDS = { "거실": "living", "부엌": "kitchen", "화장실": "bathroom", "침실": "bedroom", "현관": "entrance" };
export const SENSORS = { smoke: [128, 106], activity: [458, 34], call_button: [330, 120], door: [690, 352], gateway: [62, 356] };

export const LABELS = { "부엌": [30, 205], "화장실": [236, 206], "침실": [690, 252], "거실": [200, 254], "현관": [500, 290] };

const ROOMS = [
  ["부엌", "M20 20H226V222H20Z", "tile"],
  ["화장실", "M226 20H432V222H226Z", "tile"],
  ["침실", "M432 20H700V270H432Z", "warm"],
  ["거실", "M20 222H432V270H470V480H20Z", "wood"],
  ["현관", "M470 270H700V480H470Z", "tile"],
];

const FURNITURE = `
  <g><rect class="g" x="26" y="26" width="194" height="40" rx="3"/><rect class="f" x="40" y="32" width="56" height="28" rx="5"/><circle class="l" cx="68" cy="46" r="3"/><path class="l" d="M68 32v8"/>
    <rect class="f" x="150" y="30" width="66" height="32" rx="4"/><circle class="l" cx="166" cy="46" r="8"/><circle class="l" cx="166" cy="46" r="3.500"/><circle class="l" cx="199" cy="46" r="8"/><circle class="l" cx="199" cy="46" r="3.500"/>
    <rect class="f" x="26" y="72" width="34" height="42" rx="3"/><path class="l" d="M54 78v14"/></g>
  <g><rect class="f" x="234" y="28" width="84" height="44" rx="9"/><rect class="blue" x="241" y="34" width="70" height="32" rx="9"/><circle class="l" cx="252" cy="50" r="3"/>
    <rect class="f" x="346" y="26" width="28" height="14" rx="3"/><ellipse class="f" cx="360" cy="54" rx="13" ry="16"/><ellipse class="l" cx="360" cy="55" rx="8" ry="11"/>
    <rect class="f" x="396" y="30" width="30" height="46" rx="5"/><ellipse class="blue" cx="411" cy="53" rx="9" ry="14"/></g>
  <g><rect class="f" x="560" y="40" width="128" height="168" rx="8"/><rect class="blue" x="560" y="98" width="128" height="110" rx="8"/><rect class="f" x="570" y="48" width="50" height="34" rx="9"/><rect class="f" x="629" y="48" width="50" height="34" rx="9"/><path class="l" d="M560 116h128"/>
    <rect class="g" x="516" y="40" width="36" height="36" rx="4"/><circle class="f" cx="534" cy="58" r="9"/></g>
  <g><rect class="rug" x="130" y="296" width="190" height="120" rx="12"/><rect class="soft" x="118" y="424" width="214" height="46" rx="12"/><rect class="soft" x="130" y="418" width="92" height="34" rx="8"/><rect class="soft" x="228" y="418" width="92" height="34" rx="8"/>
    <rect class="f" x="176" y="330" width="98" height="40" rx="8"/><path class="l" d="M196 344h18M236 356h14"/>
    <rect class="g" x="28" y="296" width="52" height="122" rx="6"/><circle class="soft" cx="430" cy="446" r="18"/><path class="l" d="M430 446l-10-12m10 12l12-9m-12 9l3 15m-3-15l-14 5"/></g>
  <g><rect class="g" x="478" y="440" width="120" height="34" rx="3"/><path class="l" d="M518 440v34m40-34v34"/><rect class="rug" x="634" y="366" width="44" height="68" rx="5"/></g>`;

const SVG = `<svg viewBox="0 0 720 500" role="presentation">
<defs>
  <pattern id="wood" width="96" height="32" patternUnits="userSpaceOnUse"><rect width="96" height="32" fill="#f3e6d2"/><path d="M0 .5h96M0 16.500h96M30 0v16M78 16v16" stroke="#e4d3b9" fill="none"/></pattern>
  <pattern id="wood2" width="96" height="32" patternUnits="userSpaceOnUse"><rect width="96" height="32" fill="#f5ead9"/><path d="M0 .5h96M0 16.500h96M46 0v16M12 16v16" stroke="#e6d8c1" fill="none"/></pattern>
  <pattern id="tile" width="22" height="22" patternUnits="userSpaceOnUse"><rect width="22" height="22" fill="#f0f0ec"/><path d="M0 .5h22M.5 0v22" stroke="#deded7" fill="none"/></pattern>
  <radialGradient id="light"><stop offset="0" stop-color="#fff"/><stop offset=".35" stop-color="#fff7d6" stop-opacity=".9"/><stop offset="1" stop-color="#fff3b0" stop-opacity="0"/></radialGradient>
  <clipPath id="inside"><path d="M20 20H700V480H20Z"/></clipPath>
  <filter id="blur" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="7"/></filter>
  <filter id="drop" x="-20%" y="-20%" width="140%" height="150%"><feDropShadow dx="0" dy="7" stdDeviation="8" flood-color="#4a3a1c" flood-opacity=".28"/></filter>
</defs>
<rect x="16" y="16" width="688" height="468" rx="3" fill="#fff" filter="url(#drop)"/>
<g id="plan_rooms"></g>
${FURNITURE}
<rect class="dark" x="20" y="20" width="680" height="460"/>
<g clip-path="url(#inside)"><circle class="glow" cx="62" cy="356" r="230" fill="url(#light)"/></g>
<path class="wall" d="M700 430V480H20V20H700V340"/>
<path class="wall thin" d="M226 20V222H290M350 222H432M432 20V270H548M612 270H700M470 270V320M470 390V480M20 222H60"/>
<path class="l" d="M60 222H226" stroke-dasharray="5 7"/>
<g class="leaf"><path d="M700 345V428" stroke="#8a5a2b" stroke-width="9" stroke-linecap="round"/></g>
<g class="gateway-small"><circle class="device-ring" cx="62" cy="356" r="62"/><circle class="device-ring two" cx="62" cy="356" r="62"/>
  <rect x="44" y="330" width="30" height="54" rx="6" fill="#fff" stroke="#8d8575" stroke-width="1.600"/><rect x="60" y="335" width="11" height="44" rx="2" fill="#16202e"/><circle cx="51.500" cy="340" r="3.600" fill="#d6202f"/><circle cx="51.500" cy="351" r="2.800" fill="#ddd8ce"/><circle cx="51.500" cy="361" r="2.800" fill="#2464c8"/><circle cx="51.500" cy="371" r="2.800" fill="#1d9a57"/>
  <path class="sound" d="M84 344q8 12 0 24"/><path class="sound" d="M94 337q13 19 0 38"/><path class="sound" d="M104 330q18 26 0 52"/></g>
<g class="detector"><circle cx="128" cy="106" r="17" fill="#fff" stroke="#8d8575" stroke-width="1.600"/><circle cx="128" cy="106" r="10" fill="none" stroke="#cfc8ba" stroke-width="1.600"/><circle cx="128" cy="106" r="4" class="led-smoke"/></g>
<g class="pir"><path d="M444 26h28v14q-14 12-28 0z" fill="#fff" stroke="#8d8575" stroke-width="1.600"/><path d="M458 46L580 130M458 46L486 196" stroke="#0d7377" stroke-opacity=".32" stroke-dasharray="4 7" fill="none"/></g>
<g class="contact"><rect x="684" y="334" width="10" height="20" rx="2" fill="#fff" stroke="#8d8575" stroke-width="1.600"/></g>
<g class="smoke" filter="url(#blur)"><circle cx="183" cy="60" r="24"/><circle cx="168" cy="66" r="22"/><circle cx="194" cy="70" r="26"/><circle cx="178" cy="56" r="20"/><circle cx="164" cy="74" r="22"/><circle cx="190" cy="62" r="24"/></g>
<g id="plan_radio"></g>
<g class="person" id="person"><g class="bob"><ellipse cx="0" cy="3" rx="17" ry="9.500" fill="#5a6f9a"/><circle cx="0" cy="0" r="9" fill="#e9e6e1" stroke="#a9a49b" stroke-width="1.200"/><path d="M-4-3q4-5 8 0" stroke="#c9c4bb" stroke-width="2" fill="none"/><path d="M15-2l9-12" stroke="#8a5a2b" stroke-width="2.600" stroke-linecap="round"/></g></g>
</svg>`;

export function picture() {
  const parsed = new DOMParser().parseFromString(SVG.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '), "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true);
  const rooms = svg.querySelector("#plan_rooms");
  for (const [place, path, floor] of ROOMS) {
    const group = shape("g", { class: "room", role: "button", tabindex: "0", "data-place": place });
    group.append(shape("path", { d: path, class: `floor ${floor}` }));
    rooms.append(group);
  }
  return svg;
}

export function shape(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
