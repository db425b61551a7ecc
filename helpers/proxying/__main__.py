"""``python -m helpers.proxying URL...``: a balancer in a process of its own, on this machine only."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import Sequence

from .. import balancing
from . import Cache, ReverseProxy
from ._front import Front


def algorithms() -> dict[str, type]:
    """The algorithms that need nothing but servers, by their names: "round-robin" and so on."""
    names = [
        "RoundRobin",
        "WeightedRoundRobin",
        "Random",
        "LeastConnections",
        "PowerOfTwoChoices",
        "IPHash",
        "ModuloHash",
        "ConsistentHash",
    ]
    hyphens = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
    return {hyphens.sub("-", name).lower(): getattr(balancing, name) for name in names}


def server_and_weight(text: str) -> tuple[str, float]:
    """``URL`` or ``URL=WEIGHT``."""
    url, equals, weight = text.partition("=")
    try:
        return url, float(weight) if equals else 1
    except ValueError:
        raise argparse.ArgumentTypeError(f"{weight!r} is no weight, as in URL=5") from None


def port_number(text: str) -> int:
    """The number of a port."""
    if not (text.isascii() and text.isdigit() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port, which is a number up to 65535")
    return int(text)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    known = algorithms()
    parser = argparse.ArgumentParser("python -m helpers.proxying", description=__doc__)
    parser.add_argument(
        "servers",
        nargs="+",
        type=server_and_weight,
        metavar="URL",
        help="a server, such as http://127.0.0.1:8001; with a weight: URL=5",
    )
    parser.add_argument("--algorithm", choices=known, default="round-robin")
    parser.add_argument("--port", type=port_number, default=8000, help="0 picks a free one")
    parser.add_argument("--cache", type=int, default=0, metavar="BYTES", help="keep answers; 0: no")
    parser.add_argument("--check", metavar="PATH", help="ask the servers for it again and again")
    for name, kind in (
        ("retries", int),
        ("timeout", float),
        ("connect_timeout", float),
        ("max_fails", int),
        ("fail_timeout", float),
        ("check_every", float),
        ("fall", int),
        ("rise", int),
        ("slow_start", float),
    ):
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=argparse.SUPPRESS)
    found = parser.parse_args(arguments)
    if len(dict(found.servers)) < len(found.servers):
        parser.error("a server is there twice: for more requests, give it a weight, as in URL=5")
    return found


async def main(proxy: ReverseProxy, port: int) -> None:
    """Serve until somebody interrupts or ends the process."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: a KeyboardInterrupt comes instead
            loop.add_signal_handler(number, end.set)
    async with Front(proxy, port) as front:
        print(f"Proxying at {front.url} (stop with Ctrl+C)", flush=True)
        await end.wait()


if __name__ == "__main__":
    given = vars(parse())
    servers, port = dict(given.pop("servers")), given.pop("port")
    algorithm = algorithms()[given.pop("algorithm")]
    try:
        cache = Cache(size) if (size := given.pop("cache")) else None
        asyncio.run(main(ReverseProxy(servers, algorithm, cache, **given), port))
    except KeyboardInterrupt:
        pass
    except ValueError as error:
        print(f"It does not start: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        sys.exit(f"It can't use http://127.0.0.1:{port}: {error}")
