"""The widget of chapter 6: a load balancer with its servers, to change and to break.

In a page it simulates: ``load_balancer_model.js`` computes everything there. With ``program`` it
shows a real nginx or HAProxy with real replicas, which ``_lab_real.py`` starts and measures.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from ._module import module_text, read, without_comments
from ._settings import one_of, whole

ALGORITHMS = (
    "round robin",
    "weighted round robin",
    "weighted round robin, HAProxy's order",
    "random",
    "least connections",
    "power of two choices",
    "IP hash",
    "consistent hash",
)
PROGRAMS = ("nginx", "haproxy")
NAMES = "abcdef"
LEAST_SERVERS = 2
MOST_WEIGHT = 10
RATES = (1, 200)
TIMES = (10, 500)

_MODULES = (
    "dom.js",
    "svg.js",
    "load_balancer_algorithms.js",
    "load_balancer_model.js",
    "load_balancer_picture.js",
    "load_balancer_panel.js",
    "load_balancer_lab.js",
)

IN_A_PAGE = "A page cannot start {}: this is the simulation. In JupyterLab the same cell drives the real one."


class LoadBalancerLab(anywidget.AnyWidget):
    """Send traffic through a load balancer, change everything, and kill servers.

    Args:
        servers: how many there are at the start, 2 to 6: a, b, c and so on.
        algorithm: which server gets a request: one of ALGORITHMS.
        weights: of the servers, 0 to 10, in order or by name; each 1 if nothing is given.
        rate: requests a second, from all clients together, 1 to 200.
        sticky: whether a client stays with the server that answered it first.
        program: ``"nginx"`` or ``"haproxy"`` to drive the real one, with a replica for each server;
            None simulates, as it always does in a page.
        ms: how long a server works on a request, 10 to 500 milliseconds: one number for all, or in
            order, or by name.
        retry: whether the simulated balancer sends what failed to another server.
        checks: whether the simulated balancer asks the servers how they are.

    Attributes:
        settings: all that the reader can set: {"algorithm", "rate", "sticky", "retry", "checks",
            "servers": [{"name", "weight", "ms", "up"}]}.
        mode: "simulation" or "real".
        program: "", "nginx" or "haproxy".
        measured: what the real program's traffic gave so far: {"servers": [{"name", "requests",
            "failed", "open"}], "lost", "p50", "p95", "p99" (milliseconds or None), "buckets"}.
        message: a sentence for the reader.

    Raises:
        ValueError: a setting is not one of those.
    """

    _esm = without_comments(module_text(*_MODULES))
    _css = read("load_balancer_lab.css")

    settings = traitlets.Dict().tag(sync=True)
    mode = traitlets.Enum(("simulation", "real"), "simulation").tag(sync=True)
    program = traitlets.Enum(("", *PROGRAMS), "").tag(sync=True)
    measured = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        servers: int = 3,
        algorithm: str = "round robin",
        weights: Sequence[int] | Mapping[str, int] | None = None,
        rate: int = 20,
        sticky: bool = False,
        program: str | None = None,
        *,
        ms: int | Sequence[int] | Mapping[str, int] = 100,
        retry: bool = False,
        checks: bool = False,
    ) -> None:
        self._drive: Any = None
        whole("servers", servers, LEAST_SERVERS, len(NAMES))
        whole("rate", rate, *RATES)
        one_of("algorithm", algorithm, ALGORITHMS)
        if program is not None:
            one_of("program", program, PROGRAMS)
        names = NAMES[:servers]
        all_weights = _for_each("weights", weights, names, 1, (0, MOST_WEIGHT))
        times = _for_each("ms", ms, names, 100, TIMES)
        rows = [
            {"name": name, "weight": all_weights[name], "ms": times[name], "up": True}
            for name in names
        ]
        settings = {"algorithm": algorithm, "rate": rate, "sticky": bool(sticky), "servers": rows}
        super().__init__(settings=settings | {"retry": bool(retry), "checks": bool(checks)})
        if program is None:
            return
        if sys.platform == "emscripten":
            self.message = IN_A_PAGE.format(program)
            return
        from ._lab_real import Drive

        self.program, self.mode = program, "real"
        self._drive = Drive(self, program)

    def stop(self) -> None:
        """End the real program and its replicas; may be called twice. A simulation has none."""
        drive, self._drive = self._drive, None
        if drive is not None:
            drive.stop()

    def close(self) -> None:
        """Remove the widget from the page, and stop."""
        self.stop()
        super().close()


def _for_each(
    name: str, given: Any, servers: str, usual: int, bounds: tuple[int, int]
) -> dict[str, int]:
    """A number for each server, given as one for all, in order or by name."""
    if given is None or type(given) is int:
        values = dict.fromkeys(servers, usual if given is None else given)
    elif isinstance(given, Mapping):
        if unknown := [one for one in given if one not in list(servers)]:
            raise ValueError(
                f"{name} names the server {unknown[0]!r}, and there are {', '.join(servers)}."
            )
        values = {server: given.get(server, usual) for server in servers}
    elif isinstance(given, Sequence) and not isinstance(given, str) and len(given) == len(servers):
        values = dict(zip(servers, given, strict=True))
    else:
        raise ValueError(f"{name} has a number for each of {len(servers)} servers, not {given!r}.")
    for server, value in values.items():
        whole(f"{name} of {server}", value, *bounds)
    return values
