"""Send many requests at once, as a crowd of clients does, and count who answered.

Over httpx, so it works on a real socket and in a page alike. A server that wants to be counted by
name says it in the header field Served-By.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from statistics import median

import httpx

MOST_CLIENTS = 500
MOST_REQUESTS = 100_000
NAMELESS = "(no name)"


@dataclass
class Answers:
    """What came back.

    Attributes:
        requests: how many were sent.
        order: which server answered, in the order in which the answers came.
        failures: how often it failed, for each reason in words.
        milliseconds: how long each answer took, in the order of `order`.
    """

    requests: int = 0
    order: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def by_server(self) -> dict[str, int]:
        """How many each server answered, by name."""
        return dict(sorted(Counter(self.order).items()))

    @property
    def lost(self) -> int:
        """Requests without an answer, or with one that says that a server failed (5xx)."""
        return self.failures.total()

    @property
    def median_ms(self) -> float | None:
        """Half of the answers took no longer than this; None: there were no answers."""
        return median(self.milliseconds) if self.milliseconds else None

    @property
    def p99_ms(self) -> float | None:
        """99 of 100 answers took no longer than this; None: there were no answers."""
        if not self.milliseconds:
            return None
        ranked = sorted(self.milliseconds)
        return ranked[-(-99 * len(ranked) // 100) - 1]

    def __repr__(self) -> str:
        lines = [f"{self.requests:,} requests, {self.lost:,} lost"]
        lines += [f"  {name}: {count:,}" for name, count in self.by_server.items()]
        lines += [f"  lost {count:,} times: {why}" for why, count in self.failures.most_common()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [_bar(name, count, self.requests) for name, count in self.by_server.items()]
        rows += [
            _bar(f"✕ {why}", count, self.requests, lost=True)
            for why, count in self.failures.most_common()
        ]
        return (
            '<table style="border-collapse:collapse;color:inherit;background:transparent;margin:0">'
            '<caption style="caption-side:top;text-align:left;color:inherit;padding:.2em 0">'
            f"{self.requests:,} requests, {self.lost:,} lost</caption>"
            f"<tbody>{''.join(rows)}</tbody></table>"
        )


def _bar(name: str, count: int, of: int, lost: bool = False) -> str:
    """A row of the drawing: who, a bar that a screen reader leaves out, and how many."""
    cell = "padding:.15em .6em .15em 0;background:transparent;border:0;"
    hatched = "repeating-linear-gradient(45deg,currentColor 0 2px,transparent 2px 5px)"
    fill = hatched if lost else "currentColor"
    return (
        f'<tr style="background:transparent"><th scope="row" style="{cell}text-align:left;'
        f'font-weight:inherit">{escape(name)}</th>'
        f'<td aria-hidden="true" style="{cell}width:16em"><div style="height:.8em;min-width:1px;'
        f'width:{100 * count / of:.1f}%;background:{fill};opacity:.7"></div></td>'
        f'<td style="{cell}text-align:right">{count:,}</td></tr>'
    )


async def traffic(
    url: str,
    requests: int = 300,
    clients: int = 8,
    path: str = "/",
    cookies: bool = False,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    timeout: float = 10.0,  # noqa: ASYNC109 - of each request, as httpx has it
) -> Answers:
    """Send requests from several clients at once; each client waits for one answer at a time.

    Args:
        url: the server's, such as ``balancer.url``.
        requests: how many, all clients together: 1 to 100,000.
        clients: how many ask at the same time: 1 to 500.
        path: what they ask for.
        cookies: each client keeps the cookies that it gets, as a browser does.
        headers: fields that each request carries.
        method: such as "GET".
        timeout: seconds after which a request without an answer is lost.

    Raises:
        ValueError: a number is out of range, or the path does not begin with a slash.
    """
    _check("requests", requests, MOST_REQUESTS)
    _check("clients", clients, MOST_CLIENTS)
    if not path.startswith("/"):
        raise ValueError(f"path begins with a slash, such as '/songs', and this is {path!r}.")
    answers = Answers()
    left = iter(range(requests))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=clients)
    transport = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def one_client() -> None:
        # One pool of connections for all, but for each client cookies of its own.
        jar = httpx.Cookies() if cookies else None
        for _ in left:
            answers.requests += 1
            request = httpx.Request(method, url + path, headers=headers, cookies=jar)
            request.extensions["timeout"] = httpx.Timeout(timeout).as_dict()
            begun = time.perf_counter()
            try:
                response = await transport.handle_async_request(request)
                await response.aread()
            except httpx.HTTPError as error:
                answers.failures[_reason(error)] += 1
                continue
            response.request = request
            if jar is not None:
                jar.extract_cookies(response)
            if response.status_code >= 500:
                answers.failures[f"{response.status_code} {response.reason_phrase}"] += 1
                continue
            answers.milliseconds.append(1000 * (time.perf_counter() - begun))
            answers.order.append(response.headers.get("Served-By", NAMELESS))

    async with transport:
        await asyncio.gather(*[one_client() for _ in range(clients)])
    return answers


def _check(name: str, value: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{name} is a whole number from 1 to {most:,}, and not {value!r}.")


def _reason(error: httpx.HTTPError) -> str:
    """What went wrong, in words that say where."""
    reasons = {
        httpx.ConnectError: "connection refused",
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.RemoteProtocolError: "connection closed without an answer",
        httpx.ReadError: "connection broken off",
        httpx.WriteError: "connection broken off",
    }
    return reasons.get(type(error), type(error).__name__)
