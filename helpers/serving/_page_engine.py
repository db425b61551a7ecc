"""uvicorn in a page: on the page's own event loop and the page's own network.

It is uvicorn's own HTTP protocol that answers. What its server does around that with sockets,
signals and a loop of its own is done here without them.
"""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from email.utils import formatdate
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from ._interface import ASGIApp
from ._page_network import addresses
from ._page_server import PageServer
from ._page_socket import PageListener
from ._uvicorn import START_TIMEOUT, STOP_TIMEOUT, GuardedApp, cancel, config_for, end_requests

_logger = logging.getLogger("uvicorn.error")
_stopping: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish before its end


def listen(host: str, port: int) -> PageListener:
    """A listening socket of the page; ``OSError`` if the port can't be had."""
    listener = addresses.bind(host, port)
    listener.listen()
    return listener


class Engine:
    """One app on one listening socket, on the loop that runs.

    Attributes:
        listener: the listening socket. Clients that connect wait there until the app has started.
    """

    def __init__(self, app: ASGIApp, listener: PageListener) -> None:
        self.listener = listener
        self._loop = asyncio.get_running_loop()
        self._guard = GuardedApp(app)
        self._config = config_for(self._guard)
        self._config.load()
        self._state = _State(self._config)
        self._lifespan = _Lifespan(self._guard, self._loop)
        self._server = PageServer(self._loop, [listener], self._protocol)
        self._stopped = False
        self._given_up: asyncio.TimerHandle | asyncio.Handle | None = None

    @property
    def alive(self) -> bool:
        """Whether it takes connections."""
        return not self._stopped

    def start(self) -> None:
        """Start the app. If it has to wait for something, it goes on after this has returned.

        Raises:
            RuntimeError: the app failed while starting.
        """
        self._lifespan.start()
        if not self._lifespan.started.done():
            self._given_up = self._loop.call_later(START_TIMEOUT, self._give_up)
            self._lifespan.started.add_done_callback(self._go_on)
        elif self._lifespan.failed:
            self.stop()
            raise RuntimeError(self._guard.complaint) from self._guard.failure
        else:
            self._server.listen()

    def _go_on(self, started: asyncio.Future[None]) -> None:
        """The app has started after all, or failed when nobody could be told but by a warning."""
        if self._given_up is not None:
            self._given_up.cancel()
        if self._stopped:
            return
        if self._lifespan.failed:
            self.stop()
            warnings.warn(self._guard.complaint, RuntimeWarning, stacklevel=2)
        else:
            self._server.listen()

    def _give_up(self) -> None:
        if not self._stopped:
            self.stop()
            warnings.warn(
                f"The app did not finish starting within {START_TIMEOUT:g} seconds, and was "
                "stopped. Look at what it does in its lifespan.",
                RuntimeWarning,
                stacklevel=2,
            )

    def ask_to_stop(self) -> None:
        """The same as ``stop``, which does not wait here."""
        self.stop()

    def stop(self, seconds: float | None = None) -> None:
        """Refuse new clients at once; the rest of the end happens in the background."""
        if self._stopped:
            return
        self._stopped = True
        if self._given_up is not None:
            self._given_up.cancel()
        if self._server.is_serving():
            self._server.accept_waiting()  # who has connected by now may finish too
        self._server.close()
        self.listener.close()
        self._close_idle()
        self._server.hang_up()  # so that clients see it at once, and not a turn of the loop later
        if not self._loop.is_closed():  # as it is when a program ends
            task = self._loop.create_task(self._end())
            _stopping.add(task)
            task.add_done_callback(_stopping.discard)

    async def _end(self) -> None:
        await asyncio.sleep(0)  # clients let in a moment ago have become connections
        self._close_idle()
        await asyncio.sleep(0)
        await end_requests(self._state, self._guard)
        await self._lifespan.end()

    def _close_idle(self) -> None:
        for connection in list(self._state.connections):
            if not connection.transport.is_closing():
                connection.shutdown()  # closes it if idle, or else after its response

    def _protocol(self) -> H11Protocol:
        return H11Protocol(self._config, self._state, self._lifespan.state, self._loop)


class _State(ServerState):
    """What uvicorn's connections share, with a Date header that is made when it is needed."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__()
        self._config = config

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        if not self._config.date_header:
            return self._config.encoded_headers
        date = formatdate(time.time(), usegmt=True).encode()
        return [(b"date", date), *self._config.encoded_headers]

    @default_headers.setter
    def default_headers(self, value: list[tuple[bytes, bytes]]) -> None:
        """uvicorn sets it once a second; here nobody has to."""


class _Lifespan:
    """The app's startup and shutdown (ASGI specification, lifespan protocol 2.0).

    Attributes:
        started: done when the startup is over, well or badly.
        failed: whether the app said that it can't start.
        state: what the app gives its requests.
    """

    def __init__(self, app: GuardedApp, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop
        self.started: asyncio.Future[None] = loop.create_future()
        self.failed = False
        self.state: dict[str, Any] = {}
        self._asked = False  # the app was asked to start
        self._shutdown: asyncio.Future[None] = loop.create_future()  # set to ask for the end
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run the startup as far as it goes without waiting."""
        self._task = start_eagerly(self._run(), self._loop)

    async def end(self) -> None:
        """Run the shutdown; an app that still starts, or does not end, is cancelled."""
        if self._task is None or self._task.done():
            return
        if self.started.done() and not self._shutdown.done():
            self._shutdown.set_result(None)
            await asyncio.wait({self._task}, timeout=STOP_TIMEOUT)
        await cancel({self._task})

    async def _run(self) -> None:
        version = {"version": "3.0", "spec_version": "2.0"}
        scope = {"type": "lifespan", "asgi": version, "state": self.state}
        try:
            await self._app(scope, self._receive, self._send)
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise
        except BaseException:  # an app that knows no lifespans may fail in any way
            pass
        finally:
            self._is_started()

    async def _receive(self) -> dict[str, str]:
        if not self._asked:
            self._asked = True
            return {"type": "lifespan.startup"}
        await asyncio.shield(self._shutdown)
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.complete":
            self._is_started()
        elif message["type"] == "lifespan.startup.failed":
            self.failed = True
            self._loop.call_soon(self._is_started)  # what the app raises first is the reason
        elif message["type"] == "lifespan.shutdown.failed":
            _logger.error(message.get("message") or "Application shutdown failed.")

    def _is_started(self) -> None:
        if not self.started.done():
            self.started.set_result(None)


def start_eagerly(coroutine: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Task[Any]:
    """A task whose first step runs at once (Python 3.12 and newer, which every page has)."""
    return asyncio.Task(coroutine, loop=loop, eager_start=True)
