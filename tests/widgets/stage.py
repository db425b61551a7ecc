"""A page with nothing on it but a widget, and a model that the test writes and reads.

Its letters are wide ones, as a reader may have them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>A widget</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="widget.css"><style>body { margin: 0; font-family: "DejaVu Sans", sans-serif }</style></head>
<body><main><h1>A widget</h1></main><script type="module">
import widget from "./widget.js";
const state = await (await fetch("state.json")).json();
window.show = (changes = {}) => {
  const values = { ...state, ...changes };
  const listeners = [];
  const el = document.querySelector("main").appendChild(document.createElement("div"));
  const model = {
    get: (name) => values[name],
    set: (name, value) => {
      values[name] = value;
      for (const [event, callback] of [...listeners]) if (event === `change:${name}`) callback();
    },
    saved: 0,
    save_changes() { this.saved += 1; },
    on: (names, callback) => names.split(" ").forEach((name) => listeners.push([name, callback])),
    off: (names, callback) => names.split(" ").forEach((name) => {
      const at = listeners.findIndex(([event, other]) => event === name && other === callback);
      if (at >= 0) listeners.splice(at, 1);
    }),
    send: (content) => {
      for (const [event, callback] of [...listeners]) if (event === "msg:custom") callback(content);
    },
  };
  const made = typeof widget === "function" ? widget() : widget;
  const shown = { cleanup: made.render({ model, el }), model, listeners, el, said: [], made };
  new MutationObserver(() => shown.said.push(el.querySelector("[role=status]").textContent))
    .observe(el.querySelector("[role=status]"), { childList: true });
  return shown;
};
window.ready = true;
</script></body></html>"""


def write_stage(path: Path, widget: Any, names: tuple[str, ...]) -> Path:
    """The folder of a page on which `show()` puts the widget, with the state that it has now.

    names: its traits.
    """
    for name, text in (
        ("index.html", PAGE),
        ("widget.js", widget._esm),
        ("widget.css", widget._css),
        ("state.json", json.dumps({name: getattr(widget, name) for name in names})),
    ):
        (path / name).write_text(text, "utf-8")
    return path


def open_stage(page: Any, url: str) -> None:
    """Open the page, ready, with no widget on it yet; its clock is the test's from now on."""
    page.clock.install()
    page.goto(url)
    page.wait_for_function("window.ready", polling=20)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
