"""Arguments that can't be used: one sentence, which names the argument."""

from __future__ import annotations

import re

import pytest

from helpers.balancing import RoundRobin, StickyCookie
from helpers.proxying import ReverseProxy

URL, OTHER = "http://127.0.0.1:8001", "http://127.0.0.1:8002"
NO_NUMBERS = (0, -1, float("nan"), float("inf"), "2", None, True, [1])
NUMBERS = [
    *(("retries", value) for value in (-1, 1.5, True, "2", None)),
    *((name, value) for name in ("timeout", "connect_timeout", "check_every") for value in NO_NUMBERS),
    *((name, value) for name in ("fail_timeout", "slow_start") for value in (-1, "2", None, True)),
    *((name, value) for name in ("max_fails", "fall", "rise") for value in (-1, 1.5, "2", None)),
    *(("check", value) for value in ("", "health", "http://a/", "/a b", "/é", "/\r\n", 5, b"/health")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), NUMBERS)
def test_settings(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is a .*, and not {re.escape(repr(value))}\.$"):
        ReverseProxy([URL], **{name: value})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8001", "it begins with http://"),
        ("//127.0.0.1:8001", "it begins with http://"),
        ("", "it begins with http://"),
        ("https://127.0.0.1:8001", "plain http://"),
        ("ftp://127.0.0.1", "plain http://"),
        ("http://", "a host and a port"),
        ("http://:80", "a host and a port"),
        ("http://127.0.0.1:0", "a host and a port"),
        ("http://a b", "a host and a port"),
        (f"{URL} ", "a host and a port|port is a number"),
        (f"{URL}\n", "a host and a port|port is a number"),
        ("http://ü", "a host and a port"),
        ("http://127.0.0.1:99999", "a number from 1 to 65535"),
        ("http://127.0.0.1:x", "a number from 1 to 65535"),
        ("http://[::1", "port is a number|a host and a port"),
        ("http://me:secret@127.0.0.1", "a name or a password"),
        (f"{URL}/songs", "it goes on after the port"),
        (f"{URL}?", "it goes on after the port"),
        (f"{URL}#", "it goes on after the port"),
        (f"{URL}/?a", "it goes on after the port"),
    ],
)
def test_urls(url, words):
    sentence = rf"^{re.escape(repr(url))} can't be a server's URL: .*({words}).*\.$"
    proxy = ReverseProxy([])
    for use in (
        lambda: ReverseProxy([url]),
        lambda: proxy.add(url),
        lambda: ReverseProxy({url: 1}),
    ):
        with pytest.raises(ValueError, match=sentence):
            use()
    assert len(proxy.statistics()) == 0


@pytest.mark.parametrize(
    "url", [URL, f"{URL}/", "http://localhost", "http://[::1]:80", "HTTP://A.example:65535"]
)
def test_good_urls(url):
    assert [row.url for row in ReverseProxy([url]).statistics()] == [url]


@pytest.mark.parametrize(
    ("upstreams", "words"),
    [
        (URL, rf"The servers are a list of URLs: write \['{URL}'\]\."),
        (5, r"The servers are a list of URLs, .* and this is int\."),
        (None, r"The servers are a list of URLs, .* and this is NoneType\."),
        ([5], r"A server is named by its URL, .* and this is int\."),
        ([URL.encode()], r"A server is named by its URL, .* and this is bytes\."),
    ],
)
def test_what_are_no_servers(upstreams, words):
    with pytest.raises(TypeError, match=words):
        ReverseProxy(upstreams)


def test_a_server_twice():
    with pytest.raises(ValueError, match=rf"{URL} is in the list twice"):
        ReverseProxy([URL, OTHER, URL])
    proxy = ReverseProxy([URL])
    with pytest.raises(ValueError, match="there already"):
        proxy.add(URL)


@pytest.mark.parametrize("weight", [-1, float("nan"), "2", None, True])
def test_weights(weight):
    proxy = ReverseProxy([URL])
    for use in (
        lambda: ReverseProxy({OTHER: weight}),
        lambda: proxy.add(OTHER, weight),
        lambda: proxy.set_weight(URL, weight),
    ):
        with pytest.raises(ValueError, match="weight of"):
            use()
    [row] = proxy.statistics()
    assert (row.url, row.weight) == (URL, 1)


@pytest.mark.parametrize("use", ["remove", "drain", "undrain", "set_weight"])
def test_a_server_that_is_not_there(use):
    more = (2,) if use == "set_weight" else ()
    for servers, known in (([URL], URL), ([], "none")):
        with pytest.raises(ValueError, match=rf"has no server '{OTHER}'\. It has: {known}\."):
            getattr(ReverseProxy(servers), use)(OTHER, *more)


@pytest.mark.parametrize("algorithm", [5, "round-robin", None, dict, lambda weights: weights])
def test_what_is_no_algorithm(algorithm):
    with pytest.raises(TypeError, match=r"The algorithm is a class .* such as RoundRobin, and"):
        ReverseProxy([URL], algorithm)


@pytest.mark.parametrize(
    "algorithm", [RoundRobin([OTHER]), lambda weights: RoundRobin([URL, OTHER])]
)
def test_an_algorithm_for_others(algorithm):
    with pytest.raises(ValueError, match="knows other servers than the proxy"):
        ReverseProxy([URL], algorithm)


def test_an_algorithm_of_any_kind():
    for algorithm in (
        RoundRobin,
        RoundRobin([URL]),
        lambda weights: StickyCookie(RoundRobin(weights)),
    ):
        assert len(ReverseProxy([URL], algorithm).statistics()) == 1


def test_a_slow_start_needs_weights():
    with pytest.raises(ValueError, match="slow_start has no effect with RoundRobin"):
        ReverseProxy([URL], slow_start=5)


def test_what_is_no_cache():
    with pytest.raises(TypeError, match=r"[Cc]ache"):
        ReverseProxy([URL], cache={})
