"""A tiny book that has one of everything that `live_book` handles, written for the tests."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import nbformat

from live_book.runtime import RuntimeNotGathered, gather

ROOT = Path(__file__).resolve().parents[2]
BASE = "https://course.example/book/"

CONFIG = f"""\
title: Tiny book
author: The tests
copyright: "2026"
execute:
  execute_notebooks: force
html:
  baseurl: {BASE}
sphinx:
  local_extensions:
    live_book: {ROOT.as_posix()}
"""

CONTENTS = """\
format: jb-book
root: index
chapters:
- file: chapters/widgets
- file: chapters/broken
- file: chapters/core
- file: chapters/python
- file: plain
- file: formulas
"""

INDEX = """\
# Tiny book

A book of a few pages, in which every kind of output has its place. This sentence is only here so
that the paragraph is longer than any search engine cares to show in a list of results.
"""

PLAIN = """\
---
description: Words from the front matter.
---
# A page without widgets

Some text with `code`, a [link](index.md), a footnote[^one] and **strong** words.

[^one]: The footnote.

```{note}
A note.
```

```{admonition} Solution
:class: dropdown
The hidden solution.
```

````{tab-set}
```{tab-item} First
The first tab.
```
```{tab-item} Second
The second tab.
```
````

```{list-table} A wide table
:header-rows: 1
* - a very long heading that does not wrap
  - another very long heading
  - and a third one, to be sure
* - 1
  - 2
  - `GET /songs/fur-elise/audio?format=wav&quality=high HTTP/1.1`
```

```python
def a_long_line(first, second, third):  # a comment that makes the line far wider than the page is
    return f"{first} {second!r}" if third else None  # 1 + 2.5 == 3.5
```

```http
GET /songs HTTP/1.1
Host: 127.0.0.1
```
"""

FORMULAS = """\
# Formulas

The load is $\\\\rho = \\\\lambda / \\\\mu$ here.
"""

COUNTER = '''
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """
    let initialised = 0;
    export default {
      initialize({ model }) {
        initialised += 1;
        model.set("initialised", initialised);
      },
      render({ model, el, experimental }) {
        const button = document.createElement("button");
        const result = document.createElement("output");
        const show = () => { button.textContent = `Count: ${model.get("count")}`; };
        button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
        model.on("change:count", show);
        show();
        const bytes = (view) => Array.from({ length: view.byteLength }, (_, i) => view.getUint8(i));
        el.dataset.small = bytes(model.get("small")).join(" ");
        el.dataset.large = model.get("large").byteLength;
        el.dataset.initialised = model.get("initialised");
        model.send({ nothing: true });
        experimental.invoke("ask", {}).catch((error) => { result.textContent = error.message; });
        el.append(button, result);
        return () => { window.cleaned = (window.cleaned ?? 0) + 1; };
      },
    }
    """
    _css = ".counter button { padding: 0.5rem 1rem; }"
    count = traitlets.Int(3).tag(sync=True)
    initialised = traitlets.Int(0).tag(sync=True)
    small = traitlets.Bytes(bytes([0, 60, 255])).tag(sync=True)
    large = traitlets.Bytes(bytes(range(256)) * 40).tag(sync=True)

counter = Counter()
counter.add_class("counter")
counter.layout.max_width = "300px"
counter
'''

PARENT = '''
class Parent(anywidget.AnyWidget):
    _esm = """
    export default () => ({
      async render({ model, el, host }) {
        const child = await model.widget_manager.get_model(model.get("child"));
        const [deep] = model.get("nested").list;
        el.dataset.child = child.get("count");
        el.dataset.deep = (await model.widget_manager.get_model(deep)).get("count");
        const widget = await host.getWidget("anywidget:" + deep.slice("IPY_MODEL_".length));
        const place = document.createElement("div");
        el.append(place);
        await widget.render({ el: place });
      },
    })
    """
    child = traitlets.Instance(Counter).tag(sync=True, to_json=lambda w, _: "IPY_MODEL_" + w.model_id)
    nested = traitlets.Dict().tag(sync=True)

inner = Counter(count=40)
Parent(child=counter, nested={"list": ["IPY_MODEL_" + inner.model_id]})
'''

SOUND = """
import io, struct, wave
from IPython.display import Audio

file = io.BytesIO()
with wave.open(file, "wb") as sound:
    sound.setnchannels(1); sound.setsampwidth(2); sound.setframerate(8000)
    sound.writeframes(b"".join(struct.pack("<h", 400 * (i % 20)) for i in range(4000)))
Audio(file.getvalue(), autoplay=True)
"""

THROWS = """
import anywidget, traitlets

class Throws(anywidget.AnyWidget):
    _esm = 'export default { render() { throw new Error("the data is <odd>") } }'
Throws()
"""

SYNTAX = """
class Unreadable(anywidget.AnyWidget):
    _esm = 'export default { render('
Unreadable()
"""

CORE = "import ipywidgets\nipywidgets.IntSlider(description='Not me')"


CLICKER = '''
import anywidget, traitlets
from anywidget.experimental import command

class Clicker(anywidget.AnyWidget):
    _esm = """
    export default {
      render({ model, el, experimental }) {
        const add = (text, act) => {
          const button = Object.assign(document.createElement("button"), { textContent: text });
          button.onclick = act;
          el.append(button);
        };
        const answer = document.createElement("output");
        const show = (text) => { answer.textContent = text; };
        add("Add", () => { model.set("clicks", model.get("clicks") + 1); model.save_changes(); });
        add("Ask", () => model.send({ word: "ping" }, undefined, [new Uint8Array([1, 2])]));
        add("Call", async () => {
          const [response, buffers] = await experimental.invoke("shout", "hey");
          show(`${response} ${buffers[0].getUint8(0)}`);
        });
        model.on("change:doubled", () => show(`doubled: ${model.get("doubled")}`));
        model.on("msg:custom", (content, buffers) => {
          if (content.word) show(`${content.word} ${buffers[0].getUint8(1)}`);
        });
        el.dataset.bytes = model.get("bytes").getUint8(1);
        el.append(answer);
      },
    }
    """
    _css = ".clicker button { padding: 0.5rem 1rem; }"
    clicks = traitlets.Int(0).tag(sync=True)
    doubled = traitlets.Int(0).tag(sync=True)
    bytes = traitlets.Bytes(b"\\x00\\x07").tag(sync=True)

    def __init__(self, **traits):
        super().__init__(**traits)
        self.observe(lambda change: setattr(self, "doubled", 2 * change.new), "clicks")
        self.on_msg(lambda widget, content, buffers: self._reply(content, buffers))

    def _reply(self, content, buffers):
        if content.get("word") == "ping":
            self.send({"word": "pong"}, [bytes(byte + 1 for byte in bytes(buffers[0]))])

    @command
    def shout(self, msg, buffers):
        return msg.upper() + "!", [b"\\x09"]

clicker = Clicker()
clicker.add_class("clicker")
clicker.layout.max_width = "400px"
clicker
'''

RICH = """
from IPython.display import HTML, SVG, display

display(HTML("<b>bold</b><script>window.ran = (window.ran ?? 0) + 1</script>"))
place = display("before", display_id=True)
place.update("after")
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'/>"))
"""

PYTHON_CELLS = (
    ("greeting = 'hello'\nprint(greeting)", []),
    ("def double(number):\n    return 2 * number\n\ndouble(21)", []),
    ("import socket\n\nprint('a socket')", ["needs-sockets"]),
    (RICH, []),
    ("1 / 0", ["raises-exception"]),
    ("print('not answered yet')", ["exercise"]),
    (CLICKER, ["hide-input"]),
    ("print(double(4))", []),
    ("pass", ["needs-nginx", "needs-haproxy"]),
    ("for number in range(100):\n    print(number)", []),
)


def _notebook(title: str, *cells: str | tuple[str, list[str]]) -> str:
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        }
    )
    notebook.cells = [nbformat.v4.new_markdown_cell(f"# {title}\n\nA page of the tiny book.")]
    notebook.cells += [
        nbformat.v4.new_code_cell(source.strip(), metadata={"tags": tags})
        for source, tags in (
            cell if isinstance(cell, tuple) else (cell, ["hide-input"] if "_esm" in cell else [])
            for cell in cells
        )
    ]
    return nbformat.writes(notebook)


def write_book(folder: Path) -> None:
    """Write the sources of the tiny book into an empty folder."""
    (folder / "chapters").mkdir(parents=True)
    pages = {
        "_config.yml": CONFIG,
        "_toc.yml": CONTENTS,
        "index.md": INDEX,
        "plain.md": PLAIN,
        "formulas.md": FORMULAS.replace("\\\\", "\\"),
        "chapters/widgets.ipynb": _notebook(
            "Widgets",
            COUNTER,
            "counter",
            PARENT,
            "hidden = Counter(count=987654); None",
            SOUND,
            "print('one line\\n' * 3 + 'a wide line ' * 30)",
        ),
        "chapters/broken.ipynb": _notebook("Broken widgets", THROWS, SYNTAX),
        "chapters/core.ipynb": _notebook("Core widgets", CORE),
        "chapters/python.ipynb": _notebook("Python", *PYTHON_CELLS),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")


@functools.cache
def runtime_folder() -> Path | str:
    """The Python that runs in pages: COURSE_RUNTIME, else gathered; else a sentence that says why
    there is none."""
    if chosen := os.environ.get("COURSE_RUNTIME"):
        return Path(chosen)
    try:
        return gather(ROOT)
    except RuntimeNotGathered as error:
        return str(error)


def build_book(folder: Path, *options: str) -> tuple[Path, str]:
    """Build the book in a folder; gives the folder of the pages and what the build printed."""
    runtime = runtime_folder()
    setting = {"COURSE_RUNTIME": str(runtime)}
    if isinstance(runtime, str):
        setting = {"LIVE_BOOK_RUNTIME": "off"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from jupyter_book.cli.main import main; main()",
            "build",
            *options,
            str(folder),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", **setting},
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return folder / "_build" / "html", output
