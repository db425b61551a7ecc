// The widget of chapter 4: a document in a text box, and its BSON bytes. Whatever the reader points at or
// moves to, a byte or a field, is lit in both, and told. All is computed in the page.

import { hexOf } from "./bytes.js";
import { node, put } from "./dom.js";
import { BadDocument, compactJson } from "./bson_bytes_json.js";
import { bsonOf } from "./bson_bytes_codec.js";
import { createFields, createLegend, createSizes, told } from "./bson_bytes_panel.js";

const WIDE = 384; // pixels that sixteen bytes in a row need at least
const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `bson-bytes-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const id = (name) => `${uid}-${name}`;
  const on = (element, event, act) => element.addEventListener(event, act, { signal });

  const editor = node("textarea", {
    id: id("editor"), rows: 12, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": id("status"),
  });
  const again = node("button", { type: "button" }, "Start again");
  const status = node("p", { class: "bb-status", id: id("status"), role: "status", "aria-live": "polite" });
  const title = node("p", { class: "bb-title", id: id("bytes") });
  const legend = createLegend();
  const grid = node("div", { class: "bb-grid", role: "grid", "aria-labelledby": id("bytes"), "aria-readonly": "true" });
  const about = node("div", { class: "bb-about", id: id("about") }, ...["head", "what", "how"].map((one) => node("p", { class: `bb-${one}` })));
  const list = createFields(id("fields"));
  const sizes = createSizes();
  const bytesPane = node("div", { class: "bb-bytes" }, title, legend.element, grid);
  const root = node("div", {
    class: "bson-bytes",
    "data-lm-suppress-shortcuts": "true", // JupyterLab: no commands by keys from in here
  },
  node("div", { class: "bb-panes" },
    node("div", { class: "bb-editor" },
      node("label", { class: "bb-title", for: editor.id }, "The document, in MongoDB's Extended JSON"), editor,
      node("div", { class: "bb-under" }, status, again), sizes.element),
    bytesPane,
    node("div", { class: "bb-list" }, node("p", { class: "bb-title", id: id("fields") }, "Its fields"), list.element)),
  about);
  el.append(root);

  const original = model.get("document");
  let shown; // what bsonOf gave for the last good text
  let good; // that text
  let spans = []; // for each field, where it stands in the text
  let cells = []; // for each byte, its cell
  let owners = []; // and its part
  let columns = 0;
  let chosen = { field: 0, part: null }; // what stays lit: chosen by focus, click or the text box
  let previewed = null; // what the pointer is on

  /** Lights a field and, in it, a part; tells about them. */
  function light() {
    const { field, part } = previewed ?? chosen;
    const { start, end } = shown.fields[field];
    cells.forEach((cell, at) => {
      cell.classList.toggle("bb-lit", at >= start && at < end && (field > 0 || !part));
      cell.classList.toggle("bb-now", Boolean(part) && at >= part.start && at < part.end);
    });
    list.rows().forEach((row, at) => row.classList.toggle("bb-lit", at === field));
    told(shown, field, part).forEach((words, at) => put(about.children[at], words));
  }

  /** Chooses what stays lit; the byte `at` and the field's row are where Tab leads then. */
  function choose(field, at = null) {
    chosen = { field, part: at === null ? null : owners[at] };
    const stop = at ?? shown.fields[field].start;
    for (const [all, one] of [[cells, cells[stop]], [list.rows(), list.rows()[field]]]) {
      for (const other of all) {
        if (other.tabIndex === 0) other.tabIndex = -1;
        other.removeAttribute("aria-describedby");
      }
      one.tabIndex = 0;
      one.setAttribute("aria-describedby", about.id); // heard when the focus comes to it
    }
    list.rows().forEach((row, row_at) => row.setAttribute("aria-selected", String(row_at === field)));
    light();
  }

  /** The bytes, `columns` in a row. */
  function lay() {
    if (!shown || !columns) return;
    const { bytes, parts } = shown;
    const focus = grid.contains(document.activeElement) ? Number(document.activeElement.dataset.at) : -1;
    owners = [];
    for (const part of parts) owners.push(...Array(part.end - part.start).fill(part));
    cells = [...bytes].map((byte, at) => {
      const { role, how } = owners[at];
      const letters = byte > 32 && byte < 127 && (role === "name" || (role === "value" && how.startsWith("UTF-8")));
      return node("span", { class: `bb-byte bb-is-${role}`, role: "gridcell", tabindex: -1, "data-at": at },
        node("span", { class: "bb-hex" }, hexOf(byte)),
        node("span", { class: "bb-letter", "aria-hidden": "true" }, letters ? String.fromCharCode(byte) : ""));
    });
    const rows = [];
    for (let at = 0; at < cells.length; at += columns) {
      rows.push(node("div", { class: "bb-row", role: "row" }, node("span", { class: "bb-at", role: "rowheader" }, at), ...cells.slice(at, at + columns)));
    }
    grid.style.setProperty("--columns", columns);
    grid.replaceChildren(...rows);
    const { field, part } = chosen;
    choose(field, part && part.start);
    if (focus >= 0) cells[focus]?.focus();
  }

  /** Shows a text's bytes; if it has none, one sentence says why, and the bytes before stay. */
  function encodeAll(text) {
    let made;
    try {
      made = bsonOf(text);
    } catch (error) {
      if (!(error instanceof BadDocument)) throw error;
      put(status, error.message);
      editor.setAttribute("aria-invalid", "true");
      root.classList.add("bb-bad");
      if (shown) put(title, "The BSON bytes of the last good text");
      return false;
    }
    editor.removeAttribute("aria-invalid");
    root.classList.remove("bb-bad");
    shown = made;
    good = text;
    spans = [[0, 0]];
    const walk = (fields) => fields.forEach(({ from, to, value }) => {
      spans.push([from, to]);
      if (Array.isArray(value.value)) walk(value.value);
    });
    walk(made.document.value);
    previewed = null;
    chosen = { field: atCaret(), part: null };
    put(status, `${made.bytes.length} bytes of BSON, in ${made.fields.length - 1} fields.`);
    put(title, "Its BSON bytes");
    legend.show(made);
    list.show(made);
    sizes.show(made.bytes.length, new TextEncoder().encode(compactJson(made.document)).length);
    lay();
    return true;
  }

  /** The field in which the text box's caret stands: the innermost. */
  function atCaret() {
    const at = editor.selectionStart;
    if (document.activeElement !== editor || editor.value !== good) return 0;
    return Math.max(0, spans.findLastIndex(([from, to]) => from <= at && at <= to && to > 0));
  }

  function fromModel() {
    const text = model.get("document");
    if (text === editor.value) return;
    editor.value = text;
    encodeAll(text);
  }

  function edited() {
    if (!encodeAll(editor.value)) return;
    model.set("document", editor.value);
    model.save_changes();
  }

  on(editor, "input", edited);
  for (const event of ["keyup", "click", "focus"]) {
    on(editor, event, () => {
      if (shown && editor.value === good && atCaret() !== chosen.field) choose(atCaret());
    });
  }
  on(again, "click", () => {
    editor.value = original;
    edited();
  });

  const byteOf = ({ target }) => {
    const cell = target.closest("[data-at]");
    return cell && grid.contains(cell) ? Number(cell.dataset.at) : -1;
  };
  const fieldOf = ({ target }) => Number(target.closest("[data-field]")?.dataset.field ?? -1);
  const preview = (what) => {
    previewed = what;
    if (shown) light();
  };
  on(grid, "pointerover", (event) => {
    const part = owners[byteOf(event)];
    if (part) preview({ field: part.field, part });
  });
  on(list.element, "pointerover", (event) => fieldOf(event) >= 0 && preview({ field: fieldOf(event), part: null }));
  for (const pane of [grid, list.element]) {
    on(pane, "pointerleave", () => preview(null));
    on(pane, "focusin", (event) => {
      previewed = null;
      const at = byteOf(event);
      if (at >= 0) choose(owners[at].field, at);
      else if (fieldOf(event) >= 0) choose(fieldOf(event));
    });
  }
  const move = (event, all, at, to) => {
    if (at < 0 || to === undefined || Number.isNaN(to)) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, to))].focus();
  };
  on(grid, "keydown", (event) => {
    const at = byteOf(event);
    const inRow = at % columns;
    const far = event.ctrlKey;
    const to = {
      ArrowUp: at < columns ? at : at - columns, ArrowDown: at + columns < cells.length ? at + columns : at,
      Home: far ? 0 : at - inRow, End: far ? cells.length - 1 : at - inRow + columns - 1,
    }[event.key] ?? at + ARROWS[event.key];
    move(event, cells, at, to);
  });
  on(list.element, "keydown", (event) => {
    const at = fieldOf(event);
    const rows = list.rows();
    move(event, rows, at, { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[event.key]);
  });
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  on(root, "keydown", (event) => event.stopPropagation());
  model.on?.("change:document", fromModel);

  const measure = () => {
    const fitting = grid.clientWidth >= WIDE ? 16 : 8;
    if (!grid.clientWidth || fitting === columns) return;
    columns = fitting;
    lay();
  };
  const resized = new ResizeObserver(measure);
  resized.observe(grid);
  fromModel();
  measure();

  return () => {
    closing.abort();
    resized.disconnect();
    model.off?.("change:document", fromModel);
    root.remove();
  };
}

export default () => ({ render });
