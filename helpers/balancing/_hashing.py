"""Algorithms that compute the server from the request: the same client, the same server."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from zlib import crc32

from ._algorithm import Algorithm, Request, Servers
from ._turns import SmoothTurns

Key = Callable[[Request], str]

TRIES = 20
"""After so many servers that were away, nginx gives up on the hash and goes by turns."""


def client_of(request: Request) -> str:
    """The client's address: what requests are told apart by if nothing else is said."""
    return request.client


def key_bytes(key: Key, request: Request) -> bytes:
    """The key of a request, for a hash function. Raises ValueError: it is no text."""
    value = key(request)
    if not isinstance(value, str):
        what = "client" if key is client_of else "key"
        raise ValueError(f"A request's {what} is a text, and not {value!r}.")
    return value.encode("utf-8", "surrogatepass")


class _Hash(Algorithm):
    """Walk along the weights of all servers to the place that a hash points at."""

    def __init__(self, servers: Servers) -> None:
        self._turns = SmoothTurns()
        super().__init__(servers)

    def _at(self, hashed: int) -> str:
        # Servers that are away keep their place: so nobody else's clients move.
        place = hashed % sum(self._weights.values())
        for name, weight in self._weights.items():
            if place < weight:
                return name
            place -= weight
        raise AssertionError("a remainder is smaller than what it was divided by")

    def _changed(self) -> None:
        self._turns.keep_only(self._weights)


class IPHash(_Hash):
    """The server that the client's address leads to, as long as the servers stay the same.

    Of an IPv4 address only the first three numbers count (the network of its /24), of an IPv6
    address all: so clients of one office, or of one machine, land on one server. When a server is
    added, most clients get another one. Any other text counts as a whole. The hash ends at 6270: keep
    the sum of the weights far below that.

    One choice costs O(n) for n servers; if the server is away, up to 20 times that, and then it
    goes by weighted turns.
    Source: nginx, ngx_http_upstream_module, "ip_hash", and its source, where the numbers 89, 113
    and 6271 stand.
    """

    def _pick(self, able: dict[str, float], request: Request) -> str:
        octets = _octets(request)
        hashed = 89
        for _ in range(TRIES):
            for octet in octets:
                hashed = (hashed * 113 + octet) % 6271
            name = self._at(hashed)
            if name in able:
                return name
        return self._turns.next(able)


def _octets(request: Request) -> bytes:
    text = key_bytes(client_of, request)
    try:
        address = ipaddress.ip_address(request.client)
    except ValueError:
        return text
    return address.packed[:3] if address.version == 4 else address.packed


class ModuloHash(_Hash):
    """The key's checksum, divided by the sum of the weights: the remainder points at the server.

    Simple, and even. But when a server is added or removed, almost every key gets another server.
    The hash ends at 32,767: keep the sum of the weights far below that.

    One choice costs O(n) for n servers; if the server is away, up to 20 times that, and then it
    goes by weighted turns.
    Source: nginx, ngx_http_upstream_module, "hash", and its source, which follows the Perl library
    Cache::Memcached.

    Args:
        servers: see Algorithm.
        key: what of a request counts; its client's address if nothing is given.
    """

    def __init__(self, servers: Servers, key: Key | None = None) -> None:
        self._key = key or client_of
        super().__init__(servers)

    def _pick(self, able: dict[str, float], request: Request) -> str:
        key = key_bytes(self._key, request)
        hashed = 0
        for again in range(TRIES):
            salted = str(again).encode() + key if again else key
            hashed += (crc32(salted) >> 16) & 0x7FFF
            name = self._at(hashed)
            if name in able:
                return name
        return self._turns.next(able)
