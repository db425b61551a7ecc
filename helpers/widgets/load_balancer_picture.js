// The picture of the load balancer lab: clients, the balancer and the servers in SVG, drawn when
// something about them changes; the requests on a canvas above it, drawn with every frame.

import { AT_SERVER, CLIENTS, LINE, PLACES } from "./load_balancer_model.js";

const BALANCER = [84, 40]; // width and height in pixels
const SIDE = { box: [136, 58], line: [5, 10, 12, 14], work: [20, 94, 19] }; // servers at the right
const BELOW = { box: [46, 104], line: [4, 9, 9.5, 10], work: [19, 13.5, 72] }; // or in a row below

export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

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
    return {
      x, y,
      entry: below ? { x: x + box[0] / 2, y } : { x, y: y + box[1] / 2 },
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
    for (const request of lab.requests) request.trip = request.seen = request.x = undefined;
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

  /** Draws the requests; `ease` is how far they move up in a queue by now, 0 to 1. */
  function paint(lab, ease, still) {
    if (!places) return;
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, canvas.width, canvas.height);
    const half = SIGN / 2;
    const put = (kind, { x, y }) =>
      ink.drawImage(stamps[kind], Math.round((x - half) * scale), Math.round((y - half) * scale));
    lab.servers.forEach(({ work, line }, at) => {
      work.forEach((request, i) => request && settle(lab, request, places.servers[at].work[i], still ? 1 : ease));
      line.forEach((request, i) => settle(lab, request, places.servers[at].line[i], still ? 1 : ease));
    });
    for (const request of lab.requests) {
      if (AT_SERVER.includes(request.state)) {
        if (request.state === "refused") knock(lab, request);
        put("disc", request);
      } else if (!still && travel(lab, request)) {
        put({ coming: "disc", answer: "ring", lost: "cross" }[request.state], request);
      }
    }
    if (!still) checks(lab, put);
    progress(lab);
  }

  const spot = { x: 0, y: 0 };

  /** Towards a place at a server, by way of the balancer, and on from there. */
  function settle(lab, request, place, ease) {
    const part = (lab.now - request.chosen) / Math.min(lab.leg, request.service / 2);
    if (part < 1 && ease < 1) return approach(request, place, part);
    request.x ??= place.x;
    request.y ??= place.y;
    request.x += (place.x - request.x) * ease;
    request.y += (place.y - request.y) * ease;
  }

  function approach(request, place, part) {
    const { leave, below } = places;
    if (request.trip !== request.visit) {
      request.trip = request.visit;
      request.from = { x: request.x ?? leave.x, y: request.y ?? leave.y };
    }
    if (request.before && part < 0.5) { // from the server where it failed
      between(request.from, leave, part * 2, below, request);
    } else between(leave, place, request.before ? part * 2 - 1 : part, below, request);
  }

  /** To a server that refuses it. */
  function knock(lab, request) {
    const at = lab.servers.indexOf(request.server);
    const part = Math.min((lab.now - request.chosen) / request.service, 1);
    if (at >= 0) approach(request, places.servers[at].entry, part);
  }

  /** From a client to the balancer, or back. Gives whether it is to be seen. */
  function travel(lab, request) {
    const { clients, enter, leave, below } = places;
    const client = clients[request.client];
    if (request.state === "coming") {
      between(client, enter, (lab.now - request.sent) / lab.leg, below, request);
      return true;
    }
    if (request.left !== request.seen) { // it has just set out
      request.seen = request.left;
      request.from = request.server && request.x !== undefined ? { x: request.x, y: request.y } : leave;
    }
    const part = (lab.now - request.left) / lab.leg;
    if (part < 1) between(request.from ?? leave, leave, part, below, request);
    else between(enter, client, part - 1, below, request);
    return part < 2;
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

  /** How far the servers are with what they work on. */
  function progress(lab) {
    ink.setTransform(scale, 0, 0, scale, 0, 0);
    ink.strokeStyle = colours.disc;
    ink.lineWidth = 2;
    ink.beginPath();
    lab.servers.forEach(({ work }, at) => work.forEach((request, i) => {
      if (!request) return;
      const { x, y } = places.servers[at].work[i];
      const part = Math.min((lab.now - (request.begun ?? lab.now)) / request.service, 1);
      ink.moveTo(x, y - 7.5);
      ink.arc(x, y, 7.5, -Math.PI / 2, -Math.PI / 2 + part * 2 * Math.PI);
    }));
    ink.stroke();
  }

  return { lay, mark, paint, recolour };
}
