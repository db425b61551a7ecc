"""What the proxy has counted, as numbers, as text and as a table for a page."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser

import pytest

from helpers.balancing import WeightedRoundRobin
from helpers.proxying import ReverseProxy, Row, Statistics
from tests.proxying.behind import OK, Behind, ask, every_door, get, in_loop, opened, until

ROWS = [
    Row("http://127.0.0.1:8001", "up", 1, 1234567, 0, 0, 3, 1.25),
    Row("http://127.0.0.1:8002", "draining", 2.5, 0, 12, 1, 0, None),
]


class Table(HTMLParser):
    """The texts of a table's cells, row by row; and a complaint if tags are not closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


@every_door
@in_loop
async def test_the_numbers(door):
    async def script(line):
        while seen := await line.request():
            if seen.target == "/wait":
                await go_on.wait()
            line.say(OK)

    go_on = asyncio.Event()
    async with Behind(script) as behind:
        refuses = "http://127.0.0.1:1"
        proxy = ReverseProxy({refuses: 1, behind.url: 2}, WeightedRoundRobin, fail_timeout=60)
        assert [row.median_ms for row in proxy.statistics()] == [None, None]
        async with opened(door, proxy) as port:
            for _ in range(5):
                assert (await ask(port)).status == 200
            waiting = asyncio.create_task(ask(port, get(target=b"/wait")))
            await until(lambda: proxy.statistics()[behind.url].requests == 6)
            await until(lambda: proxy.statistics()[behind.url].open == 1)
            bad, good = before = proxy.statistics()
            assert (bad.url, bad.weight, bad.state) == (refuses, 1, "down")
            assert (bad.requests, bad.failures, bad.retries, bad.open) == (1, 1, 0, 0)
            assert (good.url, good.weight, good.state) == (behind.url, 2, "up")
            assert (good.requests, good.failures, good.retries, good.open) == (6, 0, 1, 1)
            assert bad.median_ms is None and 0 < good.median_ms < 10_000
            go_on.set()
            await waiting
        assert before[behind.url].open == 1, "a snapshot does not change"
        await until(lambda: proxy.statistics()[behind.url].open == 0)


def test_as_a_sequence():
    statistics = Statistics(ROWS)
    assert (len(statistics), list(statistics), statistics.rows) == (2, ROWS, tuple(ROWS))
    assert statistics["http://127.0.0.1:8002"] is ROWS[1]
    with pytest.raises(KeyError, match="8003"):
        statistics["http://127.0.0.1:8003"]


def test_as_text():
    assert repr(Statistics(ROWS)) == (
        "server          state     weight   requests  failures  retries  open  median ms\n"
        "127.0.0.1:8001  up             1  1,234,567         0        0     3        1.2\n"
        "127.0.0.1:8002  draining     2.5          0        12        1     0          –"
    )
    assert repr(Statistics([])).split() == [
        "server", "state", "weight", "requests", "failures", "retries", "open", "median", "ms"
    ]  # fmt: skip


def test_as_a_table():
    html = Statistics(ROWS)._repr_html_()
    table = Table(html)
    assert table.rows == [
        ["server", "state", "weight", "requests", "failures", "retries", "open", "median ms"],
        ["127.0.0.1:8001", "● up", "1", "1,234,567", "0", "0", "3", "1.2"],
        ["127.0.0.1:8002", "◌ draining", "2.5", "0", "12", "1", "0", "–"],
    ]
    scopes = [attributes["scope"] for tag, attributes in table.attributes if tag == "th"]
    assert scopes == ["col"] * 8 + ["row"] * 2
    assert [attributes for tag, attributes in table.attributes if tag == "span"] == [
        {"aria-hidden": "true"}
    ] * 2
    assert "<caption" in html


def test_a_url_is_only_text():
    row = Row("http://a&b/<script>", "down", 1, 0, 0, 0, 0, None)
    html = Statistics([row])._repr_html_()
    assert "<script>" not in html and "a&amp;b/&lt;script&gt;" in html
    assert Table(html).rows[1][:2] == ["a&b/<script>", "✕ down"]
