"""What each algorithm promises, for any servers, weights and clients."""

from __future__ import annotations

import math
import pickle
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.balancing import (
    Algorithm,
    ConsistentHash,
    IPHash,
    LeastConnections,
    ModuloHash,
    NoServer,
    PowerOfTwoChoices,
    Random,
    Request,
    RoundRobin,
    StickyCookie,
    WeightedRoundRobin,
)

KINDS = {
    "round robin": RoundRobin,
    "weighted": WeightedRoundRobin,
    "HAProxy's": lambda servers: WeightedRoundRobin(servers, order="haproxy"),
    "random": Random,
    "least connections": LeastConnections,
    "two choices": PowerOfTwoChoices,
    "IP hash": IPHash,
    "modulo": ModuloHash,
    "consistent": ConsistentHash,
    "bounded": lambda servers: ConsistentHash(servers, bound=1.25),
    "sticky": lambda servers: StickyCookie(RoundRobin(servers)),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)

NAMES = st.text("abcdefghij", min_size=1, max_size=3)
WEIGHTS = st.dictionaries(NAMES, st.integers(1, 30), min_size=1, max_size=6)
CLIENTS = st.one_of(
    st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str), st.text(max_size=20)
)


@every_kind
@given(data=st.data())
@settings(max_examples=40)
def test_only_servers_that_are_there_are_chosen(make, data):
    """Servers come, go, are away, weigh nothing, and requests end in any order."""
    balancer: Algorithm = make(data.draw(WEIGHTS))
    model = dict(balancer.servers)
    open_ = Counter()
    for _ in range(data.draw(st.integers(1, 25))):
        step = data.draw(st.sampled_from(["choose"] * 4 + ["add", "remove", "weigh", "release"]))
        if step == "add":
            if (name := data.draw(NAMES)) not in model:
                model[name] = data.draw(st.one_of(st.integers(0, 9), st.floats(0, 9)))
                balancer.add(name, model[name])
        elif step == "remove" and model:
            balancer.remove(name := data.draw(st.sampled_from(sorted(model))))
            del model[name]
        elif step == "weigh" and model:
            model[name := data.draw(st.sampled_from(sorted(model)))] = data.draw(st.integers(0, 9))
            balancer.set_weight(name, model[name])
        elif step == "release" and +open_:
            balancer.release(name := data.draw(st.sampled_from(sorted(+open_))))
            open_[name] -= 1
        else:
            away = data.draw(st.sets(st.sampled_from(sorted(model)))) if model else set()
            able = {name for name, weight in model.items() if weight} - away
            request = Request(data.draw(CLIENTS))
            if not able:
                with pytest.raises(NoServer):
                    balancer.choose(request, without=away)
                continue
            chosen = balancer.choose(request, without=away)
            assert chosen in able
            balancer.acquire(chosen)
            open_[chosen] += 1
        assert dict(balancer.servers) == model
        assert {name: n for name, n in balancer.connections.items() if n} == dict(+open_)


@given(WEIGHTS, st.integers(1, 3))
def test_shares_are_exact_after_each_round(weights, rounds):
    balancer = WeightedRoundRobin(weights)
    turns = Counter(balancer.choose() for _ in range(rounds * sum(weights.values())))
    assert turns == {name: rounds * weight for name, weight in weights.items()}


@given(WEIGHTS, st.integers(1, 3))
@settings(max_examples=30)
def test_haproxys_shares_stray_by_a_turn_at_most(weights, windows):
    balancer = WeightedRoundRobin(weights, order="haproxy")
    rounds = 16 * windows
    turns = Counter(balancer.choose() for _ in range(rounds * sum(weights.values())))
    for name, weight in weights.items():
        assert abs(turns[name] - rounds * weight) <= windows


@given(WEIGHTS)
def test_turns_are_spread_out(weights):
    """At any moment a server's turns are less than a round's worth of servers from its share."""
    balancer, turns, total = WeightedRoundRobin(weights), Counter(), sum(weights.values())
    for number in range(1, 2 * total + 1):
        turns[balancer.choose()] += 1
        for name, weight in weights.items():
            assert abs(turns[name] - number * weight / total) < len(weights)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.data())
def test_round_robin_keeps_its_place(names, data):
    balancer = RoundRobin(names)
    for _ in range(data.draw(st.integers(0, 9))):
        balancer.choose()
    rest = [balancer.choose() for _ in names]
    assert sorted(rest) == sorted(names)
    gone = data.draw(st.sampled_from(names))
    balancer.remove(gone)
    again = [name for name in rest if name != gone]
    assert [balancer.choose() for _ in again] == again
    balancer.add("new")
    everybody = [balancer.choose() for _ in range(2 * len(again) + 2)]
    assert set(Counter(everybody).values()) == {2}


@given(WEIGHTS, st.integers(1, 80))
def test_least_connections_levels_the_load(weights, requests):
    """With nothing but arrivals, no server ever has a whole request more than its share."""
    balancer = LeastConnections(weights)
    for _ in range(requests):
        chosen = balancer.choose()
        before = balancer.connections[chosen] / weights[chosen]
        assert all(before <= balancer.connections[x] / w + 1e-9 for x, w in weights.items())
        balancer.acquire(chosen)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2), WEIGHTS)
def test_of_two_choices_the_emptier_is_taken(numbers, weights):
    drawn = iter(numbers)
    balancer = PowerOfTwoChoices(weights, random=lambda: next(drawn))
    busy = max(weights, key=weights.__getitem__)
    for _ in range(100):
        balancer.acquire(busy)
    assert balancer.choose() != busy or len(weights) == 1


def test_two_choices_keep_the_longest_queue_short():
    """Balls into bins: ln n / ln ln n against ln ln n / ln 2 (Mitzenmacher 2001)."""
    names = [str(number) for number in range(300)]
    longest = {}
    for kind in (Random, PowerOfTwoChoices):
        balancer = kind(names, random.Random(1).random)
        for _ in names:
            balancer.acquire(balancer.choose())
        longest[kind] = max(balancer.connections.values())
    assert longest[PowerOfTwoChoices] < longest[Random]
    assert longest[PowerOfTwoChoices] <= 4


@given(st.ip_addresses(v=4), st.integers(0, 255), WEIGHTS)
def test_neighbours_have_the_same_server(address, last, weights):
    balancer = IPHash(weights)
    neighbour = f"{str(address).rpartition('.')[0]}.{last}"
    assert balancer.choose(Request(str(address))) == balancer.choose(Request(neighbour))


@pytest.mark.parametrize("make", [IPHash, ModuloHash, ConsistentHash])
@given(weights=WEIGHTS, clients=st.lists(CLIENTS, min_size=1, max_size=20))
@settings(max_examples=40)
def test_a_hash_always_says_the_same(make, weights, clients):
    one, other = make(weights), make(weights)
    first = [one.choose(Request(client)) for client in clients]
    assert [other.choose(Request(client)) for client in reversed(clients)][::-1] == first


def keys(count: int) -> list[Request]:
    return [Request(f"key {number}") for number in range(count)]


@given(WEIGHTS, st.integers(1, 30), st.data())
@settings(max_examples=40)
def test_a_new_server_takes_its_share_and_nothing_else_moves(weights, weight, data):
    balancer, asked = ConsistentHash(weights), keys(400)
    before = [balancer.choose(key) for key in asked]
    balancer.add("new", weight)
    after = [balancer.choose(key) for key in asked]
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) <= {"new"}
    # 160 points for each unit of weight: its share of the ring strays by a tenth or so.
    share = weight / (weight + sum(weights.values()))
    stray = 6 * math.sqrt(len(asked) * share * (1 - share)) + 0.6 * share * len(asked)
    assert abs(len(moved) - share * len(asked)) <= stray
    balancer.remove("new")
    assert [balancer.choose(key) for key in asked] == before


def test_on_average_one_key_in_n_moves():
    """For K keys and the n-th server about K/n move; with modulo about all but K/n."""
    asked, servers = keys(2000), 7
    shares = {ConsistentHash: [], ModuloHash: []}
    for kind, found in shares.items():
        for start in range(20):
            names = [f"server {start + number}" for number in range(servers)]
            fewer, more = kind(names[:-1]), kind(names)
            moved = sum(fewer.choose(key) != more.choose(key) for key in asked)
            found.append(moved / len(asked))
    consistent, modulo = (sum(found) / len(found) for found in shares.values())
    assert abs(consistent - 1 / servers) < 0.02
    assert modulo > 0.8


@given(WEIGHTS, st.integers(1, 60), st.sampled_from([1.01, 1.25, 2.0]))
@settings(max_examples=60)
def test_nobody_gets_more_than_the_bound(weights, requests, bound):
    """Although all of them ask for the same thing."""
    balancer = ConsistentHash(weights, bound=bound)
    total = sum(weights.values())
    for number in range(1, requests + 1):
        chosen = balancer.choose(Request("the hit of the year"))
        balancer.acquire(chosen)
        fair = number * weights[chosen] / total
        assert balancer.connections[chosen] <= math.ceil(bound * fair)


def test_the_points_of_a_server():
    """The first points of nginx's ring for 127.0.0.1:8001, worked out with crc32 as documented."""
    from zlib import crc32

    from helpers.balancing._ring import points_of

    first = crc32(b"127.0.0.1\x008001\x00\x00\x00\x00")
    second = crc32(b"127.0.0.1\x008001" + first.to_bytes(4, "little"))
    assert points_of("127.0.0.1:8001", 2) == points_of("http://127.0.0.1:8001", 2)
    assert points_of("127.0.0.1:8001", 2) == [first, second]


class TestStickyCookie:
    def visit(self, balancer, jar, **away):
        """One request of a browser with these cookies."""
        request = Request(cookies=jar)
        chosen = balancer.choose(request, **away)
        if cookie := balancer.cookie_for(request, chosen):
            name, _, rest = cookie.partition("=")
            jar[name] = rest.partition(";")[0]
        return chosen

    @given(WEIGHTS, st.integers(1, 8))
    def test_a_client_stays(self, weights, clients):
        balancer = StickyCookie(WeightedRoundRobin(weights))
        jars = [{} for _ in range(clients)]
        first = [self.visit(balancer, jar) for jar in jars]
        for _ in range(3):
            assert [self.visit(balancer, jar) for jar in jars] == first
            assert all(
                balancer.cookie_for(Request(cookies=jar), x) is None
                for jar, x in zip(jars, first, strict=True)
            )

    def test_a_server_that_is_away_is_replaced_for_good(self):
        balancer, jar = StickyCookie(RoundRobin(["a", "b"])), {}
        assert self.visit(balancer, jar) == "a"
        assert self.visit(balancer, jar, without={"a"}) == "b"
        assert self.visit(balancer, jar) == "b"

    def test_weight_0_sends_a_client_away(self):
        balancer, jar = StickyCookie(RoundRobin(["a", "b"])), {}
        self.visit(balancer, jar)
        balancer.set_weight("a", 0)
        assert self.visit(balancer, jar) == "b"

    @given(st.text(max_size=30))
    def test_a_value_of_ones_own_chooses_nothing(self, value):
        balancer = StickyCookie(RoundRobin(["a", "b"]))
        assert balancer.choose(Request(cookies={"server": value})) == "a"

    def test_its_value_tells_nothing_and_a_secret_makes_balancers_agree(self):
        url = "http://127.0.0.1:8001"
        cookies = [
            StickyCookie(RoundRobin([url]), secret=secret).cookie_for(Request(), url)
            for secret in (None, None, b"ours", b"ours")
        ]
        assert "8001" not in "".join(cookies)
        assert len(set(cookies)) == 3 and cookies[2] == cookies[3]
        assert cookies[0].endswith("; Path=/; HttpOnly; SameSite=Lax")

    @pytest.mark.parametrize("name", ["", "a b", "a=b", "é", 5])
    def test_a_bad_cookie_name(self, name):
        with pytest.raises(ValueError, match="cookie"):
            StickyCookie(RoundRobin(["a"]), cookie=name)

    def test_what_is_no_algorithm(self):
        with pytest.raises(ValueError, match="inner"):
            StickyCookie(["a"])


@every_kind
@pytest.mark.parametrize("weight", [-1, math.nan, math.inf, "2", None, True, 1j])
def test_bad_weights(make, weight):
    with pytest.raises(ValueError, match="weight of 'b'"):
        make({"a": 1, "b": weight})
    balancer = make({"a": 1})
    for change in (balancer.add, lambda *_: balancer.set_weight("a", weight)):
        with pytest.raises(ValueError, match="weight of"):
            change("b", weight)
    assert dict(balancer.servers) == {"a": 1}


@every_kind
def test_bad_names_and_unknown_ones(make):
    for servers, word in (("abc", "list of names"), (["a", "a"], "there already"), ([5], "text")):
        with pytest.raises(ValueError, match=word):
            make(servers)
    balancer = make(["a", "b"])
    for change in (balancer.remove, balancer.acquire, lambda x: balancer.set_weight(x, 2)):
        with pytest.raises(ValueError, match=r"There is no server 'c'\. There are: a, b\."):
            change("c")
    with pytest.raises(ValueError, match="acquire"):
        balancer.release("a")
    with pytest.raises(ValueError, match="without"):
        balancer.choose(without="a")
    assert balancer.choose(without=["a", "unknown"]) == "b"


@every_kind
def test_nobody_is_left(make):
    with pytest.raises(NoServer, match="the list is empty"):
        make([]).choose()
    balancer = make({"a": 1, "b": 0})
    assert balancer.choose() == "a"
    with pytest.raises(NoServer, match="may be chosen now: a, b"):
        balancer.choose(without=["a"])


@every_kind
def test_one_server_gets_everything(make):
    balancer = make(["only"])
    assert {balancer.choose(Request(str(n))) for n in range(20)} == {"only"}


@pytest.mark.parametrize("make", [IPHash, ModuloHash, ConsistentHash])
@pytest.mark.parametrize("client", [None, 5, ["a"], b"a"])
def test_a_client_that_is_no_text(make, client):
    with pytest.raises(ValueError, match="client is a text"):
        make(["a", "b"]).choose(Request(client))


@pytest.mark.parametrize("make", [WeightedRoundRobin, LeastConnections, Random])
def test_huge_weights(make):
    balancer = make({"a": 10**9, "b": 10**9, "c": 10**300})
    assert {balancer.choose(Request(f"10.0.{n}.0")) for n in range(50)} == {"c"}


def test_a_hash_reaches_only_so_far():
    """As in nginx: what lies beyond the largest hash gets nothing."""
    weights = {"a": 40_000, "b": 1}
    for make in (IPHash, ModuloHash):
        assert {make(weights).choose(Request(f"10.{n}.0.0")) for n in range(200)} == {"a"}


def test_a_ring_has_a_limit():
    with pytest.raises(ValueError, match="divide all weights"):
        ConsistentHash({"a": 10**9})
    balancer = ConsistentHash(["a"])
    with pytest.raises(ValueError, match="1,000,000 points"):
        balancer.set_weight("a", 10**9)
    assert dict(balancer.servers) == {"a": 1}


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ({"points": 0}, "points"),
        ({"points": 2.5}, "points"),
        ({"bound": 1}, "bound"),
        ({"bound": math.nan}, "bound"),
        ({"bound": "2"}, "bound"),
    ],
)
def test_bad_settings_of_the_ring(bad, word):
    with pytest.raises(ValueError, match=word):
        ConsistentHash(["a"], **bad)


def test_there_are_two_orders():
    with pytest.raises(ValueError, match="order"):
        WeightedRoundRobin(["a"], order="apache")


def test_a_server_may_go_while_it_is_at_work():
    balancer = LeastConnections(["a", "b"])
    balancer.acquire("a")
    balancer.remove("a")
    assert balancer.choose() == "b"
    balancer.release("a")
    assert dict(balancer.connections) == {"b": 0}
    balancer.add("a")
    assert balancer.connections["a"] == 0


def test_views_are_to_read_only():
    balancer = RoundRobin(["a"])
    with pytest.raises(TypeError):
        balancer.servers["b"] = 1
    with pytest.raises(TypeError):
        balancer.connections["a"] = 1


def test_requests_are_plain_data():
    request = Request("203.0.113.7", "/songs", {"accept": "*/*"}, {"server": "x"})
    assert pickle.loads(pickle.dumps(request)) == request
