"""Who reaches whom in the simulated cluster: nodes that are stopped, and a cut through the network."""

from __future__ import annotations

from itertools import combinations


class Network:
    """The nodes of a cluster, of which some may be stopped, and some beyond a cut.

    Attributes:
        nodes: their names, in order.
        stopped: the nodes that do not run.
        beyond: the nodes on one side of the cut; none, if the network is whole.
    """

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self.nodes = nodes
        self.stopped: set[str] = set()
        self.beyond: set[str] = set()
        self._parted: dict[tuple[str, str], int] = {}  # since when two nodes do not meet

    def known(self, node: str) -> str:
        """The node itself; raises ValueError if there is no such node."""
        if node not in self.nodes:
            raise ValueError(f"There is no node {node!r}: the nodes are {', '.join(self.nodes)}.")
        return node

    def meet(self, one: str, other: str) -> bool:
        """Whether two nodes reach each other; of a node and itself, whether it runs."""
        if one in self.stopped or other in self.stopped:
            return False
        return (one in self.beyond) == (other in self.beyond)

    def sides(self) -> tuple[list[str], list[str]]:
        """The nodes on each side of the cut, running or not; the second is empty without a cut."""
        return (
            [node for node in self.nodes if node not in self.beyond],
            [node for node in self.nodes if node in self.beyond],
        )

    def settle(self, now: int) -> None:
        """After a change: notes which nodes do not meet from now on."""
        for pair in combinations(self.nodes, 2):
            if self.meet(*pair):
                self._parted.pop(pair, None)
            else:
                self._parted.setdefault(pair, now)

    def parted(self, one: str, other: str) -> int:
        """The second since when two nodes do not meet. Raises KeyError if they do."""
        first, second = sorted((one, other), key=self.nodes.index)
        return self._parted[first, second]
