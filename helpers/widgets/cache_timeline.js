// The widget of chapter 7: one object in a shared cache as time goes by. Settings, the player, the
// picture, and what it all means now. Everything is computed in the page by cache_timeline_model.js.

import { node, put } from "./dom.js";
import { shape } from "./svg.js";
import { OUTCOMES, Timeline, headerOf } from "./cache_timeline_model.js";
import { createFigures, createNews, createTable, inSeconds, meaning, situation, told, WORDS } from "./cache_timeline_panel.js";
import { BANDS, HEIGHT, band, createPicture, patterns, sign } from "./cache_timeline_picture.js";

const SLIDERS = [ // -1 is none
  ["max_age", "max-age", 0, 60, 1],
  ["s_maxage", "s-maxage", -1, 60, 1],
  ["stale_while_revalidate", "stale-while-revalidate", 0, 30, 1],
  ["stale_if_error", "stale-if-error", 0, 60, 1],
  ["every", "Between two requests", 0.5, 10, 0.5],
  ["latency", "The origin takes", 0.1, 3, 0.1],
];
const ZERO_IS_NONE = ["stale_while_revalidate", "stale_if_error"];
const BAND_WORDS = { window: "stale, usable while it is renewed", down: "origin down" };
const SPEEDS = [1, 2, 5, 10];
const SHOWN = 200; // milliseconds from one look at the numbers to the next
const QUIET = 4000; // and from one sentence of its own to the next, at least

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `cache-timeline-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const on = (element, event, act) => element.addEventListener(event, act, { signal });
  const button = (words) => node("button", { type: "button" }, words);

  const sliders = SLIDERS.map(([name, words, min, max, step], at) => {
    const input = node("input", { type: "range", id: `${uid}-${name}`, min, max, step });
    const value = node("span", { class: "ct-value", "aria-hidden": "true" }); // the slider says it
    const label = node("label", { for: input.id }, at < 4 ? node("code", {}, words) : words);
    on(input, "input", () => change({ [name]: input.value < 0 ? null : Number(input.value) }));
    return { name, input, value, element: node("div", { class: "ct-field" }, label, value, input) };
  });
  const validator = node("input", { type: "checkbox", id: `${uid}-validator` });
  const header = node("code");
  const means = node("p", { class: "ct-means" });
  const [play, step, restart] = ["Play", "Step", "Start again"].map(button);
  play.classList.add("ct-main");
  const speed = node("select", { id: `${uid}-speed` },
    ...SPEEDS.map((one) => node("option", { value: one }, `${one} times`)));
  const [ask, cover, origin, purge] = ["Ask now", "Change the cover", "", "Purge"].map(button);
  const svg = shape("svg", {
    role: "img", height: HEIGHT,
    "aria-label": "Timeline: the clients' requests, the copy in the cache, the origin, and the copy's age. "
      + "The table has the last requests.",
  });
  const chart = node("div", { class: "ct-chart" }, svg);
  const now = node("p", { class: "ct-situation" });
  const status = node("p", { class: "ct-status", role: "status", "aria-live": "polite" }, "Press Play. Or press Ask now, and then Step.");
  const figures = createFigures();
  const table = createTable();
  const swatch = (...drawn) => shape("svg", { class: "ct-swatch", "aria-hidden": "true" }, ...drawn);
  const wide = (kind) => {
    const made = swatch(band(uid, kind, 0.5, 0.5, 27, 15));
    made.classList.add("ct-wide");
    return made;
  };
  const legend = node("ul", { class: "ct-legend", "aria-label": "What the signs mean" },
    ...OUTCOMES.map((one) => node("li", {}, swatch(sign(one, 8, 8)), WORDS[one][0])),
    ...Object.entries(BANDS).map(([kind, words]) => node("li", {}, wide(kind), BAND_WORDS[kind] ?? words)));
  const root = node("div", {
    class: "cache-timeline",
    "data-lm-suppress-shortcuts": "true", // JupyterLab: no commands by keys from in here
  },
  node("div", { class: "ct-settings" }, ...sliders.map(({ element }) => element),
    node("div", { class: "ct-switch" }, validator, node("label", { for: validator.id }, "The origin sends an ETag"))),
  node("p", { class: "ct-header" }, header), means,
  node("div", { class: "ct-players" },
    node("div", { class: "ct-player" }, play, step, restart, node("label", { for: speed.id }, "Speed"), speed),
    node("div", { class: "ct-player" }, ask, cover, origin, purge)),
  chart, now, status, figures.element, legend, table.element);
  el.append(root);

  const picture = createPicture(svg, uid);
  let timeline, news;
  let shown = ""; // settings that are shown, as text
  let running = false;
  let frame = 0; // of the animation, 0 while it rests
  let clock; // of the frame before
  let at = 0; // where the timeline is, with the part of a millisecond that it leaves out
  let looked = -Infinity; // when the numbers were shown last
  let said = -Infinity; // when something was said last
  let heard = ""; // what is worth a sentence, and was not said yet
  let visible = true;

  const settings = () => model.get("settings");

  function begin() {
    running = false;
    at = 0;
    heard = "";
    news = createNews();
    timeline = new Timeline(settings(), { seed: settings().seed });
    timeline.tell = (what, detail) => { heard = news.hear(what, detail) || heard; };
  }

  function change(changes) {
    model.set("settings", { ...settings(), ...changes });
    model.save_changes();
    fromModel();
  }

  function fromModel() {
    const chosen = settings();
    const text = JSON.stringify(chosen);
    if (text === shown) return;
    const first = !shown;
    shown = text;
    if (first) begin();
    else timeline.change(chosen);
    for (const { name, input, value } of sliders) {
      const number = chosen[name];
      const none = number === null || (number === 0 && ZERO_IS_NONE.includes(name));
      input.value = number ?? -1;
      put(value, none ? "off" : `${number} s`);
      input.setAttribute("aria-valuetext", none ? "off" : `${number} second${number === 1 ? "" : "s"}`);
    }
    validator.checked = chosen.validator;
    put(header, `Cache-Control: ${headerOf(chosen)}`);
    put(means, meaning(chosen));
    refresh();
  }

  function say(words) {
    said = performance.now();
    heard = "";
    put(status, words);
  }

  function show(time) {
    picture.show(timeline);
    if (time - looked < SHOWN) return;
    looked = time;
    put(now, situation(timeline));
    put(play, running ? "Pause" : "Play");
    put(origin, timeline.up ? "Origin down" : "Origin up");
    figures.show(timeline);
    table.show(timeline);
    if (running && heard && time - said > QUIET) say(heard);
  }

  /** Shows everything anew at once. */
  function refresh() {
    looked = -Infinity;
    show(performance.now());
  }

  function tick(time) {
    const passed = Math.min(time - (clock ?? time), still.matches ? 1000 : 100); // it may have been hidden
    frame = running && visible ? requestAnimationFrame(tick) : 0;
    if (still.matches && passed < 1000 && clock !== undefined) return; // from second to second
    clock = time;
    at += passed * Number(speed.value);
    timeline.run(Math.round(at));
    show(time);
  }

  function wake() {
    if (!running || frame) return;
    clock = undefined;
    frame = requestAnimationFrame(tick);
  }

  function rest() {
    running = false;
    cancelAnimationFrame(frame);
    frame = 0;
  }

  /** What the reader does: `act` gives the words for it. */
  const command = (element, act) => on(element, "click", () => {
    say(act());
    refresh();
  });

  command(play, () => {
    if (running) rest();
    else running = true;
    wake();
    return running ? "It runs." : `It rests at ${inSeconds(timeline.now)}.`;
  });
  command(step, () => {
    rest();
    const before = timeline.total;
    const waiting = timeline.requests.filter(({ outcome }) => !outcome).length;
    timeline.step();
    at = timeline.now;
    const { requests } = timeline;
    const waits = requests.filter(({ outcome }) => !outcome).length > waiting;
    const answered = timeline.total > before && requests.findLast((one) => one.answered === at);
    const words = heard || (answered ? told(answered) : waits ? told(requests.at(-1)) : situation(timeline));
    return `${inSeconds(at)}: ${words}`;
  });
  command(restart, () => {
    rest();
    begin();
    return "Back at the start.";
  });
  command(ask, () => {
    const request = timeline.ask();
    return heard || told(request);
  });
  command(cover, () => {
    timeline.changeCover();
    const { version, entry } = timeline;
    news.changed(version, timeline.now);
    return `The origin has cover ${version} now. ${entry ? `The cache keeps cover ${entry.version}.` : "The cache keeps nothing."}`;
  });
  command(origin, () => {
    timeline.setOrigin(!timeline.up);
    return timeline.up ? "The origin answers again." : "The origin is down: it answers with an error (503) from now on.";
  });
  command(purge, () => {
    timeline.purge();
    return "The cache has forgotten the cover.";
  });
  on(validator, "change", () => change({ validator: validator.checked }));
  on(table.element, "toggle", refresh);
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  on(root, "keydown", (event) => event.stopPropagation());
  model.on?.("change:settings", fromModel);
  speed.value = "2";
  fromModel();

  const resized = new ResizeObserver(() => {
    const width = Math.floor(chart.clientWidth);
    if (!width) return;
    picture.lay(width);
    refresh();
  });
  resized.observe(chart);
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    visible = isIntersecting;
    if (visible) wake();
  });
  seen.observe(root);

  return () => {
    rest();
    closing.abort();
    resized.disconnect();
    seen.disconnect();
    model.off?.("change:settings", fromModel);
    root.remove();
  };
}

export default () => ({ render });
