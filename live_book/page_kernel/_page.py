"""The kernel in a web worker: what connects it with ``live_python_worker.js``.

Imports Pyodide's modules, so only the worker imports this module.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

from IPython.utils import PyColorize
from pyodide.ffi import JsProxy, to_js

from ._highlight import highlight
from ._interrupts import interruptible_sleep
from ._kernel import Kernel
from ._packages import PackageFinder

RECURSION_LIMIT = 500
"""Half of Python's own. Endless recursion through C (``repr``, ``sorted``) filled Chromium's stack
after 700 to 1200 steps, and a full stack ends the worker, not the cell."""


def start(worker: JsProxy, owners: str) -> Kernel:
    """Start the kernel.

    Args:
        worker: an object with the functions ``post(json, buffers)``, ``wait(milliseconds)``,
            ``stopAsked()`` and ``bring(package)``.
        owners: JSON; for each top-level module the package that holds it.
    """

    def post(message: dict[str, Any], buffers: list[bytes]) -> None:
        worker.post(_to_json(message), to_js([memoryview(one) for one in buffers]))

    _keep_themes_in_memory()
    kernel = PageKernel(post)
    PackageFinder(json.loads(owners), worker.bring).install()
    kernel.start()
    sleep = interruptible_sleep(worker.wait, worker.stopAsked, kernel.interrupts.check)

    def flushing_sleep(seconds: float, /) -> None:
        kernel.outputs.flush()
        sleep(seconds)

    flushing_sleep.__name__, flushing_sleep.__doc__ = "sleep", time.sleep.__doc__
    time.sleep = flushing_sleep
    sys.setrecursionlimit(RECURSION_LIMIT)
    return kernel


def _keep_themes_in_memory() -> None:
    """IPython opens its colour themes as files, and the worker leaves IPython inside its wheel.

    The output of a page has no colours, so every theme is the plain one.
    """
    plain = PyColorize.Theme("nocolor", None, {})
    for name in PyColorize._BUILTIN_THEMES:
        PyColorize.theme_table._by_name[name] = plain


class PageKernel(Kernel):
    """A kernel that takes JSON and JavaScript buffers."""

    highlight = staticmethod(highlight)

    def comm(self, message: str, buffers: JsProxy) -> None:
        """Hand a comm message of the page, as JSON with its buffers beside it, to its widget."""
        self.receive_comm(json.loads(message), [memoryview(one.to_bytes()) for one in buffers])


def _to_json(message: dict[str, Any]) -> str:
    try:
        return json.dumps(message, allow_nan=False, default=_other)
    except ValueError:
        # JSON has no NaN; browsers and Jupyter use null in its place.
        return json.dumps(_without_nan(message), default=_other)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _other(value: object) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)
