// What the load balancer lab tells beside its picture: the table, the histogram, and in sentences.

import { node, put } from "./dom.js";
import { shape } from "./svg.js";

const FIRST = 25; // milliseconds: where the first bar ends; every second bar ends at twice as much
const BARS = 14;
const PERCENTILES = [["p50", "half"], ["p95", "95 %"], ["p99", "99 %"]];
const [WIDTH, HEIGHT, TOP, FOOT] = [252, 150, 56, 18]; // of the histogram, in its own pixels
const LABEL = 62; // beside it, for what is written to the right of the last line
const NONE = "no answers yet";

/** "a", "a and b", "a, b and c" */
export const listed = (names) => names.join(", ").replace(/, ([^,]*)$/, " and $1");

const place = (time) => Math.max(0, Math.min(BARS, 1 + 2 * Math.log2(Math.max(time, 1) / FIRST)));

/** How many of these times belong to each bar. */
export function bucketed(times) {
  const buckets = Array(BARS).fill(0);
  for (const time of times) buckets[Math.min(Math.ceil(place(time) - 1e-9), BARS) - 1 + (place(time) <= 0)] += 1;
  return buckets;
}

export function createHistogram() {
  const step = WIDTH / BARS;
  const floor = HEIGHT - FOOT;
  const bars = Array.from({ length: BARS }, (_, at) =>
    shape("rect", { class: "lb-bar", x: at * step + 1, width: step - 2, y: floor, height: 0 }));
  const axis = [0, 2, 4, 6, 8, 10, 12].map((at) => shape("text", {
    class: "lb-axis", x: (at + 1) * step, y: HEIGHT - 4,
  }, `${FIRST * 2 ** (at / 2)}`));
  // Each label is at the right of its line, and above the lines that come further right.
  const lines = PERCENTILES.map(([name], at) => {
    const text = shape("text", { class: "lb-strong", x: 4, y: 12 + at * 14 });
    const line = shape("g", {}, shape("path", { class: `lb-line lb-${name}`, d: `M0 ${3 + at * 14}V${floor}` }), text);
    return { name, text, line };
  });
  const none = shape("text", { class: "lb-axis", x: WIDTH / 2, y: floor / 2 }, NONE);
  const svg = shape("svg", { class: "lb-histogram", role: "img", viewBox: `0 0 ${WIDTH + LABEL} ${HEIGHT}` },
    ...bars, shape("path", { class: "lb-floor", d: `M0 ${floor}H${WIDTH}` }), ...axis, ...lines.map(({ line }) => line), none);
  const show = (figures) => {
    const empty = figures.p50 === null;
    none.style.display = empty ? "" : "none";
    const most = Math.max(1, ...figures.buckets);
    bars.forEach((bar, at) => {
      const height = ((floor - TOP) * (figures.buckets[at] ?? 0)) / most;
      bar.setAttribute("height", height);
      bar.setAttribute("y", floor - height);
    });
    for (const { name, text, line } of lines) {
      const time = figures[name];
      line.style.display = time === null ? "none" : "";
      if (time === null) continue;
      line.setAttribute("transform", `translate(${(place(time) * step).toFixed(1)} 0)`);
      put(text, `${name} ${Math.round(time)}`);
    }
    const said = PERCENTILES.map(([name, part]) => `${part} within ${Math.round(figures[name])} ms`);
    svg.setAttribute("aria-label", empty ? `Histogram of the times: ${NONE}.`
      : `Histogram of the times: ${listed(said)}.`);
  };
  return { element: svg, show };
}

const HEADS = ["Server", "Weight", "Requests", "Share", "In flight", "Failed"];
const FIGURES = ["Answered", "Lost", "p50", "p95", "p99"];

export function createTable() {
  const body = node("tbody");
  const figures = FIGURES.map((words) => {
    const value = node("dd");
    return { value, element: node("div", {}, node("dt", {}, words), value) };
  });
  const element = node("table", {},
    node("caption", {}, "In flight: on the way to this server, in its queue or being worked on. Failed: sent to it without success. "
      + "All numbers but In flight begin anew with a change of the algorithm or a checkbox."),
    node("thead", {}, node("tr", {}, ...HEADS.map((words) => node("th", { scope: "col" }, words)))), body);
  const show = ({ servers, done, lost, ...times }) => {
    while (body.children.length > servers.length) body.lastChild.remove();
    while (body.children.length < servers.length) {
      body.append(node("tr", {}, node("th", { scope: "row" }), ...HEADS.slice(1).map(() => node("td"))));
    }
    const all = servers.reduce((sum, { requests }) => sum + requests, 0);
    servers.forEach(({ name, weight, requests, open, failed, up }, at) => {
      const share = all ? `${Math.round((100 * requests) / all)} %` : "\u2013";
      const cells = [up ? name : `${name}, dead`, weight, requests, share, open, failed];
      cells.forEach((text, i) => put(body.children[at].children[i], text));
    });
    const ms = FIGURES.slice(2).map((name) => (times[name] === null ? "\u2013" : `${Math.round(times[name])} ms`));
    [done, lost, ...ms].forEach((text, i) => put(figures[i].value, text));
  };
  return { element, figures: node("dl", {}, ...figures.map((one) => one.element)), show };
}

/**
 * What has changed between two moments, in a sentence, or "". A moment is {begun, lost, servers:
 * [{name, weight, up, out, waiting}]}: how often the counts have begun, and what is lost since.
 */
export function news(before, now) {
  const was = (name) => before.servers.find((one) => one.name === name) ?? { up: true, out: false, waiting: 0 };
  const names = (test) => now.servers.filter((one) => test(one, was(one.name))).map(({ name }) => name);
  const verb = (who, one, many) => `${listed(who)} ${who.length > 1 ? many : one}`;
  const lost = now.lost - (now.begun === before.begun && now.lost >= before.lost ? before.lost : 0);
  const lose = `${lost} request${lost === 1 ? "" : "s"} lost`;
  const left = names(({ up, out, weight }) => up && !out && weight > 0);
  const died = names((one, old) => old.up && !one.up);
  const alive = names((one, old) => !old.up && one.up && one.out);
  const back = names((one, old) => one.up && !one.out && (old.out || !old.up));
  const dead = names(({ up }) => !up);
  const full = names(({ waiting }, old) => waiting >= 5 && old.waiting < 5);
  const said = [];
  if (died.length) {
    const share = left.length ? verb(left, "gets all the traffic", "share the traffic") : "no server is left";
    said.push(`${verb(died, "has", "have")} died: ${lost ? lose : "nothing lost"}; ${share}.`);
  } else if (lost > 0) {
    const tried = left.length && dead.length ? `: the balancer tried ${listed(dead)} again` : "";
    const packed = names(({ waiting }) => waiting > 15);
    said.push(`${lose}${!left.length ? ": no server is left" : packed.length ? `: the queue of ${listed(packed)} is full` : tried}.`);
  }
  if (alive.length) said.push(`${verb(alive, "is", "are")} alive; the balancer does not know yet.`);
  if (back.length) said.push(`${verb(back, "is", "are")} back and ${back.length > 1 ? "get" : "gets"} requests.`);
  if (full.length && !said.length) said.push(`Requests queue at ${listed(full)}.`);
  return said.join(" ");
}
