// The code cells of the page: their buttons, their editors, and what they remember.

import { OutputArea } from "./live_outputs.js";

const WORDS = {
  idle: "",
  waiting: "waiting",
  running: "running",
  ok: "your output",
  silent: "no output",
  error: "your run failed",
  meant: "your output, an error that is meant",
  interrupted: "your run was stopped",
};

// The theme takes whatever does not scroll out of the order of Tab: editors go back into it.
const focusable = new MutationObserver((changes) => {
  for (const { target } of changes) if (target.tabIndex !== 0) target.tabIndex = 0;
});

export class Cell {
  state = "idle";
  #original; // { html, code } as published
  #coloured; // the code that the colours in the editor belong to
  #fresh = null; // colours that wait until the reader leaves the editor
  #previous = "idle"; // the state to go back to when a waiting cell is taken out of the queue
  #memory;
  #buttons = {};

  /** actions: { run(cell), runAbove(cell), stop(cell), next(cell) } */
  constructor(element, number, { actions, memory, widgets }) {
    this.element = element;
    this.number = number;
    this.id = String(number);
    this.editor = element.querySelector(".cell_input pre");
    const tags = [...element.classList];
    this.tolerant = tags.includes("tag_raises-exception") || tags.includes("tag_exercise");
    this.raises = tags.includes("tag_raises-exception");
    this.outputs = new OutputArea(element, `cell ${number}`, widgets);
    this.hasRecorded = element.querySelector(".cell_output") !== null;
    this.#original = { html: this.editor.innerHTML, code: codeIn(this.editor) };
    this.#coloured = this.#original.code;
    this.#memory = memory;
    element.dataset.liveCell = this.id;
    this.#addTools(actions);
    this.#addEditor(actions);
    const edited = memory.recall(this.id, this.#original.code);
    if (edited !== null) {
      this.editor.textContent = `${edited}\n`;
      this.#coloured = edited;
    }
    this.setState("idle");
  }

  get code() {
    return codeIn(this.editor);
  }

  get isEdited() {
    return this.code !== this.#original.code;
  }

  setState(state) {
    if (state === "waiting") this.#previous = this.state;
    if (state === "idle" && this.state === "waiting") state = this.#previous;
    this.state = this.element.dataset.liveState = state;
    this.#refresh();
  }

  #refresh() {
    const { run, stop, reset, note } = this.#buttons;
    const busy = this.state === "waiting" || this.state === "running";
    const had = document.activeElement;
    stop.hidden = !busy;
    run.hidden = busy;
    reset.hidden = busy || !(this.isEdited || this.outputs.isLive);
    // A button that goes must not take the focus with it.
    if (had === run && busy) stop.focus({ preventScroll: true });
    if (had === stop && !busy) run.focus({ preventScroll: true });
    const words = this.isEdited ? "recorded output of the original" : "recorded output";
    const recorded = this.hasRecorded && !this.outputs.isLive ? words : "";
    let { state } = this;
    if (state === "ok" && this.outputs.isEmpty) state = "silent";
    if (state === "error" && this.raises && !this.isEdited) state = "meant";
    note.textContent = (this.outputs.isLive || busy ? WORDS[state] : "") || recorded;
  }

  /** Says something beside the buttons, until the cell's state changes. */
  say(text) {
    this.#buttons.note.textContent = text;
  }

  /** The run of `code` has ended. `highlighted` is that code with its colours, as HTML. */
  finish(code, status, highlighted) {
    this.outputs.finish();
    this.setState(status);
    if (!highlighted || this.code !== code) return;
    this.#fresh = { code, html: inside(highlighted) };
    if (document.activeElement !== this.editor) this.#recolour();
  }

  #recolour() {
    const fresh = this.#fresh;
    this.#fresh = null;
    if (!fresh || fresh.code !== this.code) return;
    this.editor.innerHTML = fresh.html;
    this.#coloured = this.code;
    this.#markColours();
  }

  #markColours() {
    this.editor.classList.toggle("live-uncoloured", this.code !== this.#coloured);
  }

  reset() {
    this.editor.innerHTML = this.#original.html;
    this.#coloured = this.#original.code;
    this.#fresh = null;
    this.#markColours();
    this.#memory.forget(this.id);
    this.outputs.restore();
    this.setState("idle");
    this.#buttons.run.focus({ preventScroll: true });
  }

  #addTools(actions) {
    const tools =
      this.element.querySelector(":scope > .live-tools") ??
      Object.assign(document.createElement("div"), { className: "live-tools" });
    const add = (kind, text, name, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `live-button live-${kind}`;
      button.textContent = text;
      button.ariaLabel = name;
      button.onclick = act;
      tools.append(button);
      return button;
    };
    const n = this.number;
    this.#buttons.run = add("run", "Run", `Run cell ${n}`, () => actions.run(this));
    this.#buttons.stop = add("stop", "Stop", `Stop cell ${n}`, () => actions.stop(this));
    add("run-above", "Run all above", `Run all above cell ${n}`, () => actions.runAbove(this));
    this.#buttons.reset = add("reset", "Reset", `Reset cell ${n}`, () => this.reset());
    this.#buttons.reset.title = "Back to the original";
    this.#buttons.note = Object.assign(document.createElement("span"), { className: "live-note" });
    tools.append(this.#buttons.note);
    if (!tools.isConnected) {
      let input = this.element.querySelector(".cell_input");
      while (input.parentElement !== this.element) input = input.parentElement;
      input.after(tools);
    }
  }

  #addEditor(actions) {
    const { editor } = this;
    editor.contentEditable = "plaintext-only";
    const attributes = {
      role: "textbox",
      "aria-multiline": "true",
      "aria-label": `Code of cell ${this.number}`,
      spellcheck: "false",
      autocapitalize: "off",
      autocorrect: "off",
      translate: "no",
    };
    for (const [name, value] of Object.entries(attributes)) editor.setAttribute(name, value);
    focusable.observe(editor, { attributes: true, attributeFilter: ["tabindex"] });
    editor.tabIndex = 0;
    editor.addEventListener("input", () => {
      this.#memory.keep(this.id, this.#original.code, this.code);
      this.#markColours();
      this.#refresh();
    });
    editor.addEventListener("blur", () => this.#recolour());
    editor.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") {
        const { run, stop } = this.#buttons;
        (run.hidden ? stop : run).focus();
      } else if (event.key === "Enter" && !event.altKey) {
        event.preventDefault();
        if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return newLine(editor);
        actions.run(this);
        if (event.shiftKey) actions.next(this)?.editor.focus();
      }
    });
    // The copy button reads the text nodes alone, and browsers write new lines as <br>.
    editor.parentElement.addEventListener("click", (event) => {
      if (!event.target.closest(".copybtn")) return;
      for (const one of editor.querySelectorAll("br")) one.replaceWith("\n");
    }, { capture: true });
  }
}

/** The text in an editor. Browsers write new lines as "\n", <br>, or as an element of their own. */
function textIn(editor) {
  let text = "";
  const read = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) text += child.data;
      else if (child.nodeName === "BR") text += "\n";
      else {
        if (/^(DIV|P)$/.test(child.nodeName) && text && !text.endsWith("\n")) text += "\n";
        read(child);
      }
    }
  };
  read(editor);
  return text.replaceAll("\u00a0", " ");
}

function codeIn(editor) {
  return textIn(editor).replace(/\n+$/, "");
}

/** A new line that is indented as the one before it, and further after a colon. */
function newLine(editor) {
  const cursor = getSelection().getRangeAt(0);
  const before = document.createRange();
  before.selectNodeContents(editor);
  before.setEnd(cursor.startContainer, cursor.startOffset);
  const line = textIn(before.cloneContents()).split("\n").at(-1);
  const deeper = /:\s*(#.*)?$/.test(line) ? "    " : "";
  // This way, and no other, the browser's own undo knows of it.
  document.execCommand("insertText", false, `\n${line.match(/^[ \t]*/)[0]}${deeper}`);
}

/** What is inside the <pre> of highlighted code, or all of it if there is none. */
function inside(highlighted) {
  const holder = document.createElement("template");
  holder.innerHTML = highlighted;
  const pre = holder.content.querySelector("pre");
  return (pre ?? holder).innerHTML;
}

/** Keeps what the reader wrote, until Reset. */
export class Memory {
  #key = `live-code:${location.pathname}`;
  #all = {};

  constructor() {
    try {
      this.#all = JSON.parse(localStorage.getItem(this.#key)) ?? {};
    } catch {
      // No storage: the page works all the same, and forgets on reload.
    }
  }

  /** The reader's code for a cell, or null; dropped if the page was published anew since. */
  recall(id, original) {
    const kept = this.#all[id];
    return kept && kept.original === original ? kept.code : null;
  }

  keep(id, original, code) {
    if (code === original) delete this.#all[id];
    else this.#all[id] = { original, code };
    this.#save();
  }

  forget(id) {
    delete this.#all[id];
    this.#save();
  }

  #save() {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#all));
    } catch {
      // as above
    }
  }
}
