// Shows what a cell puts out: nbformat 4 outputs, as elements like those that myst-nb writes.
//
// The recorded output stays where it is, hidden, until the first new output comes: so nothing
// flickers, and Reset can bring it back. HTML that the reader's own code makes is trusted, as in
// Jupyter.

const LONGEST = 500_000; // characters of one stream that are shown; the worker cuts much earlier
const SHORT = 300; // characters that a screen reader may read out by itself
const WIDGET = "application/vnd.jupyter.widget-view+json";
const PICTURES = ["image/svg+xml", "image/png", "image/jpeg", "image/gif"];
const TEXTS = ["text/markdown", "text/latex", "application/json", "text/plain"];
// Colours and other instructions to a terminal (ECMA-48: CSI and OSC sequences).
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

const displays = new Map(); // display_id -> Set of { area, element }

/** A box that scrolls can be reached and scrolled by keyboard. */
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls =
      target.scrollHeight > target.clientHeight + 1 || target.scrollWidth > target.clientWidth + 1;
    if (scrolls) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

export class OutputArea {
  #cell; // the element div.cell
  #recorded; // the element that the page came with, or null
  #live = null;
  #name; // "cell 7"
  #widgets; // () => Promise of the module live_widgets.js
  #streams = new Map(); // "stdout" | "stderr" -> { element, text, shown }
  #views = []; // Promises of functions that remove a widget's view
  #fresh = false; // the next output takes the place of all there is
  #timer = 0;

  constructor(cell, name, widgets) {
    this.#cell = cell;
    this.#recorded = cell.querySelector(".cell_output");
    this.#name = name;
    this.#widgets = widgets;
  }

  get isLive() {
    return this.#live !== null;
  }

  get isEmpty() {
    return !this.#live?.childElementCount;
  }

  /** A run is coming; a screen reader is to read its output out if it is short and the only one. */
  prepare(announce) {
    this.announce = announce;
  }

  /** A run begins. What is shown stays until its first output comes. */
  begin() {
    this.#fresh = true;
  }

  add(output) {
    if (output.output_type === "clear_output") {
      if (output.wait) this.#fresh = true;
      else this.#takeOver();
      return;
    }
    if (output.output_type === "update_display_data") return update(output);
    if (this.#fresh || !this.#live) this.#takeOver();
    if (output.output_type === "stream") this.#addText(output.name, asText(output.text));
    else this.#append(this.#render(output), output.transient?.display_id);
  }

  /** The run has ended: without any output there is none to see. */
  finish() {
    if (this.#fresh) this.#takeOver();
    this.#flush();
  }

  /** Back to the recorded output. */
  restore() {
    this.#empty();
    this.#live?.remove();
    this.#live = null;
    this.#fresh = false;
    if (this.#recorded) this.#recorded.hidden = false;
  }

  #takeOver() {
    this.#fresh = false;
    if (!this.#live) {
      this.#live = element("div", "cell_output docutils container live-output");
      if (this.#recorded) this.#recorded.after(this.#live);
      else this.#cell.append(this.#live);
      if (this.#recorded) this.#recorded.hidden = true;
    }
    this.#empty();
    this.#live.setAttribute("aria-live", this.announce ? "polite" : "off");
    const folded = this.#live.closest("details");
    if (folded) folded.open = true;
  }

  #empty() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#streams.clear();
    for (const view of this.#views) view.then((remove) => remove());
    this.#views = [];
    this.#live?.replaceChildren();
  }

  #append(made, displayId) {
    this.#live.append(made);
    this.#settle(made);
    if (displayId === undefined) return;
    if (!displays.has(displayId)) displays.set(displayId, new Set());
    displays.get(displayId).add({ area: this, element: made });
  }

  /** Text comes in many small pieces: they are joined, and shown a few times a second. */
  #addText(name, text) {
    let stream = this.#streams.get(name);
    if (!stream) {
      stream = { text: "", element: textBlock(name === "stderr" ? "stderr" : "stream", "") };
      const before = this.#streams.get("stderr")?.element;
      this.#streams.set(name, stream);
      // As myst-nb has it: of two neighbours, stdout comes first.
      if (name === "stdout" && before && before === this.#live.lastElementChild) {
        before.before(stream.element);
      } else {
        this.#live.append(stream.element);
      }
      boxes.observe(stream.element.querySelector("pre"));
    }
    if (stream.text.length < LONGEST) stream.text += text;
    stream.changed = true;
    this.#timer ||= setTimeout(() => this.#flush(), 50);
  }

  #flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const stream of this.#streams.values()) {
      if (!stream.changed) continue;
      stream.changed = false;
      let text = asOnTerminal(stream.text);
      if (text.length > LONGEST) text = `${text.slice(0, LONGEST)}\n(the rest is left out)`;
      stream.element.querySelector("pre").lastChild.data = `${text.trimEnd()}\n`;
    }
    if (this.#live?.textContent.length > SHORT) this.#live.setAttribute("aria-live", "off");
  }

  /** The element for an output that is no stream. */
  #render(output) {
    if (output.output_type === "error") {
      const text = (output.traceback ?? []).map(asText).join("\n");
      return textBlock("traceback", plain(text || `${output.ename}: ${output.evalue}`));
    }
    const { data = {}, metadata = {} } = output;
    if (data[WIDGET]) return this.#widget(data[WIDGET].model_id);
    if (data["text/html"] !== undefined) return this.#html(asText(data["text/html"]));
    const picture = PICTURES.find((kind) => data[kind] !== undefined);
    if (picture) return this.#picture(picture, data, metadata[picture]);
    const kind = TEXTS.find((one) => data[one] !== undefined);
    if (!kind) return textBlock("text_plain", "(an output that this page cannot show)");
    const value = data[kind];
    const json = kind === "application/json";
    return textBlock("text_plain", plain(json ? JSON.stringify(value, null, 2) : asText(value)));
  }

  #html(markup) {
    const made = element("div", "output text_html");
    made.innerHTML = markup;
    for (const audio of made.querySelectorAll("audio, video")) {
      if (!audio.ariaLabel && !audio.title) audio.ariaLabel = `Output of ${this.#name}`;
    }
    return made;
  }

  #picture(kind, data, options = {}) {
    const made = document.createElement("img");
    const content = asText(data[kind]);
    made.src = kind.endsWith("xml")
      ? `data:${kind},${encodeURIComponent(content)}`
      : `data:${kind};base64,${content.replace(/\s/g, "")}`;
    const words = asText(data["text/plain"] ?? "");
    const alt = options.alt ?? (words.startsWith("<") ? "" : words);
    made.alt = alt || `Picture from ${this.#name}`;
    for (const side of ["width", "height"]) if (options[side]) made[side] = options[side];
    return made;
  }

  #widget(id) {
    const made = element("div", "live-widget");
    this.#views.push(this.#widgets().then((host) => host.showNearby(id, made)));
    return made;
  }

  /** What can be done only once the element is in the page. */
  #settle(made) {
    const pre = made.querySelector("pre");
    if (pre) boxes.observe(pre);
    // A script that came as text does not run: one that is made does.
    for (const script of made.querySelectorAll("script")) {
      const fresh = document.createElement("script");
      for (const { name, value } of script.attributes) fresh.setAttribute(name, value);
      fresh.textContent = script.textContent;
      script.replaceWith(fresh);
    }
    this.#flush();
  }

  /** Puts another output in the place of one that this area shows. */
  replace(place, output) {
    if (!place.element.isConnected) return false;
    const made = this.#render(output);
    place.element.replaceWith(made);
    place.element = made;
    this.#settle(made);
    return true;
  }
}

function update(output) {
  const places = displays.get(output.transient?.display_id) ?? new Set();
  for (const place of places) if (!place.area.replace(place, output)) places.delete(place);
}

/** A block of text with the classes that myst-nb gives it, so that it looks the same. */
function textBlock(kind, text) {
  const lexer = kind === "traceback" ? "ipythontb" : "myst-ansi";
  const made = element("div", `output ${kind} highlight-${lexer} notranslate`);
  const box = element("div", "highlight");
  const pre = document.createElement("pre");
  pre.append(document.createElement("span"), `${text.trimEnd()}\n`);
  box.append(pre);
  made.append(box);
  return made;
}

function element(tag, classes) {
  return Object.assign(document.createElement(tag), { className: classes });
}

/** nbformat allows a text to be a list of its lines. */
function asText(value) {
  return Array.isArray(value) ? value.join("") : String(value);
}

function plain(text) {
  return text.replace(ESCAPES, "");
}

/** Backspace and carriage return do what they do on a terminal. */
function asOnTerminal(text) {
  text = plain(text);
  if (!/[\b\r]/.test(text)) return text;
  for (let old = ""; old !== text; ) {
    old = text;
    text = text.replace(/[^\n\x08]\x08/g, "");
  }
  return text.replace(/\r+\n/g, "\n").replace(/[^\n]*\r(?=[^\n])/g, "");
}
