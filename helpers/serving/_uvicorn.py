"""How uvicorn is set up, with threads and in a page alike."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from ._interface import ASGIApp

START_TIMEOUT = 10.0  # seconds an app may take to start, its lifespan included
GRACE = 0.05  # seconds that a request still running gets when the server stops
STOP_TIMEOUT = 3.0  # seconds the shutdown part of an app's lifespan may take
CANCEL_TIMEOUT = 0.5  # seconds a request may take to end once it is cancelled


def config_for(app: ASGIApp) -> uvicorn.Config:
    """uvicorn's settings for one app. A proxy's answers have a Date and a Server of their own."""
    speaks_for_others = getattr(app, "speaks_for_others", False)
    return uvicorn.Config(
        app,
        interface="asgi3",
        proxy_headers=False,  # the app sees its real peer, also behind a proxy of ours
        http="h11",  # the same parser everywhere, whatever else is installed
        ws="none",
        lifespan="auto",
        log_config=None,
        log_level="error",  # that a client wrote nonsense is no news for a notebook
        access_log=False,
        date_header=not speaks_for_others,
        server_header=not speaks_for_others,
    )


class GuardedApp:
    """The app, with the reason kept why it can't start, and quiet when it is cut off.

    Attributes:
        failure: what the app raised while it started, if it did.
        reason: the same in words.
        cut_off: set before the requests that still run are cancelled.
        speaks_for_others: the app is a proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.speaks_for_others: bool = getattr(app, "speaks_for_others", False)
        self.failure: BaseException | None = None
        self.reason = "it gave no reason."
        self.cut_off = False

    def keep(self, error: BaseException) -> None:
        """Keep why the app can't start, for the reader; the first reason is the real one."""
        if self.failure is None:
            self.failure = error
            self.reason = f"{type(error).__name__}: {error}"

    @property
    def complaint(self) -> str:
        """One sentence for the reader."""
        return f"The app failed while starting: {self.reason}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        starting = scope["type"] == "lifespan"

        async def watched_send(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.reason = message.pop("message", "") or self.reason  # or uvicorn prints it
            await send(message)
            if message.get("more_body"):
                # uvicorn drops what is sent to a client that has gone, and does so without a
                # break: a stream without end would never let the event loop run again.
                await asyncio.sleep(0)

        try:
            await self._app(scope, receive, watched_send)
        except (Exception, asyncio.CancelledError) as error:
            if starting and isinstance(error, Exception):
                self.keep(error)
            if starting or not self.cut_off:
                raise


async def end_requests(state: uvicorn.server.ServerState, guard: GuardedApp) -> None:
    """Give requests a moment to finish, then close every connection and cancel what still runs.

    Call ``shutdown`` of each connection first: it closes the idle ones.
    """
    connections, tasks = state.connections, state.tasks
    loop = asyncio.get_running_loop()
    end = loop.time() + GRACE
    while (connections or tasks) and loop.time() < end:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.002)
    guard.cut_off = True
    for connection in list(connections):
        connection.transport.abort()
    await asyncio.sleep(0)  # the apps see that their clients are gone
    await cancel(tasks)


async def cancel(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they are over, unless they refuse to be cancelled."""
    if tasks:
        for task in tasks:
            task.cancel()
        await asyncio.wait(set(tasks), timeout=CANCEL_TIMEOUT)
