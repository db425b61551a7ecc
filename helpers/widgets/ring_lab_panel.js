// What stands beside the picture of the ring lab: a card for each node, the log, and sentences.

import { node, put } from "./dom.js";
import { described, duration, required } from "./ring_lab_ring.js";

const KEPT = 80; // sentences of the log
const MOST = 5; // sentences that are said at once
const SILENT = ["ask", "write", "read"]; // these only stand in the log

/** A time of the cluster: 1 d 02:03:04. */
export function stamp(seconds) {
  const days = Math.floor(seconds / 86400);
  const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${days ? `${days} d ` : ""}${parts.map((part) => String(part).padStart(2, "0")).join(":")}`;
}

/** What the levels mean for what a read can miss. */
export function meaning({ replication, write_level, read_level }) {
  const [write, read] = [write_level, read_level].map((level) => required(level, replication));
  const sum = `${write} + ${read} is ${write + read > replication ? "" : "not "}more than ${replication}`;
  const so = write + read > replication
    ? "each read asks at least one replica that has answered the last write."
    : "a read may ask only replicas that have missed the last write.";
  return `A write waits for ${write} of ${replication} replicas, a read for ${read}. ${sum}: ${so}`;
}

/** What is said of what has just happened. */
export function told(events) {
  const said = events.filter(({ kind }) => !SILENT.includes(kind)).map(({ text }) => text);
  const more = said.length - MOST;
  return more > 0 ? `${said.slice(0, MOST - 1).join(" ")} And ${more + 1} more: see the log.` : said.join(" ");
}

/** How far a clock is off, in words. */
export const offBy = (offset) => (offset ? `${duration(Math.abs(offset))} ${offset > 0 ? "ahead" : "behind"}` : "right");

const ORDER = ["", "first", "second", "third", "fourth", "fifth"];

/** What a node is and has, in a sentence or two. */
export function stateOf({ up, place, cell, hints }) {
  const role = place ? `${ORDER[place]} replica` : "no replica of this key";
  const has = cell ? `has ${described(cell)}` : place ? "has nothing" : "";
  const keeps = hints.length ? `keeps ${hints.length} hint${hints.length === 1 ? "" : "s"} for ${[...new Set(hints)].join(", ")}` : "";
  return `${up ? "Runs" : "Stopped"}; ${[role, has, keeps].filter(Boolean).join("; ")}.`;
}

/** A card for each node, with what can be done to it. */
export function createCards(uid, names, { toggle, side, offset }) {
  const cards = names.map((name) => {
    const state = node("p", { class: "rl-state" });
    const button = node("button", { type: "button" });
    const beyond = node("input", { type: "checkbox", id: `${uid}-beyond-${name}` });
    const clock = node("input", { type: "range", id: `${uid}-clock-${name}`, min: -60, max: 60, step: 5 });
    const value = node("span", { class: "rl-value", "aria-hidden": "true" }); // the slider says it
    button.addEventListener("click", () => toggle(name));
    beyond.addEventListener("change", () => side(name, beyond.checked));
    clock.addEventListener("input", () => offset(name, Number(clock.value)));
    const element = node("li", { class: "rl-card" },
      node("div", { class: "rl-top" }, node("strong", {}, `Node ${name}`), button), state,
      node("div", { class: "rl-check" }, beyond, node("label", { for: beyond.id }, node("span", { class: "rl-unseen" }, `Node ${name} `), "Beyond the cut")),
      node("div", { class: "rl-field" }, node("label", { for: clock.id }, "Clock", node("span", { class: "rl-unseen" }, ` of ${name}`)), value, clock));
    return { name, element, state, button, beyond, clock, value };
  });
  const show = ({ nodes }) => cards.forEach(({ name, element, state, button, beyond, clock, value }, at) => {
    const seen = nodes[at];
    put(state, stateOf(seen));
    put(button, `${seen.up ? "Stop" : "Start"} ${name}`);
    element.classList.toggle("rl-stopped", !seen.up);
    beyond.checked = seen.beyond;
    clock.value = seen.offset;
    put(value, seen.offset ? `${seen.offset > 0 ? "+" : "\u2212"}${Math.abs(seen.offset)} s` : "right");
    clock.setAttribute("aria-valuetext", offBy(seen.offset));
  });
  return { element: node("ul", { class: "rl-cards" }, ...cards.map(({ element }) => element)), show };
}

/** The log: a sentence for each event, the newest last. */
export function createLog(uid) {
  const list = node("ol", {});
  const frame = node("div", { class: "rl-log", tabindex: 0, role: "region", "aria-labelledby": `${uid}-log` }, list);
  const element = node("div", { class: "rl-story" }, node("p", { class: "rl-head", id: `${uid}-log` }, "What happened"), frame);
  const add = (events) => {
    list.append(...events.map(({ time, kind, text }) => node("li", { class: `rl-line rl-line-${kind}` },
      node("span", { class: "rl-time" }, stamp(time)), " ", text)));
    while (list.childElementCount > KEPT) list.firstChild.remove();
    frame.scrollTop = frame.scrollHeight;
  };
  return { element, add, clear: () => list.replaceChildren() };
}
