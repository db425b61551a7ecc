// The formats of text, byte for byte as `helpers.formats` writes them.
import { FIELDS, pythonFloat, TEXTS } from "./format_bytes_parts.js";

const line = (melody) => melody.map(({ pitch, beats }) => `${pitch ?? "R"}:${pythonFloat(beats)}`).join(" ");

/** The fields as texts; each alias is a field of its own. */
function textsOf(song) {
  const fields = FIELDS.slice(0, -1).map((name) => [name, name, name === "melody" ? line(song.melody) : String(song[name])]);
  return [...fields, ...song.aliases.map((alias) => ["aliases", "alias", alias])];
}

export function plainText(song, out) {
  for (const [field, name, text] of textsOf(song)) {
    out.of(field, () => {
      out.text("name", name);
      out.text("frame", ": ");
      out.text("value", text);
      out.text("frame", "\n");
    });
  }
  out.text("frame", "\n");
}

export function csv(song, out) {
  const texts = textsOf(song);
  const record = (role, column) => {
    texts.forEach((row, at) => out.of(row[0], () => {
      if (at) out.text("frame", ",");
      const quoted = /[",\r\n]/.test(row[column]);
      if (quoted) out.text("frame", '"');
      out.text(role, quoted ? row[column].replaceAll('"', '""') : row[column]);
      if (quoted) out.text("frame", '"');
    }));
    out.text("frame", "\r\n");
  };
  record("name", 1);
  record("value", 2);
}

export function json(song, out) {
  const string = (role, text) => {
    out.text("frame", '"');
    out.text(role, JSON.stringify(text).slice(1, -1));
    out.text("frame", '"');
  };
  const name = (word) => {
    string("name", word);
    out.text("frame", ":");
  };
  const list = (all, write) => {
    out.text("frame", "[");
    all.forEach((one, at) => {
      if (at) out.text("frame", ",");
      write(one);
    });
    out.text("frame", "]");
  };
  const note = ({ pitch, beats }) => {
    out.text("frame", "{");
    name("pitch");
    if (pitch === null) out.text("value", "null");
    else string("value", pitch);
    out.text("frame", ",");
    name("beats");
    out.text("value", pythonFloat(beats));
    out.text("frame", "}");
  };
  out.text("frame", "{");
  FIELDS.forEach((field, at) => out.of(field, () => {
    if (at) out.text("frame", ",");
    name(field);
    if (TEXTS.includes(field)) string("value", song[field]);
    else if (field === "melody") list(song.melody, note);
    else if (field === "aliases") list(song.aliases, (alias) => string("value", alias));
    else out.text("value", String(song[field]));
  }));
  out.text("frame", "}");
}

const inText = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
const inAttribute = (text) => inText(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#09;");

export function xml(song, out) {
  const attribute = (name, text) => {
    out.text("frame", " ");
    out.text("name", name);
    out.text("frame", '="');
    out.text("value", inAttribute(text));
    out.text("frame", '"');
  };
  /** An element; without `inner` it is closed at once. */
  const element = (tag, attributes, inner) => {
    out.text("frame", "<");
    out.text("name", tag);
    for (const [name, text] of attributes) attribute(name, text);
    if (!inner) {
      out.text("frame", " />");
      return;
    }
    out.text("frame", ">");
    inner();
    out.text("frame", "</");
    out.text("name", tag);
    out.text("frame", ">");
  };
  const text = (tag, value) => element(tag, [], value && (() => out.text("value", inText(value))));
  const note = ({ pitch, beats }) =>
    element("note", [...(pitch === null ? [] : [["pitch", pitch]]), ["beats", pythonFloat(beats)]]);
  out.text("frame", "<");
  out.text("name", "song");
  out.of("id", () => attribute("id", song.id));
  out.text("frame", ">");
  for (const field of FIELDS.slice(1, -2)) out.of(field, () => text(field, String(song[field])));
  out.of("melody", () => element("melody", [], song.melody.length && (() => song.melody.forEach(note))));
  out.of("aliases", () => song.aliases.forEach((alias) => text("alias", alias)));
  out.text("frame", "</");
  out.text("name", "song");
  out.text("frame", ">");
}
