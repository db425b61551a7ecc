"""The order in which HAProxy's ``balance roundrobin`` gives servers their turns."""

from __future__ import annotations

SCALE = 16
"""HAProxy counts a weight in sixteenths, so that a slow start can raise it in small steps."""


class HaproxyOrder:
    """HAProxy's weighted round robin.

    The requests stand on a line, one place after the other. Of all places a server of a third of
    the weight wants every third: after each turn its next place lies (sum of weights / its weight)
    further on; what the division leaves over is saved up until it makes a whole place.

    - Servers wait in a row, the heaviest first, until they have their first turn.
    - A server whose place has come, or is overdue, is chosen: the one with the earliest place; of
      equals the one with (saved remainder - weight) smaller, counted in whole weights; of equals
      again the one that has waited longer.
    - If nobody's place has come, the first of the row begins; if the row is empty, whoever has the
      earliest place.
    - After as many turns as the weights add up to (in sixteenths), a window ends. A server whose
      next place is beyond it waits in the row of the next window, and begins afresh there.

    When a server goes, comes or changes its weight, the line begins anew. HAProxy itself carries
    the old places over, so only the order until the next window differs from it.

    One turn costs O(n) for n servers; HAProxy keeps them in trees, for O(log n).
    Source: HAProxy 2.8, src/lb_fwrr.c; tests/balancing compares the order with the real program's.
    """

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}

    def next(self, able: dict[str, float]) -> str:
        """Whose turn it is among these, by weight."""
        weights = {name: max(1, round(weight * SCALE)) for name, weight in able.items()}
        if weights != self._weights:
            self._begin(weights)
        chosen = self._due()
        if chosen is None:  # all wait for the next window
            self._row, self._later = self._later, []
            self._now = self._total
            chosen = self._due()
        self._take(chosen)
        self._move_on(chosen)
        return chosen

    def keep_only(self, names: object) -> None:
        """Nothing to do: a change shows in the weights of the next turn."""

    def _begin(self, weights: dict[str, int]) -> None:
        self._weights = weights
        self._total = self._now = sum(weights.values())
        self._place = dict.fromkeys(weights, 0)  # 0: had no turn yet
        self._saved = dict.fromkeys(weights, 0)
        self._row = sorted(weights, key=lambda name: -weights[name])
        self._later: list[str] = []  # the row of the next window
        self._under_way: list[str] = []  # in the order in which they had their turns

    def _due(self) -> str | None:
        first = min(self._under_way, key=self._rank, default=None)
        if self._row and (first is None or self._place[first] > self._now):
            first = self._row[0]
            self._place[first] = self._saved[first] = 0
        return first

    def _rank(self, name: str) -> int:
        # One number for place and remainder, as HAProxy has it: a large remainder passes on.
        lead = 256 * SCALE + self._saved[name] - self._weights[name]
        return 256 * self._place[name] + lead // SCALE

    def _take(self, chosen: str) -> None:
        weight = self._weights[chosen]
        step, rest = divmod(self._total, weight)
        self._place[chosen] = (self._place[chosen] or self._now) + step
        self._saved[chosen] += rest
        if self._saved[chosen] >= weight:
            self._saved[chosen] -= weight
            self._place[chosen] += 1

    def _move_on(self, chosen: str) -> None:
        (self._row if chosen in self._row else self._under_way).remove(chosen)
        self._now += 1
        if self._place[chosen] >= 2 * self._total:
            self._place[chosen] -= self._total
            self._later.append(chosen)
            self._later.sort(key=lambda name: -self._weights[name])
        else:
            self._under_way.append(chosen)
