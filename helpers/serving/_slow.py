"""An app that does its work at once and answers late, as if the way back were long."""

from __future__ import annotations

import asyncio
from typing import Any

from ._interface import ASGIApp


class SlowAnswer:
    """Wrap an ASGI app: each answer starts a while after the work is done.

    Args:
        app: the ASGI app that does the work.
        seconds: how long each answer is held back.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        if not seconds >= 0:
            raise ValueError(f"An answer can be held back for 0 seconds or more, not {seconds}.")
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_late(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(self.seconds)
            await send(message)

        await self.app(scope, receive, send_late if scope["type"] == "http" else send)
