"""Algorithms that throw dice: no memory, and fair in the long run."""

from __future__ import annotations

import random as dice
from collections.abc import Callable

from ._algorithm import Algorithm, Request, Servers, lightest_load

Random01 = Callable[[], float]


def draw(able: dict[str, float], random: Random01) -> str:
    """One of these, each as likely as its weight says."""
    left = random() * sum(able.values())
    for name, weight in able.items():
        left -= weight
        if left < 0:
            return name
    return name  # rounding may leave a crumb


class Random(Algorithm):
    """Any server, each as likely as its weight says.

    It needs no memory, so several balancers need not agree. But chance is not even: of many
    servers some have several requests while others have none.

    One choice costs O(n) for n servers, for the weights.
    Source: nginx, ngx_http_upstream_module, "random".

    Args:
        servers: see Algorithm.
        random: gives numbers from 0 up to, and without, 1.
    """

    def __init__(self, servers: Servers, random: Random01 = dice.random) -> None:
        self._random = random
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        return draw(able, self._random)


class PowerOfTwoChoices(Algorithm):
    """Draw two servers, and take the one with fewer open requests for its weight.

    Of equals it takes the first that was drawn. With one look at two servers the longest queue is
    exponentially shorter than with Random, and nobody has to know the state of all servers.

    One choice costs O(n) for n servers, for the weights; with equal weights it would be O(1).
    Sources: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE
    Transactions on Parallel and Distributed Systems 12 (10), 2001; nginx, "random two least_conn".

    Args:
        servers: see Algorithm.
        random: gives numbers from 0 up to, and without, 1.
    """

    def __init__(self, servers: Servers, random: Random01 = dice.random) -> None:
        self._random = random
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        first = draw(able, self._random)
        others = {name: weight for name, weight in able.items() if name != first}
        if not others:
            return first
        second = draw(others, self._random)
        return lightest_load({first: able[first], second: able[second]}, self._open)[0]
