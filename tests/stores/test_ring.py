"""The token ring: Cassandra's own tokens, and the replicas that its driver computes."""

from __future__ import annotations

from typing import Any

import pytest
from cassandra.metadata import Murmur3Token, SimpleStrategy
from cassandra.murmur3 import _murmur3
from cassandra.policies import SimpleConvictionPolicy
from cassandra.pool import Host
from hypothesis import given
from hypothesis import strategies as st

from helpers.stores import Ring
from helpers.stores._ring import LEAST_TOKEN, MOST_TOKEN, token_of

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)


@given(st.binary(max_size=100))
def test_the_tokens_are_those_of_the_driver(key: bytes) -> None:
    assert token_of(key) == Murmur3Token.from_key(key).value == Murmur3Token(_murmur3(key)).value


@given(text)
def test_a_text_counts_as_utf_8(key: str) -> None:
    assert Ring().token(key) == Murmur3Token.from_key(key.encode()).value


def test_known_tokens() -> None:
    """As `SELECT token('...')` gives them in Cassandra; no letter of the last block is above 127."""
    assert token_of("") == 0
    assert token_of("123") == -7468325962851647638
    assert token_of(b"\x00\xff\x10\xfa\x99" * 10) == 5837342703291459765
    assert token_of(b"\xfe" * 8) == -8927430733708461935
    assert token_of(b"\x10" * 8) == 1446172840243228796


def test_the_least_number_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.stores._ring._stirred", lambda number: 2**62)
    assert token_of("any") == MOST_TOKEN != LEAST_TOKEN


@given(
    nodes=st.integers(1, 12), tokens=st.integers(1, 20), data=st.data(), key=text
)  # fmt: skip
def test_the_replicas_are_those_of_the_driver(
    nodes: int, tokens: int, data: st.DataObject, key: str
) -> None:
    factor = data.draw(st.integers(1, nodes))
    ring = Ring(nodes, tokens)
    hosts = {node: Host(node, SimpleConvictionPolicy) for node in ring.nodes}
    owners = {Murmur3Token(token): hosts[node] for token, node in ring.tokens}
    order = sorted(owners)
    replicas = SimpleStrategy({"replication_factor": str(factor)}).make_token_replica_map(
        owners, order
    )
    token = Murmur3Token.from_key(key.encode())
    first = next((one for one in order if one >= token), order[0])
    assert ring.replicas(key, factor) == [host.endpoint.address for host in replicas[first]]


@given(keys=st.lists(text, min_size=1, max_size=40), tokens=st.integers(1, 16))
def test_a_new_node_takes_keys_and_moves_none_between_the_others(
    keys: list[str], tokens: int
) -> None:
    before, after = Ring("abcde", tokens), Ring("abcdef", tokens)
    for key in keys:
        old, new = before.replicas(key, 1), after.replicas(key, 1)
        assert new in (old, ["f"])


def test_more_tokens_make_the_shares_more_even() -> None:
    def spread(tokens: int) -> float:
        ring = Ring(5, tokens)
        shares = [ring.share(node) for node in ring.nodes]
        assert sum(shares) == pytest.approx(1)
        return max(shares) - min(shares)

    assert spread(1) > spread(16) > spread(256)
    assert Ring(1, 1).share("a") == 1


def test_the_shares_are_those_of_many_keys() -> None:
    ring = Ring(4, 3)
    owners = [ring.replicas(f"song-{number}", 1)[0] for number in range(4000)]
    for node in ring.nodes:
        assert owners.count(node) / 4000 == pytest.approx(ring.share(node), abs=0.03)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"nodes": 0}, "nodes is a whole number from 1 to 26, and this is 0."),
        ({"nodes": 27}, "nodes is a whole number from 1 to 26, and this is 27."),
        ({"nodes": []}, "A ring needs nodes with different names"),
        ({"nodes": "aa"}, "A ring needs nodes with different names"),
        ({"tokens_per_node": 0}, "tokens_per_node is a whole number from 1 to 1024"),
        ({"tokens_per_node": True}, "tokens_per_node is a whole number from 1 to 1024"),
    ],
)
def test_what_makes_no_ring(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        Ring(**given)


def test_what_a_ring_does_not_know() -> None:
    with pytest.raises(ValueError, match="There is no node 'x': the nodes are a, b"):
        Ring(2).share("x")
    with pytest.raises(ValueError, match="replication_factor is a whole number from 1 to 2"):
        Ring(2).replicas("key", 3)
    with pytest.raises(TypeError, match="A key is text or bytes"):
        Ring(2).token(7)
