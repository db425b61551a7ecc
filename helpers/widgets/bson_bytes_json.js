// MongoDB's Extended JSON (version 2, relaxed) in and out. A value is {kind, value}; the fields of a
// document or an array are [{name, value, from, to}], with the place that each has in the text.

/** Its message is one sentence for the reader. */
export class BadDocument extends Error {}

export const LONGEST_TEXT = 20000; // characters
const DEEPEST = 100; // documents in documents: MongoDB manual, "MongoDB Limits and Thresholds"
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?(?![\w.])/y;
const WORD = /-?[A-Za-z_$][\w$]*/y;
const DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,3})?(?:Z|([+-])(\d\d):?(\d\d))$/;
const LAST_DATE = 253402300799999n; // the last millisecond of the year 9999

const WORDS = { true: true, false: false, null: null };
const INSTEAD = { // of words that stand where JSON has another way
  True: "JSON writes true, not True", False: "JSON writes false, not False", None: "JSON writes null, not None",
  undefined: "JSON writes null, not undefined",
  ObjectId: 'an ObjectId is written {"$oid": "65a1f0c2e4b0a1d2c3b4a596"} here',
  ISODate: 'a date is written {"$date": "2024-01-12T20:15:00Z"} here',
  NumberLong: 'an int64 is written {"$numberLong": "7"} here', NumberInt: 'an int32 is written {"$numberInt": "7"} here',
};
for (const word of ["NaN", "Infinity", "-Infinity"]) {
  INSTEAD[word] = `JSON has no ${word}: write {"$numberDouble": "${word}"}`;
}

function placed(text, at, words) {
  const lines = text.slice(0, at).split("\n");
  return new BadDocument(`Line ${lines.length}, column ${lines.at(-1).length + 1}: ${words}.`);
}

/** JSON as {kind, value, from, to}; raises BadDocument. Unlike JSON.parse it keeps the numbers as they are
    written, the order of the names, and the places. */
function parseJson(text) {
  let at = 0;
  const fail = (words, where = at) => { throw placed(text, where, words); };
  const space = () => { while (" \t\n\r".includes(text[at])) at += 1; };
  const match = (pattern) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };

  function string() {
    const from = at;
    at += match(STRING)[0].length;
    if (at >= text.length) fail("the text that starts here has no double quote at its end", from);
    if (text[at] === "\\") fail(`JSON knows no ${text.slice(at, at + 2)} in a text: a backslash itself is written \\\\`);
    if (text[at] !== '"') fail("no line break or other control character stands inside a text: write \\n");
    at += 1;
    const value = JSON.parse(text.slice(from, at));
    if (/\p{Surrogate}/u.test(value)) fail("half a surrogate pair is no character, and UTF-8 cannot hold it", from);
    return value;
  }

  /** Fields up to the bracket that closes them; `one` reads a single one. */
  function list(close, one) {
    const found = [];
    at += 1;
    space();
    while (text[at] !== close) {
      if (found.length) {
        if (text[at] === undefined) fail(`the text ends, and a ${close} is missing`);
        if (text[at] !== ",") fail(`a comma or a ${close} is missing`);
        const comma = at;
        at += 1;
        space();
        if (text[at] === close) fail("there is a comma too many, as nothing follows it", comma);
      }
      found.push(one(found));
      space();
    }
    at += 1;
    return found;
  }

  function value(depth) {
    space();
    const from = at;
    if (depth > DEEPEST) fail(`MongoDB takes ${DEEPEST} levels of documents in documents, and here is one more`);
    const made = (kind, content) => ({ kind, value: content, from, to: at });
    const start = text[at];
    if (start === '"') return made("string", string());
    if (start === "{") {
      return made("object", list("}", (before) => {
        const place = at;
        if (text[at] === undefined) fail("the text ends, and a } is missing");
        if (text[at] !== '"') fail("a field's name stands between double quotes");
        const name = string();
        if (before.some((other) => other.name === name)) fail(`the field ${JSON.stringify(name)} is here for the second time`, place);
        if (name.includes("\0")) fail("BSON ends a field's name with a 00 byte, so that the name itself cannot hold one", place);
        space();
        if (text[at] !== ":") fail("a colon is missing after the field's name");
        at += 1;
        const content = value(depth + 1);
        return { name, value: content, from: place, to: content.to };
      }));
    }
    if (start === "[") {
      return made("array", list("]", (before) => {
        const content = value(depth + 1);
        return { name: String(before.length), value: content, from: content.from, to: content.to };
      }));
    }
    const number = match(NUMBER);
    if (number) {
      at += number[0].length;
      return made(number[1] || number[2] ? "decimals" : "whole", number[0]);
    }
    const word = match(WORD)?.[0];
    if (Object.hasOwn(WORDS, word ?? "")) {
      at += word.length;
      return made("word", WORDS[word]);
    }
    if (word) fail(Object.hasOwn(INSTEAD, word) ? INSTEAD[word] : "text stands between double quotes");
    if (start === "'") fail("text stands between double quotes, not single ones");
    if (start === undefined) fail("the text ends, and a value is missing");
    if (/[-+.\d]/.test(start)) fail("this is no number as JSON writes it");
    if (",}]:".includes(start)) fail("a value is missing");
    return fail("no value starts like this");
  }

  const whole = value(0);
  space();
  if (at < text.length) fail("something follows after the end of the document");
  return whole;
}

/** A whole number of so many bits, from its digits. */
function whole(digits, bits, fail) {
  if (!/^-?\d{1,30}$/.test(digits)) fail(`an int${bits} is written in digits, and they fit into ${bits} bits`);
  const number = BigInt(digits);
  if (BigInt.asIntN(bits, number) !== number) fail(`an int${bits} is a whole number that fits into ${bits} bits`);
  return number;
}

function milliseconds(content, fail) {
  const inside = content.kind === "object" && content.value.length === 1 && content.value[0];
  if (inside && inside.name === "$numberLong" && inside.value.kind === "string") return whole(inside.value.value, 64, fail);
  if (content.kind === "whole") return whole(content.value, 64, fail);
  const found = content.kind === "string" && DATE.exec(content.value);
  if (!found) fail('a date is written like "2024-01-12T20:15:00.250Z", with whole milliseconds');
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, Math.round(1000 * Number(found[7] ?? 0)));
  const offset = (60 * Number(found[9] ?? 0) + Number(found[10] ?? 0)) * (found[8] === "-" ? -1 : 1);
  const exists = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24
    && minute < 60 && second < 60 && Math.abs(offset) < 1440 && (found[10] ?? 0) < 60;
  if (!exists) fail("there is no such day or time");
  return BigInt(date.getTime() - 60000 * offset);
}

/** The parts of an object that has to have exactly these. */
function partsOf(content, names, fail, words) {
  const parts = content.kind === "object" && Object.fromEntries(content.value.map(({ name, value }) => [name, value]));
  if (!parts || Object.keys(parts).sort().join() !== names.join()) fail(words);
  return names.map((name) => parts[name]);
}

const textOf = ({ kind, value }) => (kind === "string" ? value : "");

const SPECIAL = { // the names that make an object of one field a value of another type
  $oid(content, fail) {
    if (!/^[0-9a-fA-F]{24}$/.test(textOf(content))) fail("an ObjectId is written with 24 hexadecimal digits");
    return { kind: "objectId", value: textOf(content).toLowerCase() };
  },
  $date: (content, fail) => ({ kind: "date", value: milliseconds(content, fail) }),
  $numberInt: (content, fail) => ({ kind: "int32", value: Number(whole(textOf(content), 32, fail)) }),
  $numberLong: (content, fail) => ({ kind: "int64", value: whole(textOf(content), 64, fail) }),
  $numberDouble(content, fail) {
    const written = textOf(content);
    if (!/^(-?(\d+(\.\d*)?([eE][+-]?\d+)?|Infinity)|NaN)$/.test(written)) fail('a double is written like "72.5", "NaN" or "-Infinity"');
    return { kind: "double", value: Number(written) };
  },
  $binary(content, fail) {
    const words = 'binary data is written {"$binary": {"base64": "AQID", "subType": "00"}}';
    const [base64, subtype] = partsOf(content, ["base64", "subType"], fail, words).map(textOf);
    if (!/^[0-9a-fA-F]{1,2}$/.test(subtype) || !/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) fail(words);
    if (parseInt(subtype, 16) === 2) fail("the binary subtype 02 is out of use: take 00");
    return { kind: "binary", subtype: parseInt(subtype, 16), value: Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)) };
  },
  $timestamp(content, fail) {
    const words = 'a timestamp is written {"$timestamp": {"t": 1705090500, "i": 1}}, with two numbers that fit into 32 bits without a sign';
    const [i, t] = partsOf(content, ["i", "t"], fail, words).map(({ kind, value }) => (kind === "whole" ? Number(value) : -1));
    if (!(i >= 0 && t >= 0 && i < 2 ** 32 && t < 2 ** 32)) fail(words);
    return { kind: "timestamp", value: { t, i } };
  },
};
for (const kind of ["minKey", "maxKey"]) {
  SPECIAL[`$${kind}`] = ({ kind: written, value }, fail) => {
    if (written !== "whole" || value !== "1") fail(`this is written {"$${kind}": 1}`);
    return { kind, value: null };
  };
}
export const NOT_SHOWN = ["$code", "$dbPointer", "$numberDecimal", "$ref", "$regex", "$regularExpression", "$symbol", "$undefined", "$uuid"];

/** What Extended JSON means by a piece of JSON. */
function typed({ kind, value, from }, source) {
  const fail = (words, where = from) => { throw placed(source, where, words); };
  if (kind === "string") return { kind, value };
  if (kind === "word") return value === null ? { kind: "null", value } : { kind: "bool", value };
  if (kind === "decimals") return { kind: "double", value: Number(value) };
  if (kind === "whole") {
    if (!/^-?\d{1,30}$/.test(value) || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
      fail("this whole number does not fit into 64 bits, the most that BSON has for one");
    }
    const number = BigInt(value);
    return BigInt.asIntN(32, number) === number ? { kind: "int32", value: Number(number) } : { kind: "int64", value: number };
  }
  if (kind === "object") {
    const special = value.find(({ name }) => Object.hasOwn(SPECIAL, name) || NOT_SHOWN.includes(name));
    if (special) {
      const { name } = special;
      if (NOT_SHOWN.includes(name)) fail(`${name} has a meaning in Extended JSON that this picture does not show`);
      if (value.length > 1) fail(`${name} stands alone between its braces`);
      return SPECIAL[name](special.value, fail);
    }
  }
  const fields = value.map((field) => ({ ...field, value: typed(field.value, source) }));
  return { kind: kind === "object" ? "document" : "array", value: fields };
}

/** The document that a text in Extended JSON stands for; raises BadDocument.

    `_id` comes first, wherever it is written: pymongo's `encode` and the server both put it there (MongoDB
    manual, "Documents"). */
export function readDocument(source) {
  if (source.length > LONGEST_TEXT) {
    throw new BadDocument(`This text has ${source.length} characters, and the picture takes up to ${LONGEST_TEXT}.`);
  }
  const read = parseJson(source);
  if (read.kind !== "object") throw new BadDocument("A document stands between braces: { and }.");
  const { kind, value } = typed(read, source);
  if (kind !== "document") throw new BadDocument("A document has fields, each with a name and a value, and this is a value alone.");
  const first = value.filter(({ name }) => name === "_id");
  return { kind, value: [...first, ...value.filter((field) => !first.includes(field))] };
}

/** A double in the fewest digits that give the same one, never like a whole number. */
export function doubleText(number) {
  if (!Number.isFinite(number)) return String(number);
  const sign = number < 0 || Object.is(number, -0) ? "-" : "";
  const [digits, power] = Math.abs(number).toExponential().split("e");
  if (power < -4 || power >= 16) {
    return `${sign}${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const written = String(Math.abs(number));
  return `${sign}${written}${written.includes(".") ? "" : ".0"}`;
}

/** A date as ISO 8601, or "" where that has no four digits for the year or lies before 1970. */
export function dateText(value) {
  return value < 0n || value > LAST_DATE ? "" : new Date(Number(value)).toISOString().replace(".000Z", "Z");
}

/** A value as relaxed Extended JSON with no spaces. */
export function compactJson({ kind, value, subtype }) {
  const wrap = (name, content) => `{"${name}":${content}}`;
  if (kind === "document") return `{${value.map((one) => `${JSON.stringify(one.name)}:${compactJson(one.value)}`).join()}}`;
  if (kind === "array") return `[${value.map((one) => compactJson(one.value)).join()}]`;
  if (kind === "double") {
    return Number.isFinite(value) ? doubleText(value) : wrap("$numberDouble", `"${doubleText(value)}"`);
  }
  if (kind === "objectId") return wrap("$oid", `"${value}"`);
  if (kind === "date") {
    const written = dateText(value);
    return wrap("$date", written ? `"${written}"` : wrap("$numberLong", `"${value}"`));
  }
  if (kind === "binary") {
    const base64 = btoa(String.fromCharCode(...value));
    return wrap("$binary", `{"base64":"${base64}","subType":"${subtype.toString(16).padStart(2, "0")}"}`);
  }
  if (kind === "timestamp") return wrap("$timestamp", `{"t":${value.t},"i":${value.i}}`);
  if (kind === "minKey" || kind === "maxKey") return wrap(`$${kind}`, "1");
  return kind === "string" ? JSON.stringify(value) : String(value); // int32, int64, bool, null
}
