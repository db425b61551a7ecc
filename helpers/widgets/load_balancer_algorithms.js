// The algorithms of helpers/balancing for the page: the same rules, choice for choice. Their Python
// classes explain them; tests/balancing/test_widget_agreement.py compares the two.

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** The checksum of zlib, PNG and Ethernet; `start` is that of the bytes before. */
export function crc32(bytes, start = 0) {
  let sum = ~start;
  for (const byte of bytes) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

const utf8 = (text) => new TextEncoder().encode(text);
const sumOf = (weights) => [...weights.values()].reduce((sum, weight) => sum + weight, 0);

/** The first of those that have the smallest rank. */
const smallest = (names, rank) =>
  names.reduce((best, name) => (best === undefined || rank(name) < rank(best) ? name : best), undefined);

/** Smooth weighted round robin, nginx's order. */
class SmoothTurns {
  #accounts = new Map();

  next(able) {
    const accounts = this.#accounts;
    for (const [name, weight] of able) accounts.set(name, (accounts.get(name) ?? 0) + weight);
    const chosen = smallest([...able.keys()], (name) => -accounts.get(name));
    accounts.set(chosen, accounts.get(chosen) - sumOf(able));
    return chosen;
  }

  keepOnly(names) {
    for (const name of this.#accounts.keys()) if (!names.has(name)) this.#accounts.delete(name);
  }
}

/** HAProxy's order. Weights are counted in sixteenths. */
class HaproxyOrder {
  #weights = new Map();

  next(able) {
    const weights = new Map([...able].map(([name, weight]) => [name, Math.max(1, Math.round(weight * 16))]));
    const same = [...weights].every(([name, weight]) => this.#weights.get(name) === weight);
    if (!same || weights.size !== this.#weights.size) this.#begin(weights);
    let chosen = this.#due();
    if (chosen === undefined) { // all wait for the next window
      [this.row, this.later, this.now] = [this.later, [], this.total];
      chosen = this.#due();
    }
    this.#take(chosen);
    this.#moveOn(chosen);
    return chosen;
  }

  keepOnly() {}

  #begin(weights) {
    this.#weights = weights;
    this.total = this.now = sumOf(weights);
    this.place = new Map();
    this.saved = new Map();
    this.row = this.#heaviestFirst([...weights.keys()]);
    this.later = [];
    this.underWay = [];
  }

  #heaviestFirst(names) {
    return names.sort((one, other) => this.#weights.get(other) - this.#weights.get(one));
  }

  #due() {
    const rank = (name) => 256 * this.place.get(name)
      + Math.floor((4096 + this.saved.get(name) - this.#weights.get(name)) / 16);
    const first = smallest(this.underWay, rank);
    if (!this.row.length || (first !== undefined && this.place.get(first) <= this.now)) return first;
    this.place.set(this.row[0], 0);
    this.saved.set(this.row[0], 0);
    return this.row[0];
  }

  #take(chosen) {
    const weight = this.#weights.get(chosen);
    const saved = this.saved.get(chosen) + (this.total % weight);
    const whole = saved >= weight ? 1 : 0;
    const place = (this.place.get(chosen) || this.now) + Math.floor(this.total / weight) + whole;
    this.place.set(chosen, place);
    this.saved.set(chosen, saved - whole * weight);
  }

  #moveOn(chosen) {
    const from = this.row.includes(chosen) ? this.row : this.underWay;
    from.splice(from.indexOf(chosen), 1);
    this.now += 1;
    if (this.place.get(chosen) < 2 * this.total) {
      this.underWay.push(chosen);
      return;
    }
    this.place.set(chosen, this.place.get(chosen) - this.total);
    this.later = this.#heaviestFirst([...this.later, chosen]);
  }
}

/** The servers with the fewest open requests for their weight. */
function lightestLoad(able, open) {
  let best = [];
  for (const [name, weight] of able) {
    const order = best.length ? open.get(name) * able.get(best[0]) - open.get(best[0]) * weight : -1;
    if (order < 0) best = [];
    if (order <= 0) best.push(name);
  }
  return best;
}

function draw(able, random) {
  let left = random() * sumOf(able);
  for (const [name, weight] of able) if ((left -= weight) < 0) return name;
  return [...able.keys()].at(-1);
}

class RoundRobin {
  weights = new Map();
  open = new Map(); // requests, by server
  turns = new SmoothTurns();
  next = 0;

  constructor(random) {
    this.random = random;
  }

  add(name, weight = 1) {
    this.open.set(name, this.open.get(name) ?? 0);
    this.setWeight(name, weight);
  }

  setWeight(name, weight) {
    this.weights.set(name, weight);
    this.changed();
  }

  remove(name) {
    const place = [...this.weights.keys()].indexOf(name);
    this.weights.delete(name);
    if (place < this.next) this.next -= 1;
    if (this.next >= this.weights.size) this.next = 0;
    this.changed();
  }

  acquire(name) {
    this.open.set(name, this.open.get(name) + 1);
  }

  release(name) {
    this.open.set(name, this.open.get(name) - 1);
  }

  /** The server for a request of {client}, and of none of `without`; null if there is none. */
  choose(request, without = []) {
    const able = new Map([...this.weights].filter(([name, weight]) => weight && !without.includes(name)));
    return able.size ? this.pick(able, request) : null;
  }

  pick(able) {
    const names = [...this.weights.keys()];
    while (!able.has(names[this.next])) this.next = (this.next + 1) % names.length;
    const chosen = names[this.next];
    this.next = (this.next + 1) % names.length;
    return chosen;
  }

  changed() {
    this.turns.keepOnly(this.weights);
  }
}

class WeightedRoundRobin extends RoundRobin {
  pick(able) {
    return this.turns.next(able);
  }
}

class HaproxyRoundRobin extends WeightedRoundRobin {
  turns = new HaproxyOrder();
}

class Random extends RoundRobin {
  pick(able) {
    return draw(able, this.random);
  }
}

class LeastConnections extends RoundRobin {
  pick(able) {
    const best = lightestLoad(able, this.open);
    return best.length > 1 ? this.turns.next(new Map(best.map((name) => [name, able.get(name)]))) : best[0];
  }
}

class PowerOfTwoChoices extends RoundRobin {
  pick(able) {
    const first = draw(able, this.random);
    const others = new Map([...able].filter(([name]) => name !== first));
    if (!others.size) return first;
    const second = draw(others, this.random);
    return lightestLoad(new Map([first, second].map((name) => [name, able.get(name)])), this.open)[0];
  }
}

/** What counts of an IPv4 address; any other text counts as a whole. */
function octets(address) {
  const parts = address.split(".");
  const ipv4 = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && part < 256);
  return ipv4 ? parts.slice(0, 3).map(Number) : utf8(address);
}

class IPHash extends RoundRobin {
  pick(able, { client }) {
    let hash = 89;
    for (let tries = 0; tries < 20; tries++) {
      for (const octet of octets(client)) hash = (hash * 113 + octet) % 6271;
      const name = this.#at(hash);
      if (able.has(name)) return name;
    }
    return this.turns.next(able);
  }

  #at(hash) {
    let place = hash % sumOf(this.weights);
    for (const [name, weight] of this.weights) {
      if (place < weight) return name;
      place -= weight;
    }
  }
}

class ConsistentHash extends RoundRobin {
  pick(able, { client }) {
    const key = crc32(utf8(client));
    const start = this.places.findIndex((place) => place >= key); // -1: around, to the first
    for (let turn = 0; turn < this.places.length; turn++) {
      const place = this.places[(Math.max(start, 0) + turn) % this.places.length];
      if (able.has(this.ring.get(place))) return this.ring.get(place);
    }
    return able.keys().next().value;
  }

  changed() {
    this.ring = new Map();
    for (const [name, weight] of this.weights) {
      for (const place of pointsOf(name, Math.trunc(weight * 160))) {
        if (!this.ring.has(place)) this.ring.set(place, name);
      }
    }
    this.places = Uint32Array.from(this.ring.keys()).sort();
  }
}

function pointsOf(name, count) {
  const [, host, port] = /^(.*):(\d+)$/s.exec(name) ?? [0, name, ""];
  const base = crc32(utf8(`${host.replace("http://", "")}\0${port}`));
  let place = 0;
  return Array.from({ length: count }, () =>
    (place = crc32([place & 255, (place >>> 8) & 255, (place >>> 16) & 255, place >>> 24], base)));
}

/** By name: the class, and what it does in a sentence. */
export const ALGORITHMS = {
  "round robin": [RoundRobin, "One server after the other, then from the first again. Weights make no difference, except 0."],
  "weighted round robin": [WeightedRoundRobin,
    "By turns, and a server of weight 5 has five turns where one of weight 1 has one: nginx's order."],
  "weighted round robin, HAProxy's order": [HaproxyRoundRobin,
    "The same shares as with nginx; only the order of the turns is HAProxy's."],
  random: [Random, "The dice decide, as likely as the weights say. No memory needed, but chance is uneven."],
  "least connections": [LeastConnections,
    "The server with the fewest requests in flight for its weight. A slow one so gets fewer."],
  "power of two choices": [PowerOfTwoChoices,
    "Draws two servers and takes the one with fewer requests in flight for its weight."],
  "IP hash": [IPHash, "The client's address leads to its server: the same client, the same server."],
  "consistent hash": [ConsistentHash,
    "Clients and servers lie on a ring, a client belongs to the next server. If one goes, only its clients move."],
};
