// The picture of a server at work: a lane for each client along a time axis, and the threads drawn
// as threads, from the door to the lanes. It is drawn once; `seek` shows it up to a moment.

import { PIECES, RUNS } from "./server_at_work_model.js";

const LANE = 46; // height in pixels; the thread runs at YARN, within a band, below the bytes
const YARN = 29;
const BAND = 20;
const HEAD = 34; // height of the lane of the door
const FOOT = 24; // height of the axis
const LABELS = { turn: "in line", disk: "disk" };

function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, typeof value === "number" ? Math.round(value * 100) / 100 : value);
  }
  made.append(...children);
  return made;
}

/** The patterns of the bands, so that colour is not the only difference. */
function patterns(uid) {
  const pattern = (name, size, turn, ...shapes) => shape("pattern", {
    id: `${uid}-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse",
    patternTransform: `rotate(${turn})`,
  }, shape("rect", { class: `sw-${name}-ground`, width: size, height: size }), ...shapes);
  return shape("defs", {},
    pattern("turn", 7, 45, shape("path", { class: "sw-turn-ink", d: "M1.5 0V7" })),
    pattern("disk", 8, 0, shape("circle", { class: "sw-disk-ink", cx: 4, cy: 4, r: 1.4 })));
}

const fillOf = (uid, what) => (RUNS.includes(what) ? "" : `fill:url(#${uid}-${what})`);

/** A small picture of one kind of band, for the legend. */
export function swatch(uid, what) {
  const svg = shape("svg", { class: "sw-swatch", viewBox: "0 0 34 16", "aria-hidden": "true" });
  if (what === "bytes") svg.append(...bytes(6, 5, PIECES, "sw-byte"));
  else if (what === "thread") {
    svg.append(shape("path", { class: "sw-yarn sw-asleep", d: "M1 8H17" }),
      shape("path", { class: "sw-yarn", d: "M17 8H33" }));
  } else {
    svg.append(shape("rect", {
      class: `sw-band sw-${what}`, style: fillOf(uid, what), x: 1, y: 1, width: 32, height: 14, rx: 3,
    }));
  }
  return svg;
}

/** The pieces that arrive together: squares, three in a row. */
function bytes(x, y, count, kind) {
  return Array.from({ length: count }, (_, at) => shape("rect", {
    class: kind, x: x + (at % 3) * 6, y: y + Math.floor(at / 3) * 6 - (count > 3 ? 3 : 0),
    width: 5, height: 5, rx: 1,
  }));
}

/**
 * Draws what `simulate` gave, `width` pixels wide, into the element `svg`; `last` is the end of the
 * time axis in milliseconds. Gives where the axis begins and ends, in pixels, and the function
 * `seek`, which shows the picture up to a time.
 */
export function draw(svg, uid, result, { width, last, words }) {
  const narrow = width < 480;
  const left = narrow ? 48 : 96; // where it is narrow, the states are told below the picture only
  const right = width - (narrow ? 58 : 62); // beyond it there is room for the last times
  const scale = (right - left) / last;
  const x = (time) => left + time * scale;
  const top = (client) => HEAD + client * LANE;
  const y = (client) => (client < 0 ? HEAD / 2 + 3 : top(client) + YARN);
  const height = top(result.clients.length) + FOOT;
  const floor = height - FOOT + 2;

  const clip = shape("rect", { x: 0, y: 0, width: 0, height });
  const back = shape("g");
  const past = shape("g", { "clip-path": `url(#${uid}-past)` });
  const front = shape("g");

  const step = [100, 200, 500, 1000].find((one) => one * scale > 52) ?? 2000;
  for (let time = 0; time <= last; time += step) {
    back.append(
      shape("path", { class: "sw-grid", d: `M${x(time)} ${HEAD - 8}V${floor}` }),
      shape("text", { class: "sw-axis", x: x(time), y: height - 5 }, time ? `${time}` : "0 ms"));
  }
  back.append(
    shape("text", { class: "sw-name", x: 4, y: y(-1) + 4 }, narrow ? "door" : "the door"),
    shape("path", { class: "sw-door", d: `M${left} ${y(-1)}H${width - 4}` }));

  const marks = result.clients.map((client) => lane(client));

  function lane(client) {
    const at = top(client.number);
    const middle = y(client.number);
    const state = shape("text", { class: "sw-state", x: 30, y: middle + 4 });
    back.append(
      shape("path", { class: "sw-rule", d: `M4 ${at}H${width - 4}` }),
      shape("circle", { class: "sw-client", cx: 14, cy: middle - 1, r: 11 }),
      shape("text", { class: "sw-letter", x: 14, y: middle + 4 }, client.name), state);
    if (!narrow && client.complete > client.start) {
      back.append(shape("text", { class: "sw-state", x: 30, y: at + 14 }, "slow"));
    }
    const box = { y: middle - BAND / 2, height: BAND };
    past.append(shape("rect", {
      ...box, class: "sw-open", x: x(client.start), width: x(client.answered) - x(client.start), rx: 4,
    }));
    for (const { what, from, to } of client.spans) {
      if (what === "bytes") continue; // the open connection, with nothing in it
      past.append(shape("rect", {
        ...box, class: `sw-band sw-${what}`, style: fillOf(uid, what), x: x(from), rx: 2,
        width: Math.max(x(to) - x(from), 1.5),
      }));
    }
    for (const start of new Set(client.arrivals)) {
      const count = client.arrivals.filter((one) => one === start).length;
      back.append(...bytes(x(start), at + 9, count, "sw-byte sw-coming"));
      past.append(...bytes(x(start), at + 9, count, "sw-byte"));
    }
    const done = shape("g", { class: "sw-done", transform: `translate(${x(client.answered) + 9} ${middle})` },
      shape("circle", { r: 7 }), shape("path", { d: "M-3 0l2.2 2.5 4-5" }),
      shape("text", { x: 11, y: 4 }, `${client.answered}`));
    front.append(done);
    return { client, state, done };
  }

  // Each thread: level where it is with a client, bent where it goes from lane to lane.
  const yarns = result.threads.map((spans, number) => {
    const branch = number > 0; // it begins at the door, where the client came in
    const places = branch ? [{ client: -1, from: spans[0].from, to: spans[0].from }, ...spans] : spans;
    const bend = places.map((span, i) => {
      const next = places[i + 1];
      if (!next || next.client === span.client) return 0;
      const room = span.to === span.from ? Infinity : (span.to - span.from) * scale;
      return Math.min(5, 0.3 * room, 0.3 * (next.to - next.from) * scale);
    });
    places.forEach(({ client, what, from, to }, i) => {
      const [start, end] = [x(from) + (bend[i - 1] ?? 0), x(to) - bend[i]];
      const level = y(client);
      if (end > start) {
        const kind = RUNS.includes(what) ? "sw-yarn" : "sw-yarn sw-asleep";
        past.append(shape("path", { class: kind, d: `M${start.toFixed(1)} ${level}H${end.toFixed(1)}` }));
      }
      if (!bend[i]) return;
      const [third, there] = [bend[i] / 3, y(places[i + 1].client)];
      const mid = x(to);
      past.append(shape("path", {
        class: "sw-yarn sw-hop",
        d: `M${mid - bend[i]} ${level}C${mid - third} ${level} ${mid + third} ${there} ${mid + bend[i]} ${there}`,
      }));
    });
    const bead = shape("circle", { class: "sw-bead", r: 6 });
    front.append(bead);
    return { places, bend, bead };
  });

  /** How high a thread is at a time: on the curve between two lanes, it is on its way. */
  function level({ places, bend }, time) {
    const i = Math.max(0, places.findIndex((span) => time < span.to));
    const [here, next, before] = [places[i], places[i + 1], places[i - 1]];
    const between = (one, other, part) => {
      const eased = part * part * (3 - 2 * part);
      return y(one.client) + (y(other.client) - y(one.client)) * eased;
    };
    const [since, until] = [(time - here.from) * scale, (here.to - time) * scale];
    if (before && since < bend[i - 1]) return between(before, here, 0.5 + since / bend[i - 1] / 2);
    if (next && until < bend[i]) return between(here, next, 0.5 - until / bend[i] / 2);
    return y(here.client);
  }

  const now = shape("path", { class: "sw-now", d: `M0 ${HEAD - 26}V${floor}` });
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  svg.replaceChildren(patterns(uid), shape("clipPath", { id: `${uid}-past` }, clip), back, past, now, front);
  const tags = label(past, result, { x, y });

  const seek = (time, stateOf) => {
    clip.setAttribute("width", x(time));
    now.setAttribute("transform", `translate(${x(time)} 0)`);
    now.style.display = time < result.end ? "" : "none";
    for (const { tag, end } of tags) tag.style.display = x(time) < end ? "none" : "";
    for (const { client, state, done } of marks) {
      state.textContent = narrow ? "" : words[stateOf(client, time)];
      done.style.display = time < client.answered ? "none" : "";
    }
    for (const yarn of yarns) {
      const { places, bead } = yarn;
      const there = time >= places[0].from && time < places.at(-1).to;
      bead.style.display = there ? "" : "none";
      if (there) bead.setAttribute("transform", `translate(${x(time)} ${level(yarn, time)})`);
    }
  };
  return { seek, left, right };
}

/** Words on the bands that have room for them; none is to be seen before its `end`, in pixels. */
function label(group, { clients }, { x, y }) {
  const bands = clients.flatMap(({ number, spans }) => spans.map((span) => ({ ...span, number })));
  const roomy = bands.filter(({ what, from, to }) =>
    what in LABELS && x(to) - x(from) > LABELS[what].length * 7 + 16);
  return roomy.map(({ what, from, to, number }) => {
    const [middle, half] = [(x(from) + x(to)) / 2, LABELS[what].length * 3.2 + 5];
    const tag = shape("g", { transform: `translate(${middle} ${y(number)})` },
      shape("rect", { class: "sw-tag", x: -half, y: -7.5, width: 2 * half, height: 15, rx: 7.5 }),
      shape("text", { class: "sw-word", y: 4 }, LABELS[what]));
    group.append(tag);
    return { tag, end: middle + half };
  });
}
