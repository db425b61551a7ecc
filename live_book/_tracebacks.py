"""Cut the traceback of an error down to what the reader wrote and what went wrong.

An error inside a library comes with every step of that library, often a hundred lines, and with
the folders of the machine that built the page. Shown are the steps in the notebook's own cells and
the last line, which says what happened.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

_CHAINED = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):$",
    re.MULTILINE,
)
_FRAME = re.compile(r"^(?=File |Cell In\[)", re.MULTILINE)


def shorten(traceback: str) -> str:
    """The short form of a traceback as IPython prints it, without its colours.

    Of a chain of errors the last one stays. A text of another form comes back unchanged.
    """
    last = _CHAINED.split(traceback)[-1].strip("\n- ")
    name = re.match(r"[\w.]+", last)
    head, *frames = _FRAME.split(last)
    if name is None or "Traceback" not in head or not frames:
        return traceback
    ends = list(re.finditer(rf"^{re.escape(name[0])}(?::|$)", frames[-1], re.MULTILINE))
    if not ends:
        return traceback
    message = frames[-1][ends[-1].start() :].strip()
    frames[-1] = frames[-1][: ends[-1].start()]
    own = [frame.strip() for frame in frames if frame.startswith("Cell In[")]
    left_out = len(frames) - len(own)
    steps = "step" if left_out == 1 else "steps"
    note = [f"({left_out} {steps} inside libraries left out here)"] if left_out else []
    return "\n\n".join([*own, *note, message])


def _shorten_all(app: Sphinx, doctree: nodes.document) -> None:
    for block in doctree.findall(nodes.literal_block):
        if "traceback" in block["classes"]:
            text = shorten(block.astext())
            block.rawsource = text  # Sphinx colours a block only if both agree
            block.children = []
            block += nodes.Text(text)


def setup(app: Sphinx) -> None:
    """Shorten the tracebacks of each page that is read."""
    app.connect("doctree-read", _shorten_all)
