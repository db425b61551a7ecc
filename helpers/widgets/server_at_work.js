// The widget of chapter 2: settings, a picture of the server at work with its player, and a table
// of the times. Everything is computed in the page by server_at_work_model.js.

import { HANDLERS, WAYS, axisEnd, moments, simulate, stateAt } from "./server_at_work_model.js";
import { draw, swatch } from "./server_at_work_picture.js";

const PLAYING = 9000; // real milliseconds for the whole axis
const SLIDERS = [
  ["clients", "Clients", 3, 6, 1, ""],
  ["slow", "Slow clients", 0, 6, 1, ""],
  ["drip", "Pause of slow clients", 50, 400, 10, " ms"],
  ["work", "Work per request", 20, 400, 10, " ms"],
];
const SAME = "It makes no difference here: the one thread stays with its client in any case.";
const ABOUT = { // for each handler
  [WAYS[0]]: [
    "One thread takes a client and stays with it until the answer is sent. Nobody is at the door for the others.",
    SAME, SAME,
  ],
  [WAYS[1]]: [
    "A thread stays at the door and starts another for each client. A thread that waits lets the others run.",
    "Each client has a thread of its own: one that is held up stops nobody else.",
    "All threads share one processor: each computes for 20 ms, then it is another's turn.",
  ],
  [WAYS[2]]: [
    "One thread goes wherever there is something to do, and never waits for a single client.",
    "The one thread waits for the disk and cannot leave: whatever arrives meanwhile stays in line.",
    "The one thread cannot leave while it computes: whatever arrives meanwhile stays in line.",
  ],
};
const STATES = {
  away: "", bytes: "sending", turn: "in line", read: "read", disk: "disk", work: "compute",
  answer: "answer", done: "done",
};
const LEGEND = [
  ["bytes", "bytes of the request arrive"], ["turn", "in line: the server is busy with others"],
  ["disk", "the disk looks for the file"], ["work", "the processor works for this client"],
  ["thread", "a thread: dashed while it waits"],
];
const SENTENCE = [ // for a moment, in this order
  [["bytes"], "still sending"], [["turn"], "in line"], [["disk"], "waiting for the disk"],
  [["read", "work", "answer"], "at the processor"], [["done"], "answered"],
];

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const ms = (time) => `${Math.round(time)} ms`;

/** The moment in words: "240 ms. Still sending: A. Answered: B, C." */
function momentInWords(result, time) {
  const parts = SENTENCE.map(([states, words]) => {
    const names = result.clients.filter((client) => states.includes(stateAt(client, time)));
    return names.length ? `${words}: ${names.map((client) => client.name).join(", ")}` : "";
  });
  const said = parts.filter(Boolean).map((part) => `${part[0].toUpperCase()}${part.slice(1)}.`);
  return `${ms(time)}. ${said.join(" ")}`;
}

/** The outcome in words, for those who hear it at the end. */
function summary({ clients, end }) {
  const waited = ({ answered, complete }) => answered - complete;
  const longest = [...clients].sort((one, other) => waited(other) - waited(one))[0];
  const alike = clients.every((client) => waited(client) === waited(longest));
  const who = alike ? "Each client waited" : `Client ${longest.name} waited longest:`;
  return `All have their answer after ${ms(end)}. ${who} ${ms(waited(longest))}.`;
}

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `server-at-work-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const choices = [["way", "How the server works", WAYS], ["handler", "The handler", HANDLERS]].map(
    ([name, words, values]) => {
      const inputs = values.map((value, i) => node("input",
        { type: "radio", name: `${uid}-${name}`, value, id: `${uid}-${name}${i}` }));
      const labels = inputs.map((input) => node("label", { for: input.id }, input, input.value));
      const element = node("fieldset", { class: "sw-choice" }, node("legend", {}, words), ...labels);
      return { name, inputs, element };
    });
  const about = node("p", { class: "sw-about" });
  const sliders = SLIDERS.map(([name, words, min, max, step, unit]) => {
    const input = node("input", { type: "range", id: `${uid}-${name}`, min, max, step });
    const value = node("span", { class: "sw-value", "aria-hidden": "true" }); // the slider says it
    const element = node("div", {}, node("label", { for: input.id }, words), value, input);
    return { name, input, value, unit, element };
  });
  const button = (words) => node("button", { type: "button" }, words);
  const [play, step, restart] = [button("Play"), button("Step"), button("Restart")];
  play.classList.add("sw-main");
  const time = node("input", { type: "range", min: 0, step: 10, id: `${uid}-time` });
  const moment = node("p", { class: "sw-moment", "aria-hidden": "true" }); // the slider says it too
  const status = node("p", { class: "sw-status", role: "status", "aria-live": "polite" }); // unseen
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label",
    "Time chart: a lane for each client, and the threads that serve them. The table has its times.");
  const chart = node("div", { class: "sw-chart" }, svg,
    node("div", { class: "sw-time" }, node("label", { for: time.id }, "Time"), time));
  const rows = node("tbody");
  const heads = ["Client", "Request complete", "Waited", "Answered at"];
  const table = node("table", {},
    node("caption", {}, "Times in milliseconds (ms). Waited: from the complete request to the answer."),
    node("thead", {}, node("tr", {}, ...heads.map((words) => node("th", { scope: "col" }, words)))),
    rows);
  const counts = ["Threads for clients now", "at most at once", "in total"].map((words) => {
    const value = node("dd");
    return { value, element: node("div", {}, node("dt", {}, words), value) };
  });
  const legend = node("ul", { class: "sw-legend", "aria-label": "What the signs mean" },
    ...LEGEND.map(([what, words]) => node("li", {}, swatch(uid, what), words)));
  const root = node("div", {
    class: "server-at-work",
    "data-lm-suppress-shortcuts": "true", // JupyterLab: no commands by keys from in here
  },
  ...choices.map((choice) => choice.element), about,
  node("div", { class: "sw-sliders" }, ...sliders.map((slider) => slider.element)),
  chart,
  node("div", { class: "sw-player" }, play, step, restart), moment, status,
  node("div", { class: "sw-results" }, table,
    node("div", {}, node("dl", {}, ...counts.map((count) => count.element)), legend)));
  el.append(root);

  let settings, result, last, picture;
  let at = 0; // the moment that is shown, in virtual milliseconds
  let frame = 0; // of the animation, 0 while it rests

  /** Shows the moment `at`. */
  function show() {
    picture?.seek(at, stateAt);
    const words = momentInWords(result, at);
    time.value = at;
    if (!frame) time.setAttribute("aria-valuetext", words); // not sixty times a second
    moment.textContent = at < result.end ? words : summary(result);
    result.clients.forEach((client, i) => {
      const { complete, answered } = client;
      const cells = rows.children[i].children;
      cells[1].textContent = at < complete ? "\u2013" : complete;
      cells[2].textContent = at < answered ? "\u2013" : answered - complete;
      cells[3].textContent = at < answered ? "\u2013" : answered;
    });
    const threads = Object.values(result.threadsAt(at));
    counts.forEach(({ value }, i) => { value.textContent = threads[i]; });
    play.textContent = frame ? "Pause" : "Play";
  }

  function redraw() {
    const width = Math.floor(chart.clientWidth);
    if (!width || !result) return;
    picture = draw(svg, uid, result, { width, last, words: STATES });
    chart.style.setProperty("--sw-left", `${picture.left}px`); // the slider's knob is below the moment
    chart.style.setProperty("--sw-length", `${picture.right - picture.left}px`);
    show();
  }

  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
  }

  /** Goes to a moment. Who gets to the end hears how it went. */
  function go(to, aloud = "") {
    at = Math.min(Math.max(to, 0), result.end);
    if (at === result.end) stop();
    show();
    const { most, total } = result.threadsAt(at);
    status.textContent = at < result.end ? aloud
      : `${summary(result)} Threads for clients: ${most} at most at once, ${total} in total.`;
  }

  function start() {
    if (at >= result.end) at = 0;
    let before;
    const tick = (clock) => {
      const passed = Math.min(clock - (before ?? clock), 100); // the page may have been hidden
      before = clock;
      frame = requestAnimationFrame(tick);
      go(at + (passed * last) / PLAYING);
    };
    frame = requestAnimationFrame(tick);
    show();
  }

  function fromModel() {
    const names = ["clients", "slow", "drip", "work", "way", "handler"];
    const values = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    values.slow = Math.min(values.slow, values.clients);
    if (settings && names.every((name) => settings[name] === values[name])) return;
    const [ended, playing] = [settings ? at >= result.end : still(), frame];
    settings = values;
    result = simulate(settings);
    last = axisEnd(settings);
    time.max = last;
    for (const { name, inputs } of choices) {
      for (const input of inputs) input.checked = input.value === settings[name];
    }
    about.textContent = ABOUT[settings.way][HANDLERS.indexOf(settings.handler)];
    for (const { name, input, value, unit } of sliders) {
      if (name === "slow") input.max = settings.clients;
      input.value = settings[name];
      value.textContent = `${settings[name]}${unit}`;
      if (unit) input.setAttribute("aria-valuetext", `${settings[name]} milliseconds`);
    }
    rows.replaceChildren(...result.clients.map(({ name, number }) => node("tr", {},
      node("th", { scope: "row" }, number < settings.slow ? `${name}, slow` : name),
      ...heads.slice(1).map(() => node("td")))));
    stop();
    at = ended ? result.end : 0; // who saw the end sees the new end at once
    status.textContent = "";
    redraw();
    if (playing) start();
  }

  function change(name, value) {
    model.set(name, value);
    if (name === "clients" && model.get("slow") > value) model.set("slow", value);
    model.save_changes();
    fromModel();
  }

  for (const { name, element } of choices) {
    element.addEventListener("change", (event) => change(name, event.target.value), { signal });
  }
  for (const { name, input } of sliders) {
    input.addEventListener("input", () => change(name, Number(input.value)), { signal });
  }
  play.addEventListener("click", () => {
    if (!frame) return start();
    stop();
    go(at, momentInWords(result, at));
  }, { signal });
  step.addEventListener("click", () => {
    stop();
    const next = moments(result).find((one) => one > at) ?? result.end;
    go(next, momentInWords(result, next));
  }, { signal });
  restart.addEventListener("click", () => {
    stop();
    go(0, "Back at the start.");
  }, { signal });
  time.addEventListener("input", () => {
    stop();
    go(Number(time.value));
  }, { signal });
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  root.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
  const changes = SLIDERS.map(([name]) => `change:${name}`).join(" ") + " change:way change:handler";
  model.on?.(changes, fromModel);
  const resized = new ResizeObserver(redraw);
  fromModel();
  resized.observe(chart);

  return () => {
    stop();
    closing.abort();
    resized.disconnect();
    model.off?.(changes, fromModel);
    root.remove();
  };
}

export default { render };
