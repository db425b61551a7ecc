"""In a page there are no threads: what was meant for one runs in line.

FastAPI and Starlette run a ``def`` endpoint, and each step of a plain generator, in a thread of
anyio's. The page waits for it instead, as a server with a single thread would.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from types import ModuleType
from typing import Any


def install(anyio_backend: ModuleType) -> None:
    """Let anyio run in line what it would run in a thread.

    ``asyncio.to_thread`` and ``loop.run_in_executor`` need no help: a page's loop runs them so.

    Args:
        anyio_backend: the module ``anyio._backends._asyncio``.
    """
    anyio_backend.AsyncIOBackend.run_sync_in_worker_thread = classmethod(run_in_line)


async def run_in_line(
    backend: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> Any:
    """Call a function as anyio's worker thread would: in a copy of the context.

    Raises:
        RuntimeError: the function raised ``StopIteration``, which can't pass an ``await``.
    """
    await backend.checkpoint()
    async with limiter or backend.current_default_thread_limiter():
        context = copy_context()
        try:
            return context.run(function, *args)
        except StopIteration as error:
            raise RuntimeError("coroutine raised StopIteration") from error
