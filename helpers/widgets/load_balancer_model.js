// The model of the load balancer lab: clients send requests, the balancer chooses, servers work.
// Discrete events in virtual milliseconds: the same seed and the same settings at the same times
// give the same history, however often it is drawn.

import { ALGORITHMS } from "./load_balancer_algorithms.js";

export const PLACES = 4; // requests that a server works on at once
export const LINE = 20; // requests that may wait in its queue
const REFUSAL = 30; // milliseconds until a dead or full server has refused a request
const CHECK = 250; // from one health check to the next
const REST = 1000; // without checks: how long a server that failed gets no requests
const KEPT = 500; // times of answers that count for the percentiles
const ANEW = ["algorithm", "sticky", "retry", "checks"]; // with another of these, all counts begin anew
export const AT_SERVER = ["line", "work", "refused"];
const NOTHING = { given: 0, done: 0, failed: 0 };

export const CLIENTS = [3, 18, 40, 66, 71, 97, 118, 130, 159, 184, 203, 240].map((net) => `198.51.${net}.7`);

/** A generator of numbers from 0 up to 1 (mulberry32). */
export function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The lab at a moment, `now`.
 *
 * `settings`: {algorithm, rate, sticky, checks, retry, servers: [{name, weight, ms, up}]}.
 * `requests` are all that are to be seen: "coming" to the balancer, in a server's "line", at
 * "work", "refused" by it, or on the way back as an "answer" or "lost".
 * `servers` are in order: `work` has a place for each request in work, `line` is the queue, `out`
 * is whether the balancer leaves it out. `arrived` = `done` + `lost` + those in flight, of the
 * requests that came to the balancer since the counts began for the last time.
 * `tell(what, request, server)` is called with every event.
 */
export class Lab {
  now = 0;
  servers = [];
  requests = new Set();
  begun = 0; // how often the counts have begun
  lastOf = new Map(); // which server has answered a client last
  checked = -Infinity; // when the servers were asked how they are
  tell = () => {};
  #events = [];
  #cookies = new Map();
  #traffic;
  #dice;
  #next = Infinity; // when the next request is sent
  #algorithm;

  constructor(settings, { seed = 1, leg = 50 } = {}) {
    this.leg = leg; // milliseconds of a request's way from a client to the balancer
    this.#traffic = numbers(seed);
    this.#dice = numbers(seed + 1000);
    this.change(settings);
    this.#at(CHECK, () => this.#look());
  }

  /** Other settings from now on. */
  change(settings) {
    const before = this.settings;
    this.settings = structuredClone(settings);
    const { rate, servers, algorithm } = this.settings;
    const left = Number.isFinite(this.#next) ? ((this.#next - this.now) * before.rate) / rate : this.#gap();
    this.#next = this.now + left;
    const old = this.servers;
    this.servers = servers.map((one) => {
      const server = old.find(({ name }) => name === one.name)
        ?? { work: Array(PLACES).fill(null), line: [], out: false, since: 0, ...NOTHING };
      server.died = server.up && !one.up;
      return Object.assign(server, one);
    });
    const gone = old.filter((server) => !this.servers.includes(server));
    if (before?.algorithm !== algorithm) this.#adopt(algorithm);
    if (ANEW.some((name) => before?.[name] !== settings[name])) this.#begin();
    const known = this.#algorithm.weights;
    for (const { name } of gone) if (known.has(name)) this.#algorithm.remove(name);
    for (const { name, weight } of this.servers) {
      if (!known.has(name)) this.#algorithm.add(name, weight);
      else if (known.get(name) !== weight) this.#algorithm.setWeight(name, weight);
    }
    for (const server of [...gone, ...this.servers.filter(({ died }) => died)]) this.#break(server);
  }

  /** Goes on to a time; what is due at that very time has happened then. */
  run(until) {
    while (this.#step(until));
    this.now = until;
  }

  /** Goes on to the next event that can be told, and gives it: {what, request, server}. */
  step() {
    const tell = this.tell;
    let told;
    this.tell = (what, request, server) => {
      told ??= { what, request, server };
      tell(what, request, server);
    };
    while (!told) this.#step(Infinity);
    this.tell = tell;
    return told;
  }

  /** Shows what really happened: requests as [server or null, milliseconds, ok]. */
  replay(list, spread = 200) {
    list.forEach((fate, at) => {
      this.#at((at * spread) / list.length, () => this.#send(fate));
    });
  }

  get inFlight() {
    return [...this.requests].filter(({ state }) => AT_SERVER.includes(state)).length;
  }

  open(server) {
    return this.#algorithm.open.get(server.name);
  }

  #step(until) {
    const event = this.#events[0];
    const time = Math.min(this.#next, event?.time ?? Infinity);
    if (!(time <= until) || time === Infinity) return false;
    this.now = time;
    if (time === this.#next) {
      this.#next = time + this.#gap();
      this.#send();
    } else {
      this.#events.shift();
      event.act();
    }
    return true;
  }

  #at(delay, act) {
    const time = this.now + delay;
    let place = this.#events.length;
    while (place && this.#events[place - 1].time > time) place -= 1;
    this.#events.splice(place, 0, { time, act });
  }

  #gap() { // requests come independently of each other: a Poisson process
    return this.settings.rate ? (-Math.log(1 - this.#traffic()) * 1000) / this.settings.rate : Infinity;
  }

  #adopt(name) {
    const open = this.#algorithm?.open ?? [];
    this.#algorithm = new ALGORITHMS[name][0](this.#dice);
    for (const { name, weight } of this.servers) this.#algorithm.add(name, weight);
    for (const [name, count] of open) this.#algorithm.open.set(name, count);
  }

  #begin() {
    this.begun += 1;
    this.arrived = this.done = this.lost = 0;
    this.times = []; // of the last answers, in milliseconds from the balancer's choice on
    for (const server of this.servers) Object.assign(server, NOTHING);
  }

  #counts(request) {
    return request.counted === this.begun;
  }

  #send(fate) {
    const client = Math.floor(this.#traffic() * CLIENTS.length);
    const size = 0.5 + this.#traffic(); // half to one and a half times what a server needs
    const request = { client, size, fate, state: "coming", sent: this.now, tried: [], visit: 0 };
    this.requests.add(request);
    this.#at(this.leg, () => {
      this.arrived += 1;
      request.counted = this.begun;
      request.arrived = this.now;
      if (fate) this.#follow(request);
      else this.#choose(request);
    });
  }

  #choose(request) {
    const without = this.servers.filter(({ out }) => out).map(({ name }) => name).concat(request.tried);
    const client = CLIENTS[request.client];
    const cookie = this.settings.sticky && this.#cookies.get(client);
    const stays = this.#algorithm.weights.get(cookie) && !without.includes(cookie);
    const name = stays ? cookie : this.#algorithm.choose({ client }, without);
    if (name === null) return this.#lose(request);
    const server = this.#goTo(request, name);
    request.service = server.ms * request.size;
    if (!server.up || (!server.work.includes(null) && server.line.length >= LINE)) {
      request.state = "refused";
      request.service = REFUSAL;
      this.#at(REFUSAL, () => this.#refuse(request));
      this.tell("refused", request, server);
    } else this.#admit(request);
  }

  #goTo(request, name) {
    const server = this.servers.find((one) => one.name === name);
    this.#algorithm.acquire(name);
    server.given += this.#counts(request);
    request.before = request.server;
    request.server = server;
    request.chosen = this.now;
    request.tried.push(name);
    request.visit += 1;
    return server;
  }

  #admit(request) {
    const { server } = request;
    const place = server.work.indexOf(null);
    if (place < 0) {
      request.state = "line";
      server.line.push(request);
      this.tell("line", request, server);
      return;
    }
    server.work[place] = request;
    request.state = "work";
    request.begun = this.now;
    this.tell("work", request, server);
    if (request.fate) return;
    const { visit } = request;
    this.#at(request.service, () => visit === request.visit && this.#finish(request));
  }

  #finish(request) {
    const { server } = request;
    this.#leave(request);
    if (this.#counts(request)) {
      this.done += 1;
      server.done += 1;
      this.times.push(this.now - request.arrived);
      if (this.times.length > KEPT) this.times.shift();
    }
    this.#cookies.set(CLIENTS[request.client], server.name);
    this.lastOf.set(request.client, server.name);
    this.#goBack(request, "answer");
  }

  /** The request is no longer with its server: the next of the queue has its place. */
  #leave(request) {
    const { server } = request;
    this.#algorithm.release(server.name);
    request.visit += 1;
    const place = server.work.indexOf(request);
    if (place >= 0) server.work[place] = null;
    else server.line = server.line.filter((one) => one !== request);
    if (place >= 0 && server.line.length) this.#admit(server.line.shift());
  }

  #goBack(request, state) {
    request.state = state;
    request.left = this.now;
    this.#at(2 * this.leg, () => this.requests.delete(request));
    this.tell(state, request, request.server);
  }

  #lose(request) {
    this.lost += this.#counts(request);
    this.#goBack(request, "lost");
  }

  /** A request has failed at its server. */
  #fail(request) {
    request.server.failed += this.#counts(request);
    if (this.settings.retry && !request.fate) this.#choose(request);
    else this.#lose(request);
  }

  #refuse(request) {
    const { server } = request;
    if (!server.up) this.#leaveOut(server); // one that is only full stays
    this.#leave(request);
    this.#fail(request);
  }

  /** A server has died or gone, and with it what it was working on. */
  #break(server) {
    const hit = [...server.work.filter(Boolean), ...server.line];
    if (hit.length) this.#leaveOut(server);
    server.line = [];
    for (const request of hit) this.#leave(request);
    for (const request of hit) this.#fail(request);
  }

  #leaveOut(server) {
    if (!server.out) this.tell("out", null, server);
    server.out = true;
    server.since = this.now;
  }

  /** The balancer looks after its servers, now and then. */
  #look() {
    const { checks } = this.settings;
    if (checks) this.checked = this.now;
    for (const server of this.servers) {
      if (checks && !server.up && !server.out) this.#leaveOut(server);
      const trust = checks ? server.up : this.now - server.since >= REST;
      if (!server.out || !trust) continue;
      server.out = false;
      this.tell("back", null, server);
    }
    this.#at(CHECK, () => this.#look());
  }

  #follow(request) {
    const [name, ms, ok] = request.fate;
    const known = this.servers.some((one) => one.name === name);
    if (!known) return this.#lose(request);
    this.#goTo(request, name);
    this.#admit(request);
    const { visit } = request;
    request.service = ms;
    this.#at(ms, () => {
      if (visit !== request.visit) return;
      if (ok) return this.#finish(request);
      this.#leave(request);
      this.#fail(request);
    });
  }
}

/** The time within which this part of all answers came (nearest rank), or null without any. */
export function percentile(times, part) {
  const sorted = Float64Array.from(times).sort();
  return sorted.length ? sorted[Math.ceil(part * sorted.length) - 1] : null;
}
