"""The algorithms agree with the real programs, choice for choice, on the same traffic.

One nginx plays all servers: each of its ports answers with a letter. The programs in front of it
balance; one connection asks them, one request after the other.
"""

from __future__ import annotations

import asyncio
import http.client
import math
import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

import pytest

from helpers.balancing import (
    ConsistentHash,
    IPHash,
    LeastConnections,
    ModuloHash,
    Random,
    Request,
    RoundRobin,
    WeightedRoundRobin,
)
from helpers.programs import Apache, Haproxy, Nginx

LETTERS = "abcdef"
Weights = dict[str, int]


@pytest.fixture(scope="module")
def address() -> Iterator[dict[str, str]]:
    """Where each letter answers."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in LETTERS]  # all open: all different
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    blocks = "".join(
        f'server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000; return 200 "{letter}"; }}\n'
        for letter, port in zip(LETTERS, ports, strict=True)
    )
    with Nginx(blocks + "server { listen 127.0.0.1:PORT; }", workers=1):
        yield {letter: f"127.0.0.1:{port}" for letter, port in zip(LETTERS, ports, strict=True)}


@contextmanager
def asking(port: int):
    """A function that asks for a path, with header fields, and gives the letter that answered."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:

        def ask(path: str, **headers: str) -> str:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 200, text
            return text

        yield ask


def random_sets(seed: int, count: int, most: int) -> list[Weights]:
    """Weights for two to six servers; some sets have one heavy server, some all the same."""
    dice = random.Random(seed)
    sets: list[Weights] = [{"a": 5, "b": 1, "c": 1}, {"a": 1, "b": 1, "c": 1}]
    while len(sets) < count:
        limit = dice.choice([2, 5, most])
        letters = LETTERS[: dice.randint(2, 6)]
        sets.append({letter: dice.randint(1, limit) for letter in letters})
    return sets


def nginx_upstreams(sets: list[Weights], address: dict[str, str], method: str = "") -> str:
    """A config in which /0/ leads to the first set, /1/ to the second, and so on."""
    config, locations = "", ""
    for number, weights in enumerate(sets):
        members = "".join(f"server {address[x]} weight={w};" for x, w in weights.items())
        config += f"upstream set{number} {{ {method} {members} }}\n"
        locations += f"location /{number}/ {{ proxy_pass http://set{number}; }}\n"
    return config + f"server {{ listen 127.0.0.1:PORT; keepalive_requests 1000000; {locations} }}"


def two_rounds(weights: Weights) -> int:
    return min(2 * sum(weights.values()) + 3, 120)


def by_itself(algorithm, requests: int) -> str:
    return "".join(algorithm.choose() for _ in range(requests))


def test_weighted_round_robin_is_nginx(address):
    sets = random_sets(1, 30, 40)
    with Nginx(nginx_upstreams(sets, address), workers=1) as nginx, asking(nginx.port) as ask:
        for number, weights in enumerate(sets):
            length = two_rounds(weights)
            real = "".join(ask(f"/{number}/") for _ in range(length))
            assert by_itself(WeightedRoundRobin(weights), length) == real, weights
            if set(weights.values()) == {1}:
                assert by_itself(RoundRobin(weights), length) == real, weights


def test_the_famous_order():
    assert by_itself(WeightedRoundRobin({"a": 5, "b": 1, "c": 1}), 7) == "aabacaa"
    assert by_itself(WeightedRoundRobin({"a": 5, "b": 1, "c": 1}, "haproxy"), 7) == "aaabaac"


def test_the_other_order_is_haproxys(address):
    sets = [*random_sets(2, 27, 40), {"a": 2, "b": 3, "c": 3}, {"a": 7, "b": 9, "c": 10}]
    config = "frontend all\n bind 127.0.0.1:PORT\n use_backend set%[path,field(2,/)]\n"
    for number, weights in enumerate(sets):
        config += f"backend set{number}\n balance roundrobin\n"
        config += "".join(f" server {x} {address[x]} weight {w}\n" for x, w in weights.items())
    with Haproxy(config) as haproxy, asking(haproxy.port) as ask:
        for number, weights in enumerate(sets):
            # A window of HAProxy's is 16 rounds long; its end is the hard part.
            length = min(16 * sum(weights.values()) + 10, 430 if number > 22 else 100)
            real = "".join(ask(f"/{number}/") for _ in range(length))
            assert by_itself(WeightedRoundRobin(weights, "haproxy"), length) == real, weights


def test_weighted_round_robin_is_apaches_byrequests(address):
    sets = random_sets(3, 20, 40)
    config = "Listen 127.0.0.1:PORT\n"
    for number, weights in enumerate(sets):
        members = "".join(
            f"BalancerMember http://{address[x]} loadfactor={w}\n" for x, w in weights.items()
        )
        config += (
            f"<Proxy balancer://set{number}>\n{members}ProxySet lbmethod=byrequests\n</Proxy>\n"
            f"ProxyPass /{number}/ balancer://set{number}/\n"
        )
    with Apache(config) as apache, asking(apache.port) as ask:
        for number, weights in enumerate(sets):
            length = min(two_rounds(weights), 60)
            real = "".join(ask(f"/{number}/") for _ in range(length))
            assert by_itself(WeightedRoundRobin(weights), length) == real, weights


def some_addresses(dice: random.Random, count: int) -> list[str]:
    found = [".".join(str(dice.randrange(256)) for _ in range(4)) for _ in range(count)]
    found += [f"2001:db8:{dice.randrange(65536):x}::{dice.randrange(65536):x}" for _ in range(60)]
    return found


@pytest.mark.parametrize("away", ["", "b"])
def test_ip_hash_is_nginx(address, away):
    dice = random.Random(4)
    sets = [weights for weights in random_sets(4, 9, 20) if len(weights) > 2]
    config = nginx_upstreams(sets, address, "ip_hash;")
    if away:
        config = config.replace(f"{address[away]} weight", f"{address[away]} down weight")
    config = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;\n" + config
    with Nginx(config, workers=1) as nginx, asking(nginx.port) as ask:
        for number, weights in enumerate(sets):
            ours = IPHash(weights)
            for client in some_addresses(dice, 120):
                real = ask(f"/{number}/", **{"X-Real-IP": client})
                assert ours.choose(Request(client), without=set(away)) == real, (weights, client)


@pytest.mark.parametrize("away", ["", "b"])
@pytest.mark.parametrize(
    ("method", "algorithm"),
    [("hash $arg_k;", ModuloHash), ("hash $arg_k consistent;", ConsistentHash)],
)
def test_hashes_are_nginx(address, method, algorithm, away):
    dice = random.Random(5)
    sets = [weights for weights in random_sets(5, 7, 6) if len(weights) > 2]
    config = nginx_upstreams(sets, address, method)
    if away:
        config = config.replace(f"{address[away]} weight", f"{address[away]} down weight")
    letter_at = {place: letter for letter, place in address.items()}
    with Nginx(config, workers=1) as nginx, asking(nginx.port) as ask:
        for number, weights in enumerate(sets):
            ours = algorithm(
                {f"http://{address[x]}": w for x, w in weights.items()}, key=lambda one: one.path
            )
            without = {f"http://{address[away]}"} if away else set()
            for _ in range(300):
                key = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789-.", k=9))
                chosen = ours.choose(Request(path=key), without=without)
                real = ask(f"/{number}/?k={quote(key)}")
                assert letter_at[chosen.removeprefix("http://")] == real, (weights, key)


def test_random_has_nginxs_shares(address):
    """Each share lies within six standard deviations: a false alarm once in 10**8 runs."""
    weights, requests = {"a": 5, "b": 2, "c": 1}, 3000
    dice = random.Random(6)
    ours = Random(weights, dice.random)
    with (
        Nginx(nginx_upstreams([weights], address, "random;"), workers=1) as nginx,
        asking(nginx.port) as ask,
    ):
        real = Counter(ask("/0/") for _ in range(requests))
    for counts in (real, Counter(by_itself(ours, requests))):
        for letter, weight in weights.items():
            share = weight / sum(weights.values())
            allowed = 6 * math.sqrt(requests * share * (1 - share))
            assert abs(counts[letter] - requests * share) < allowed, counts


class Held:
    """Servers that keep each request until it is let go, and say which of them has it."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[str, asyncio.Event]] = asyncio.Queue()
        self.running: list[asyncio.Server] = []

    async def start(self, letter: str) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            go = asyncio.Event()
            await self.arrived.put((letter, go))
            await go.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.running.append(server)
        return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def begin(port: int) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /0/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    reader.writer = writer  # keeps the connection open
    return reader


@pytest.mark.parametrize("seed", range(4))
def test_least_connections_is_nginx(seed):
    """Requests come and go in any order; each choice is the same."""
    dice = random.Random(seed)
    weights = {letter: dice.randint(1, 4) for letter in LETTERS[: dice.randint(2, 5)]}

    async def scenario() -> None:
        held = Held()
        places = {letter: await held.start(letter) for letter in weights}
        ours = LeastConnections(weights)
        under_way: list[tuple[str, asyncio.Event, asyncio.StreamReader]] = []
        with Nginx(nginx_upstreams([weights], places, "least_conn;"), workers=1) as nginx:
            for _ in range(60):
                if under_way and dice.random() < 0.4:
                    letter, go, reader = under_way.pop(dice.randrange(len(under_way)))
                    go.set()
                    assert b"200" in await reader.read()  # nginx has counted it as over
                    reader.writer.close()
                    ours.release(letter)
                else:
                    reader = await begin(nginx.port)
                    letter, go = await asyncio.wait_for(held.arrived.get(), 20)
                    assert ours.choose() == letter, weights
                    ours.acquire(letter)
                    under_way.append((letter, go, reader))
            for _, go, reader in under_way:
                go.set()
                await reader.read()
                reader.writer.close()
        for server in held.running:
            server.close()

    asyncio.run(scenario())
