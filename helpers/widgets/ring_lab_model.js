// The cluster of the ring lab: it does what helpers/stores/_cluster.py does, event by event.

import { Ring, described, duration, order, required, same, winner } from "./ring_lab_ring.js";

export const DEFAULTS = {
  nodes: 5, replication: 3, tokens: 16, hinted_handoff: true, read_repair: true,
  hint_window: 3 * 3600, gc_grace: 10 * 86400,
};

/** A request that came to nothing: `what` is "unavailable" or "stopped". */
export class Refused extends Error {
  constructor(what, needs = null, alive = null) {
    super(what);
    Object.assign(this, { what, needs, alive });
  }
}

/** Which nodes reach each other. */
class Network {
  constructor(nodes) {
    Object.assign(this, { nodes, stopped: new Set(), beyond: new Set(), parted: new Map() });
  }

  meet(one, other) {
    if (this.stopped.has(one) || this.stopped.has(other)) return false;
    return this.beyond.has(one) === this.beyond.has(other);
  }

  sides() {
    return [false, true].map((side) => this.nodes.filter((node) => this.beyond.has(node) === side));
  }

  pair(one, other) {
    return [one, other].sort((left, right) => this.nodes.indexOf(left) - this.nodes.indexOf(right)).join();
  }

  settle(now) {
    this.nodes.forEach((one, at) => this.nodes.slice(at + 1).forEach((other) => {
      const pair = this.pair(one, other);
      if (this.meet(one, other)) this.parted.delete(pair);
      else if (!this.parted.has(pair)) this.parted.set(pair, now);
    }));
  }
}

export class Cluster {
  constructor(settings = {}) {
    const { nodes, tokens, ...others } = { ...DEFAULTS, ...settings };
    Object.assign(this, others);
    this.ring = new Ring("abcdefghijklmnopqrstuvwxyz".slice(0, nodes), tokens);
    this.nodes = this.ring.nodes;
    this.now = 0;
    this.log = [];
    this.hints = new Map(this.nodes.map((node) => [node, []]));
    this.kept = new Map(this.nodes.map((node) => [node, new Map()]));
    this.keys = new Set();
    this.offsets = new Map(this.nodes.map((node) => [node, 0]));
    this.network = new Network(this.nodes);
    this.hear = () => {}; // whoever wants to see each event at its moment
  }

  // Requests

  write(key, value, level = "QUORUM", at = null, clock = null) {
    return this.put(key, value, level, at, clock, `write "${value}" under`);
  }

  delete(key, level = "QUORUM", at = null, clock = null) {
    return this.put(key, null, level, at, clock, "delete");
  }

  read(key, level = "QUORUM", from = null) {
    const { at, replicas, need } = this.ask(key, level, from, "read");
    const reached = this.reached(at, replicas);
    const near = [...reached.filter((node) => node === at), ...reached.filter((node) => node !== at)].slice(0, need);
    const found = near.map((node) => {
      const cell = this.cell(node, key);
      const who = node === at ? `${at} itself` : `${at} asks ${node}, which`;
      this.tell("read", node, at, `${who} has ${cell ? described(cell) : "nothing"}.`);
      return cell;
    });
    const best = winner(found);
    if (best && found.some((cell) => !same(cell, best))) {
      this.tell("differ", at, "", `The replicas differ: ${described(best)} wins.`);
      const behind = near.filter((_, place) => !same(found[place], best));
      if (this.read_repair) for (const node of behind) this.store(node, key, best, "repair", at, "Read repair: ");
    }
    const value = !best || best.deleted >= 0 ? null : best.value;
    this.tell("answer", at, "client", `${at} answers: under "${key}", ${value === null ? "nothing is stored" : `"${value}"`}.`);
    return value;
  }

  put(key, value, level, from, clock, what) {
    const { at, replicas, need } = this.ask(key, level, from, what);
    const timestamp = clock ?? this.clock(at);
    const cell = value === null ? { timestamp, deleted: this.now, value: "" } : { timestamp, deleted: -1, value };
    this.keys.add(key);
    const reached = this.reached(at, replicas);
    for (const node of replicas) {
      if (reached.includes(node)) this.store(node, key, cell, "write", at);
      else this.hint(at, node, key, cell);
    }
    this.tell("answer", at, "client",
      `${at} answers: done. ${reached.length} of ${replicas.length} replicas have answered, and ${level} needs ${need}.`);
    return timestamp;
  }

  ask(key, level, from, what) {
    const need = required(level, this.replication);
    const at = from ?? this.nodes.find((node) => this.running(node)) ?? this.nodes[0];
    const replicas = this.replicas(key);
    this.pass(1);
    this.tell("ask", "client", at, `The client asks ${at} to ${what} "${key}", at ${level}.`);
    if (!this.running(at)) {
      this.tell("refuse", "", "client", `${at} is stopped: nobody answers the client.`);
      throw new Refused("stopped");
    }
    const alive = this.reached(at, replicas).length;
    if (alive < need) {
      this.tell("refuse", at, "client", `${at} answers: unavailable. ${level} needs ${need} of the replicas ${
        replicas.join(", ")}, and ${at} reaches ${alive}. Nothing is done.`);
      throw new Refused("unavailable", need, alive);
    }
    return { at, replicas, need };
  }

  reached(at, replicas) {
    return replicas.filter((node) => this.network.meet(at, node));
  }

  store(node, key, cell, kind, source, why = "") {
    const has = this.cell(node, key);
    const way = node === source ? "" : `${source} sends it to ${node}. `;
    let what = has && `${node} keeps ${described(has)}, which wins over ${described(cell)}.`;
    if (same(has, cell)) what = `${node} has ${described(cell)} already.`;
    else if (!has || order(cell, has) > 0) {
      this.kept.get(node).set(key, cell);
      what = `${node} stores ${described(cell)}.`;
    }
    this.tell(kind, source, node, `${why}${way}${what}`);
  }

  hint(at, node, key, cell) {
    const away = this.now - this.network.parted.get(this.network.pair(at, node));
    const missed = `${node} did not answer`;
    if (!this.hinted_handoff) {
      this.tell("lost", at, node, `${missed}; hinted handoff is off, so ${node} misses it.`);
    } else if (away > this.hint_window) {
      this.tell("lost", at, node,
        `${missed}; it has been away for more than ${duration(this.hint_window)}, so ${at} keeps no hint.`);
    } else {
      this.hints.get(at).push({ target: node, key, cell, kept: this.now });
      this.tell("hint", at, node, `${missed}; ${at} keeps a hint for it.`);
    }
  }

  // What can go wrong, and how it is put right

  stop(node) {
    if (!this.running(node)) return;
    this.network.stopped.add(node);
    this.tell("stop", node, "", `${node} stops.`);
    this.settle();
  }

  start(node) {
    if (this.running(node)) return;
    this.network.stopped.delete(node);
    this.tell("start", node, "", `${node} starts again, with what it had.`);
    this.drop();
    this.settle();
  }

  cut(nodes) {
    this.network.beyond = new Set(nodes);
    this.tell("cut", "", "", `The network is cut: ${this.network.sides().map((side) => side.join(", ")).join(" | ")}.`);
    this.settle();
  }

  heal() {
    if (!this.network.beyond.size) return;
    this.network.beyond = new Set();
    this.tell("heal", "", "", "The network is whole again.");
    this.settle();
  }

  repair() {
    const absent = this.nodes.filter((node) => !this.running(node));
    if (absent.length) this.tell("note", "", "", `Stopped nodes take no part: ${absent.join(", ")}.`);
    let sent = 0;
    for (const key of this.keys) {
      for (const side of this.network.sides()) {
        const group = this.replicas(key).filter((node) => side.includes(node) && this.running(node));
        const best = winner(group.map((node) => this.cell(node, key)));
        if (!best) continue;
        const [having, missing] = [true, false].map((has) => group.filter((node) => same(this.cell(node, key), best) === has));
        for (const node of missing) this.store(node, key, best, "repair", having[0], "Repair: ");
        sent += missing.length;
      }
    }
    this.tell("note", "", "", `The repair is done: it has sent ${sent} version${sent === 1 ? "" : "s"}.`);
    return sent;
  }

  advance(seconds) {
    const words = duration(seconds);
    this.tell("time", "", "", `${words} ${words.startsWith("1 ") ? "passes" : "pass"}.`);
    this.pass(seconds);
  }

  setClock(node, offset) {
    this.offsets.set(node, offset);
    const how = offset ? `${duration(Math.abs(offset))} ${offset > 0 ? "ahead" : "behind"}` : "right";
    this.tell("clock", node, "", `The clock of ${node} is ${how}.`);
  }

  clock(node) {
    return this.now + this.offsets.get(node);
  }

  setReplication(replication) {
    this.replication = replication;
    this.tell("note", "", "", `From now on ${replication === 1 ? "1 node keeps" : `${replication} nodes keep`} each key.`);
  }

  // What one would like to know

  replicas(key) {
    return this.ring.replicas(key, this.replication);
  }

  running(node) {
    return !this.network.stopped.has(node);
  }

  cell(node, key) {
    return this.kept.get(node).get(key);
  }

  // Time

  pass(seconds) {
    this.now += seconds;
    this.drop();
  }

  drop() {
    for (const node of this.nodes) {
      if (!this.running(node)) continue;
      for (const [key, { deleted }] of [...this.kept.get(node)]) {
        if (deleted < 0 || this.now - deleted <= this.gc_grace) continue;
        this.kept.get(node).delete(key);
        this.tell("drop", node, "",
          `${node} drops its tombstone of "${key}": it is older than ${duration(this.gc_grace)} (gc_grace).`);
      }
    }
  }

  settle() {
    this.network.settle(this.now);
    for (const holder of this.nodes) {
      const hints = this.hints.get(holder);
      this.hints.set(holder, hints.filter(({ target }) => !this.network.meet(holder, target)));
      for (const { target, key, cell, kept } of hints) {
        if (!this.network.meet(holder, target)) continue;
        if (this.now - kept > this.gc_grace) {
          this.tell("expire", holder, "",
            `${holder} throws away its hint for ${target}: it is older than ${duration(this.gc_grace)} (gc_grace).`);
        } else this.store(target, key, cell, "handoff", holder, "Hint: ");
      }
    }
  }

  tell(kind, source, target, text) {
    const event = { time: this.now, kind, source, target, text };
    this.log.push(event);
    this.hear(event);
  }
}
