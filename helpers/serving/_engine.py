"""uvicorn in a thread of its own, with an event loop of its own.

uvicorn stops in steps of a tenth of a second and leaves connections open that its clients do not
close. Here a stop wakes the server at once, gives requests a moment to finish, and then closes
every connection, so that nothing is left of the server when ``stop`` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import warnings

import uvicorn

from ._interface import ASGIApp
from ._uvicorn import START_TIMEOUT, STOP_TIMEOUT, GuardedApp, cancel, config_for, end_requests

_MARGIN = 1.0  # seconds between giving up on the lifespan and giving up on the thread


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; ``OSError`` if the port can't be had.

    It says that it is TCP's, and so do the connections it accepts. Only from those does asyncio
    take Nagle's delay (RFC 9293, section 3.7.4), which holds back the second part of an answer
    for some 40 ms on each connection that is used again.
    """
    found = socket.create_server((host, port))
    return socket.socket(found.family, found.type, socket.IPPROTO_TCP, fileno=found.detach())


class Engine:
    """One app on one listening socket, in a daemon thread.

    Attributes:
        listener: the listening socket, bound before the thread starts.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self.listener = listener
        self._guard = GuardedApp(app)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="serve", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread and wait until the app takes requests.

        Raises:
            RuntimeError: the app failed while starting.
            TimeoutError: it did not finish starting within ``START_TIMEOUT``.
        """
        try:
            self._loop = asyncio.new_event_loop()
            self._thread.start()
            answered = self._ready.wait(START_TIMEOUT)
        except BaseException:  # an interrupt must not leave half a server behind
            self.stop()
            raise
        if not answered:
            self.stop()
            raise TimeoutError(
                f"The app did not finish starting within {START_TIMEOUT:g} seconds. "
                "Look at what it does in its lifespan."
            )
        if self._stopping is None:
            self.stop()
            raise RuntimeError(self._guard.complaint) from self._guard.failure

    def ask_to_stop(self) -> None:
        """Let the server begin to stop, and return at once."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed in the meantime
                self._loop.call_soon_threadsafe(self._begin_to_stop)

    def stop(self, seconds: float | None = None) -> None:
        """Stop the server and wait for its thread, but no longer than ``seconds``.

        Called by the app on the server's own loop, it only asks: the loop has to run to stop.
        """
        if self._thread is threading.current_thread():
            self.ask_to_stop()
            return
        if self._thread.ident is None:  # it never ran: nobody else closes the loop
            if self._loop is not None:
                self._loop.close()
            self.listener.close()
            return
        try:
            self.ask_to_stop()
            self._thread.join(STOP_TIMEOUT + _MARGIN if seconds is None else seconds)
        finally:
            self.listener.close()
        if self._thread.is_alive():
            warnings.warn(
                "The server is stopped and its port is free, but its app is still busy: it waits "
                "without `await`, as time.sleep does. Its thread ends when that is over.",
                RuntimeWarning,
                stacklevel=3,
            )

    def _begin_to_stop(self) -> None:
        if self._stopping is not None:
            self._stopping.set()
        else:  # still starting: nothing to finish, so leave at once
            for task in asyncio.all_tasks(self._loop):
                task.cancel()

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        try:
            loop.run_until_complete(_Uvicorn(self, self._guard).serve([self.listener]))
        except SystemExit:  # how uvicorn ends when the app has said that it can't start
            pass
        except BaseException as error:
            self._guard.keep(error)
        finally:
            try:
                _close(loop)
            finally:
                self.listener.close()
                self._ready.set()

    def _takes_requests(self) -> asyncio.Event:
        """Called on the loop once the app has started; the event is set when it is to stop."""
        self._stopping = asyncio.Event()
        self._ready.set()
        return self._stopping


class _Uvicorn(uvicorn.Server):
    """uvicorn, woken by its engine to stop instead of looking ten times a second."""

    def __init__(self, engine: Engine, guard: GuardedApp) -> None:
        super().__init__(config_for(guard))
        self._engine = engine
        self._guard = guard
        self._stopping = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._stopping = self._engine._takes_requests()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # keeps the Date header at the current second
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)
                return

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._stop_listening(sockets or [])
        for connection in list(self.server_state.connections):
            connection.shutdown()  # closes it if idle, or else after its response
        await asyncio.sleep(0)
        await end_requests(self.server_state, self._guard)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.lifespan.shutdown(), STOP_TIMEOUT)

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        """Close the listening socket, but not under a client that is just being let in.

        asyncio makes the connection a few turns of the loop after it accepted the client. Would
        the server be closed in between, that client would wait for ever.
        """
        with contextlib.suppress(NotImplementedError):  # Windows' loop does both in one turn
            for listener in sockets:
                asyncio.get_running_loop().remove_reader(listener)
        for _ in range(3):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is still running and close the loop, as ``asyncio.run`` does."""

    async def cancel_all() -> None:
        current = asyncio.current_task()
        await cancel({task for task in asyncio.all_tasks() if task is not current})

    try:
        loop.run_until_complete(cancel_all())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
