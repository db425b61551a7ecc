"""A page with nothing on it but a widget, and a model that the test writes and reads.

Its letters are wide ones, as a reader may have them. With it, what the tests of every widget do on
such a page and look for there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.browser_support import axe_findings

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


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def field(page: Any, name: str) -> Any:
    return page.get_by_label(name, exact=True)


def status(page: Any) -> str:
    return page.get_by_role("status").text_content()


def set_theme(page: Any, theme: str) -> None:
    """theme: "light" or "dark"."""
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")


def follows_theme(page: Any, widget: str, theme: str) -> bool:
    """Whether the widget's ground is white in the light, and only there. widget: a selector."""
    paper = page.locator(widget).evaluate("e => getComputedStyle(e).backgroundColor")
    return (paper == "rgb(255, 255, 255)") == (theme == "light")


def cut_off(page: Any, boxes: str) -> list[str]:
    """The texts that do not fit into their boxes. boxes: a selector."""
    cells = "all => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"
    return page.locator(boxes).evaluate_all(cells)


def axe_on_widget(page: Any) -> list[str]:
    """What axe finds in the widget; the page around it has one theme, and no other headings."""
    page.evaluate("document.querySelector('h1')?.remove()")
    page.clock.resume()  # axe waits now and then
    return [one for one in axe_findings(page) if "heading" not in one]


def colours_of(css: str, prefix: str, scheme: int) -> dict[str, str]:
    """A stylesheet's colours by name, without their prefix. scheme: 0 for light, 1 for dark."""
    found = re.findall(rf"--{prefix}-([\w-]+): light-dark\((#\w+), (#\w+)\)", css)
    return {name: pair[scheme] for name, *pair in found}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of a colour such as "#1b2430"."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio (WCAG 2.2) of two colours."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
