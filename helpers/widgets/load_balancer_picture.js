// The picture of the load balancer lab: clients, the balancer and the servers in SVG, drawn when
// something about them changes; the requests on a canvas above it, drawn with every frame.

import { shape } from "./svg.js";
import { AT_SERVER, CLIENTS, LINE, PLACES } from "./load_balancer_model.js";

const BALANCER = [84, 40]; // width and height in pixels
const SIDE = { box: [136, 58], line: [5, 10, 12, 14], work: [20, 94, 19] }; // servers at the right
const BELOW = { box: [46, 104], line: [4, 9, 9.5, 10], work: [19, 13.5, 72] }; // or in a row below

/** Where everything is; `rows` are the middles of the servers at the right, null for a row below. */
function placesIn(width, height, count, rows) {
  const spread = (length, many, at) => ((at + 0.5) * length) / many;
  const below = !rows;
  const turn = (x, y) => (below ? { x: y, y: x } : { x, y }); // downwards instead of to the right
  const [along, across] = below ? [height, width] : [width, height];
  const clients = CLIENTS.map((_, at) => turn(14, spread(across, CLIENTS.length, at)));
  const half = BALANCER[below ? 1 : 0] / 2;
  const middle = below ? 92 : Math.round(along * 0.4);
  const [enter, leave] = [turn(middle - half, across / 2), turn(middle + half, across / 2)];
  const { box, line, work } = below ? BELOW : SIDE;
  const servers = Array.from({ length: count }, (_, at) => {
    const x = below ? spread(width, count, at) - box[0] / 2 : width - box[0] - 1;
    const y = below ? height - box[1] - 22 : rows[at] - box[1] / 2 + 8;
    const grid = (number, columns, step, left, top) => ({
      x: x + left + (number % columns) * step, y: y + top + Math.floor(number / columns) * step,
    });
    const [columns, step, left, top] = line;
    const entry = below ? { x: x + box[0] / 2, y } : { x, y: y + box[1] / 2 };
    return {
      x, y, entry, link: Math.hypot(entry.x - leave.x, entry.y - leave.y),
      // the head of the queue is next to the places of work
      line: Array.from({ length: LINE }, (_, i) => (below
        ? grid(LINE - 1 - i, columns, step, left, top)
        : grid(Math.floor(i / 4) * -1 + columns - 1 + (i % 4) * columns, columns, step, left, top))),
      work: Array.from({ length: PLACES }, (_, i) => grid(i, 2, work[0], work[1], work[2])),
    };
  });
  return { below, box, clients, enter, leave, center: turn(middle, across / 2), servers };
}

/** A point of the curve from one place to another, `part` of the way. */
function between(one, other, part, below, to) {
  const straight = part * (1.5 - 1.5 * part + part * part);
  const bent = part * part * (3 - 2 * part);
  to.x = one.x + (other.x - one.x) * (below ? bent : straight);
  to.y = one.y + (other.y - one.y) * (below ? straight : bent);
}

function curve(one, other, below) {
  const [x, y] = [(one.x + other.x) / 2, (one.y + other.y) / 2];
  const bends = below ? `${one.x} ${y} ${other.x} ${y}` : `${x} ${one.y} ${x} ${other.y}`;
  return shape("path", { class: "lb-way", d: `M${one.x} ${one.y}C${bends} ${other.x} ${other.y}` });
}

/** The signs of requests: a disc, an answer's ring, a cross for what is lost; a check's square. */
function sign(ink, kind, x, y) {
  ink.beginPath();
  if (kind === "cross") {
    for (const way of [1, -1]) {
      ink.moveTo(x - 4, y - 4 * way);
      ink.lineTo(x + 4, y + 4 * way);
    }
  } else if (kind === "check") ink.rect(x - 3, y - 3, 6, 6);
  else ink.arc(x, y, kind === "ring" ? 3.2 : 4, 0, 7);
  if (kind === "disc") ink.fill();
  else ink.stroke();
}

const WIDTHS = { disc: 1, ring: 1.8, cross: 2.6, check: 1.6 };
const SIGN = 14; // pixels of a sign's square
const SET_OUT = 0.3; // of the way to a server: where a request is seen, at least, when all rests
const APART = 9; // pixels from one sign to the next, of those that rest on one point

/** Gives what draws into `svg` and `canvas`: `lay` them out, `mark` the servers, `paint` a frame. */
export function createPicture(svg, canvas) {
  const ink = canvas.getContext("2d");
  let places, marks, faces, stamps, colours, scale;

  /** A sign as a small picture: a thousand copies cost less than a thousand paths. */
  function stamp(kind, colour) {
    const made = document.createElement("canvas");
    made.width = made.height = SIGN * scale;
    const small = made.getContext("2d");
    small.scale(scale, scale);
    small.fillStyle = small.strokeStyle = colour;
    small.lineWidth = WIDTHS[kind];
    small.lineCap = "round";
    sign(small, kind, SIGN / 2, SIGN / 2);
    return made;
  }

  function lay(lab, { width, height, rows }) {
    places = placesIn(width, height, lab.servers.length, rows);
    const { below, center, clients, enter, leave, box } = places;
    scale = Math.min(devicePixelRatio || 1, 3);
    canvas.width = width * scale;
    canvas.height = height * scale;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const radius = Math.min(11, (below ? width : height) / CLIENTS.length / 2 - 1.5);
    const text = (kind, x, y, words) => shape("text", { class: kind, x, y }, words);
    faces = clients.map(({ x, y }) => text("lb-letter", x, y + 4, ""));
    marks = lab.servers.map(({ name }, at) => {
      const { x, y, work, entry } = places.servers[at];
      const label = below ? text("lb-letter", entry.x, y + box[1] + 15, name) : text("lb-name", x, y - 6, name);
      const state = below ? "" : text("lb-state", x + box[0], y - 6, "");
      const body = shape("g", {},
        shape("rect", { class: "lb-box", x, y, width: box[0], height: box[1], rx: 7 }),
        ...work.map((one) => shape("circle", { class: "lb-place", cx: one.x, cy: one.y, r: 7.5 })),
        shape("path", { class: "lb-cross", d: `M${x} ${y}l${box}M${x + box[0]} ${y}l${-box[0]} ${box[1]}` }));
      return { way: curve(leave, entry, below), body, state, label };
    });
    svg.replaceChildren(
      ...clients.map((one) => curve(one, enter, below)), ...marks.map(({ way }) => way),
      ...clients.map(({ x, y }) => shape("circle", { class: "lb-client", cx: x, cy: y, r: radius })), ...faces,
      shape("rect", {
        class: "lb-balancer", x: center.x - BALANCER[0] / 2, y: center.y - BALANCER[1] / 2,
        width: BALANCER[0], height: BALANCER[1], rx: 9,
      }),
      text("lb-title", center.x, center.y + 4.5, "balancer"),
      ...marks.flatMap(({ body, label, state }) => [body, label, state]));
    for (const request of lab.requests) request.ride = request.back = undefined;
    recolour();
  }

  /** The colours of the theme, as the elements have them. */
  function recolour() {
    const probe = svg.appendChild(shape("g"));
    colours = {};
    for (const name of ["disc", "ring", "cross", "check"]) {
      probe.style.color = `var(--lb-${name})`;
      colours[name] = getComputedStyle(probe).color; // light-dark() is settled only here
    }
    probe.remove();
    stamps = Object.fromEntries(Object.keys(WIDTHS).map((kind) => [kind, stamp(kind, colours[kind])]));
  }

  /** How the servers are, in `words`, and which server each client had last if that matters. */
  function mark(lab, words, sessions) {
    lab.servers.forEach((server, at) => {
      const { body, way, state } = marks[at];
      body.setAttribute("class", server.up ? "" : "lb-dead");
      way.setAttribute("class", server.out ? "lb-way lb-out" : "lb-way");
      if (state) state.textContent = words(server);
    });
    faces.forEach((face, client) => {
      face.textContent = (sessions && lab.lastOf.get(client)) || "";
    });
  }

  /** Draws the requests; `ease` is how far they move up in a queue by now, 0 to 1: 1 at rest. */
  function paint(lab, ease, still) {
    if (!places) return;
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, canvas.width, canvas.height);
    const half = SIGN / 2;
    const put = (kind, { x, y }) =>
      ink.drawImage(stamps[kind], Math.round((x - half) * scale), Math.round((y - half) * scale));
    const settle = (request, at, place, time) =>
      approach(request, at, place, still ? 1 : (lab.now - request.chosen) / time, still ? 1 : ease);
    lab.servers.forEach(({ work, line }, at) => {
      work.forEach((request, i) => request && settle(request, at, places.servers[at].work[i], wayOf(lab, request)));
      line.forEach((request, i) => settle(request, at, places.servers[at].line[i], wayOf(lab, request)));
    });
    const settled = [];
    const moving = [];
    for (const request of lab.requests) {
      const at = lab.servers.indexOf(request.server);
      if (request.state === "refused" && at >= 0) settle(request, at, places.servers[at].entry, request.service);
      const there = AT_SERVER.includes(request.state);
      if (there && request.ride?.at === 1) settled.push(request);
      else if (there || (!still && travel(lab, request, at))) moving.push(request);
    }
    if (ease === 1) spread(settled, moving);
    for (const request of settled) put("disc", request);
    for (const request of moving) put({ answer: "ring", lost: "cross" }[request.state] ?? "disc", request);
    if (!still) checks(lab, put);
    progress(lab, still);
  }

  const spot = { x: 0, y: 0 };

  /** Milliseconds of a request's way from the balancer to its server. */
  const wayOf = (lab, { service }) => Math.min(lab.leg, service / 2);

  /** Puts a request at a part of the ride to its place: on the link, then straight to the place. */
  function go({ x, y, server: { entry, link } }, part, request) {
    const inside = Math.hypot(x - entry.x, y - entry.y);
    const cut = link / (link + inside);
    if (part < cut) return between(places.leave, entry, part / cut, places.below, request);
    const rest = (part - cut) / (1 - cut || 1);
    request.x = entry.x + (x - entry.x) * rest;
    request.y = entry.y + (y - entry.y) * rest;
  }

  /** Towards a place at a server, which may change meanwhile; from where it failed before. */
  function approach(request, at, place, part, ease) {
    if (request.ride?.visit !== request.visit) {
      request.back = request.ride;
      request.ride = { x: place.x, y: place.y, visit: request.visit, server: places.servers[at], part: 0, at: 0 };
    }
    const { ride, back } = request;
    ride.x += (place.x - ride.x) * ease;
    ride.y += (place.y - ride.y) * ease;
    ride.part = Math.max(ride.part, Math.min(part, 1), ease === 1 ? SET_OUT : 0);
    ride.at = back ? Math.max(0, ride.part * 2 - 1) : ride.part;
    if (back && ride.part < 0.5) go(back, back.at * (1 - ride.part * 2), request);
    else go(ride, ride.at, request);
  }

  /** From a client to the balancer, or back. Gives whether it is to be seen. */
  function travel(lab, request, at) {
    const { clients, enter, leave, below, servers } = places;
    const client = clients[request.client];
    if (request.state === "coming") {
      between(client, enter, (lab.now - request.sent) / lab.leg, below, request);
      return true;
    }
    const part = (lab.now - request.left) / lab.leg;
    if (!request.ride && at >= 0) approach(request, at, servers[at].entry, 1, 1);
    const { ride } = request;
    if (part >= 1) between(enter, client, part - 1, below, request);
    else if (ride) go(ride, (request.state === "answer" ? 1 : ride.at) * (1 - part), request);
    else Object.assign(request, leave);
    return part < 2;
  }

  /** Moves apart what rests on one point. */
  function spread(settled, moving) {
    const taken = settled.map(({ x, y }) => ({ x, y }));
    for (const request of moving) {
      const { x, y } = request;
      const near = (one) => Math.hypot(one.x - request.x, one.y - request.y) < APART - 1;
      for (let turn = 1; taken.some(near); turn += 1) {
        const by = APART * (turn % 2 ? (turn + 1) / 2 : -turn / 2);
        if (places.below) request.x = x + by;
        else request.y = y + by;
      }
      taken.push({ x: request.x, y: request.y });
    }
  }

  /** Health checks: to every server and back. */
  function checks(lab, put) {
    const part = (lab.now - lab.checked) / lab.leg;
    if (!(part < 2)) return;
    for (const { entry } of places.servers) {
      between(places.leave, entry, part < 1 ? part : 2 - part, places.below, spot);
      put("check", spot);
    }
  }

  /** How far the servers are with what they work on, from its coming there. */
  function progress(lab, still) {
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.strokeStyle = colours.disc;
    ink.lineWidth = 2;
    ink.beginPath();
    lab.servers.forEach(({ work }, at) => work.forEach((request, i) => {
      if (!request) return;
      const { x, y } = places.servers[at].work[i];
      const { begun, chosen, service } = request;
      const from = Math.max(begun, chosen + (still ? 0 : wayOf(lab, request)));
      const part = Math.min((lab.now - from) / (begun + service - from), 1);
      if (!(part > 0)) return;
      ink.moveTo(x, y - 7.5);
      ink.arc(x, y, 7.5, -Math.PI / 2, -Math.PI / 2 + part * 2 * Math.PI);
    }));
    ink.stroke();
  }

  return { lay, mark, paint, recolour };
}
