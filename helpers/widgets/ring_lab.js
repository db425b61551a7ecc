// The widget of chapter 5: a cluster on a token ring. The settings, the request, the picture with
// its log, the nodes. Everything is computed in the page by ring_lab_model.js.

import { node, put } from "./dom.js";
import { shape } from "./svg.js";
import { Cluster, Refused } from "./ring_lab_model.js";
import { createCards, createLog, meaning, stamp, told } from "./ring_lab_panel.js";
import { LEGEND, createPicture, legendSign, look, phasesOf } from "./ring_lab_picture.js";
import { LEVELS } from "./ring_lab_ring.js";

const SLIDERS = [["replication", "Replication factor", 5], ["tokens", "Tokens of each node", 8]];
const CHOICES = [["write_level", "Write level"], ["read_level", "Read level"]];
const SWITCHES = [["hinted_handoff", "Hinted handoff"], ["read_repair", "Read repair"]];
const PASSING = [[60, "1 minute passes"], [4 * 3600, "4 hours pass"], [11 * 86400, "11 days pass"]];
const WIDEST = 460; // pixels of the picture
const WELCOME = "Write a value. Then stop a node or cut the network, and write and read again.";

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `ring-lab-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const on = (element, event, act) => element.addEventListener(event, act, { signal });
  const button = (words) => node("button", { type: "button" }, words);
  const settings = () => model.get("settings");

  const labelled = (name, words, input, ...more) => {
    input.id = `${uid}-${name}`;
    return node("div", { class: "rl-field" }, node("label", { for: input.id }, words), ...more, input);
  };
  const sliders = SLIDERS.map(([name, words, max]) => {
    const input = node("input", { type: "range", min: 1, max, step: 1 });
    const value = node("span", { class: "rl-value", "aria-hidden": "true" }); // the slider says it
    on(input, "input", () => change({ [name]: Number(input.value) }));
    return { name, input, value, element: labelled(name, words, input, value) };
  });
  const choices = CHOICES.map(([name, words]) => {
    const input = node("select", {}, ...LEVELS.map((level) => node("option", {}, level)));
    on(input, "change", () => change({ [name]: input.value }));
    return { name, input, element: labelled(name, words, input) };
  });
  const switches = SWITCHES.map(([name, words]) => {
    const input = node("input", { type: "checkbox", id: `${uid}-${name}` });
    on(input, "change", () => change({ [name]: input.checked }));
    return { name, input, element: node("div", { class: "rl-check" }, input, node("label", { for: input.id }, words)) };
  });
  const text = (name, words, value) => {
    const input = node("input", { type: "text", maxlength: 40, autocomplete: "off", spellcheck: "false", value });
    return { input, element: labelled(name, words, input) };
  };
  const key = text("key", "Key", "");
  const value = text("value", "Value", "blue");
  const coordinator = node("select");
  const write = node("button", { type: "submit", class: "rl-main" }, "Write");
  const [read, remove, repair, heal, restart] = ["Read", "Delete", "Repair", "Heal the network", "Start again"].map(button);
  const passing = PASSING.map(([seconds, words]) => [seconds, button(words)]);
  const request = node("form", { class: "rl-request", "aria-label": "A request" }, key.element, value.element,
    labelled("at", "Coordinator", coordinator), node("div", { class: "rl-buttons" }, write, read, remove));
  const means = node("p", { class: "rl-means" });
  const clock = node("p", { class: "rl-clock" });
  const status = node("p", { class: "rl-status", role: "status", "aria-live": "polite" }, WELCOME);
  const svg = shape("svg", {
    role: "img", "aria-label": "The token ring with the nodes and what they have of the key. The list of nodes below says the same.",
  });
  const chart = node("div", { class: "rl-chart" }, svg);
  const log = createLog(uid);
  const legend = node("ul", { class: "rl-legend", "aria-label": "What the signs mean" },
    ...LEGEND.map(([kind, words]) => node("li", {}, legendSign(kind), words)));
  const nodes = node("div", { class: "rl-nodes" });
  const root = node("div", { class: "ring-lab", "data-lm-suppress-shortcuts": "true" }, // JupyterLab: no commands by keys from in here
    node("div", { class: "rl-settings" }, ...[...sliders, ...choices, ...switches].map(({ element }) => element)),
    means, request,
    node("div", { class: "rl-stage" }, node("div", {}, chart, legend), node("div", { class: "rl-said" }, status, log.element)),
    nodes,
    node("div", { class: "rl-buttons rl-time-row" }, clock, ...passing.map(([, one]) => one), repair, heal, restart));
  el.append(root);

  const picture = createPicture(svg, (name) => toggle(name));
  let cluster, cards;
  let shown = ""; // settings that are shown, as text
  let built = ""; // nodes and tokens of the cluster
  let moments = []; // what has happened since the last command began: {event, look}
  let waiting = []; // phases that are not shown yet
  let last = ""; // what is said when all is shown

  function begin({ nodes: count, tokens, replication, hinted_handoff, read_repair }) {
    cluster = new Cluster({ nodes: count, tokens, replication, hinted_handoff, read_repair });
    cluster.hear = (event) => moments.push({ event, look: look(cluster, key.input.value) });
    cards = createCards(uid, cluster.nodes, { toggle, side, offset });
    nodes.replaceChildren(cards.element);
    coordinator.replaceChildren(...cluster.nodes.map((name) => node("option", {}, name)));
    log.clear();
    moments = [];
  }

  function change(changes) {
    model.set("settings", { ...settings(), ...changes });
    model.save_changes();
    fromModel();
  }

  function fromModel() {
    const chosen = settings();
    const now = JSON.stringify(chosen);
    if (now === shown) return;
    finish();
    const first = !shown;
    shown = now;
    if (key.input.value !== chosen.key) key.input.value = chosen.key;
    const base = `${chosen.nodes} ${chosen.tokens}`;
    if (built !== base) {
      begin(chosen);
      if (!first) put(status, "This is another ring: it begins anew, with nothing stored.");
    } else if (cluster.replication !== chosen.replication) act(() => cluster.setReplication(chosen.replication));
    built = base;
    const { hinted_handoff, read_repair } = chosen;
    Object.assign(cluster, { hinted_handoff, read_repair });
    for (const { name, input, value: words } of sliders) {
      if (name === "replication") input.max = Math.min(5, chosen.nodes);
      input.value = chosen[name];
      put(words, chosen[name]);
    }
    for (const { name, input } of choices) input.value = chosen[name];
    for (const { name, input } of switches) input.checked = chosen[name];
    put(means, meaning(chosen));
    refresh();
  }

  function show(seen) {
    picture.show(seen, coordinator.value);
    cards.show(seen);
    put(clock, `Time: ${stamp(seen.now)}`);
    heal.disabled = !seen.nodes.some(({ beyond }) => beyond);
  }

  const refresh = () => show(look(cluster, key.input.value));

  /** Shows at once what is still on its way. */
  function finish() {
    picture.rest();
    for (const { moments: all } of waiting) log.add(all.map(({ event }) => event));
    waiting = [];
    if (cluster) end();
  }

  function end() {
    refresh();
    if (last) put(status, last);
    last = "";
  }

  /** Does something to the cluster, and shows step by step what came of it. */
  function act(what) {
    finish();
    moments = [];
    try {
      what();
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // the log says why it was refused
    }
    last = told(moments.map(({ event }) => event));
    waiting = phasesOf(moments);
    if (still.matches) finish();
    else next();
  }

  function next() {
    const phase = waiting.shift();
    if (!phase) return end();
    const events = phase.moments.map(({ event }) => event);
    log.add(events);
    picture.travel(events, () => {
      show(phase.moments.at(-1).look);
      next();
    });
  }

  function toggle(name) {
    act(() => (cluster.running(name) ? cluster.stop(name) : cluster.start(name)));
  }

  function side(name, beyond) {
    const all = new Set(cluster.network.beyond);
    if (beyond) all.add(name);
    else all.delete(name);
    act(() => (all.size % cluster.nodes.length ? cluster.cut(all) : cluster.heal()));
  }

  function offset(name, seconds) {
    act(() => cluster.setClock(name, seconds));
  }

  /** A request, if there is a key. */
  function ask(what) {
    if (key.input.value) return act(() => what(key.input.value, settings(), coordinator.value));
    put(status, "The key is empty. Give it a name, such as fur-elise.");
    key.input.focus();
  }

  on(request, "submit", (event) => {
    event.preventDefault();
    ask((name, { write_level }, at) => cluster.write(name, value.input.value, write_level, at));
  });
  on(read, "click", () => ask((name, { read_level }, at) => cluster.read(name, read_level, at)));
  on(remove, "click", () => ask((name, { write_level }, at) => cluster.delete(name, write_level, at)));
  on(repair, "click", () => act(() => cluster.repair()));
  on(heal, "click", () => {
    act(() => cluster.heal());
    if (heal.disabled) repair.focus();
  });
  on(restart, "click", () => {
    finish();
    begin(settings());
    refresh();
    put(status, "Back at the start: nothing is stored, all nodes run.");
  });
  for (const [seconds, one] of passing) on(one, "click", () => act(() => cluster.advance(seconds)));
  on(key.input, "input", () => change({ key: key.input.value }));
  on(coordinator, "change", () => { finish(); });
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  on(root, "keydown", (event) => event.stopPropagation());
  model.on?.("change:settings", fromModel);
  fromModel();

  const resized = new ResizeObserver(() => {
    const width = Math.min(WIDEST, Math.floor(chart.clientWidth));
    if (width) picture.lay(width);
  });
  resized.observe(chart);

  return () => {
    picture.rest();
    waiting = [];
    closing.abort();
    resized.disconnect();
    model.off?.("change:settings", fromModel);
    root.remove();
  };
}

export default () => ({ render });
