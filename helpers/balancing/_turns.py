"""Algorithms that go by turns: each server gets its share, whatever the requests are."""

from __future__ import annotations

from ._algorithm import Algorithm, Request, Servers
from ._haproxy_order import HaproxyOrder


class RoundRobin(Algorithm):
    """One server after the other, and then again from the first.

    Weights make no difference, except that a server of weight 0 gets nothing. A server that is
    added comes after the others.

    One choice costs O(n) for n servers, because any of them may be away.
    Source: nginx, ngx_http_upstream_module, "upstream" (the default with equal weights).
    """

    def __init__(self, servers: Servers) -> None:
        self._next = 0
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        names = list(self._weights)
        turns = names[self._next :] + names[: self._next]
        chosen = next(name for name in turns if name in able)
        self._next = (names.index(chosen) + 1) % len(names)
        return chosen

    def remove(self, name: str) -> None:
        """A server leaves; the turn of the others stays. Raises ValueError: unknown."""
        place = list(self._weights).index(name) if name in self._weights else 0
        super().remove(name)
        if place < self._next:
            self._next -= 1
        if self._next >= len(self._weights):
            self._next = 0


class SmoothTurns:
    """Smooth weighted round robin: the turns of servers, as nginx takes them.

    Each turn, every server's account grows by its weight. The server with the fullest account is
    chosen, the first of equals, and pays for its turn with the sum of all weights. So the accounts
    always add up to nothing, and a heavy server's turns are spread out: weights 5, 1, 1 give
    a a b a c a a, and not a a a a a b c.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, float] = {}

    def next(self, able: dict[str, float]) -> str:
        """Whose turn it is among these, by weight."""
        accounts = self._accounts
        for name, weight in able.items():
            accounts[name] = accounts.get(name, 0) + weight
        chosen = max(able, key=accounts.__getitem__)
        accounts[chosen] -= sum(able.values())
        return chosen

    def keep_only(self, names: object) -> None:
        """Close the accounts of servers that are gone."""
        self._accounts = {name: n for name, n in self._accounts.items() if name in names}


class WeightedRoundRobin(Algorithm):
    """By turns, and a server of weight 5 has five turns where one of weight 1 has one.

    There are two orders for these turns, with the same shares:

    - ``"nginx"``: smooth weighted round robin, see SmoothTurns. Apache's byrequests does the same.
    - ``"haproxy"``: that of HAProxy's ``balance roundrobin``, see HaproxyOrder. Over one
      of its windows a share may stray by one turn.

    One choice costs O(n) for n servers.
    Sources: nginx, ngx_http_upstream_module, "server", parameter weight; Apache,
    mod_lbmethod_byrequests; HAProxy 2.8 Configuration Manual, "balance", roundrobin.

    Args:
        servers: see Algorithm.
        order: "nginx" or "haproxy".

    Raises:
        ValueError: there is no such order, or as Algorithm says.
    """

    def __init__(self, servers: Servers, order: str = "nginx") -> None:
        if order not in ("nginx", "haproxy"):
            raise ValueError(f'order is "nginx" or "haproxy", and not {order!r}.')
        self._turns = HaproxyOrder() if order == "haproxy" else SmoothTurns()
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        return self._turns.next(able)

    def _changed(self) -> None:
        self._turns.keep_only(self._weights)
