// The load balancer lab: the settings with their servers, the picture and its player, the results.
// It simulates (load_balancer_model.js), or shows what Python measures at a real program.

import { node, put } from "./dom.js";
import { shape } from "./svg.js";
import { ALGORITHMS } from "./load_balancer_algorithms.js";
import { Lab, LINE, PLACES, percentile } from "./load_balancer_model.js";
import { bucketed, createHistogram, createTable, listed, news } from "./load_balancer_panel.js";
import { createPicture } from "./load_balancer_picture.js";

const NAMES = "abcdef";
const [LEAST, MOST] = [2, NAMES.length];
const SWITCHES = [
  ["sticky", "Sticky sessions", "A client stays with the server that answered it first."],
  ["retry", "Retry on another server", "What fails at one server is sent to the next."],
  ["checks", "Health checks", "The balancer asks every server, 4 times a second, whether it is well."],
];
const SLIDERS = [ // of each server
  ["weight", "Weight", 0, 10, 1, ""],
  ["ms", "Time", 0, 500, 50, " ms"],
];
const SHORTEST = 10; // milliseconds that a server works, where its slider says 0
const PACES = [[10, "10 times slower"], [5, "5 times slower"], [2, "2 times slower"]];
const SHOWN = 200; // milliseconds from one look at the numbers to the next
const QUIET = 3000; // and from one sentence to the next, at least
const LEGEND = [["disc", "request"], ["ring", "answer"], ["cross", "lost"], ["check", "health check"]];
const TOLD = {
  work: "goes to", line: "waits in the queue of", refused: "is refused by", answer: "has its answer from", lost: "is lost",
  out: "The balancer leaves out", back: "The balancer uses again",
};
const PASSIVE = " A server that failed is left out for about a second, even with retry and health checks off.";
const OLD = "When this page was made, a real program ran here. Now it is simulated.";

const button = (words) => node("button", { type: "button" }, words);

function swatch(kind) {
  const sign = {
    disc: ["circle", { cx: 8, cy: 8, r: 4 }], ring: ["circle", { cx: 8, cy: 8, r: 3.2 }],
    cross: ["path", { d: "M4 4l8 8M12 4l-8 8" }], check: ["rect", { x: 5, y: 5, width: 6, height: 6 }],
  }[kind];
  return shape("svg", { class: `lb-sign lb-is-${kind}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, shape(...sign));
}

/** How a server is and what the balancer knows of it. */
function stateOf({ up, out }) {
  if (up) return out ? "works, left out" : "works";
  return out ? "dead, left out" : "dead";
}

/** What all views of a widget share: the lab, and whether its clock runs. */
function shared(model) {
  const real = model.get("mode") === "real" && model.live !== false;
  const all = { real, running: real, pace: 5, clock: undefined, text: "", wakers: new Set() };
  const settings = () => ({ checks: false, retry: false, ...model.get("settings") });
  all.settings = settings;
  all.restart = () => {
    all.lab = new Lab({ ...settings(), ...(real && { rate: 0 }) }, real ? { leg: 300 } : {});
    all.moment = momentOf(all.lab);
  };
  /** Goes on for as long as the frames took: at most a tenth of a second, if the page was hidden. */
  all.advance = (clock) => {
    const passed = Math.max(0, Math.min(clock - (all.clock ?? clock), 100));
    all.clock = clock;
    if (all.running) all.lab.run(all.lab.now + passed / (real ? 1 : all.pace));
    return passed;
  };
  all.restart();
  return all;
}

const momentOf = (lab, { lost, begun } = lab) => ({
  lost, begun,
  servers: lab.servers.map(({ name, weight, up, out, line }) => ({ name, weight, up, out, waiting: line.length })),
});

function render({ model, el }, all) {
  const closing = new AbortController();
  const { signal } = closing;
  const { real } = all;
  const uid = `load-balancer-lab-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  const on = (element, event, act) => element.addEventListener(event, act, { signal });

  const labelled = (name, words, input, ...more) => {
    input.id = `${uid}-${name}`;
    return node("div", { class: "lb-field" }, node("label", { for: input.id }, ...[words].flat()), ...more, input);
  };
  const slider = (name, words, min, max, step) => {
    const value = node("span", { class: "lb-value", "aria-hidden": "true" }); // the slider says it
    const input = node("input", { type: "range", min, max, step });
    return { input, value, element: labelled(name, words, input, value) };
  };
  const choice = (options) => node("select", {}, ...options.map(([value, words]) => node("option", { value }, words)));
  const help = (words, id) => node("p", { class: "lb-help", id: `${uid}-${id}` }, words);

  const algorithm = choice(Object.keys(ALGORITHMS).map((name) => [name, name]));
  algorithm.setAttribute("aria-describedby", `${uid}-about`);
  const about = help("", "about");
  const rate = slider("rate", "Traffic", 1, 200, 1);
  rate.input.setAttribute("aria-describedby", `${uid}-rates`);
  const switches = SWITCHES.map(([name, words, more]) => {
    const input = node("input", { type: "checkbox", id: `${uid}-${name}`, "aria-describedby": `${uid}-${name}-help` });
    const element = node("div", { class: "lb-switch" }, input, node("label", { for: input.id }, words), help(more, `${name}-help`));
    element.hidden = real && name !== "sticky"; // the real program has its own way
    return { name, input, element };
  });
  const [play, step, restart, more, fewer] = ["Start", "Step", "Reset", "Add a server", ""].map(button);
  play.classList.add("lb-main");
  const pace = choice(PACES);
  const paced = labelled("pace", "Time runs", pace);
  step.hidden = restart.hidden = paced.hidden = real;
  const svg = shape("svg", {
    role: "img", "aria-label": "Clients at one side, the balancer, servers at the other. The table has the numbers.",
  });
  const canvas = node("canvas", { "aria-hidden": "true" });
  const chart = node("div", { class: "lb-chart" }, svg, canvas);
  const cards = node("div", { class: "lb-cards" });
  const status = node("p", { class: "lb-status", role: "status", "aria-live": "polite" });
  const stage = node("div", { class: "lb-stage" }, chart, status,
    node("div", { class: "lb-switches" }, ...switches.map(({ element }) => element)),
    cards, node("div", { class: "lb-pair" }, more, fewer));
  const message = node("p", { class: "lb-message", "aria-live": "polite" });
  const table = createTable();
  const histogram = createHistogram();
  const legend = node("ul", { class: "lb-legend", "aria-label": "What the signs mean" },
    ...LEGEND.map(([kind, words]) => node("li", {}, swatch(kind), words)));
  const root = node("div", {
    class: "load-balancer-lab",
    "data-lm-suppress-shortcuts": "true", // JupyterLab: no commands by keys from in here
  },
  node("div", { class: "lb-settings" },
    node("div", {}, labelled("algorithm", "Algorithm", algorithm), about),
    node("div", {}, rate.element, help("Requests a second, from all clients together.", "rates"))),
  node("div", { class: "lb-player" }, play, step, restart, paced),
  stage, message, legend,
  node("p", { class: "lb-help" }, "Weight: the share that a server is meant to get; 0: nothing new. Time: how long it works "
    + `on a request; it works on ${PLACES} at once, ${LINE} more may queue. Who comes then is refused.${real ? "" : PASSIVE}`),
  node("div", { class: "lb-results" }, node("div", {}, table.figures, table.element),
    node("figure", {}, histogram.element, node("figcaption", {},
      "Times of the last answers in ms, from the balancer's choice to the server's answer, "
      + "since the last change of the algorithm or a checkbox."))));
  el.append(root);

  const picture = createPicture(svg, canvas);
  const built = new Map(); // name -> the card of a server
  let frame = 0; // of the animation, 0 while it rests
  let looked = -Infinity; // when the numbers were shown last
  let said = -Infinity; // when something was said last
  let visible = true;
  let last; // settings that are shown, as text

  function card(name) {
    const state = node("span", { class: "lb-is" });
    const kill = button("");
    const sliders = SLIDERS.map(([key, words, ...range]) => {
      const made = slider(`${name}-${key}`, [words, node("span", { class: "lb-unseen" }, ` of ${name}`)], ...range.slice(0, 3));
      on(made.input, "input", () => changeServer(name, {
        [key]: Math.max(Number(made.input.value), key === "ms" ? SHORTEST : 0),
      }));
      return { key, words, unit: range[3], ...made };
    });
    on(kill, "click", () => {
      changeServer(name, { up: !serverOf(name).up });
      said = Math.max(said, performance.now() - QUIET + 1000); // until then the balancer may find out
      if (!all.running) speak();
    });
    const element = node("div", { class: "lb-card", role: "group", "aria-label": `Server ${name}` },
      node("div", { class: "lb-top" }, node("strong", {}, name), state, kill), ...sliders.map((one) => one.element));
    return { element, state, kill, sliders };
  }

  const serverOf = (name) => all.settings().servers.find((one) => one.name === name);

  function change(changes) {
    model.set("settings", { ...all.settings(), ...changes });
    model.save_changes();
    fromModel();
  }

  function begin(changes) {
    change(changes);
    said = performance.now();
    put(status, "The numbers begin anew.");
  }

  function changeServer(name, changes) {
    change({ servers: all.settings().servers.map((one) => (one.name === name ? { ...one, ...changes } : one)) });
  }

  function fromModel() {
    const settings = all.settings();
    const text = JSON.stringify(settings);
    if (text !== all.text) all.lab.change({ ...settings, ...(real && { rate: 0 }) });
    all.text = text;
    if (text === last) return;
    last = text;
    const { servers } = settings;
    algorithm.value = settings.algorithm;
    put(about, ALGORITHMS[settings.algorithm][1]);
    rate.input.value = settings.rate;
    put(rate.value, `${settings.rate} a second`);
    rate.input.setAttribute("aria-valuetext", `${settings.rate} requests a second`);
    for (const { name, input } of switches) input.checked = settings[name];
    const shown = [...built.keys()].join();
    for (const [name, { element }] of built) {
      if (servers.some((one) => one.name === name)) continue;
      element.remove();
      built.delete(name);
    }
    for (const server of servers) {
      const { name, up } = server;
      if (!built.has(name)) {
        built.set(name, card(name));
        cards.append(built.get(name).element);
      }
      const { kill, sliders } = built.get(name);
      put(kill, `${up ? "Kill" : "Revive"} ${name}`);
      for (const { key, input, value, unit } of sliders) {
        input.value = server[key];
        put(value, `${server[key]}${unit}`);
        if (unit) input.setAttribute("aria-valuetext", `${server[key]} milliseconds a request`);
      }
    }
    more.disabled = servers.length >= MOST;
    fewer.disabled = servers.length <= LEAST;
    put(fewer, `Remove ${servers.at(-1).name}`);
    if (shown !== [...built.keys()].join()) layOut();
    looked = -Infinity;
    wake();
  }

  function layOut() {
    const { lab } = all;
    const wide = getComputedStyle(stage).getPropertyValue("--lb-wide").trim() === "1";
    chart.style.height = ""; // it grows with the cards
    const rows = wide ? [...cards.children].map((one) => one.offsetTop + one.offsetHeight / 2) : null;
    const height = wide ? cards.offsetHeight : 300;
    chart.style.height = `${height}px`;
    const width = Math.floor(chart.clientWidth);
    if (!width) return;
    picture.lay(lab, { width, height, rows });
    looked = -Infinity;
    show(performance.now());
  }

  /** The numbers: of the simulation, or those that Python has measured. */
  function figures() {
    const { lab } = all;
    const measured = real ? model.get("measured") : null;
    const servers = lab.servers.map((server) => {
      const { name, weight, up, given, failed } = server;
      const found = measured?.servers?.find((one) => one.name === name);
      const counts = real ? { requests: 0, open: 0, failed: 0, ...found } : { requests: given, open: lab.open(server), failed };
      return { name, weight, up, ...counts };
    });
    if (!real) {
      const [p50, p95, p99] = [0.5, 0.95, 0.99].map((part) => percentile(lab.times, part));
      return { servers, done: lab.done, lost: lab.lost, p50, p95, p99, buckets: bucketed(lab.times) };
    }
    const { lost = 0, p50 = null, p95 = null, p99 = null } = measured ?? {};
    const done = servers.reduce((sum, { requests, open, failed }) => sum + requests - open - failed, 0);
    return { servers, done, lost, p50, p95, p99, buckets: bucketed(lab.times) };
  }

  /** Says what has changed since it last said something. */
  function speak() {
    const now = momentOf(all.lab, real ? { lost: model.get("measured")?.lost ?? 0 } : all.lab);
    const words = news(all.moment, now);
    if (!words) return;
    all.moment = now;
    said = performance.now();
    put(status, words);
  }

  function show(clock, passed = 0) {
    const { lab } = all;
    picture.paint(lab, all.running ? 1 - Math.exp(-passed / 70) : 1, quiet.matches);
    if (clock - looked < (quiet.matches ? 2.5 : 1) * SHOWN) return;
    looked = clock;
    const settings = all.settings();
    picture.mark(lab, stateOf, settings.sticky || /hash/.test(settings.algorithm));
    for (const server of lab.servers) {
      const { state, element } = built.get(server.name);
      put(state, stateOf(server));
      element.classList.toggle("lb-dead", !server.up);
    }
    const found = figures();
    table.show(found);
    histogram.show(found);
    put(play, all.running ? "Pause" : "Start");
    const note = model.get("mode") === "real" && !real ? OLD : model.get("message");
    put(message, note ?? "");
    if (all.running && clock - said > QUIET) speak();
  }

  /** Draws from now on, or once if nothing runs. */
  function wake() {
    frame ||= requestAnimationFrame(tick);
  }
  all.wakers.add(wake);

  function tick(clock) {
    frame = 0;
    const passed = all.advance(clock);
    if (built.size) show(clock, passed);
    if (all.running && visible) wake();
    else all.clock = undefined;
  }

  on(algorithm, "change", () => begin({ algorithm: algorithm.value }));
  on(rate.input, "input", () => change({ rate: Number(rate.input.value) }));
  for (const { name, input } of switches) on(input, "change", () => begin({ [name]: input.checked }));
  on(more, "click", () => {
    const { servers } = all.settings();
    const name = [...NAMES].find((one) => !servers.some((server) => server.name === one));
    change({ servers: [...servers, { name, weight: 1, ms: 100, up: true }] });
    put(status, `${name} is a new server.`);
  });
  on(fewer, "click", () => {
    const { servers } = all.settings();
    change({ servers: servers.slice(0, -1) });
    put(status, `${servers.at(-1).name} is gone; ${listed(servers.slice(0, -1).map(({ name }) => name))} are left.`);
    if (fewer.disabled) more.focus();
  });
  on(play, "click", () => {
    all.running = !all.running;
    all.clock = undefined;
    looked = -Infinity;
    put(status, all.running ? "It runs." : "It rests.");
    for (const wakeOne of all.wakers) wakeOne();
  });
  on(step, "click", () => {
    all.running = false;
    const { what, request, server } = all.lab.step();
    const time = `${Math.round(all.lab.now)} ms: `;
    const who = request ? `a request of client ${request.client + 1} ` : "";
    put(status, `${time}${who}${TOLD[what]}${what === "lost" ? "" : ` ${server.name}`}.`);
    looked = -Infinity;
    wake();
  });
  on(restart, "click", () => {
    all.running = false;
    all.restart();
    put(status, "Back at the start.");
    layOut();
  });
  on(pace, "change", () => { all.pace = Number(pace.value); });
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  on(root, "keydown", (event) => event.stopPropagation());

  const heard = (content) => {
    if (content?.kind !== "requests" || !all.running || !visible || quiet.matches) return;
    all.lab.replay(content.list);
    wake();
  };
  const measures = () => wake();
  model.on?.("change:settings", fromModel);
  model.on?.("change:measured change:message", measures);
  model.on?.("msg:custom", heard);
  pace.value = all.pace;
  fromModel();

  const recolour = () => {
    picture.recolour();
    wake();
  };
  const themed = new MutationObserver(recolour);
  for (const one of [document.documentElement, document.body]) themed.observe(one, { attributes: true });
  on(matchMedia("(prefers-color-scheme: dark)"), "change", recolour);
  const resized = new ResizeObserver(layOut);
  resized.observe(root);
  const seen = new IntersectionObserver((entries) => {
    visible = entries.at(-1).isIntersecting;
    if (visible) wake();
  });
  seen.observe(root);

  return () => {
    cancelAnimationFrame(frame);
    all.wakers.delete(wake);
    closing.abort();
    for (const one of [themed, resized, seen]) one.disconnect();
    model.off?.("change:settings", fromModel);
    model.off?.("change:measured change:message", measures);
    model.off?.("msg:custom", heard);
    root.remove();
  };
}

/** A widget: what its views share outlives them. */
export default () => {
  let all;
  return { render: ({ model, el }) => render({ model, el }, all ??= shared(model)) };
};
