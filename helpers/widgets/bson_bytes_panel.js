// What the picture of a document's bytes tells in words and bars: about a byte, about a field, the roles
// that bytes have, the list of fields, the two sizes.

import { plural } from "./bytes.js";
import { node, put } from "./dom.js";

export const ROLES = { length: "length", type: "type", name: "field name", value: "value", terminator: "closing 00" };

const placeOf = ({ start, end }) => (end - start === 1 ? `byte ${start}` : `bytes ${start} to ${end - 1}`);
const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);

/** A field's name for the reader. */
export const nameOf = ({ depth, path, name }) => (depth === 0 ? "The whole document" : name ? path : `"${path}"`); // a name may be empty

/** Three lines about a field, or about one part of it: whose, what, and how it is read. */
export function told({ fields, parts }, at, part) {
  const field = fields[at];
  const head = at === 0 ? nameOf(field) : `${nameOf(field)} (${field.kind})`;
  if (part) {
    return [head, `${ROLES[part.role]}, ${placeOf(part)}${part.what && `: ${part.what}`}`, sentence(part.how)];
  }
  const sizes = {};
  for (const { start, end, role, field: owner } of parts) {
    if (owner === at) sizes[role] = (sizes[role] ?? 0) + end - start;
  }
  const own = Object.entries(sizes).map(([role, size]) => `${ROLES[role]} ${size}`);
  const rest = field.end - field.start - Object.values(sizes).reduce((sum, size) => sum + size, 0);
  if (rest) own.push(`fields inside ${rest}`);
  return [head, `${plural(field.end - field.start, "byte")}, ${placeOf(field)}: ${own.join(", ")}`, at ? sentence(field.reading) : `${field.reading}. Point at a byte or a field, or move with the arrow keys.`];
}

/** What the lines under the bytes mean, with how many bytes there are of each. */
export function createLegend() {
  const counts = Object.keys(ROLES).map((role) => {
    const count = node("span", { class: "bb-count" });
    const sign = node("span", { class: `bb-byte bb-is-${role}`, "aria-hidden": "true" }, node("span", { class: "bb-hex" }, "0a"));
    return { role, count, element: node("li", {}, sign, node("span", {}, `${ROLES[role]} `, count)) };
  });
  const show = ({ parts }) => {
    for (const { role, count } of counts) {
      put(count, parts.filter((one) => one.role === role).reduce((sum, { start, end }) => sum + end - start, 0));
    }
  };
  const element = node("ul", { class: "bb-legend", "aria-label": "What the lines under the bytes mean, and how many bytes there are of each" },
    ...counts.map((one) => one.element));
  return { element, show };
}

/** The fields, one a row: `rows` has them in order. */
export function createFields(titleId) {
  const element = node("div", { class: "bb-fields", role: "listbox", "aria-labelledby": titleId });
  let rows = [];
  const show = ({ fields }) => {
    rows = fields.map((field, at) => {
      const name = at === 0 ? nameOf(field) : field.name || "(empty name)";
      const row = node("div", { class: "bb-field", role: "option", tabindex: -1, "aria-selected": "false", "data-field": at },
        node("span", { class: "bb-name" }, name), " ",
        node("span", { class: "bb-kind" }, `${at ? `${field.kind}, ` : ""}${plural(field.end - field.start, "byte")}`));
      row.style.setProperty("--depth", Math.min(field.depth, 6));
      return row;
    });
    element.replaceChildren(...rows);
  };
  return { element, show, rows: () => rows };
}

/** The size of the document as BSON beside that as JSON. */
export function createSizes() {
  const made = ["BSON", "JSON, no spaces"].map((words) => {
    const value = node("dd");
    const bar = node("span");
    return { value, bar, element: node("div", {}, node("dt", {}, words), node("div", { class: "bb-bar", "aria-hidden": "true" }, bar), value) };
  });
  const show = (...sizes) => made.forEach(({ value, bar }, at) => {
    put(value, plural(sizes[at], "byte"));
    bar.style.width = `${(100 * sizes[at]) / Math.max(...sizes)}%`;
  });
  return { element: node("dl", { class: "bb-sizes" }, ...made.map(({ element }) => element)), show };
}
