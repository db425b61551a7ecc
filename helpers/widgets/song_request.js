// The widget of chapter 1: a form, two computers with a message between them, and the request and
// the response line by line. The requests are answered by Python if it is there (song_request.py
// sends them for real), else by song_service.js. Text from outside is only ever set as text.

import { buildRequest, kindOfBody, messageLines, statusOf, summary } from "./song_messages.js";
import { exchange, headerOf } from "./song_service.js";

const KINDS = [
  ["song", "the whole song (GET)"],
  ["head", "only the headers (HEAD)"],
  ["first", "the first 100 bytes (Range)"],
  ["after", "bytes after the end (Range)"],
  ["facts", "facts as JSON (/songs/ID)"],
];
const FIRST_SIGN = 2000; // milliseconds in which Python says that it has the request
const WHOLE_ANSWER = 30000; // milliseconds for the answer: others may be in line before it
const TRAVEL = 420; // milliseconds a message travels, each way; the CSS says the same
const HINT = "Point at a line, or move through the lines with the arrow keys, to read what it is for.";

/** Sends requests to Python; gives null where none is there to answer. */
function connect(model, signal) {
  const waiting = new Map(); // number of a request -> what to do with messages about it
  const hear = (content, buffers) => waiting.get(content?.id)?.(content, buffers);
  model.on?.("msg:custom", hear);
  signal.addEventListener("abort", () => {
    model.off?.("msg:custom", hear);
    for (const answer of waiting.values()) answer(null);
  });
  let patience = FIRST_SIGN;
  return (request) => {
    const absent = model.live === false || model.get("live") === false;
    if (absent || typeof model.send !== "function") return null;
    return new Promise((resolve) => {
      const id = Math.random().toString(36).slice(2);
      let timer = 0;
      const settle = (answer) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(answer);
      };
      timer = setTimeout(() => {
        patience = 200; // nobody is there: the next request need not wait as long
        settle(null);
      }, patience);
      waiting.set(id, (content, buffers) => {
        patience = FIRST_SIGN;
        if (!content?.accepted) {
          return settle(content && { ...content, body: bytesOf(buffers?.[0]) });
        }
        clearTimeout(timer);
        timer = setTimeout(settle, WHOLE_ANSWER, { error: "Python has not answered: try again." });
      });
      try {
        model.send({ id, request });
      } catch {
        settle(null); // the connection to the kernel is gone
      }
    });
  };
}

function bytesOf(buffer) {
  if (!buffer) return new Uint8Array();
  return ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
}

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function picture(...shapes) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 48 40");
  svg.setAttribute("aria-hidden", "true");
  for (const d of shapes) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** One side of the exchange: a title, the lines to walk through, and the sentence about one line. */
function panel(title, uid, signal) {
  const [titleId, aboutId] = [`${uid}-title`, `${uid}-about`];
  const heading = node("p", { class: "sr-title", id: titleId }, title);
  const origin = node("p", { class: "sr-origin" });
  const list = node("div", { class: "sr-lines", role: "listbox", "aria-labelledby": titleId });
  const about = node("p", { class: "sr-about", id: aboutId });
  // All sentences, unseen in the place of the one: the lines below stay put when it changes.
  const room = node("div", { class: "sr-room", "aria-hidden": "true" });
  const element = node("div", { class: "sr-panel" }, heading, origin,
    node("div", { class: "sr-stack" }, about, room), list);
  let lines = [];

  function explain(row, focus = false) {
    for (const other of list.children) {
      other.setAttribute("aria-selected", String(other === row));
      other.tabIndex = other === row ? 0 : -1;
    }
    about.textContent = lines[[...list.children].indexOf(row)]?.about ?? HINT;
    if (focus) row.focus();
  }
  const rowOf = (event) => event.target.closest("[role=option]");
  for (const kind of ["pointerover", "focusin"]) {
    list.addEventListener(kind, (event) => rowOf(event) && explain(rowOf(event)), { signal });
  }
  list.addEventListener("keydown", (event) => {
    const rows = [...list.children];
    const at = rows.indexOf(rowOf(event));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (rows[to]) explain(rows[to], true);
  }, { signal });

  return {
    element,
    show(message, isRequest, from) {
      lines = messageLines(message, isRequest);
      origin.textContent = from;
      about.textContent = HINT;
      room.replaceChildren(...[HINT, ...lines.map((line) => line.about)].map(
        (sentence) => node("p", { class: "sr-about" }, sentence)));
      list.hidden = false;
      list.replaceChildren(...lines.map(({ part, text, dump }, i) => {
        const end = node("span", { class: "sr-end", "aria-hidden": "true" }, "\\r\\n");
        const code = node("code", { dir: "ltr" }, text, part === "body" ? "" : end);
        return node("div", {
          class: `sr-line sr-${part.replace(" ", "-")}${dump ? " sr-dump" : ""}`,
          role: "option", "aria-selected": "false",
          "aria-describedby": aboutId, tabindex: i ? "-1" : "0",
        }, node("span", { class: "sr-part" }, part), code);
      }));
    },
    clear(note) {
      lines = [];
      list.replaceChildren();
      list.hidden = true; // a list box must not be empty
      origin.textContent = note;
      about.textContent = "";
      room.replaceChildren();
    },
  };
}

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `song-request-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const songs = model.get("songs");
  const askPython = connect(model, signal);

  const name = node("input", {
    id: `${uid}-name`, type: "text", list: `${uid}-titles`, dir: "auto", maxlength: "1000",
    autocomplete: "off", spellcheck: "false",
  });
  const titles = node("datalist", { id: `${uid}-titles` },
    ...songs.map((song) => node("option", { value: song.title })));
  const kind = node("select", { id: `${uid}-kind` },
    ...KINDS.map(([value, words]) => node("option", { value }, words)));
  const form = node("form", { class: "sr-form" },
    node("label", { for: name.id }, "Name of a song"), name, titles,
    node("label", { for: kind.id }, "Ask for"), kind,
    node("button", { type: "submit" }, "Send"));

  const [out, back] = [node("span", { class: "sr-out" }), node("span", { class: "sr-back" })];
  const place = node("small");
  const scene = node("div", { class: "sr-scene", "aria-hidden": "true" },
    node("div", { class: "sr-end-point" },
      picture("M10 6h28v20h-28z", "M4 34h40l-6-8h-28z"), "client", node("small", {}, "this page")),
    node("div", { class: "sr-way" },
      node("div", { class: "sr-track" }, out), node("div", { class: "sr-track" }, back)),
    node("div", { class: "sr-end-point" },
      picture("M10 4h28v10h-28z M14 9h4", "M10 15h28v10h-28z M14 20h4", "M10 26h28v10h-28z M14 31h4"),
      "service", place));
  const status = node("p", { class: "sr-status", role: "status", "aria-live": "polite" });
  const player = node("div", { class: "sr-player" });
  const sent = panel("Request", `${uid}-request`, signal);
  const received = panel("Response", `${uid}-response`, signal);
  const root = node("div", {
    class: "song-request",
    "data-lm-suppress-shortcuts": "true", // JupyterLab: no commands by keys from in here
  }, form, scene, status, player,
    node("div", { class: "sr-panels" }, sent.element, received.element));
  el.append(root);

  let sound = null; // the Blob URL of the song in the player
  let busy = false;

  function play(request, response) {
    if (sound) URL.revokeObjectURL(sound);
    sound = null;
    player.replaceChildren();
    const whole = response?.status === 200 && response.body.length;
    if (!whole || kindOfBody(response) !== "audio") return;
    sound = URL.createObjectURL(new Blob([response.body], { type: "audio/wav" }));
    const id = headerOf(response, "content-location")?.split("/")[2];
    const title = songs.find((song) => song.id === id)?.title ?? "the song";
    player.append(
      node("span", { id: `${uid}-playing`, dir: "auto" }, `Hear ${title}`),
      node("audio", { controls: "", src: sound, "aria-labelledby": `${uid}-playing` }));
  }

  const currentRequest = () => buildRequest(kind.value, name.value, model.get("server"), songs);
  const startLine = ({ method, target }) => `${method} ${target} HTTP/1.1`;
  const asMessage = (request) => ({ ...request, start: startLine(request) });

  /** Empties the response; the widget keeps its height, so that the page does not jump. */
  function forget(note) {
    root.style.minHeight = `${root.offsetHeight}px`;
    received.clear(note);
  }

  /** Shows the request as it would be sent now. */
  function preview() {
    if (busy) return;
    sent.show(asMessage(currentRequest()), true, "not sent yet");
    forget("none yet: press Send");
    scene.dataset.step = "";
    status.textContent = "";
  }

  function fromModel() {
    if (name.value !== model.get("query")) name.value = model.get("query");
    kind.value = model.get("kind");
    place.textContent = model.get("server");
    preview();
  }

  function toModel() {
    const [query, chosen] = [name.value, kind.value]; // each `set` calls fromModel
    model.set("query", query);
    model.set("kind", chosen);
    model.save_changes();
    preview();
  }

  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const travel = (step) => {
    scene.dataset.step = step;
    return still() ? null : new Promise((resolve) => setTimeout(resolve, TRAVEL));
  };

  async function answer(request) {
    const real = await askPython(request);
    if (real?.error) return real;
    if (real) {
      const response = { ...real.response, body: real.body };
      return { request: real.request, response, from: `real bytes, over ${model.get("server")}` };
    }
    const response = exchange(request, songs, model.get("phrases"));
    return { response, from: "answered by this page, with the same bytes the real service sends" };
  }

  async function send() {
    if (busy) return;
    busy = true;
    root.setAttribute("aria-busy", "true");
    const request = currentRequest();
    sent.show(asMessage(request), true, "sent");
    forget("on its way");
    status.textContent = "Waiting for the answer.";
    out.textContent = request.method;
    const [got] = await Promise.all([answer(request), travel("out")]);
    if (signal.aborted) return;
    busy = false;
    root.removeAttribute("aria-busy");
    play(request, got.response);
    if (got.error) {
      received.clear("none");
      status.textContent = got.error;
      scene.dataset.step = "lost";
      return;
    }
    back.textContent = statusOf(got.response);
    back.dataset.bad = String(got.response.status >= 400);
    sent.show({ ...asMessage(request), ...got.request }, true, got.request ? got.from : "sent");
    received.show(got.response, false, got.from);
    root.style.minHeight = "";
    status.textContent = summary(request, got.response);
    travel("back");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  }, { signal });
  // A notebook around the widget has keys of its own, and takes the focus when one reaches it.
  root.addEventListener("keydown", (event) => event.stopPropagation(), { signal });
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // a notebook may prevent it: send here, and only once
    form.requestSubmit();
  }, { signal });
  name.addEventListener("input", toModel, { signal });
  kind.addEventListener("change", toModel, { signal });
  const changes = "change:query change:kind change:server";
  model.on?.(changes, fromModel);
  fromModel();

  return () => {
    closing.abort();
    model.off?.(changes, fromModel);
    play(null, null);
    root.remove();
  };
}

export default { render };
