"""A cluster in the manner of Dynamo and Cassandra, small enough to read, which cannot surprise you.

Nothing here runs by itself: no threads, no network, no lot. Time is a number. It goes on by one
second with each request, and by as much as you like with `advance`.

Sources: G. DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007, sections
4.5 (execution of get and put), 4.6 (hinted handoff) and 4.7 (replica synchronization); Apache
Cassandra documentation, pages "Dynamo", "Hints", "Read repair", "Repair" and "Tombstones".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._network import Network
from ._replicas import Cell, Event, Hint, Unavailable, duration, required, wins
from ._ring import Ring


class Cluster:
    """Nodes on a token ring, to write to and to read from, to stop and to part from each other.

    Each node can take a request; it is then the coordinator. It sends a write to all replicas of
    the key, and a read to as many as the level needs: to itself first, then along the ring.

    What is simpler than in Cassandra: every node knows at once whom it reaches, so that nothing
    times out and nothing is lost half-way; a key has one value, not a row of columns; tombstones
    that are old enough are dropped at once, not by some later compaction; and a repair compares
    all values, not trees of hashes.

    Args:
        nodes: how many, 1 to 26 (they are called a, b, c and so on), or their names.
        replication: how many nodes keep each key.
        tokens_per_node: places of each node on the ring.
        hinted_handoff: whether a coordinator keeps hints for replicas that it does not reach.
        read_repair: whether a coordinator that gets different answers to a read sends the winner
            to those of the asked replicas that have something older.
        hint_window: seconds. For a node that is away for longer, no new hints are kept.
        gc_grace: seconds. A tombstone or a hint that is older is thrown away.

    Attributes:
        hinted_handoff, read_repair: these can be changed at any time.
        now: the true time in seconds, which no node knows.
        ring: the Ring.
        replication: how many nodes keep each key; see set_replication.
        log: all that happened, a list of events; print one to get a sentence.
        hints: for each node the hints that it keeps for others.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(
        self,
        nodes: int | Sequence[str] = 5,
        replication: int = 3,
        *,
        tokens_per_node: int = 16,
        hinted_handoff: bool = True,
        read_repair: bool = True,
        hint_window: int = 3 * 3600,
        gc_grace: int = 10 * 86_400,
    ) -> None:
        self.ring = Ring(nodes, tokens_per_node)
        self.nodes = self.ring.nodes
        self.ring.replicas("", replication)  # is the number in range?
        _whole("hint_window", hint_window, 0)
        _whole("gc_grace", gc_grace, 0)
        self.replication = replication
        self.hinted_handoff, self.read_repair = hinted_handoff, read_repair
        self.hint_window, self.gc_grace = hint_window, gc_grace
        self.now = 0
        self.log: list[Event] = []
        self.hints: dict[str, list[Hint]] = {node: [] for node in self.nodes}
        self._kept: dict[str, dict[str, Cell]] = {node: {} for node in self.nodes}
        self._keys: dict[str, None] = {}  # in the order of their first write
        self._offsets = dict.fromkeys(self.nodes, 0)
        self._network = Network(self.nodes)

    # Requests

    def write(
        self,
        key: str,
        value: str,
        level: str = "QUORUM",
        at: str | None = None,
        clock: int | None = None,
    ) -> int:
        """Write a value to all replicas that can be reached, if they are enough for the level.

        Args:
            key, value: text.
            level: "ONE", "QUORUM" or "ALL".
            at: the coordinator; the first node that runs if nothing is given.
            clock: the timestamp that the client gives (USING TIMESTAMP in CQL); the coordinator's
                clock if nothing is given.

        Returns:
            The timestamp of what was written.

        Raises:
            Unavailable: too few replicas can be reached; nothing was written.
            ConnectionError: the coordinator is stopped.
            ValueError: there is no such node or level.
            TypeError: the value is not text.
        """
        if not isinstance(value, str):
            raise TypeError(f"A value is text, and this is {value!r}: write str({value!r}).")
        return self._write(key, value, level, at, clock, f'write "{value}" under')

    def delete(
        self, key: str, level: str = "QUORUM", at: str | None = None, clock: int | None = None
    ) -> int:
        """Write a tombstone: a mark that says that there is nothing any more.

        Without it a replica that slept through the deletion would bring the value back. It is kept
        for gc_grace seconds. A replica that comes back even later still does so: repair sooner.

        The arguments, the result and the errors are those of `write`.
        """
        return self._write(key, None, level, at, clock, "delete")

    def read(self, key: str, level: str = "QUORUM", at: str | None = None) -> str | None:
        """Read a value from as many replicas as the level needs; the newest version wins.

        If they do not agree and read_repair is on, those with an older version get the winner
        before the client gets its answer. With ONE there is nothing to compare.

        Returns:
            The value; None if there is none.

        Raises: as `write`.
        """
        at, replicas, need = self._ask(key, level, at, "read")
        near = sorted(self._reached(at, replicas), key=lambda node: node != at)[:need]
        found: dict[str, Cell | None] = {}
        for node in near:
            cell = found[node] = self._kept[node].get(key)
            has = f"has {cell}" if cell else "has nothing"
            who = f"{at} itself" if node == at else f"{at} asks {node}, which"
            self._tell("read", node, at, f"{who} {has}.")
        best = max(filter(None, found.values()), default=None)
        if best is not None and any(cell != best for cell in found.values()):
            self._tell("differ", at, "", f"The replicas differ: {best} wins.")
            if self.read_repair:
                for node in (node for node in near if found[node] != best):
                    self._store(node, key, best, "repair", at, "Read repair: ")
        value = None if best is None or best.deleted >= 0 else best.value
        what = "nothing is stored" if value is None else f'"{value}"'
        self._tell("answer", at, "client", f'{at} answers: under "{key}", {what}.')
        return value

    def _write(
        self, key: str, value: str | None, level: str, at: str | None, clock: int | None, what: str
    ) -> int:
        if clock is not None:
            _whole("clock", clock)
        at, replicas, need = self._ask(key, level, at, what)
        timestamp = self.clock(at) if clock is None else clock
        cell = Cell(timestamp, -1, value) if value is not None else Cell(timestamp, self.now, "")
        self._keys[key] = None
        reached = self._reached(at, replicas)
        for node in replicas:
            if node in reached:
                self._store(node, key, cell, "write", at)
            else:
                self._hint(at, node, key, cell)
        self._tell(
            "answer", at, "client",
            f"{at} answers: done. {len(reached)} of {len(replicas)} replicas have answered, and "
            f"{level} needs {need}.",
        )  # fmt: skip
        return timestamp

    def _ask(self, key: str, level: str, at: str | None, what: str) -> tuple[str, list[str], int]:
        """Gives coordinator, replicas, and how many of them are needed; or raises."""
        if not isinstance(key, str):
            raise TypeError(f"A key is text, and this is {key!r}: write str({key!r}).")
        if not key:
            raise ValueError("A key may not be empty.")
        need = required(level, self.replication)
        if at is None:
            at = next(filter(self.running, self.nodes), self.nodes[0])
        self._network.known(at)
        replicas = self.replicas(key)
        self._pass(1)
        self._tell("ask", "client", at, f'The client asks {at} to {what} "{key}", at {level}.')
        if not self.running(at):
            self._tell("refuse", "", "client", f"{at} is stopped: nobody answers the client.")
            raise ConnectionError(
                f"{at} is stopped, so that it takes no request. Start it, or ask another node."
            )
        alive = len(self._reached(at, replicas))
        if alive < need:
            self._tell(
                "refuse", at, "client",
                f"{at} answers: unavailable. {level} needs {need} of the replicas "
                f"{', '.join(replicas)}, and {at} reaches {alive}. Nothing is done.",
            )  # fmt: skip
            raise Unavailable(level, need, alive, replicas, at)
        return at, replicas, need

    def _reached(self, at: str, replicas: list[str]) -> list[str]:
        return [node for node in replicas if self._network.meet(at, node)]

    def _store(
        self, node: str, key: str, cell: Cell, kind: str, source: str, why: str = ""
    ) -> None:
        """A node gets a version, and keeps it if it wins over what it has."""
        has = self._kept[node].get(key)
        way = f"{source} sends it to {node}. " if node != source else ""
        if has == cell:
            what = f"{node} has {cell} already."
        elif wins(cell, has):
            self._kept[node][key] = cell
            what = f"{node} stores {cell}."
        else:
            what = f"{node} keeps {has}, which wins over {cell}."
        self._tell(kind, source, node, f"{why}{way}{what}")

    def _hint(self, at: str, node: str, key: str, cell: Cell) -> None:
        """A replica did not answer: keep a hint for it, if that is allowed."""
        away = self.now - self._network.parted(at, node)
        missed = f"{node} did not answer"
        if not self.hinted_handoff:
            self._tell("lost", at, node, f"{missed}; hinted handoff is off, so {node} misses it.")
        elif away > self.hint_window:
            window = duration(self.hint_window)
            self._tell(
                "lost", at, node,
                f"{missed}; it has been away for more than {window}, so {at} keeps no hint.",
            )  # fmt: skip
        else:
            self.hints[at].append(Hint(node, key, cell, self.now))
            self._tell("hint", at, node, f"{missed}; {at} keeps a hint for it.")

    # What can go wrong, and how it is put right

    def stop(self, node: str) -> None:
        """Stop a node. It keeps what it has stored, and its hints. Stopping twice is fine."""
        if self.running(node):
            self._network.stopped.add(node)
            self._tell("stop", node, "", f"{node} stops.")
            self._settle()

    def start(self, node: str) -> None:
        """Start a stopped node; whoever reaches it delivers its hints."""
        if not self.running(node):
            self._network.stopped.remove(node)
            self._tell("start", node, "", f"{node} starts again, with what it had.")
            self._drop()
            self._settle()

    def cut(self, nodes: Iterable[str]) -> None:
        """Cut the network: these nodes do not reach the others any more. It replaces another cut.

        Raises:
            ValueError: there is no such node, or nobody on one of the sides.
        """
        beyond = {self._network.known(node) for node in nodes}
        if not 0 < len(beyond) < len(self.nodes):
            raise ValueError("A cut has nodes on both sides. To mend the network, call heal().")
        self._network.beyond = beyond
        sides = (", ".join(side) for side in self._network.sides())
        self._tell("cut", "", "", f"The network is cut: {' | '.join(sides)}.")
        self._settle()

    def heal(self) -> None:
        """Mend the network. Stopped nodes stay stopped."""
        if self._network.beyond:
            self._network.beyond = set()
            self._tell("heal", "", "", "The network is whole again.")
            self._settle()

    def repair(self) -> int:
        """Compare all replicas and send each what it misses: anti-entropy, `nodetool repair`.

        Only nodes that run take part, on each side of a cut for itself.

        Returns:
            How many versions were sent.
        """
        absent = [node for node in self.nodes if not self.running(node)]
        if absent:
            self._tell("note", "", "", f"Stopped nodes take no part: {', '.join(absent)}.")
        sent = 0
        for key in self._keys:
            replicas = self.replicas(key)
            for side in self._network.sides():
                group = [node for node in replicas if node in side and self.running(node)]
                cells = {node: self._kept[node].get(key) for node in group}
                best = max(filter(None, cells.values()), default=None)
                if best is None:
                    continue
                source = next(node for node in group if cells[node] == best)
                for node in (node for node in group if cells[node] != best):
                    self._store(node, key, best, "repair", source, "Repair: ")
                    sent += 1
        times = "1 version" if sent == 1 else f"{sent} versions"
        self._tell("note", "", "", f"The repair is done: it has sent {times}.")
        return sent

    def advance(self, seconds: int) -> None:
        """Let time pass: whole seconds, 0 or more."""
        _whole("seconds", seconds, 0)
        words = duration(seconds)
        passes = "passes" if words.startswith("1 ") else "pass"
        self._tell("time", "", "", f"{words} {passes}.")
        self._pass(seconds)

    def set_clock(self, node: str, offset: int) -> None:
        """Make a node's clock wrong: offset is in seconds, below 0 if the clock is behind."""
        self._network.known(node)
        _whole("offset", offset)
        self._offsets[node] = offset
        side = "ahead" if offset > 0 else "behind"
        how = f"{duration(abs(offset))} {side}" if offset else "right"
        self._tell("clock", node, "", f"The clock of {node} is {how}.")

    def clock(self, node: str) -> int:
        """What a node takes for the time, in seconds."""
        return self.now + self._offsets[self._network.known(node)]

    def set_replication(self, replication: int) -> None:
        """Change the replication factor. What is stored stays where it is until a repair."""
        self.ring.replicas("", replication)
        self.replication = replication
        nodes = "1 node keeps" if replication == 1 else f"{replication} nodes keep"
        self._tell("note", "", "", f"From now on {nodes} each key.")

    # What one would like to know

    def replicas(self, key: str) -> list[str]:
        """The nodes that keep a key, in the order of the ring."""
        return self.ring.replicas(key, self.replication)

    def running(self, node: str) -> bool:
        """Whether a node is not stopped."""
        return self._network.known(node) not in self._network.stopped

    def stored(self, key: str) -> dict[str, Cell | None]:
        """What each replica of a key has: a version, which may be a tombstone, or None."""
        return {node: self._kept[node].get(key) for node in self.replicas(key)}

    def story(self, last: int | None = None) -> str:
        """The log as text, a sentence a line; only the last ones if a number is given."""
        events = self.log if last is None else self.log[max(0, len(self.log) - last) :]
        return "\n".join(event.text for event in events)

    # Time and the network

    def _pass(self, seconds: int) -> None:
        self.now += seconds
        self._drop()

    def _drop(self) -> None:
        """Running nodes throw away tombstones that are older than gc_grace."""
        for node in self.nodes:
            if not self.running(node):
                continue
            for key, cell in list(self._kept[node].items()):
                if cell.deleted >= 0 and self.now - cell.deleted > self.gc_grace:
                    del self._kept[node][key]
                    why = f"it is older than {duration(self.gc_grace)} (gc_grace)"
                    self._tell("drop", node, "", f'{node} drops its tombstone of "{key}": {why}.')

    def _settle(self) -> None:
        """After a change: notes who has lost whom, and delivers hints to those who are back."""
        self._network.settle(self.now)
        for holder in self.nodes:
            hints, self.hints[holder] = self.hints[holder], []
            for hint in hints:
                if not self._network.meet(holder, hint.target):
                    self.hints[holder].append(hint)
                elif self.now - hint.kept > self.gc_grace:
                    text = f"{holder} throws away its hint for {hint.target}: it is older than "
                    text += f"{duration(self.gc_grace)} (gc_grace)."
                    self._tell("expire", holder, "", text)
                else:
                    self._store(hint.target, hint.key, hint.cell, "handoff", holder, "Hint: ")

    def _tell(self, kind: str, source: str, target: str, text: str) -> None:
        self.log.append(Event(self.now, kind, source, target, text))


def _whole(name: str, value: object, least: int | None = None) -> None:
    """Raises ValueError, in one sentence, unless the value is a whole number, not below least."""
    if type(value) is not int or (least is not None and value < least):
        bound = "" if least is None else f" from {least} on"
        raise ValueError(f"{name} is a whole number{bound}, and this is {value!r}.")
