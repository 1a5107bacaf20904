// Building and finding elements. Text always goes in as text, never as HTML.

export const find = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// Radio buttons made of buttons: arrows move, the chosen one is in the tab order.
export function segments(group, chosen, choose) {
  const buttons = [...group.querySelectorAll("button")];
  const mark = (value) => buttons.forEach((button) => {
    const on = valueOf(button) === value;
    button.setAttribute("aria-checked", String(on));
    button.tabIndex = on ? 0 : -1;
  });
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) choose(valueOf(button));
  });
  group.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = buttons.indexOf(document.activeElement);
    if (!by || at < 0) return;
    event.preventDefault();
    const next = buttons[(at + by + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
  mark(chosen);
  return mark;
}

const valueOf = (button) => button.dataset.x || button.dataset.desk || button.dataset.value;

export const untoast = () => document.querySelector(".toast")?.remove();

export function toast(text) {
  untoast();
  const node = h("div", { class: "toast", role: "alert" }, text);
  document.body.append(node);
  setTimeout(() => node.remove(), 5000);
}

export const pad = (value, width = 2) => String(value).padStart(width, "0");

export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${pad(Math.floor(s / 60))}:${pad(s % 60)}`;
}
