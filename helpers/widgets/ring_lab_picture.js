// The picture of the ring lab, in SVG: the ring with its tokens, the nodes inside it, the client in
// the middle, and the messages that travel between them.

import { shape } from "./svg.js";
import { partOf, tokenOf } from "./ring_lab_ring.js";

const [DISC, TRAVEL] = [17, 650]; // pixels; milliseconds that messages of one kind travel
const MARGIN = 36; // around the ring, for the letters of the tokens
const NARROW = 340; // pixels: below it there is less room for words
const LANES = [12, 25]; // of the letters, from the ring outwards
const SENT = ["write", "hint", "lost"]; // kinds of events that happen at the same time

export const LEGEND = [
  ["replica", "replica of the key, first to last"], ["coordinator", "coordinator"], ["beyond", "beyond the cut"],
  ["stopped", "stopped"], ["hints", "hints that it keeps"], ["key", "the key on the ring"],
];

/** What one sees of a cluster and a key, as plain data. */
export function look(cluster, key) {
  const walk = key ? cluster.ring.walk(key, cluster.replication) : [];
  return {
    key, walk, now: cluster.now, tokens: cluster.ring.tokens,
    nodes: cluster.nodes.map((name) => ({
      name, up: cluster.running(name), beyond: cluster.network.beyond.has(name), offset: cluster.offsets.get(name),
      place: walk.findIndex(({ node }) => node === name) + 1, cell: cluster.cell(name, key),
      hints: cluster.hints.get(name).map(({ target }) => target),
    })),
  };
}

/** Events that are shown together: [{group, moments}]. */
export function phasesOf(moments) {
  const phases = [];
  for (const moment of moments) {
    const { kind } = moment.event;
    const group = SENT.includes(kind) ? "write" : kind;
    if (phases.at(-1)?.group === group) phases.at(-1).moments.push(moment);
    else phases.push({ group, moments: [moment] });
  }
  return phases;
}

/** The outline of a node: round, or square beyond the cut. */
const outline = (kind, beyond, size) => (beyond
  ? shape("rect", { class: kind, x: -size, y: -size, width: 2 * size, height: 2 * size, rx: 2 })
  : shape("circle", { class: kind, r: size }));

const CROSS = "M-12 -12l24 24M12 -12l-24 24";
const rhomb = (kind, size) => shape("path", { class: kind, d: `M0 ${-size}l${size} ${size}l${-size} ${size}l${-size} ${-size}z` });

/** A sign of the legend. */
export function legendSign(kind) {
  const made = shape("svg", { class: "rl-swatch", viewBox: "-20 -20 40 40", "aria-hidden": "true" });
  if (kind === "key") made.append(rhomb("rl-key", 14));
  else if (kind === "hints") made.append(...badge(3));
  else if (kind === "coordinator") made.append(shape("path", { class: "rl-link", d: "M-20 0H6" }), shape("circle", { class: "rl-disc", r: 11, cx: 8 }));
  else {
    if (kind === "replica") made.append(outline("rl-halo", false, 17));
    made.append(outline("rl-disc", kind === "beyond", 13));
    if (kind === "stopped") made.append(shape("path", { class: "rl-cross", d: CROSS }));
    made.setAttribute("class", `rl-swatch ${kind === "stopped" ? "rl-down" : ""}`);
  }
  return made;
}

function badge(count) {
  return [shape("rect", { class: "rl-badge", x: -8, y: -8, width: 16, height: 15, rx: 2 }),
    shape("text", { class: "rl-count", y: 3.5 }, String(count))];
}

/** A short word for what a node has. */
function kept({ cell, place }, most) {
  if (!cell) return place ? "nothing" : "";
  if (cell.deleted >= 0) return "deleted";
  const letters = [...cell.value];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}\u2026` : cell.value || '""';
}

/** How a message looks: a shape for each kind. */
function dot(kind) {
  const lost = kind === "hint" || kind === "lost";
  const made = shape("g", { class: `rl-dot rl-is-${lost ? "lost" : kind}` });
  if (kind === "repair") made.append(rhomb("", 7));
  else if (kind === "handoff") made.append(shape("rect", { x: -6, y: -6, width: 12, height: 12 }));
  else if (kind === "refuse") made.append(shape("path", { d: "M-6 -6l12 12M6 -6l-12 12" }));
  else made.append(shape("circle", { r: 6 }));
  return made;
}

/** Gives what draws into `svg`: `lay` it out for a width, `show` a look, `travel` for messages. */
export function createPicture(svg, toggle) {
  let width = 0;
  let shown = null; // the look that is drawn, and its coordinator
  let frame = 0;
  const [round, links, nodes, dots] = ["round", "links", "nodes", "dots"].map((name) => shape("g", { class: `rl-${name}` }));
  const client = shape("g", { class: "rl-client" }, shape("rect", { x: -22, y: -11, width: 44, height: 22, rx: 4 }), shape("text", { y: 4 }, "client"));
  svg.append(round, links, client, nodes, dots);

  const middle = () => width / 2;
  const radius = () => middle() - MARGIN;
  const onRing = (part, distance) => {
    const angle = part * 2 * Math.PI;
    return [middle() + distance * Math.sin(angle), middle() - distance * Math.cos(angle)].map((one) => Number(one.toFixed(1)));
  };
  /** Where a node is, or the client. */
  const placeOf = (name) => {
    const at = shown.look.nodes.findIndex((one) => one.name === name);
    return at < 0 ? [middle(), middle()] : onRing(at / shown.look.nodes.length, radius() - (width < NARROW ? 46 : 56));
  };

  function lay(to) {
    width = to;
    svg.setAttribute("viewBox", `0 0 ${width} ${width}`);
    if (shown) show(shown.look, shown.at);
  }

  function show(seen, at) {
    shown = { look: seen, at };
    if (!width) return;
    client.setAttribute("transform", `translate(${middle()} ${middle()})`);
    drawRing(seen);
    const [x, y] = placeOf(at);
    links.replaceChildren(shape("path", { class: "rl-link", d: `M${middle()} ${middle()}L${x} ${y}` }));
    nodes.replaceChildren(...seen.nodes.map(drawNode));
  }

  function drawRing({ tokens, walk, key }) {
    round.replaceChildren(shape("circle", { class: "rl-ring", cx: middle(), cy: middle(), r: radius() }));
    if (key) {
      const start = partOf(tokenOf(key));
      const part = (partOf(walk.at(-1).token) - start + 1) % 1;
      const [from, to] = [onRing(start, radius()), onRing(start + part, radius())];
      round.append(shape("path", { class: "rl-walk", d: `M${from}A${radius()} ${radius()} 0 ${part > 0.5 ? 1 : 0} 1 ${to}` }));
    }
    const taken = LANES.map(() => []);
    const chosen = new Set(walk.map(({ token }) => token));
    const first = [...tokens.filter(({ token }) => chosen.has(token)), ...tokens.filter(({ token }) => !chosen.has(token))];
    for (const { token, node } of first) {
      const part = partOf(token);
      const mine = chosen.has(token);
      round.append(shape("path", { class: `rl-tick${mine ? " rl-mine" : ""}`, d: `M${onRing(part, radius() - 5)}L${onRing(part, radius() + 5)}` }));
      const lane = taken.findIndex((others, at) => others.every((other) => apart(part, other) * (radius() + LANES[at]) * 2 * Math.PI > 15));
      if (lane < 0) continue; // no room for its letter
      taken[lane].push(part);
      const [x, y] = onRing(part, radius() + LANES[lane]);
      if (mine) round.append(shape("circle", { class: "rl-chosen", cx: x, cy: y, r: 8.5 }));
      round.append(shape("text", { class: `rl-token${mine ? " rl-mine" : ""}`, x, y: y + 4 }, node));
    }
    if (!key) return;
    const [x, y] = onRing(partOf(tokenOf(key)), radius());
    const sign = rhomb("rl-key", 9);
    sign.setAttribute("transform", `translate(${x} ${y})`);
    round.append(sign);
  }

  const apart = (one, other) => Math.min(Math.abs(one - other), 1 - Math.abs(one - other));

  function drawNode(node) {
    const { name, up, beyond, place, hints, offset } = node;
    const [x, y] = placeOf(name);
    const made = shape("g", { class: `rl-node${up ? "" : " rl-down"}`, transform: `translate(${x} ${y})`, "data-node": name });
    if (place) made.append(outline("rl-halo", beyond, DISC + 4));
    made.append(outline("rl-disc", beyond, DISC));
    if (!up) made.append(shape("path", { class: "rl-cross", d: CROSS }));
    made.append(shape("text", { class: "rl-name", y: 5 }, name));
    if (place) made.append(shape("text", { class: "rl-place", x: -DISC - 10, y: -DISC + 3 }, place));
    if (hints.length) made.append(shape("g", { class: "rl-hints", transform: `translate(${DISC + 4} ${-DISC})` }, ...badge(hints.length)));
    const words = kept(node, width < NARROW ? 7 : 10);
    if (words) made.append(shape("text", { class: "rl-kept", y: DISC + 17 }, words));
    if (offset) made.append(shape("text", { class: "rl-offset", y: DISC + (words ? 30 : 17) }, `${offset > 0 ? "+" : "\u2212"}${Math.abs(offset)} s`));
    made.addEventListener("click", () => toggle(name));
    return made;
  }

  /** Lets the messages of some events travel, and calls `done`; it is called at once if nothing moves. */
  function travel(events, done) {
    const moving = events.filter(({ kind, source, target }) => source && target && source !== target
      && ["ask", "write", "hint", "lost", "read", "answer", "refuse", "repair", "handoff"].includes(kind))
      .map(({ kind, source, target }) => {
        const [from, to] = [source, target].map(placeOf);
        return { element: dots.appendChild(dot(kind)), from, to, lost: kind === "hint" || kind === "lost", back: kind === "read" };
      });
    if (!moving.length) return done();
    let began;
    const tick = (time) => {
      began ??= time;
      const part = Math.min(1, (time - began) / TRAVEL);
      for (const { element, from, to, lost, back } of moving) {
        // a question goes to the node and its answer comes back; what is lost gets half-way and fades
        const way = back ? 1 - Math.abs(1 - 2 * part) : lost ? Math.min(part, 0.55) : part;
        const [start, end] = back ? [to, from] : [from, to];
        const at = [0, 1].map((axis) => (start[axis] + (end[axis] - start[axis]) * way).toFixed(1));
        element.setAttribute("transform", `translate(${at.join(" ")})`);
        if (lost) element.style.opacity = part > 0.55 ? String((1 - part) / 0.45) : "1";
      }
      if (part < 1) frame = requestAnimationFrame(tick);
      else {
        dots.replaceChildren();
        frame = 0;
        done();
      }
    };
    frame = requestAnimationFrame(tick);
  }

  function rest() {
    cancelAnimationFrame(frame);
    frame = 0;
    dots.replaceChildren();
  }

  return { lay, show, travel, rest };
}
