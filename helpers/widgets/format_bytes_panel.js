// What the format widget shows of a song: the size in each format, and the bytes of one, part by part.

import { hexOf, plural } from "./bytes.js";
import { node, put } from "./dom.js";
import { FIELDS } from "./format_bytes_parts.js";

const ROLES = { name: "its name", value: "its value", frame: "what stands around it" };
/** What a part is to its field: in Protocol Buffers names don't travel, and numbers do. */
const roleIn = (format, role) => (format === "Protocol Buffers" && role === "name" ? "its number and wire type" : ROLES[role]);
const reading = new TextDecoder("utf-8", { fatal: true });
const NUMBERS = ["year", "tempo"];

/** The letters of a part, where it is text that can be read; else "". */
export function lettersOf({ field, bytes }, format, role) {
  const isText = ["plain text", "CSV", "JSON", "XML"].includes(format);
  if (!isText && (role === "frame" || (role === "name" && format === "Protocol Buffers"))) return "";
  if (!isText && role === "value" && NUMBERS.includes(field)) return "";
  try {
    const letters = reading.decode(Uint8Array.from(bytes));
    return /^[\x20-\x7e\u00a0-\uffff]+$/u.test(letters.replaceAll("\n", "").replaceAll("\r", "")) || isText ? letters : "";
  } catch {
    return "";
  }
}

/** A part in words: whose bytes they are, where, and what they say. */
export function told(part, at, format, song) {
  const { field, role, bytes } = part;
  const place = bytes.length === 1 ? `byte ${at}` : `bytes ${at} to ${at + bytes.length - 1}`;
  const number = role === "value" && NUMBERS.includes(field) ? String(song[field]) : "";
  const letters = lettersOf(part, format, role).replaceAll("\n", "\u21b5").replaceAll("\r", "") || number;
  const whose = field ? `${field}, ${roleIn(format, role)}` : `no field: ${role === "name" ? "the name of the whole" : "the frame of the whole"}`;
  return `${whose}, ${place}${letters ? `: ${letters}` : ""}`;
}

/** One choice for each format, with its size as a bar. */
export function createSizes(names, group, choose) {
  const rows = names.map((name, at) => {
    const input = node("input", { type: "radio", name: group, id: `${group}-${at}`, value: name });
    const bar = node("span");
    const value = node("span", { class: "fb-size" });
    input.addEventListener("change", () => choose(name));
    return { name, input, bar, value, element: node("div", { class: "fb-format" }, input,
      node("label", { for: input.id }, node("span", { class: "fb-name" }, name), value),
      node("span", { class: "fb-bar", "aria-hidden": "true" }, bar)) };
  });
  const show = (sizes, chosen) => {
    const most = Math.max(...sizes);
    rows.forEach(({ name, input, bar, value }, at) => {
      input.checked = name === chosen;
      put(value, plural(sizes[at], "byte"));
      bar.style.width = `${(100 * sizes[at]) / most}%`;
    });
  };
  return { element: node("fieldset", { class: "fb-sizes" }, node("legend", {}, "The song in nine formats"), ...rows.map(({ element }) => element)), show };
}

/** The bytes, each part a box; arrow keys go from part to part. */
export function createBytes(titleId, tell) {
  const element = node("div", { class: "fb-bytes", role: "listbox", "aria-labelledby": titleId });
  let boxes = [];
  let starts = [];
  let shown = { parts: [], format: "", song: {} };
  const light = (at) => {
    boxes.forEach((box, other) => box.classList.toggle("fb-lit", other === at));
    tell(shown.parts[at] ? told(shown.parts[at], starts[at], shown.format, shown.song) : "");
  };
  const select = (at) => {
    boxes.forEach((box, other) => {
      box.tabIndex = other === at ? 0 : -1;
      box.setAttribute("aria-selected", String(other === at));
    });
    light(at);
  };
  const show = (parts, format, song) => {
    shown = { parts, format, song };
    let at = 0;
    starts = parts.map(({ bytes }) => {
      at += bytes.length;
      return at - bytes.length;
    });
    boxes = parts.map((part, number) => {
      const { field, role, bytes } = part;
      const letters = lettersOf(part, format, role);
      return node("span", {
        class: `fb-part fb-is-${role} fb-of-${FIELDS.indexOf(field)}`, role: "option", "data-part": number, "aria-label": told(part, starts[number], format, song),
      },
      node("span", { class: "fb-hex" }, bytes.map(hexOf).join(" ")),
      node("span", { class: "fb-letters" }, letters.replaceAll("\n", "\u21b5").replaceAll("\r", "\u2190").replaceAll(" ", "\u00b7")));
    });
    element.replaceChildren(...boxes);
    select(0);
  };
  const partOf = ({ target }) => Number(target.closest("[data-part]")?.dataset.part ?? -1);
  element.addEventListener("pointerover", (event) => partOf(event) >= 0 && light(partOf(event)));
  element.addEventListener("pointerleave", () => light(boxes.findIndex((box) => box.tabIndex === 0)));
  element.addEventListener("focusin", (event) => partOf(event) >= 0 && select(partOf(event)));
  element.addEventListener("click", (event) => boxes[partOf(event)]?.focus());
  element.addEventListener("keydown", (event) => {
    const at = partOf(event);
    const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: boxes.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    boxes[Math.max(0, Math.min(boxes.length - 1, to))].focus();
  });
  return { element, show };
}
