// The widget of chapter 8: a song in a form, and its bytes in nine formats. Edit the song, and all sizes
// follow; choose a format, and point at its bytes. All is computed in the page.

import { node, put } from "./dom.js";
import { bytesOf, NAMES, partsOf } from "./format_bytes_codecs.js";
import { createBytes, createSizes } from "./format_bytes_panel.js";
import { FIELDS } from "./format_bytes_parts.js";
import { BadSong, formOf, songOf } from "./format_bytes_song.js";

const LABELS = { title: "Title", composer: "Composer", year: "Year", melody: "Notes, PITCH:BEATS; R is a rest", aliases: "Other names, parted by ;" };

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `format-bytes-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const ground = model.get("song");
  let song = ground;

  const inputs = Object.fromEntries(Object.keys(LABELS).map((name) => [name, node("input", {
    type: "text", id: `${uid}-${name}`, autocomplete: "off", spellcheck: "false", inputmode: name === "year" ? "numeric" : "text", "aria-describedby": `${uid}-status`,
  })]));
  const again = node("button", { type: "button" }, "Start again");
  const status = node("p", { class: "fb-status", id: `${uid}-status`, role: "status", "aria-live": "polite" });
  const title = node("p", { class: "fb-title", id: `${uid}-bytes` });
  const about = node("p", { class: "fb-about" });
  const sizes = createSizes(NAMES, `${uid}-format`, (name) => {
    model.set("format", name);
    model.save_changes();
    show();
  });
  const bytes = createBytes(title.id, (words) => put(about, words));
  const legend = node("ul", { class: "fb-legend", "aria-label": "The colours of the fields" },
    ...FIELDS.map((name, at) => node("li", { class: `fb-of-${at}` }, name)));
  const lines = node("p", { class: "fb-legend" }, "The line below says what bytes are:",
    ...[["name", "dotted, a name"], ["value", "solid, a value"], ["frame", "double, what stands around"]].map(([role, words]) =>
      node("span", { class: `fb-part fb-is-${role} fb-of-0` }, words)));
  const root = node("div", { class: "format-bytes", "data-lm-suppress-shortcuts": "true" }, // JupyterLab: no commands by keys from in here
    node("div", { class: "fb-form" },
      ...Object.entries(LABELS).map(([name, label]) => node("div", { class: `fb-field fb-field-${name}` }, node("label", { for: inputs[name].id }, label), inputs[name])),
      node("div", { class: "fb-under" }, status, again)),
    sizes.element, title, legend, lines, bytes.element, about);
  el.append(root);

  /** Shows the song that stands in `song`, in the chosen format. */
  function show() {
    const format = model.get("format");
    const all = NAMES.map((name) => bytesOf(song, name).length);
    sizes.show(all, format);
    put(title, `The bytes in ${format}`);
    bytes.show(partsOf(song, format), format, song);
  }

  function edited() {
    const form = Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value]));
    try {
      song = songOf(form, ground);
    } catch (error) {
      if (!(error instanceof BadSong)) throw error;
      put(status, `${error.message} Below is still the song as it was before.`);
      root.classList.add("fb-bad");
      return;
    }
    root.classList.remove("fb-bad");
    put(status, "");
    show();
  }

  function fill() {
    for (const [name, text] of Object.entries(formOf(ground))) inputs[name].value = text;
    edited();
  }

  for (const input of Object.values(inputs)) input.addEventListener("input", edited, { signal });
  again.addEventListener("click", fill, { signal });
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  root.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
  model.on?.("change:format", show);
  fill();

  return () => {
    closing.abort();
    model.off?.("change:format", show);
    root.remove();
  };
}

export default () => ({ render });
