// The widget of chapter 9: pick a concept, and its lines light up in every application.

import { node, put } from "./dom.js";

const ABOVE = 2; // lines that stay in sight above the first one that is lit

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** One application: its name, what is said of the concept here, and all of its files. */
function createApp(app, uid, at) {
  const count = node("span", { class: "cm-count" });
  const note = node("p", { class: "cm-note" });
  const lines = [];
  const files = app.files.map(([name, text]) => {
    const rows = text.replace(/\n$/, "").split("\n").map((line, number) => {
      const mark = node("span", { class: "cm-mark", "aria-hidden": "true" });
      const row = node("div", { class: "cm-line" }, mark,
        node("span", { class: "cm-number", "aria-hidden": "true" }, String(number + 1)),
        node("span", { class: "cm-text" }, line || " "));
      return { row, mark };
    });
    lines.push(rows);
    return [node("div", { class: "cm-file" }, name), ...rows.map(({ row }) => row)];
  });
  const heading = node("h4", { class: "cm-title", id: `${uid}-${at}` }, app.title);
  const code = node("div", { class: "cm-code", tabindex: "0", role: "region", "aria-labelledby": heading.id },
    ...files.flat());
  const element = node("section", { class: "cm-app" },
    node("div", { class: "cm-head" }, heading, count), note, code);

  function light(name) {
    const marks = [...(app.marks[name] ?? [])].sort(([a, b], [c, d]) => a - c || b - d); // from above
    lines.flat().forEach(({ row, mark }) => {
      row.classList.remove("cm-lit");
      put(mark, "");
    });
    let first, lit = 0;
    for (const [file, from, to] of marks) {
      for (let line = from; line <= to; line += 1) {
        const { row, mark } = lines[file][line];
        row.classList.add("cm-lit");
        put(mark, "▸"); // a sign besides the colour
        first ??= row;
        lit += 1;
      }
    }
    put(note, app.notes[name] ?? "");
    note.hidden = !note.textContent;
    put(count, lit ? plural(lit, "line") : "no line");
    // within its own box only: the page stays where it is
    if (first) code.scrollTop = Math.max(0, first.offsetTop - ABOVE * first.offsetHeight);
    return lit;
  }
  return { element, light };
}

function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const uid = `concept-map-${Math.random().toString(36).slice(2)}`; // several may be on one page
  const concepts = model.get("concepts");
  const apps = model.get("apps").map((app, at) => createApp(app, uid, at));
  const says = node("p", { class: "cm-says", role: "status", "aria-live": "polite" });

  const choices = concepts.map(({ name, title }) => {
    const input = node("input", { type: "radio", name: uid, value: name, id: `${uid}-${name}` });
    input.addEventListener("change", () => {
      model.set("chosen", name);
      model.save_changes();
      show();
    }, { signal });
    return { name, input, element: node("div", { class: "cm-choice" }, input, node("label", { for: input.id }, title)) };
  });
  const root = node("div", {
    class: "concept-map",
    "data-lm-suppress-shortcuts": "true", // JupyterLab: no commands by keys from in here
  },
  node("fieldset", { class: "cm-concepts" }, node("legend", {}, "Concept"), ...choices.map(({ element }) => element)),
  says, node("div", { class: "cm-apps" }, ...apps.map(({ element }) => element)));
  el.append(root);

  function show() {
    const name = model.get("chosen");
    choices.forEach((choice) => { choice.input.checked = choice.name === name; });
    const concept = concepts.find((one) => one.name === name);
    const lit = model.get("apps").map((app, at) => `${app.title} ${plural(apps[at].light(name), "line")}`);
    put(says, `${concept.says} (${lit.join(", ")}.)`);
  }

  model.on("change:chosen", show);
  show();
  return () => {
    closing.abort();
    model.off("change:chosen", show);
    root.remove();
  };
}

export default { render };
