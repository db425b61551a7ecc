"""Make a page's Python ready for servers: its loops, and what httpx and anyio ask of sockets.

Both libraries are large, so nothing is imported for this: they are changed as soon as somebody
imports them, or at once if that has happened.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from . import _page_network, _page_threads
from ._page_socket import PageSocket


def install() -> None:
    """Give every loop of the page the page's network. Calling it again changes nothing."""
    from pyodide.webloop import WebLoop

    if not hasattr(WebLoop, "page_network"):
        WebLoop.page_network = _page_network.addresses
        _page_network.install(WebLoop)
        let_deadlines_pass(WebLoop)
        when_imported("anyio._backends._asyncio", _page_threads.install)
        when_imported("httpcore._backends.anyio", watch_page_sockets)


def let_deadlines_pass(loop_class: Any) -> None:
    """Let a loop run at once what was due before it was planned, as asyncio does.

    Pyodide's loop raises ValueError. anyio plans a timeout anew when its timer came a little too
    early; if the moment has passed by then, the timeout was lost and the request waited on.
    """
    plan = loop_class.call_later

    def call_later(self: Any, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return plan(self, max(delay, 0), callback, *args, context=context)

    loop_class.call_later = call_later


def watch_page_sockets(backend: ModuleType) -> None:
    """Let httpcore see whether an idle connection of the page was closed, so that it reuses one.

    It asks the operating system about the socket's file, which a socket of the page has not.
    """
    ask_the_system = backend.is_socket_readable

    def is_socket_readable(sock: Any) -> bool:
        return sock.readable() if isinstance(sock, PageSocket) else ask_the_system(sock)

    backend.is_socket_readable = is_socket_readable


def when_imported(name: str, change: Callable[[ModuleType], None]) -> None:
    """Change a module: now if it is imported already, else right after its import."""
    if name in sys.modules:
        change(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Watcher(name, change))


class _Watcher(MetaPathFinder):
    """Finds one module as others would, and changes it once it was executed."""

    def __init__(self, name: str, change: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._change = change

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._change(module)

        spec.loader.exec_module = exec_module
        return spec
