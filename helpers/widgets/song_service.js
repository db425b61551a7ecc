// The music service of helpers/music, written once more in JavaScript, so that the published page
// can answer requests without a server. tests/widgets holds the two together: the same song for
// the same name, the same sound, the same status lines, headers and bodies.
//
// A song is an object {id, title, aliases, composer, year, key, tempo, genre, melody, etag}; its
// melody is text, "E5:0.25 R:1": a pitch (R: a rest) and a length in quarter notes for each note.

// ---- Finding a song by its name (helpers/music/_search.py) ------------------------------------

const LONGEST_NAME = 100;
const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };

/** A name reduced to what matters in a search: lower-case letters, digits, single blanks. */
export function fold(text) {
  // Spreading counts whole characters, as Python does; .length would count an emoji twice.
  const cut = [...text].slice(0, LONGEST_NAME).join("");
  return cut
    .normalize("NFKD")
    .replace(/\p{M}/gu, "") // the accents, which NFKD has parted from their letters
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter])
    .replace(/['\u2018\u2019\u02bb\u02bc]/g, "") // apostrophes of all kinds
    .replace(/[^a-z0-9]+/g, " ")
    .trim()
    .slice(0, LONGEST_NAME)
    .trim();
}

/** How many slips turn one text into the other: the optimal string alignment distance. */
export function slips(first, second) {
  const a = [...first];
  const b = [...second];
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const wrong = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2] + 1); // two neighbours swapped
      }
      row.push(best);
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}

function allowedSlips(length) {
  if (length < 4) return 0;
  return length < 20 ? 1 + Math.floor(length / 5) : 5;
}

const wordsOf = (folded) => (folded ? folded.split(" ") : []);
const namesOf = (song) => [song.title, ...song.aliases].map(fold);

/** Which of two ranks is better: the first number that differs decides. */
function compareRanks(a, b) {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** How well a song fits, [way, how far off, how much longer], smaller is better; null: not at all. */
function rank(query, song) {
  const words = wordsOf(query);
  const composer = new Set(wordsOf(fold(song.composer)));
  const ranks = [];
  for (const name of namesOf(song)) {
    if (query === name) return [0, 0, 0];
    const ofName = wordsOf(name);
    const longer = Math.abs(name.length - query.length);
    const known = new Set(words.filter((word) => ofName.includes(word)));
    const allKnown = words.every((word) => known.has(word) || composer.has(word));
    if (known.size && query.length >= 3 && allKnown) {
      ranks.push([1, [...new Set(ofName)].filter((word) => !known.has(word)).length, longer]);
    }
    if (longer <= allowedSlips(query.length)) {
      const distance = slips(query, name);
      if (distance <= allowedSlips(query.length)) ranks.push([2, distance, longer]);
    }
    const nearest = words.map((word) => Math.min(...ofName.map((other) => slips(word, other))));
    if (nearest.every((n, i) => n <= allowedSlips(words[i].length))) {
      ranks.push([3, nearest.reduce((sum, n) => sum + n, 0), longer]);
    }
  }
  return ranks.length ? ranks.sort(compareRanks)[0] : null;
}

/** The song that goes by a name: {song}, or {suggestions: the three nearest titles}. */
export function findSong(name, songs) {
  const query = fold(name);
  let best = null;
  for (const song of query ? songs : []) {
    const found = rank(query, song);
    if (found && (!best || compareRanks(found, best.rank) < 0)) best = { rank: found, song };
  }
  if (best) return { song: best.song };
  const distance = (song) =>
    Math.min(...namesOf(song).map((n) => slips(query, n) / Math.max(query.length, n.length, 1)));
  const byDistance = songs.map((song) => ({ title: song.title, far: distance(song) }));
  byDistance.sort((a, b) => a.far - b.far);
  return { suggestions: byDistance.slice(0, 3).map((song) => song.title) };
}

// ---- Making the sound (helpers/music/_synthesis.py) -------------------------------------------

const SAMPLE_RATE = 22050;
const TABLE_SIZE = 2048;
const BRIGHT = [1.0, 0.55, 0.35, 0.22, 0.14, 0.09, 0.06, 0.04];
const MELLOW = [1.0, 0.28, 0.1, 0.03];
const PURE = [1.0];
const ATTACK = 0.006;
const RELEASE = 0.12;
const LOUDEST = 0.85 * 32767;
const SEMITONES = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

function notesOf(song) {
  return song.melody.split(" ").map((word) => {
    const [pitch, beats] = word.split(":");
    return { pitch: pitch === "R" ? null : pitch, beats: Number(beats) };
  });
}

function frequencyOf(pitch) {
  const [, letter, accidental, octave] = /^([A-G])(#*|b*)(-?\d)$/.exec(pitch);
  const shift = accidental.startsWith("#") ? accidental.length : -accidental.length;
  const midi = 12 * (Number(octave) + 1) + SEMITONES[letter] + shift;
  return 440 * 2 ** ((midi - 69) / 12);
}

/** One wave of a sound, the sum of its partials, as a table to read from. */
function oneWave(strengths) {
  const turn = (2 * Math.PI) / TABLE_SIZE;
  const total = strengths.reduce((sum, s) => sum + s, 0);
  return Float64Array.from({ length: TABLE_SIZE }, (_, i) =>
    strengths.reduce((sum, s, n) => sum + s * Math.sin(turn * i * (n + 1)), 0) / total);
}

let tables = null; // made when the first song is played, then kept

function addNote(track, start, frequency, seconds) {
  tables ??= [BRIGHT, MELLOW, PURE].map(oneWave);
  let [bright, mellow, pure] = tables;
  // Partials above half the sample rate would fold back as wrong notes.
  if (frequency * BRIGHT.length >= SAMPLE_RATE / 2) bright = mellow;
  if (frequency * MELLOW.length >= SAMPLE_RATE / 2) bright = mellow = pure;
  const step = (frequency * TABLE_SIZE) / SAMPLE_RATE;
  const held = Math.trunc(seconds * SAMPLE_RATE);
  const attack = Math.trunc(ATTACK * SAMPLE_RATE);
  const length = Math.min(held + Math.trunc(RELEASE * SAMPLE_RATE), track.length - start);
  const fading = 1 / Math.max(1, length - held);
  const dimmer = Math.exp(-1 / (0.9 * SAMPLE_RATE));
  const duller = Math.exp(-1 / (0.15 * SAMPLE_RATE));
  let [phase, strength, shine] = [0, 1, 1];
  for (let i = 0; i < length; i++) {
    const at = Math.trunc(phase) & (TABLE_SIZE - 1);
    let sample = mellow[at];
    sample = (sample + shine * (bright[at] - sample)) * strength;
    if (i < attack) sample *= i / attack;
    else if (i > held) sample *= 1 - (i - held) * fading;
    track[start + i] += sample;
    phase += step;
    strength *= dimmer;
    shine *= duller;
  }
}

/** The song's opening melody as the bytes of a WAV file: mono, 16 bits a sample, 22 050 a second. */
export function renderWav(song) {
  const notes = notesOf(song);
  const seconds = (notes.reduce((sum, note) => sum + note.beats, 0) * 60) / song.tempo;
  const track = new Float64Array(Math.trunc((seconds + RELEASE) * SAMPLE_RATE));
  const beat = 60 / song.tempo;
  let now = 0;
  for (const { pitch, beats } of notes) {
    if (pitch) addNote(track, Math.trunc(now * SAMPLE_RATE), frequencyOf(pitch), beats * beat);
    now += beats * beat;
  }
  return wavFile(track);
}

function wavFile(track) {
  const loudest = track.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0) || 1;
  const size = track.length * 2;
  const view = new DataView(new ArrayBuffer(44 + size));
  const text = (at, word) => [...word].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + size, true); // the bytes that follow; true: the lowest byte first
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // the bytes of this part
  view.setUint16(20, 1, true); // plain samples (PCM)
  view.setUint16(22, 1, true); // one channel: mono
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE * 2, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample
  view.setUint16(34, 16, true); // bits a sample
  text(36, "data");
  view.setUint32(40, size, true);
  track.forEach((sample, i) => {
    view.setInt16(44 + 2 * i, Math.trunc((sample * LOUDEST) / loudest), true);
  });
  return new Uint8Array(view.buffer);
}

// ---- Answering a request (helpers/music/_api.py, _range.py, _problems.py) ----------------------

const UNKNOWN_SONG = "No song has this id or goes by this name.";
const INVALID = "The request is well formed, but its values do not fit. See `errors`.";
const AFTER_THE_END = "The range begins after the end of the audio. See `length`.";
const SONG_ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const utf8 = new TextEncoder();

/**
 * The response of the service to a GET or HEAD of /play?song=NAME or /songs/ID.
 *
 * request: {method, target, headers: [[name, value], ...]}
 * phrases: the words after each status code, which differ between versions of Python
 * Returns {start: "HTTP/1.1 200 OK", status: 200, headers: [[name, value], ...], body: bytes}.
 */
export function exchange(request, songs, phrases) {
  const answer = answerTo(request, songs);
  const headers = [
    ["date", new Date().toUTCString()],
    ["server", "uvicorn"],
    ...(answer.headers ?? []),
    ["content-length", String(answer.body.length)],
  ];
  if (answer.type) headers.push(["content-type", answer.type]);
  if (answer.location) headers.push(["location", answer.location]);
  return {
    start: `HTTP/1.1 ${answer.status} ${phrases[answer.status]}`,
    status: answer.status,
    headers,
    body: request.method === "HEAD" ? new Uint8Array() : answer.body,
  };
}

function answerTo(request, songs) {
  const [path, query = ""] = request.target.split("?");
  if (path === "/play") {
    const name = decode(query.replace(/^song=/, "").replaceAll("+", " "));
    if (!name) return invalid("query", "song", "String should have at least 1 character.");
    if ([...name].length > 100) {
      return invalid("query", "song", "String should have at most 100 characters.");
    }
    const { song, suggestions } = findSong(name, songs);
    return song ? audio(song, request) : problem(404, "unknown-song", UNKNOWN_SONG, { suggestions });
  }
  if (path === "/songs/") { // an address too many by a slash: the service knows the one without
    const host = headerOf(request, "host");
    return { status: 307, body: new Uint8Array(), location: `http://${host}/songs` };
  }
  const id = decode(path.replace("/songs/", ""));
  if ([...id].length > 200) {
    return invalid("path", "song_id", "String should have at most 200 characters.");
  }
  if (!SONG_ID.test(id)) {
    return invalid("path", "song_id", `String should match pattern '${SONG_ID.source}'.`);
  }
  const song = songs.find((other) => other.id === id);
  if (!song) return problem(404, "unknown-song", UNKNOWN_SONG);
  return { status: 200, type: "application/json", body: utf8.encode(songJson(song)) };
}

function audio(song, request) {
  const whole = renderWav(song);
  const headers = [
    ["content-location", `/songs/${song.id}/audio`],
    ["accept-ranges", "bytes"],
    ["etag", song.etag],
  ];
  const field = request.method === "GET" ? headerOf(request, "range") : undefined;
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field ?? "") ?? [];
  // A range that is malformed or runs backwards is ignored: the whole is sent.
  if (!(first || last) || (first && last && Number(last) < Number(first))) {
    return { status: 200, type: "audio/wav", headers, body: whole };
  }
  const start = first ? Number(first) : Math.max(0, whole.length - Number(last));
  const end = first && last ? Math.min(Number(last) + 1, whole.length) : whole.length;
  if (start >= whole.length) {
    const extent = [["content-range", `bytes */${whole.length}`]];
    const members = { length: whole.length };
    return problem(416, "range-not-satisfiable", AFTER_THE_END, members, extent);
  }
  headers.push(["content-range", `bytes ${start}-${end - 1}/${whole.length}`]);
  return { status: 206, type: "audio/wav", headers, body: whole.slice(start, end) };
}

/** Problem details, the JSON shape of everything that goes wrong (RFC 9457). */
function problem(status, kind, detail, members = {}, headers = []) {
  const title = { 404: "Not Found", 416: "Range Not Satisfiable", 422: "Unprocessable Content" };
  const body = { type: `/problems/${kind}`, title: title[status], status, detail, ...members };
  return {
    status, headers, type: "application/problem+json", body: utf8.encode(JSON.stringify(body)),
  };
}

function invalid(place, name, detail) {
  return problem(422, "invalid-request", INVALID, { errors: [{ [place]: name, detail }] });
}

/** The facts about a song as the service writes them; Python writes the number 1.0 with its ".0". */
function songJson(song) {
  const { id, title, composer, year, key, tempo, genre } = song;
  const facts = JSON.stringify({ id, title, composer, year, key, tempo, genre });
  const melody = notesOf(song).map(({ pitch, beats }) => {
    const number = Number.isInteger(beats) ? `${beats}.0` : beats;
    return `{"pitch":${JSON.stringify(pitch)},"beats":${number}}`;
  });
  return `${facts.slice(0, -1)},"melody":[${melody.join(",")}]}`;
}

/** The value of a message's header, undefined if it has none. */
export function headerOf(message, name) {
  return message.headers.find(([other]) => other.toLowerCase() === name)?.[1];
}

/** Percent-encoded UTF-8 as text; decodeURIComponent would give up on bytes that are not UTF-8. */
function decode(text) {
  const bytes = [];
  for (const piece of text.split(/(%[0-9a-f]{2})/i)) {
    if (/^%[0-9a-f]{2}$/i.test(piece)) bytes.push(parseInt(piece.slice(1), 16));
    else bytes.push(...utf8.encode(piece));
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
}
