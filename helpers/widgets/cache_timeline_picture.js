// The picture of the cache timeline, in SVG: the clients' requests, the copy in the cache, the
// origin, and the copy's age. It is built anew when something has happened; in between it only
// moves to the left below the line of "now".

import { shape } from "./svg.js";
import { MEMORY, exactAge, lateAt, staleAt } from "./cache_timeline_model.js";

const SPANS = [20, 30, 45, 60, 90, 120]; // seconds that the picture may show
const DENSE = 4; // pixels for a second at least
const NOW = 0.74; // where now is, as a part of the width; what follows is a forecast
const LEFT = 8; // room for the first sign
const LANES = [24, 39, 54]; // of the requests: the heights of their middles
const CACHE = { top: 84, height: 28 };
const ORIGIN = { top: 152, height: 22 };
const AGE = { top: 204, height: 64 };
const AXIS = 284;
export const HEIGHT = 290;
const TOPS = [5, 10, 20, 30, 60, 90, 120, 180, 300, 600, 1200, 3600, 36000]; // of the axis of ages
const MARK = 15; // pixels that a request needs

/** How a request is drawn: a letter, and the shape that it stands on. */
export const SIGNS = {
  hit: ["H", "disc"], stale: ["S", "disc"], miss: ["M", "square"], revalidated: ["R", "square"],
  collapsed: ["C", "square"], "stale-if-error": ["E", "rhomb"], error: ["X", "rhomb"], "": ["", "square"],
};
const SHAPES = {
  disc: "M-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0 -13 0z", square: "M-6 -6h12v12h-12z", rhomb: "M0 -8l8 8l-8 8l-8 -8z",
};
export const BANDS = { fresh: "fresh", window: "stale, usable", stale: "stale", down: "down" };

/** The sign of an outcome, around a point. */
export function sign(outcome, x, y) {
  const [letter, form] = SIGNS[outcome];
  return shape("g", { class: `ct-sign ct-is-${outcome || "waiting"}`, transform: `translate(${x} ${y})` },
    shape("path", { d: SHAPES[form] }), shape("text", { y: 3.5 }, letter));
}

/** The patterns of the bands: stripes, dots and a net, so that nobody has to tell colours apart. */
export function patterns(uid) {
  const one = (name, size, d) => shape("pattern", { id: `${uid}-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse" },
    shape("rect", { class: `ct-${name}-ground`, width: size, height: size }), shape("path", { class: `ct-${name}-ink`, d }));
  return shape("defs", {},
    one("window", 8, "M-2 2l4 -4M-1 9l10 -10M6 10l4 -4"),
    one("stale", 7, "M2 3.5h2.4M2 3.5h0"),
    one("down", 8, "M0 0l8 8M8 0l-8 8"));
}

export const band = (uid, kind, x, y, width, height) => shape("rect", {
  class: `ct-band ct-${kind}`, x, y, width: Math.max(0, width), height, ...(kind !== "fresh" && { fill: `url(#${uid}-${kind})` }),
});

/** Gives what draws into `svg`: `lay` it out for a width, and `show` a timeline as it is now. */
export function createPicture(svg, uid) {
  let width = 0;
  let span = 30; // seconds
  let drawn = null; // {changes, until, top} of the timeline that is drawn
  let labels = []; // {element, from, to, length}: they stay in sight while their band is
  let edged = []; // {element, x, left, right}: what is not shown in part
  const text = (kind, x, y, words) => shape("text", { class: kind, x, y }, words);
  const clip = shape("rect", { y: 0, height: HEIGHT });
  const veil = shape("rect", { class: "ct-veil", y: CACHE.top - 4, height: AXIS - CACHE.top - 12 });
  const line = shape("path", { class: "ct-now", d: `M0 14V${AXIS - 14}` });
  const [ahead, past, above, still] = ["ahead", "past", "above", "still"].map((name) => shape("g", { class: `ct-${name}` }));
  svg.append(patterns(uid), shape("clipPath", { id: `${uid}-past` }, clip), ahead, veil,
    shape("g", { "clip-path": `url(#${uid}-past)` }, past), line, above, still);

  const perSecond = () => width / span;
  const xOf = (time) => LEFT + (time / 1000) * perSecond();

  /** Seconds enough for what is kept from its arrival until it is of no use, if there is room. */
  function spanFor({ settings, entry }) {
    const rules = entry?.rules ?? settings;
    const useful = rules.s_maxage ?? rules.max_age + rules.stale_while_revalidate;
    const possible = SPANS.filter((one) => one * DENSE <= width);
    return possible.find((one) => one >= 1.25 * useful + 5) ?? possible.at(-1) ?? SPANS[0];
  }

  function lay(to) {
    width = to;
    drawn = null;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  }

  function show(timeline) {
    if (!width) return;
    const { now, entry, changes } = timeline;
    const age = entry ? exactAge(entry, now) / 1000 : 0;
    if (drawn?.changes !== changes || now > drawn.until || age > drawn.top) build(timeline, age);
    const x = Math.min(xOf(now), width * NOW);
    const offset = xOf(now) - x;
    for (const group of [ahead, past, above]) group.setAttribute("transform", `translate(${(-offset).toFixed(2)} 0)`);
    clip.setAttribute("width", x);
    clip.setAttribute("x", 0);
    veil.setAttribute("x", x);
    veil.setAttribute("width", width - x);
    line.setAttribute("transform", `translate(${x.toFixed(2)} 0)`);
    for (const { element, from, to, length } of labels) {
      const left = Math.max(xOf(from), offset) + 5;
      const right = Math.min(to === null ? Infinity : xOf(to), xOf(now)) - 3;
      element.style.display = left + length <= right ? "" : "none";
      element.setAttribute("x", left.toFixed(2));
    }
    for (const { element, x: middle, left, right } of edged) {
      element.style.display = middle - left >= offset && middle + right <= offset + width ? "" : "none";
    }
  }

  /** Into a group, but it is seen only where there is room for it on both sides. */
  function whole(group, element, x, left, right) {
    group.append(element);
    edged.push({ element, x, left, right });
  }

  function build(timeline, age) {
    const { now, changes } = timeline;
    const needed = spanFor(timeline);
    if (needed !== span || !drawn) for (const request of timeline.requests) request.lane = undefined;
    span = needed;
    const [start, end] = [now - span * 1000, now + span * 1000]; // more than is seen, on both sides
    const seen = (from, to) => from <= end && (to ?? Infinity) >= start;
    labels = [];
    edged = [];
    for (const group of [ahead, past, above, still]) group.replaceChildren();
    const label = (words, from, to, y) => {
      const element = above.appendChild(text("ct-label", 0, y, words));
      labels.push({ element, from, to });
    };
    const ages = timeline.kept.filter(({ from, to }) => seen(from, to))
      .map(({ entry, to }) => Math.max(exactAge(entry, to ?? now) / 1000, entry.lifetime));
    const top = TOPS.find((one) => one >= Math.max(age * 1.05, ...ages)) ?? TOPS.at(-1);
    axis(start, end);
    copies(timeline, { end, seen, label });
    curve(timeline, { end, seen, top });
    origin(timeline, { end, seen, label });
    calls(timeline, seen);
    requests(timeline, { end, seen });
    still.append(text("ct-head", 1, 10, "Clients"), text("ct-head", 1, CACHE.top - 7, "Cache"),
      text("ct-head ct-end", width - 1, CACHE.top - 7, width > 420 ? "forecast, if nobody asks" : "forecast"),
      text("ct-head", 1, ORIGIN.top + ORIGIN.height + 13, "Origin"),
      text("ct-head", 1, AGE.top - 3, "Age in seconds"), text("ct-tick ct-left", 1, AGE.top + 11, top));
    for (const one of labels) one.length = one.element.getComputedTextLength(); // all at once: it costs
    drawn = { changes, top, until: now + span * 200 };
  }

  function axis(start, end) {
    const step = [1, 2, 5, 10, 20, 30, 60].find((one) => one * perSecond() >= 44) * 1000;
    for (let at = Math.max(0, Math.ceil(start / step) * step); at <= end; at += step) {
      const x = xOf(at);
      ahead.append(shape("path", { class: "ct-grid", d: `M${x} ${CACHE.top}V${AGE.top + AGE.height}` }));
      whole(ahead, text("ct-tick", x, AXIS, at ? `${at / 1000} s` : "0"), x, at ? 18 : 4, 18);
    }
  }

  /** What is kept, and how good it is. A forecast follows for what is kept now. */
  function copies({ kept }, { end, seen, label }) {
    const { top, height } = CACHE;
    const nothing = (from, to) => {
      if (from === to || !seen(from, to)) return;
      ahead.append(shape("rect", { class: "ct-empty", x: xOf(from), y: top, width: xOf(to ?? end) - xOf(from), height }));
      label("nothing", from, to, top + 18.5);
    };
    let since = kept[0]?.from > MEMORY ? kept[0].from : 0; // before that all is forgotten
    for (const { entry, from, to } of kept) {
      nothing(since, from);
      since = to;
      if (!seen(from, to)) continue;
      const until = to ?? end;
      const parts = [["fresh", from, staleAt(entry)], ["window", staleAt(entry), lateAt(entry)], ["stale", lateAt(entry), until]];
      for (const [kind, begin, finish] of parts) {
        const [left, right] = [Math.max(begin, from), Math.min(finish, until)];
        if (right <= left) continue;
        ahead.append(band(uid, kind, xOf(left), top, xOf(right) - xOf(left), height));
        const words = kind === "fresh" ? `cover ${entry.version}, fresh` : BANDS[kind];
        label(words, left, to === null && right === end ? null : right, top + 18.5);
      }
      ahead.append(shape("path", { class: "ct-start", d: `M${xOf(from)} ${top - 3}v${height + 6}` }));
    }
    if (since !== null) nothing(since, null);
  }

  /** The age climbs, and falls when the copy is renewed; dashed: where it gets stale. */
  function curve({ kept }, { end, seen, top }) {
    const yOf = (age) => AGE.top + AGE.height * (1 - Math.min(age / top, 1));
    const floor = AGE.top + AGE.height;
    let d = "";
    let limits = "";
    for (const { entry, from, to } of kept) {
      if (!seen(from, to)) continue;
      const full = entry.received - entry.initial + top * 1000; // the moment when it leaves the picture
      const until = Math.min(to ?? end, full);
      const [first, last] = [from, until].map((time) => yOf(exactAge(entry, time) / 1000));
      d += `M${xOf(from)} ${floor}V${first}L${xOf(until)} ${last}`;
      if (to !== null) d += `L${xOf(to)} ${last}V${floor}`;
      limits += `M${xOf(from)} ${yOf(entry.lifetime)}H${xOf(to ?? end)}`;
    }
    ahead.append(shape("path", { class: "ct-floor", d: `M0 ${floor}H${xOf(end)}` }),
      shape("path", { class: "ct-limit", d: limits }), shape("path", { class: "ct-age", d }));
  }

  function origin({ versions, outages }, { end, seen, label }) {
    const { top, height } = ORIGIN;
    versions.forEach(({ version, from, to }) => {
      if (!seen(from, to)) return;
      const width = xOf(to ?? end) - xOf(from);
      past.append(shape("rect", { class: `ct-origin ct-origin-${version % 2}`, x: xOf(from), y: top, width, height }));
      if (version > 1) past.append(shape("path", { class: "ct-changed", d: `M${xOf(from)} ${CACHE.top + CACHE.height}V${top + height}` }));
      label(`cover ${version}`, from, to, top + 15);
    });
    for (const { from, to } of outages) {
      if (!seen(from, to)) continue;
      past.append(band(uid, "down", xOf(from), top, xOf(to ?? end) - xOf(from), height));
      label(BANDS.down, from, to, top + 15);
    }
  }

  /** Arrows to the origin and back, dashed where no client waits; and what it said. */
  function calls({ calls: all, now }, seen) {
    const [low, high] = [CACHE.top + CACHE.height + 2, ORIGIN.top - 2];
    let free = -Infinity; // where there is room for a word
    for (const { asked, due, status, request } of all) {
      if (!seen(asked, due)) continue;
      const [from, to] = [xOf(asked), xOf(due)];
      const kind = `ct-call${request ? "" : " ct-behind"}`;
      past.append(shape("path", { class: kind, d: `M${from} ${low}V${high}m-3 -5l3 5l3 -5` }),
        shape("path", { class: `${kind} ct-reply-${status}`, d: `M${to} ${high}V${low}m-3 5l3 -5l3 5` }));
      if (due > now || to < free) continue;
      whole(above, text("ct-code", to + 5, (low + high) / 2 + 4, status), to, 0, 30);
      free = to + 34;
    }
  }

  /** A sign where a client has asked, and a line for as long as it waited. */
  function requests({ requests: all, settings }, { end, seen }) {
    const free = LANES.map(() => -Infinity);
    for (const request of all) {
      const { asked, answered, outcome } = request;
      const finish = answered ?? Math.min(asked + settings.latency * 2000, end);
      if (!seen(asked, finish)) continue;
      const x = xOf(asked);
      const room = free.findIndex((one) => one <= x);
      request.lane ??= room >= 0 ? room : free.indexOf(Math.min(...free));
      free[request.lane] = Math.max(x + MARK, xOf(finish) + 5);
      const y = LANES[request.lane];
      const tick = answered === null ? "" : "m0 -4v8";
      if (finish > asked) past.append(shape("path", { class: "ct-wait", d: `M${x} ${y}H${xOf(finish)}${tick}` }));
      whole(above, sign(outcome, x, y), x, 8, 8);
    }
  }

  return { lay, show };
}
