// What the song widget says over HTTP and about it: the request for a song, and the lines of a
// message with a sentence on each. A message is {start, headers: [[name, value], ...], body: bytes}.

import { findSong, fold, headerOf } from "./song_service.js";

const RANGES = { first: "bytes=0-99", after: "bytes=99999999-" };
const BYTES_SHOWN = 48; // of a body of audio: its header of 44 bytes, and the first two samples
const TEXT_SHOWN = 600; // characters of a body of text

const ABOUT = {
  accept: "Accept: the kinds of content that the client can use.",
  "accept-ranges": "Accept-Ranges: clients may ask for a part of this, counted in bytes.",
  allow: "Allow: the methods that this address takes.",
  connection: "Connection: whether the connection stays open for the next request.",
  "content-length": "Content-Length: the size of the body in bytes: so the client knows where it ends.",
  "content-location": "Content-Location: the address of exactly this content: here, which song was found.",
  "content-range": "Content-Range: which bytes these are, and after the slash how many there are.",
  "content-type": "Content-Type: what kind of data the body is: so the client knows how to read it.",
  date: "Date: when the service made this answer, in Greenwich time.",
  etag: "ETag: a mark of this version; a client with a copy can ask whether it has changed.",
  host: "Host: the server that is meant, as one computer may answer under several names.",
  location: "Location: the address to go to instead.",
  range: "Range: send only these bytes, counted from 0.",
  server: "Server: the program that answered.",
  "user-agent": "User-Agent: the program that asks.",
};

const EMPTY_LINE =
  "An empty line: the headers end here. Every line ends with two bytes, CR and LF, shown as \\r\\n.";
const WAV = " A WAV file begins with RIFF and WAVE; the sound itself begins at byte 44.";

/** The request for a song: {method, target, headers}. */
export function buildRequest(kind, name, server, songs) {
  const headers = [["Host", server], ["User-Agent", "song-request"]];
  headers.push(["Accept", kind === "facts" ? "application/json" : "audio/wav"]);
  if (kind in RANGES) headers.push(["Range", RANGES[kind]]);
  const target = kind === "facts"
    ? `/songs/${idFor(name, songs)}`
    : `/play?song=${encode(name).replaceAll("%20", "+")}`; // in a query a blank is a plus sign
  return { method: kind === "head" ? "HEAD" : "GET", target, headers };
}

/** The id of the song that goes by a name; for an unknown song the name in the form of an id. */
function idFor(name, songs) {
  const { song } = findSong(name, songs);
  return song ? song.id : fold(name).replaceAll(" ", "-") || encode(name.replace(/[./\\]/g, "-"));
}

/** UTF-8 with a percent sign before each byte that a URL can't hold (RFC 3986, section 2). */
function encode(text) {
  // Half an emoji has no UTF-8: it becomes U+FFFD. encodeURIComponent alone would give up.
  const sound = text.replace(/\p{Surrogate}/gu, "\uFFFD");
  return encodeURIComponent(sound).replace(
    /[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The lines of a message, as {part, text, about}; one for each line before the body, one for it.
 *  A body in rows of bytes also has {dump: true}: its rows must not wrap. */
export function messageLines(message, isRequest) {
  const [first, second] = message.start.split(" ");
  const start = isRequest
    ? `Start line: the method ${first} says what to do, the target says with what; then the version.`
    : `Start line: the version, the status code ${second} for programs, and the same in words.`;
  const lines = [{ part: "start line", text: message.start, about: start }];
  for (const [name, value] of message.headers) {
    const about = ABOUT[name.toLowerCase()] ?? `${name}: a header this page knows nothing about.`;
    lines.push({ part: "header", text: `${name}: ${value}`, about });
  }
  lines.push({ part: "empty line", text: "", about: EMPTY_LINE });
  if (message.body?.length) lines.push({ part: "body", ...describeBody(message) });
  return lines;
}

function describeBody(message) {
  const { body } = message;
  const size = `${count(body.length)} bytes`;
  if (kindOfBody(message) === "JSON") {
    const text = new TextDecoder().decode(body);
    const rest = text.length - TEXT_SHOWN;
    const more = rest > 0 ? `… (${count(rest)} more characters)` : "";
    const about = `Body: ${size} of JSON, which is text that programs read easily.`;
    return { text: text.slice(0, TEXT_SHOWN) + more, about };
  }
  const rest = body.length - BYTES_SHOWN;
  const more = rest > 0 ? `\n… and ${count(rest)} more bytes` : "";
  const wav = String.fromCharCode(...body.subarray(0, 4)) === "RIFF" ? WAV : "";
  const about = `Body: ${size}, each as two hexadecimal digits, and as a letter if it is one.${wav}`;
  return { text: hexDump(body.subarray(0, BYTES_SHOWN)) + more, about, dump: true };
}

/** Bytes in rows of eight: as hexadecimal numbers, and as ASCII with a dot for what is none. */
function hexDump(bytes) {
  const rows = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const row = [...bytes.subarray(at, at + 8)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
    const ascii = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "."));
    rows.push(`${hex.padEnd(23)}  ${ascii.join("")}`);
  }
  return rows.join("\n");
}

export function kindOfBody(message) {
  const type = headerOf(message, "content-type") ?? "";
  return type.includes("json") ? "JSON" : type.startsWith("audio/") ? "audio" : "data";
}

const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
export const statusOf = (response) => response.start.split(" ").slice(1).join(" ");

/** The outcome in one sentence, for everybody and read out by screen readers. */
export function summary(request, response) {
  const status = statusOf(response);
  const size = count(response.body.length);
  const kind = kindOfBody(response);
  if (request.method === "HEAD") return `${status}, and no body: HEAD asks for the headers alone.`;
  if (response.status === 206) {
    const whole = headerOf(response, "content-range")?.split("/")[1];
    return `${status}, ${size} of ${count(whole ?? "?")} bytes of ${kind}.`;
  }
  if (response.status < 300) return `${status}, ${size} bytes of ${kind}.`;
  if (response.status < 400) return `${status}: the address is ${headerOf(response, "location")}.`;
  const problem = readJson(response.body);
  const titles = problem.suggestions?.join(", ");
  const nearest = titles ? ` The nearest titles: ${titles}.` : "";
  return `${status}. ${problem.errors?.[0]?.detail ?? problem.detail ?? ""}${nearest}`;
}

function readJson(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    return {}; // another service than ours may send anything
  }
}
