"""The algorithm that looks at the servers' load."""

from __future__ import annotations

from ._algorithm import Algorithm, Request, Servers, lightest_load
from ._turns import SmoothTurns


class LeastConnections(Algorithm):
    """The server with the fewest open requests for its weight; of equals, by weighted turns.

    It needs to be told when a request begins and ends: `acquire` and `release`. A slow server, or
    one with long requests, has more of them open, and so gets fewer new ones.

    One choice costs O(n) for n servers.
    Source: nginx, ngx_http_upstream_module, "least_conn".
    """

    def __init__(self, servers: Servers) -> None:
        self._turns = SmoothTurns()
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        best = lightest_load(able, self._open)
        if len(best) == 1:
            return best[0]
        return self._turns.next({name: able[name] for name in best})

    def _changed(self) -> None:
        self._turns.keep_only(self._weights)
