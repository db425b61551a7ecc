"""The token ring: which nodes of a cluster keep which key.

Sources: G. DeCandia et al., "Dynamo: Amazon's Highly Available Key-value Store", SOSP 2007, sections
4.2 (partitioning) and 4.3 (replication); Apache Cassandra documentation, page "Dynamo", sections
"Consistent Hashing using a Token Ring" and "Simple Strategy".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEAST_TOKEN = -(2**63)
MOST_TOKEN = 2**63 - 1
MOST_TOKENS_PER_NODE = 1024

_ALL_BITS = 2**64 - 1
_FIRST, _SECOND = 0x87C37B91114253D5, 0x4CF5AD432745937F


def token_of(key: str | bytes) -> int:
    """The token of a partition key, as Cassandra's Murmur3Partitioner computes it.

    It is the first half of the hash MurmurHash3 (x64, 128 bits, seed 0), as a signed number. Two
    things are Cassandra's own: the last bytes of a key, those that fill no block of 16, are taken
    as signed numbers; and the least number stands for "before all tokens", so that the greatest
    takes its place.

    Args:
        key: text, which counts as UTF-8, as in a column of the type text; or bytes.

    Returns:
        A whole number from -2**63 + 1 to 2**63 - 1.

    Raises:
        TypeError: the key is neither text nor bytes.

    Sources: A. Appleby, MurmurHash3 (public domain); Apache Cassandra documentation, page
    "cassandra.yaml", setting "partitioner".
    """
    if isinstance(key, str):
        data = key.encode()
    elif isinstance(key, bytes):
        data = key
    else:
        raise TypeError(f"A key is text or bytes, and this is {key!r}: write str({key!r}).")
    one = two = 0
    end = len(data) - len(data) % 16
    for start in range(0, end, 16):
        one ^= _mixed(int.from_bytes(data[start : start + 8], "little"), _FIRST, 31, _SECOND)
        one = (_turned(one, 27) + two) * 5 + 0x52DCE729 & _ALL_BITS
        two ^= _mixed(int.from_bytes(data[start + 8 : start + 16], "little"), _SECOND, 33, _FIRST)
        two = (_turned(two, 31) + one) * 5 + 0x38495AB5 & _ALL_BITS
    two ^= _mixed(_signed_bytes(data[end + 8 :]), _SECOND, 33, _FIRST)
    one ^= _mixed(_signed_bytes(data[end : end + 8]), _FIRST, 31, _SECOND)
    one ^= len(data)
    two ^= len(data)
    one = one + two & _ALL_BITS
    two = two + one & _ALL_BITS
    token = _stirred(one) + _stirred(two) & _ALL_BITS
    if token > MOST_TOKEN:
        token -= 2**64
    return MOST_TOKEN if token == LEAST_TOKEN else token


def _turned(number: int, places: int) -> int:
    """64 bits, turned to the left."""
    return (number << places | number >> 64 - places) & _ALL_BITS


def _mixed(number: int, factor: int, places: int, other: int) -> int:
    return _turned(number * factor & _ALL_BITS, places) * other & _ALL_BITS


def _signed_bytes(data: bytes) -> int:
    number = 0
    for place, byte in enumerate(data):
        signed = byte - 256 if byte > 127 else byte
        number ^= signed << 8 * place & _ALL_BITS
    return number


def _stirred(number: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        number = (number ^ number >> 33) * factor & _ALL_BITS
    return number ^ number >> 33


class Ring:
    """Nodes and keys lie on one ring of tokens; a key belongs to the next node on it.

    Each node has several places on the ring, its tokens (Cassandra calls them virtual nodes). The
    more it has, the more even are the shares. A real node draws its tokens by lot or has them
    allocated. Here they follow from the node's name, so that each run gives the same ring.

    If a node is added, it takes over the keys just before its tokens; no key moves between two
    old nodes. To look at a change, make a second ring with one name more.

    Looking up a key costs O(log t) for t tokens, and a walk along the ring for its replicas.

    Args:
        nodes: how many, 1 to 26: they are called a, b, c and so on. Or their names.
        tokens_per_node: 1 to 1024; 16 is the default of Cassandra (cassandra.yaml, "num_tokens").

    Attributes:
        nodes: the names.
        tokens: a list of (token, name of the node), in the order of the ring.

    Raises:
        ValueError: there is no node, a name is there twice, or a number is out of range.
    """

    def __init__(self, nodes: int | Sequence[str] = 5, tokens_per_node: int = 16) -> None:
        if type(nodes) is int:
            _whole("nodes", nodes, 1, len(LETTERS))
            nodes = LETTERS[:nodes]
        self.nodes = tuple(nodes)
        if not self.nodes or len(set(self.nodes)) < len(self.nodes):
            raise ValueError(f"A ring needs nodes with different names, and these are {nodes!r}.")
        _whole("tokens_per_node", tokens_per_node, 1, MOST_TOKENS_PER_NODE)
        self.tokens = sorted(
            (token_of(f"{node}-{number}"), node)
            for node in self.nodes
            for number in range(tokens_per_node)
        )

    def token(self, key: str | bytes) -> int:
        """The place of a key on the ring: see token_of."""
        return token_of(key)

    def replicas(self, key: str | bytes, replication_factor: int) -> list[str]:
        """The nodes that keep a key: the first different ones on the ring from the key's token on.

        This is Cassandra's SimpleStrategy. It knows nothing of racks and data centers, which the
        NetworkTopologyStrategy of a real cluster does.

        Args:
            key: text or bytes.
            replication_factor: how many nodes keep it, 1 to the number of nodes.

        Raises:
            ValueError: replication_factor is out of range.
        """
        _whole("replication_factor", replication_factor, 1, len(self.nodes))
        return list(islice(self._walk(token_of(key)), replication_factor))

    def _walk(self, token: int) -> Iterator[str]:
        """The nodes from a token on, each once."""
        start = bisect_left(self.tokens, (token,))
        around = self.tokens[start:] + self.tokens[:start]
        return iter(dict.fromkeys(node for _, node in around))

    def share(self, node: str) -> float:
        """The part of the ring, 0 to 1, for whose keys the node is the first replica.

        Raises:
            ValueError: the ring has no such node.
        """
        if node not in self.nodes:
            raise ValueError(f"There is no node {node!r}: the nodes are {', '.join(self.nodes)}.")
        if len(self.tokens) == 1:
            return 1.0
        before = [self.tokens[-1], *self.tokens[:-1]]
        arcs = (
            (token - start) % 2**64
            for (token, owner), (start, _) in zip(self.tokens, before, strict=True)
            if owner == node
        )
        return sum(arcs) / 2**64


def _whole(name: str, value: object, least: int, most: int) -> None:
    """Raises ValueError, in one sentence, unless the value is a whole number within the bounds."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, and this is {value!r}.")
