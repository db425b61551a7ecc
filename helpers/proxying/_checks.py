"""Active health checks: ask every server for one path again and again."""

from __future__ import annotations

import asyncio

from ._errors import Failure
from ._pool import Pool
from ._servers import Server, Servers


class Checks:
    """Checks every server each `every` seconds, all at the same time.

    A check is a GET over a connection of its own. Good is any status from 200 to 399, as HAProxy
    has it; no connection, no answer within `timeout` seconds or another status is a failure.
    """

    def __init__(self, servers: Servers, path: str, every: float, timeout: float) -> None:
        self._servers, self._every, self._timeout = servers, every, timeout
        self._path = path.encode()

    async def run(self, pool: Pool) -> None:
        """Check until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            async with asyncio.TaskGroup() as group:
                for server in self._servers.all():
                    group.create_task(self.check(server, pool))
            await asyncio.sleep(max(0.0, began + self._every - loop.time()))

    async def check(self, server: Server, pool: Pool) -> bool:
        """One check of one server; its Health is told."""
        good = False
        try:
            connection = await pool.connect(server.address, self._timeout)
            try:
                head = b"GET %b HTTP/1.1\r\nHost: %b\r\nUser-Agent: course-proxy\r\n"
                head += b"Connection: close\r\n\r\n"
                connection.begin("GET", head % (self._path, server.authority), self._timeout)
                async with asyncio.timeout(self._timeout):
                    answer = await connection.head()
                good = 200 <= answer.status < 400
            finally:
                pool.drop(connection)
        except (Failure, TimeoutError):
            pass
        self._servers.checked(server, good)
        return good
