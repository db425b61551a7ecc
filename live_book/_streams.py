"""What a cell prints, joined as it was printed.

A kernel sends what a cell prints in pieces, cut wherever it happened to be at the time. myst-nb
ends each piece with a line of its own (`nb_merge_streams`), so one printed line became two now and
then. Here the pieces of a stream are joined as they are.
"""

from __future__ import annotations

import re
from typing import Any

from myst_nb.core import render
from sphinx.application import Sphinx

_OVERWRITTEN = re.compile(r"^.*\r(?=[^\r\n])", re.MULTILINE)


def join_streams(outputs: list[Any]) -> list[Any]:
    """The outputs of a cell with one stream of each name, standing where its first piece stood.

    Takes and gives outputs of nbformat 4. A carriage return begins its line again, as on a
    terminal. Of two streams that follow each other stdout comes first: they come from the kernel
    in any order.
    """
    joined: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        if output["output_type"] != "stream":
            joined.append(output)
        elif output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
        else:
            # a copy: the notebook with its pieces is still to be saved
            streams[output["name"]] = type(output)(output)
            joined.append(streams[output["name"]])
    for output in streams.values():
        output["text"] = _OVERWRITTEN.sub("", output["text"]).rstrip() + "\n"
    for at in range(len(joined) - 1):
        one, next_one = joined[at : at + 2]
        if one.get("name") == "stderr" and next_one.get("name") == "stdout":
            joined[at : at + 2] = [next_one, one]
    return joined


def _join(app: Sphinx, *_: Any) -> None:
    render.coalesce_streams = join_streams


def setup(app: Sphinx) -> None:
    """Replace myst-nb's function, which its renderer looks up when it merges."""
    app.connect("config-inited", _join)
