// What the writers of all formats share: a song's fields, numbers as Python writes them, and the parts that bytes
// are collected in. A part is {field, role, bytes}: the field of the song that the bytes belong to ("" for what
// belongs to none), and whether they are its name, its value, or the frame around both.

export const utf8 = new TextEncoder();
export const TEXTS = ["id", "title", "composer", "key", "genre"];
export const FIELDS = ["id", "title", "composer", "year", "key", "tempo", "genre", "melody", "aliases"];

/** A float as Python writes it: with a point, or with an exponent where it is very large or small. */
export function pythonFloat(number) {
  if (Object.is(number, -0)) return "-0.0";
  const size = Math.abs(number);
  if (number !== 0 && (size < 1e-4 || size >= 1e16)) {
    return number.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

/** Collects parts; `field` is the one that the next bytes belong to. */
export class Writer {
  constructor() {
    this.parts = [];
    this.field = "";
  }

  add(role, bytes) {
    const last = this.parts.at(-1);
    if (last?.field === this.field && last.role === role) last.bytes.push(...bytes);
    else if (bytes.length) this.parts.push({ field: this.field, role, bytes: [...bytes] });
  }

  text(role, text) {
    this.add(role, utf8.encode(text));
  }

  /** A number in `size` bytes, by a method of DataView. */
  fixed(role, size, method, value, little = false) {
    const view = new DataView(new ArrayBuffer(size));
    view[method](0, value, little);
    this.add(role, new Uint8Array(view.buffer));
  }

  /** What `write` adds belongs to this field of the song. */
  of(field, write) {
    const outer = this.field;
    this.field = field;
    write();
    this.field = outer;
  }
}

export const lengthOf = (parts) => parts.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** Writes with `write` and gives the parts, to be put in behind a length. */
export function apart(field, write) {
  const inner = new Writer();
  inner.field = field;
  write(inner);
  return inner.parts;
}

export function append(writer, parts) {
  const { field } = writer;
  for (const part of parts) {
    writer.field = part.field;
    writer.add(part.role, part.bytes);
  }
  writer.field = field;
}
