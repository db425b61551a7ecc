"""An app that does its work at once and answers late, as if the way back were long."""

from __future__ import annotations

import asyncio
from typing import Any

from ._interface import ASGIApp


class SlowAnswer:
    """Wrap an ASGI app: its first answers start a while after the work is done.

    Args:
        app: the ASGI app that does the work.
        seconds: how long an answer is held back.
        times: how many answers are held back; ``None`` means all of them.

    Raises:
        ValueError: ``seconds`` or ``times`` is below 0.
    """

    def __init__(self, app: ASGIApp, seconds: float, times: int | None = None) -> None:
        if not seconds >= 0:
            raise ValueError(f"An answer can be held back for 0 seconds or more, not {seconds}.")
        if times is not None and times < 0:
            raise ValueError(f"0 answers or more can be held back, not {times}.")
        self.app = app
        self.seconds = seconds
        self._left = times

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self._left == 0:
            await self.app(scope, receive, send)
            return
        if self._left is not None:
            self._left -= 1

        async def send_late(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(self.seconds)
            await send(message)

        await self.app(scope, receive, send_late)
