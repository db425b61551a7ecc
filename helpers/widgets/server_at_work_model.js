// How a server deals with several clients: a model in whole virtual milliseconds. No clock, no
// chance: the same settings give the same times. The machine has one processor.
//
// A client's request has PIECES pieces. A quick client's arrive together as it connects, a slow
// one's `drip` milliseconds apart. Reading takes all pieces that lie there; after the last one
// comes the handler's work, then the answer. The work is waiting for the disk, in a way that lets
// the thread go or holds on to it, or it is computing.

export const WAYS = ["one after the other", "a thread for each", "event loop"];
export const HANDLERS = ["waits and lets go", "waits and holds on", "computes"];
export const RUNS = ["read", "work", "answer"]; // what the processor does
export const PIECES = 6;
export const STAGGER = 80; // between the arrivals of two clients
export const READ = 10; // of the processor, for what has arrived
export const ANSWER = 10; // of the processor, to send the answer
export const SLICE = 20; // after that, a thread has to let another one run

/** One thread, which stays with a client until that has its answer. */
function oneAfterTheOther(clients, { work, handler }) {
  let now = 0;
  for (const client of clients) {
    let read = 0;
    while (read < PIECES) {
      const ready = client.arrivals[read];
      now = Math.max(now, ready);
      read = arrived(client, now);
      now = run(client, "read", now, READ, ready);
    }
    now = run(client, handler === HANDLERS[2] ? "work" : "disk", now, work);
    now = run(client, "answer", now, ANSWER);
  }
}

/**
 * All clients share the processor. Who has something to do stands in line for it: first come,
 * first served. In an event loop each one finishes what it does; threads take turns.
 */
function inTurns(clients, { work, handler, way }) {
  const loop = way === WAYS[2];
  const slice = loop ? Infinity : SLICE;
  // The work that nobody else can run beside: only a thread of its own may hold on to the disk.
  const held = handler === HANDLERS[2] ? "work" : handler === HANDLERS[1] && loop ? "disk" : "";
  const line = [];
  const away = new Set(clients); // they wait for bytes or for the disk, until `ready`
  let now = 0;
  const admit = () => {
    const back = [...away].filter((client) => client.ready <= now);
    back.sort((one, other) => one.ready - other.ready || one.number - other.number);
    for (const client of back) away.delete(client);
    line.push(...back);
  };
  for (const client of clients) Object.assign(client, { ready: client.start, read: 0, todo: [] });

  while (away.size || line.length) {
    if (!line.length) now = Math.max(now, Math.min(...[...away].map((client) => client.ready)));
    admit();
    const client = line.shift();
    if (!client.todo.length) client.todo = plan(client, now, held && [held, work]);
    for (let left = slice; left > 0 && client.todo.length; ) {
      const [what, needed] = client.todo.shift();
      const part = Math.min(needed, left);
      now = run(client, what, now, part, client.ready);
      left -= part;
      client.ready = now;
      if (part < needed) client.todo.unshift([what, needed - part]);
    }
    if (client.todo.length) {
      admit();
      line.push(client);
    } else if (client.read < PIECES || (!held && !client.asked)) {
      client.asked = client.read === PIECES; // the disk
      client.ready = client.asked ? now + work : client.arrivals[client.read];
      away.add(client);
    }
  }
}

/** What happens for a client before another may run: [what, milliseconds]. */
function plan(client, now, held) {
  if (client.asked) return [["answer", ANSWER]];
  client.read = arrived(client, now);
  const rest = client.read === PIECES && held ? [held, ["answer", ANSWER]] : [];
  return [["read", READ], ...rest];
}

const arrived = (client, now) => client.arrivals.filter((at) => at <= now).length;

/** Notes that the processor works for a client, who could have had it since `ready`. */
function run(client, what, from, length, ready = from) {
  const before = client.spans.at(-1);
  const free = before?.to ?? client.start; // from then on nothing is noted yet
  const since = Math.min(Math.max(ready, free), from);
  note(client, what === "answer" ? "disk" : "bytes", free, since);
  note(client, "turn", since, from);
  note(client, what, from, from + length);
  return from + length;
}

function note({ spans }, what, from, to) {
  const before = spans.at(-1);
  if (before?.what === what && before.to === from) before.to = to;
  else if (to > from) spans.push({ what, from, to });
}

/**
 * What happens with these settings: {clients, slow, drip, work, way, handler}.
 *
 * Gives `clients`, each with its `arrivals`, when its request was `complete`, when it was
 * `answered`, and its `spans` in between: {what, from, to}, where `what` is "bytes" (it has not
 * sent all), "turn" (the server is busy with others), "disk", or what the processor does: "read",
 * "work", "answer". `threads` has a list of spans for each thread, with the client's number, -1
 * while it waits at the door. `threadsAt` a time gives how many there are for clients `now`, how
 * many were `most` at once, and how many in `total`, up to then.
 */
export function simulate(settings) {
  const { clients: count, slow, drip, way } = settings;
  const clients = Array.from({ length: count }, (_, number) => {
    const start = number * STAGGER;
    const gap = number < slow ? drip : 0;
    const arrivals = Array.from({ length: PIECES }, (_, piece) => start + piece * gap);
    return { number, name: "ABCDEF"[number], start, arrivals, complete: arrivals.at(-1), spans: [] };
  });
  if (way === WAYS[0]) oneAfterTheOther(clients, settings);
  else inTurns(clients, settings);
  for (const client of clients) client.answered = client.spans.at(-1).to;
  const end = Math.max(...clients.map((client) => client.answered));

  const own = way === WAYS[1];
  const threads = own ? [[door(0, end)], ...clients.map(busy)] : [alone(clients, settings)];
  const running = (time) =>
    clients.filter(({ start, answered }) => start <= time && time < answered).length;
  const threadsAt = (time) => {
    if (!own) return { now: 1, most: 1, total: 1 };
    const starts = clients.map(({ start }) => start).filter((start) => start <= time);
    return { now: running(time), most: Math.max(...starts.map(running)), total: starts.length };
  };
  return { clients, threads, end, threadsAt };
}

/** The path of a single thread, which stays with a client or runs for one, else is at the door. */
function alone(clients, { way, handler }) {
  const lets = way === WAYS[2] ? ["turn", "bytes"] : ["turn"]; // when it is not with the client
  if (way === WAYS[2] && handler === HANDLERS[0]) lets.push("disk");
  const held = clients.flatMap(busy).filter(({ what }) => !lets.includes(what));
  held.sort((one, other) => one.from - other.from);
  const path = [];
  let at = 0;
  for (const span of held) {
    if (span.from > at) path.push(door(at, span.from));
    path.push(span);
    at = span.to;
  }
  return path;
}

const busy = ({ spans, number }) => spans.map((span) => ({ ...span, client: number }));
const door = (from, to) => ({ what: "door", from, to, client: -1 });

/** Where the time axis ends: the same for every way, so that the pictures can be compared. */
export function axisEnd(settings) {
  const ends = WAYS.flatMap((way) =>
    HANDLERS.map((handler) => simulate({ ...settings, way, handler }).end));
  return Math.ceil(Math.max(...ends) / 100) * 100;
}

/** What a client is doing at a moment: a span's `what`, "away" before and "done" after. */
export function stateAt(client, time) {
  if (time < client.start) return "away";
  return client.spans.find((span) => time < span.to)?.what ?? "done";
}

/** All moments when something changes, in order. */
export function moments({ clients }) {
  const times = clients.flatMap(({ arrivals, spans }) =>
    [...arrivals, ...spans.flatMap(({ from, to }) => [from, to])]);
  return [...new Set([0, ...times])].sort((one, other) => one - other);
}
