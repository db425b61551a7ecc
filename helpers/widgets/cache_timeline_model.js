// The model of the cache timeline: one object in a shared cache, the clients that ask for it, and
// the origin server. Discrete events in whole virtual milliseconds: the same seed and the same
// settings at the same times give the same history.
//
// It does what helpers.proxying.Cache does (RFC 9111, RFC 5861); a test holds the two together.

export const COVER = 40_000; // bytes of the song's cover, which is the object
const ALONE = 60_000; // how long nobody waits for others, after an answer that was not kept
export const MEMORY = 200_000; // what ended longer ago is not drawn any more

/** What became of a request. Those of OWN_COPY did not wait for the origin. */
export const OUTCOMES = ["hit", "stale", "miss", "revalidated", "collapsed", "stale-if-error", "error"];
export const OWN_COPY = ["hit", "stale"];

/** A generator of numbers from 0 up to 1 (mulberry32). */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ms = (seconds) => Math.round(seconds * 1000);

/** The value of Cache-Control that the settings amount to. */
export function headerOf({ max_age, s_maxage, stale_while_revalidate, stale_if_error }) {
  const parts = [`max-age=${max_age}`];
  if (s_maxage !== null) parts.push(`s-maxage=${s_maxage}`);
  if (stale_while_revalidate) parts.push(`stale-while-revalidate=${stale_while_revalidate}`);
  if (stale_if_error) parts.push(`stale-if-error=${stale_if_error}`);
  return parts.join(", ");
}

/**
 * An answer as it is kept. A shared cache goes by s-maxage first, and s-maxage forbids it to use
 * what is stale (RFC 9111, section 5.2.2.10).
 */
function entryOf({ rules, asked, turn }, version, now, tagged) {
  const { max_age, s_maxage, stale_while_revalidate, stale_if_error } = rules;
  return {
    version, tagged, rules, turn, received: now,
    // Date counts whole seconds, and the answer may have been made as soon as it was asked for.
    initial: Math.max(now % 1000, now - asked), // its age when it came (section 4.2.3)
    lifetime: s_maxage ?? max_age,
    mayBeStale: s_maxage === null,
    window: stale_while_revalidate,
    ifError: stale_if_error,
    renewing: false, // in the background
  };
}

/** Milliseconds since the origin made it or said that it is good, and the Age that a client sees. */
export const exactAge = (entry, now) => entry.initial + now - entry.received;
export const ageOf = (entry, now) => Math.floor(exactAge(entry, now) / 1000);

/** For how many more seconds it is fresh; below zero: for how long it has been stale. */
export const ttlOf = (entry, now) => entry.lifetime - ageOf(entry, now);

/** When it gets stale, and when it may no longer be used while it is renewed. */
export const staleAt = (entry) => entry.received - entry.initial + entry.lifetime * 1000;
export const lateAt = (entry) => staleAt(entry) + (entry.mayBeStale ? entry.window * 1000 : 0);

/** How a kept answer is at a moment: "fresh", "window" (it may be used while renewed), "stale". */
export function phaseOf(entry, now) {
  if (!entry) return "nothing";
  const ttl = ttlOf(entry, now);
  if (ttl > 0) return "fresh";
  return entry.mayBeStale && -ttl < entry.window ? "window" : "stale";
}

/**
 * The timeline at a moment, `now`.
 *
 * `settings`: {max_age, s_maxage (or null), stale_while_revalidate, stale_if_error, every, latency,
 * validator}: seconds, and whether the origin sends an ETag. `every` is the time between two
 * requests on average; null: clients ask only when `ask` is called.
 *
 * `entry` is what is kept, or null. `requests`: {number, asked, answered, outcome, age, version,
 * outdated}; outcome is "" while the client waits. `calls` are what the origin got: {asked, due,
 * status, version}. `kept` are spans {entry, from, to}, `versions` and `outages` {from, to}; the
 * last span may have no end. `tell(what, detail)` is called with "answer" and a request, "wait" and
 * a request, "call" and "reply" and a call.
 */
export class Timeline {
  now = 0;
  entry = null;
  version = 1;
  up = true;
  requests = [];
  calls = [];
  kept = [];
  versions = [{ version: 1, from: 0, to: null }];
  outages = [];
  total = 0; // requests that were answered
  tally = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  originRequests = 0; // that the origin got
  bytes = 0; // that the origin sent in bodies
  outdated = 0; // milliseconds: the longest that a cover was out of date when a client got it
  oldest = 0; // the greatest Age
  changes = 0; // how often anything here has changed
  tell = () => {};
  #flights = []; // calls that are under way
  #lead = null; // the call that others wait for
  #aloneUntil = 0;
  #number = 0;
  #next = Infinity; // when the next client asks
  #dice;

  constructor(settings, { seed = 1 } = {}) {
    this.#dice = numbers(seed);
    this.change(settings);
  }

  /** The origin's answers from now on have another header. What is kept stays as it came. */
  change(settings) {
    const same = this.settings?.every === settings.every;
    this.settings = settings;
    if (!same) this.#next = settings.every === null ? Infinity : this.now + this.#pause();
    this.changes += 1;
  }

  /** Goes on to a moment; what the origin answers comes before what clients ask at that moment. */
  run(until) {
    for (let at = this.#soonest(); at <= until; at = this.#soonest()) this.#happen(at);
    this.now = Math.max(this.now, until);
    this.#forget(this.now - MEMORY);
  }

  /** Goes on to the next moment when something happens or the copy gets stale. */
  step() {
    const ends = this.entry ? [staleAt(this.entry), lateAt(this.entry)] : [];
    const next = Math.min(this.#soonest(), ...ends.filter((at) => at > this.now));
    this.run(next < Infinity ? next : this.now + 1000);
  }

  #soonest() {
    return Math.min(this.#next, ...this.#flights.map(({ due }) => due));
  }

  #happen(at) {
    this.now = at;
    const call = this.#flights.find(({ due }) => due === at);
    if (call) return this.#reply(call);
    this.#next = at + this.#pause();
    this.ask();
  }

  /** From half to one and a half times the average. */
  #pause() {
    return ms(this.settings.every * (0.5 + this.#dice()));
  }

  ask() {
    this.#number += 1;
    const request = { number: this.#number, asked: this.now, answered: null, outcome: "", age: null, version: null, outdated: 0 };
    this.requests.push(request);
    this.changes += 1;
    this.#serve(request, false);
    return request;
  }

  /** The origin has another cover. */
  changeCover() {
    this.versions.at(-1).to = this.now;
    this.version += 1;
    this.versions.push({ version: this.version, from: this.now, to: null });
    this.changes += 1;
  }

  setOrigin(up) {
    if (up === this.up) return;
    this.up = up;
    if (up) this.outages.at(-1).to = this.now;
    else this.outages.push({ from: this.now, to: null });
    this.changes += 1;
  }

  /** Forgets what is kept, and what is on its way is not kept. */
  purge() {
    for (const call of this.#flights) call.outdated = true;
    this.#keep(null);
  }

  /** Out of the cache, or by way of the origin. A client waits for another's request once. */
  #serve(request, waited) {
    const { entry, now } = this;
    const phase = phaseOf(entry, now);
    if (phase === "fresh" || phase === "window") {
      const found = phase === "fresh" ? "hit" : "stale";
      this.#answer(request, waited ? "collapsed" : found, entry.version, ageOf(entry, now));
      if (phase === "window" && !entry.renewing) {
        entry.renewing = true;
        this.#call(null);
      }
      return;
    }
    if (!waited) this.tell("wait", request);
    if (waited || this.#aloneUntil > now) this.#call(request);
    else if (this.#lead) this.#lead.waiting.push(request);
    else this.#lead = this.#call(request);
  }

  /** Asks the origin, which settles at once what it will say: for a client, or null: to renew. */
  #call(request) {
    const { now, entry, settings, version } = this;
    const good = settings.validator && entry?.tagged && entry.version === version;
    const call = {
      request, entry, version, turn: this.originRequests, rules: settings, asked: now, due: now + ms(settings.latency),
      status: !this.up ? 503 : good ? 304 : 200, outdated: false, waiting: [],
    };
    this.originRequests += 1;
    this.#flights.push(call);
    this.calls.push(call);
    this.changes += 1;
    this.tell("call", call);
    return call;
  }

  #reply(call) {
    const { request, entry, status } = call;
    this.#flights.splice(this.#flights.indexOf(call), 1);
    this.changes += 1;
    this.tell("reply", call);
    const forAll = this[`take${status}`](call);
    if (!request) entry.renewing = false;
    if (this.#lead !== call) return;
    this.#lead = null;
    const lasting = status < 500 && !call.outdated; // else it may be over soon
    if (!forAll && lasting) this.#aloneUntil = this.now + ALONE;
    for (const one of call.waiting) this.#serve(one, true);
  }

  // Each gives whether those who waited may expect to find an answer.

  take200(call) {
    const { now } = this;
    const made = entryOf(call, call.version, now, call.rules.validator);
    const fresh = ttlOf(made, now) > 0;
    const useful = fresh || made.tagged;
    const newest = !(this.entry?.turn > call.turn);
    const stored = useful && newest && !call.outdated;
    this.bytes += COVER;
    if (stored) this.#keep(made);
    else if (!useful && call.entry && this.entry === call.entry) this.#keep(null); // it is out of date
    this.#answer(call.request, "miss", call.version, null);
    return fresh && stored;
  }

  take304(call) {
    const { entry } = call;
    const renewed = entryOf(call, entry.version, this.now, entry.tagged);
    if (this.entry === entry) this.#keep(renewed); // else it was purged or replaced meanwhile
    this.#answer(call.request, "revalidated", entry.version, ageOf(renewed, this.now));
    return true;
  }

  /** A stale answer may stand in for an error (RFC 5861, section 4). */
  take503({ entry, request }) {
    const { now } = this;
    const standsIn = Boolean(entry?.mayBeStale) && -ttlOf(entry, now) < entry.ifError;
    if (standsIn) this.#answer(request, "stale-if-error", entry.version, ageOf(entry, now));
    else this.#answer(request, "error", null, null);
    return standsIn;
  }

  #keep(entry) {
    const last = this.kept.at(-1);
    if (last?.to === null) last.to = this.now;
    this.entry = entry;
    if (entry) this.kept.push({ entry, from: this.now, to: null });
    this.changes += 1;
  }

  #answer(request, outcome, version, age) {
    if (!request) return; // it was a renewal in the background
    const replaced = this.versions.find((one) => one.version === version)?.to ?? this.now;
    const outdated = this.now - replaced;
    Object.assign(request, { answered: this.now, outcome, version, age, outdated });
    this.total += 1;
    this.tally[outcome] += 1;
    this.outdated = Math.max(this.outdated, outdated);
    this.oldest = Math.max(this.oldest, age ?? 0);
    this.tell("answer", request);
  }

  /** The share of the requests for which the origin sent no body, as the cache counts it. */
  get hitRatio() {
    const { miss, error } = this.tally;
    return this.total ? (this.total - miss - error) / this.total : 0;
  }

  /** What ended before a moment is of no use any more; of the versions all are needed. */
  #forget(before) {
    const recent = (list, end) => {
      const first = list.findIndex((one) => (one[end] ?? Infinity) >= before);
      if (first > 0) list.splice(0, first);
    };
    recent(this.requests, "answered");
    recent(this.calls, "due");
    recent(this.kept, "to");
    recent(this.outages, "to");
  }
}
