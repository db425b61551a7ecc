"""How the cache of chapter 7 does on the public test suite for HTTP caches, beside others.

The suite is npm's http-cache-tests, by the editor of the specifications; cache-tests.fyi shows what
it says of many caches. nginx and Apache are set up as they are there. hishel, the library for HTTP
caches in Python, takes part where it can be imported; it is no dependency of this project::

    pip install --target /tmp/hishel "hishel[async]>=2,<3"
    PYTHONPATH=/tmp/hishel python -m benchmarks cache_suite
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import machine, table
from helpers import serve
from helpers.programs import Apache, Nginx, available
from helpers.proxying import Cache, ReverseProxy
from tests.proxying.cache_suite import origin, results

ROUNDS = 3
REPORT = Path(__file__).with_suffix(".md")

NGINX = """
proxy_cache_path CACHE levels=1:2 keys_zone=suite:8m max_size=1000m inactive=600m;
server {
    listen 127.0.0.1:PORT;
    access_log off;
    location / {
        proxy_pass http://127.0.0.1:ORIGIN;
        proxy_cache suite;
        proxy_cache_revalidate on;
    }
}
"""
APACHE = """
Listen 127.0.0.1:PORT
KeepAlive Off
ProxyPass "/" "http://127.0.0.1:ORIGIN/" disablereuse=On
CacheEnable disk /
CacheRoot CACHE
CacheDefaultExpire 0
CacheIgnoreNoLastMod On
CacheStoreExpired On
CacheNegotiatedDocs On
UseCanonicalName On
CacheHeader On
CacheDetailHeader On
"""


@contextlib.contextmanager
def ours(port: int, folder: Path) -> Iterator[str]:
    proxy = ReverseProxy([f"http://127.0.0.1:{port}"], cache=Cache(stale_if_error=60))
    with serve(proxy) as server:
        yield server.url


@contextlib.contextmanager
def nginx(port: int, folder: Path) -> Iterator[str]:
    with Nginx(NGINX, origin=port, cache=folder) as server:
        yield server.url


@contextlib.contextmanager
def apache(port: int, folder: Path) -> Iterator[str]:
    with Apache(APACHE, origin=port, cache=folder) as server:
        yield server.url


@contextlib.contextmanager
def hishel(port: int, folder: Path) -> Iterator[str]:
    from hishel import AsyncSqliteStorage
    from hishel.asgi import ASGICacheMiddleware

    proxy = ReverseProxy([f"http://127.0.0.1:{port}"])
    storage = AsyncSqliteStorage(database_path=folder / "hishel.db")
    with serve(ASGICacheMiddleware(proxy, storage=storage)) as server:
        yield server.url


def contestants() -> dict[str, Callable[[int, Path], contextlib.AbstractContextManager[str]]]:
    """The caches by name; those that are not here are left out."""
    found = {"chapter 7": ours}
    here = [one.name for one in available().rows if one.status == "here"]
    if "nginx" in here:
        found["nginx, proxy_cache"] = nginx
    if "Apache" in here:
        found["Apache, mod_cache_disk"] = apache
    with contextlib.suppress(ImportError):
        from importlib.metadata import version

        import hishel.asgi  # noqa: F401

        found[f"hishel {version('hishel')}, around the proxy without a cache"] = globals()["hishel"]
    return found


def measure(rounds: int) -> dict[str, list[list[dict]]]:
    """What the suite says of each of them, in each round."""
    seen: dict[str, list[list[dict]]] = {}
    for _ in range(rounds):
        for title, start in contestants().items():
            with tempfile.TemporaryDirectory(prefix="course-suite-") as name, origin() as port:
                folder = Path(name)
                folder.chmod(0o777)
                with start(port, folder) as url:
                    seen.setdefault(title, []).append(results(url))
    return seen


def counted(rounds: list[list[dict]], kind: str) -> str:
    """The best of the rounds; the worst one, too, if it is another."""
    passed = [sum(one["passed"] for one in found if one["kind"] == kind) for found in rounds]
    all_of = sum(one["kind"] == kind for one in rounds[0])
    worst = f" (worst: {min(passed)})" if min(passed) < max(passed) else ""
    return f"{max(passed)} of {all_of}{worst}"


def report(where: str, seen: dict[str, list[list[dict]]]) -> str:
    """The figures as Markdown."""
    rows = [
        [title, counted(rounds, "required"), counted(rounds, "optimal")]
        for title, rounds in seen.items()
    ]
    number = len(next(iter(seen.values())))
    without = "" if any("hishel" in title for title in seen) else " hishel was not here."
    return "\n".join(
        [
            "# cache_suite: the public test suite for HTTP caches\n",
            f"{where} The best of {number} runs of each. Written by "
            f"`python -m benchmarks cache_suite`.{without}\n",
            "A required test is about a rule that a cache must not break, an optimal one about an",
            "answer that it might have used again. Tests for browsers are left out. A test whose",
            "condition is another test counts as failed if that failed. Which ones chapter 7 fails,",
            "and why, is in tests/proxying/test_cache_suite.py. nginx and Apache have the settings of",
            "the public results (Apache opens a new connection for each request: else it repeats",
            "some, which the suite counts against it). hishel is installed beside the project, see",
            "cache_suite.py, and is its ASGI middleware with its own defaults and SQLite.\n",
            table(["cache", "required", "optimal"], rows),
        ]
    )


def main(rounds: int = ROUNDS) -> None:
    """Measure, write cache_suite.md, print it."""
    where = machine()
    text = report(where, measure(rounds))
    REPORT.write_text(text, encoding="utf-8")
    print(text)
