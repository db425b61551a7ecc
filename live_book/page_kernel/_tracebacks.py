"""Cut the traceback of an error down to what the reader wrote and what went wrong.

An error inside a library comes with every step of that library, often a hundred lines, and with
the folders of the machine it happened on. Shown are the steps in the notebook's own cells and the
last line, which says what happened.
"""

from __future__ import annotations

import re
from itertools import groupby

LEFT_OUT = "(steps inside libraries left out here)"
"""Stands where steps were. How many there were differs from home to home, so no number is given."""

_CHAINED = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):$",
    re.MULTILINE,
)
REPEATED = "(the same step many more times)"
"""Stands in endless recursion."""

_FRAME = re.compile(r"^(?=File |Cell In\[)", re.MULTILINE)


def shorten(traceback: str) -> str:
    """The short form of a traceback as IPython prints it, without its colours.

    Of a chain of errors the last one stays, of endless recursion the first step and the last. A text of another form comes back unchanged.
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
    if message == f"{name[0]}:":
        message = name[0]
    frames[-1] = frames[-1][: ends[-1].start()]
    own = [frame.strip() for frame in frames if frame.startswith("Cell In[")]
    note = [LEFT_OUT] if len(own) < len(frames) else []
    return "\n\n".join([*_without_repeats(own), *note, message])


def _without_repeats(steps: list[str]) -> list[str]:
    kept: list[str] = []
    for step, times in ((step, len(list(same))) for step, same in groupby(steps)):
        kept += [step] * times if times <= 3 else [step, REPEATED, step]
    return kept
