// The token ring, as helpers/stores/_ring.py has it, and what _replicas.py says of versions.

const BITS = (1n << 64n) - 1n;
const [FIRST, SECOND] = [0x87c37b91114253d5n, 0x4cf5ad432745937fn];
const LEAST = -(1n << 63n);
const bytesOf = new TextEncoder();

const turned = (number, places) => ((number << places) | (number >> (64n - places))) & BITS;
const mixed = (number, factor, places, other) => (turned((number * factor) & BITS, places) * other) & BITS;

function stirred(number) {
  let mix = number;
  for (const factor of [0xff51afd7ed558ccdn, 0xc4ceb9fe1a85ec53n]) mix = ((mix ^ (mix >> 33n)) * factor) & BITS;
  return mix ^ (mix >> 33n);
}

/** Eight bytes, the least first. */
const block = (bytes) => bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

/** The last bytes of a key, which Cassandra takes as signed ones. */
const signed = (bytes) => bytes.reduce((number, byte, place) =>
  number ^ ((BigInt(byte > 127 ? byte - 256 : byte) << BigInt(8 * place)) & BITS), 0n);

/** The token of a key, a BigInt: Cassandra's Murmur3Partitioner. */
export function tokenOf(key) {
  const bytes = [...bytesOf.encode(key)];
  const end = bytes.length - bytes.length % 16;
  let [one, two] = [0n, 0n];
  for (let start = 0; start < end; start += 16) {
    one ^= mixed(block(bytes.slice(start, start + 8)), FIRST, 31n, SECOND);
    one = ((turned(one, 27n) + two) * 5n + 0x52dce729n) & BITS;
    two ^= mixed(block(bytes.slice(start + 8, start + 16)), SECOND, 33n, FIRST);
    two = ((turned(two, 31n) + one) * 5n + 0x38495ab5n) & BITS;
  }
  two ^= mixed(signed(bytes.slice(end + 8)), SECOND, 33n, FIRST);
  one ^= mixed(signed(bytes.slice(end, end + 8)), FIRST, 31n, SECOND);
  const length = BigInt(bytes.length);
  one = ((one ^ length) + (two ^ length)) & BITS;
  two = ((two ^ length) + one) & BITS;
  const token = BigInt.asIntN(64, stirred(one) + stirred(two));
  return token === LEAST ? -LEAST - 1n : token;
}

/** Where a token is on the ring: 0 to 1. */
export const partOf = (token) => Number(token - LEAST) / 2 ** 64;

export class Ring {
  constructor(nodes, tokensPerNode) {
    this.nodes = [...nodes];
    this.tokens = this.nodes.flatMap((node) => Array.from({ length: tokensPerNode }, (_, number) =>
      ({ token: tokenOf(`${node}-${number}`), node })));
    this.tokens.sort((one, other) => (one.token < other.token ? -1 : 1));
  }

  /** The places on the ring that give a key its replicas, in order: {token, node}. */
  walk(key, count) {
    const token = tokenOf(key);
    const start = Math.max(0, this.tokens.findIndex((one) => one.token >= token)); // after the last comes the first
    const found = new Map();
    for (const place of [...this.tokens.slice(start), ...this.tokens.slice(0, start)]) {
      if (found.size < count && !found.has(place.node)) found.set(place.node, place);
    }
    return [...found.values()];
  }

  replicas(key, count) {
    return this.walk(key, count).map(({ node }) => node);
  }
}

export const LEVELS = ["ONE", "QUORUM", "ALL"];

export const required = (level, replication) =>
  ({ ONE: 1, QUORUM: Math.floor(replication / 2) + 1, ALL: replication })[level];

/** Texts in the order of their bytes. */
function compared(one, other) {
  const [left, right] = [one, other].map((text) => bytesOf.encode(text));
  const at = left.findIndex((byte, place) => byte !== right[place]);
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
}

/** Below 0, 0 or above 0: which of two versions wins. A version is {timestamp, deleted, value}. */
export const order = (one, other) => one.timestamp - other.timestamp || one.deleted - other.deleted
  || compared(one.value, other.value);

export const same = (one, other) => Boolean(one && other) && order(one, other) === 0;

/** The version that wins over all others; undefined if there is none. */
export const winner = (cells) => cells.filter(Boolean)
  .reduce((best, cell) => (best && order(best, cell) >= 0 ? best : cell), undefined);

export const described = (cell) =>
  `${cell.deleted < 0 ? `"${cell.value}"` : "a tombstone"} (timestamp ${cell.timestamp})`;

const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** Seconds in words, in the greatest unit that divides them. */
export function duration(seconds) {
  const [size, unit] = UNITS.find(([one]) => seconds % one === 0 && (seconds || one === 1));
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
