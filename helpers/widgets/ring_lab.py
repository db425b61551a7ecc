"""The widget of chapter 5: a token ring whose nodes can be stopped and parted from each other.

Everything is computed in the page by ``ring_lab_model.js``, which does what
``helpers.stores.Cluster`` does; Python holds the settings.
"""

from __future__ import annotations

import anywidget
import traitlets

from ._module import module_text, read, without_comments
from ._settings import whole

LEVELS = ("ONE", "QUORUM", "ALL")
NODES = (3, 7)
MOST_REPLICAS = 5
MOST_TOKENS = 8
LONGEST_KEY = 40

_MODULES = (
    "dom.js",
    "svg.js",
    "ring_lab_ring.js",
    "ring_lab_model.js",
    "ring_lab_picture.js",
    "ring_lab_panel.js",
    "ring_lab.js",
)


class RingLab(anywidget.AnyWidget):
    """Write to a cluster and read from it, while you stop nodes and cut the network.

    Args:
        nodes: how many there are, 3 to 7: a, b, c and so on.
        replication: how many nodes keep each key, 1 to 5, and not more than there are nodes.
        write_level: how many replicas a write needs at the start: "ONE", "QUORUM" or "ALL".
        read_level: the same for a read.
        tokens: places of each node on the ring, 1 to 8.
        hinted_handoff: whether a coordinator keeps hints for replicas that it does not reach.
        read_repair: whether a read puts right what it finds to be old.
        key: what is written and read at the start, 1 to 40 letters.

    Attributes:
        settings: the same, as the reader sets them: a dict with these names.

    Raises:
        ValueError: a setting is not one of those.
    """

    _esm = without_comments(module_text(*_MODULES))
    _css = read("ring_lab.css")

    settings = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        nodes: int = 5,
        replication: int = 3,
        write_level: str = "QUORUM",
        read_level: str = "QUORUM",
        *,
        tokens: int = 3,
        hinted_handoff: bool = True,
        read_repair: bool = True,
        key: str = "fur-elise",
    ) -> None:
        whole("nodes", nodes, *NODES)
        whole("replication", replication, 1, min(nodes, MOST_REPLICAS))
        whole("tokens", tokens, 1, MOST_TOKENS)
        for name, level in (("write_level", write_level), ("read_level", read_level)):
            if level not in LEVELS:
                raise ValueError(f"{name} is one of {', '.join(LEVELS)}, and this is {level!r}.")
        switches = {"hinted_handoff": hinted_handoff, "read_repair": read_repair}
        for name, value in switches.items():
            if not isinstance(value, bool):
                raise ValueError(f"{name} is True or False, and this is {value!r}.")
        if not isinstance(key, str) or not 1 <= len(key) <= LONGEST_KEY:
            raise ValueError(f"key is a text of 1 to {LONGEST_KEY} letters, and this is {key!r}.")
        numbers = {"nodes": nodes, "replication": replication, "tokens": tokens, "key": key}
        levels = {"write_level": write_level, "read_level": read_level}
        super().__init__(settings=numbers | levels | switches)
