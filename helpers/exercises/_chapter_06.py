"""The exercises of chapter 6, Load balancers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import httpx

from . import exercise, items, same_json, show, works_like
from ._nginx_text import directives


@exercise(
    "6.1",
    hints=(
        "The inner function has to remember where it is. Who keeps that for it?",
        "`itertools.cycle(servers)` goes round for ever, and `next` takes one step.",
    ),
    typical_mistake=(
        "def round_robin(servers):\n"
        "    turns = iter(servers)\n"
        "    return lambda: next(turns)\n"
        'check("6.1", round_robin)'
    ),
    why="Each balancer has a position of its own.",
)
def round_robin(answer: Callable):
    for servers in (["a", "b", "c"], ["only"], ["x", "y"]):
        call = f"`round_robin({servers})`"
        given = list(servers)
        try:
            first, second = answer(given), answer(given)
        except Exception as error:
            return f"{call} raised {type(error).__name__}: {show(str(error))}."
        if not callable(first):
            return f"{call} gave {show(first)}; a function is expected, which chooses when called."
        rounds = 2 * len(servers) + 1
        expected = (servers * 3)[:rounds]
        got = []
        try:
            for _ in range(rounds):
                got.append(first())
                second() if len(got) % 2 else None
        except Exception as error:
            raised = f"{type(error).__name__}: {error}".rstrip(": ")
            return f"What {call} returned raised {raised} at call number {len(got) + 1}."
        if given != servers:
            return "Your function changes the list that it was given, which is not its own."
        if got != expected:
            alone = answer(list(servers))
            if [alone() for _ in range(rounds)] == expected:
                return "Alone it works, but two balancers disturb each other: they share something."
            return f"What {call} returned chose {show(got)} in {rounds} calls."
    return None


@exercise(
    "6.2",
    hints=(
        "Begin with both accounts at 0. Each turn: add 3 and 2, the fuller one is chosen and pays 5.",
        "After the first turn the accounts are -2 and 2. Go on from there.",
    ),
    typical_mistake='check("6.2", "a a a b b")',
    why="Three turns for a, two for b, and never more than one in a row but at the border of rounds.",
)
def smooth_turns(answer: str):
    turns = answer.replace(",", " ").split() if " " in answer.strip() else list(answer)
    names = [turn.strip("\"'").lower() for turn in turns]
    if len(names) != 5 or set(names) - {"a", "b"}:
        return f"Five turns of a and b are expected, and {show(answer)} has {len(names)} parts."
    if Counter(names)["a"] != 3:
        return "In one round of five turns, a has three and b has two."
    if names == list("aaabb"):
        return "The shares are right, but that is not smooth: three in a row for a."
    return None if names == list("ababa") else "The shares are right, the order is not yet."


@exercise(
    "6.3",
    hints=(
        "Compare open requests divided by weight. What must not get into the division?",
        "Leave out the servers of weight 0, then take `min` with a `key`.",
    ),
    typical_mistake=(
        "def least_loaded(open_requests, weights):\n"
        "    return min(open_requests, key=open_requests.get)\n"
        'check("6.3", least_loaded)'
    ),
    why="A server of twice the weight may have twice as much to do.",
)
def least_loaded(answer: Callable):
    return works_like(
        answer,
        [
            (({"a": 2, "b": 1}, {"a": 1, "b": 1}), "b"),
            (({"a": 2, "b": 2}, {"a": 1, "b": 1}), "a"),
            (({"a": 4, "b": 3}, {"a": 2, "b": 1}), "a"),
            (({"a": 0, "b": 5}, {"a": 0, "b": 1}), "b"),
            (({"a": 3, "b": 6, "c": 1}, {"a": 1, "b": 3, "c": 0}), "b"),
            (({"b": 0, "a": 0}, {"b": 1, "a": 9}), "b"),
            (({"a": 3, "b": 1}, {"a": 2, "b": 1}), "b"),
        ],
    )


@exercise(
    "6.4",
    hints=(
        "Ask of each: would it do harm if the server did it twice?",
        "Four of the six. And one of them for another reason than its method.",
    ),
    typical_mistake='check("6.4", {"a", "b", "c", "d"})',
    why="Idempotent methods may be repeated, and whatever no server has seen.",
)
def once_more(answer: set):
    if "b" in answer or "e" in answer:
        return (
            "POST and PATCH are not idempotent: the server may have done it already, "
            "and would do it twice."
        )
    if {"a", "c", "d"} <= answer and "f" not in answer:
        return "One is missing: if the connection was refused, has the server seen anything?"
    return items(answer, {"a", "c", "d", "f"})


@exercise(
    "6.5",
    hints=(
        "A group of servers is an `upstream NAME { ... }` beside `server { ... }`, and "
        "`proxy_pass http://NAME;` leads there.",
        "`server 127.0.0.1:A weight=2;` is the first line of the group; `backup` stands at the "
        "same place in another.",
    ),
    typical_mistake=(
        'check("6.5", "upstream music { server 127.0.0.1:A weight=2; server 127.0.0.1:B; '
        "server 127.0.0.1:C; } "
        'server { listen 127.0.0.1:PORT; location / { proxy_pass http://music; } }")'
    ),
    why="nginx asks a backup only when it can reach none of the others.",
)
def a_balancer_in_nginx(answer: str):
    from helpers.programs import ConfigError, Nginx, ProgramFailed, ProgramMissing

    for word in ("PORT", "A", "B", "C"):
        if f"127.0.0.1:{word}" not in answer:
            return f"127.0.0.1:{word} is missing; the word {word} is filled in."
    named = 'server {{ listen 127.0.0.1:PORT; location / {{ return 200 "{}"; }} }}'
    with ExitStack() as stack:
        try:
            servers = {x: stack.enter_context(Nginx(named.format(x), workers=1)) for x in "abc"}
            ports = {name: server.port for name, server in servers.items()}
            door = stack.enter_context(Nginx(answer, workers=1, **ports))
            client = stack.enter_context(httpx.Client(base_url=door.url))
            return _ask_the_group(client, servers)
        except ProgramMissing:
            return _read_the_group(answer)
        except (ConfigError, ProgramFailed) as error:
            return " ".join(f"{error}".splitlines()[:2])


def _ask_the_group(client: httpx.Client, servers: dict) -> str | None:
    """What is wrong with the answers of the reader's nginx, before and after servers die."""
    answers = [client.get("/") for _ in range(9)]
    if bad := [answer.status_code for answer in answers if answer.status_code != 200]:
        return f"GET / was answered with {bad[0]}, although all servers are well."
    counts = Counter(answer.text for answer in answers)
    if counts["c"]:
        return f"Of nine requests c got {counts['c']}, although the others are well."
    if (counts["a"], counts["b"]) != (6, 3):
        return (
            f"Of nine requests a got {counts['a']} and b got {counts['b']}; 6 and 3 are expected."
        )
    servers["a"].stop()
    servers["b"].stop()
    answer = client.get("/")
    if answer.status_code != 200:
        return f"When a and b were dead, GET / was answered with {answer.status_code}."
    return None


def _read_the_group(config: str) -> str | None:
    """The same without nginx, as in a page: what the text says of the three servers."""
    try:
        lines = directives(config)
    except ValueError as error:
        return f"{error}"
    if any(words == ["http"] and mark == "{" for _, words, mark in lines):
        return "Leave out `http { ... }`: write only what stands inside it."
    groups = {words[1]: [] for _, words, mark in lines if words[0] == "upstream" and len(words) > 1}
    passed = [words[1] for _, words, _ in lines if words[0] == "proxy_pass" and len(words) > 1]
    for around, words, _ in lines:
        if around and around[0].startswith("upstream"):
            if words[0] in ("ip_hash", "hash", "random", "least_conn"):
                return f"With `{words[0]}` the shares are others, or there can be no reserve."
            if words[0] == "server":
                groups[around[0].removeprefix("upstream")].append(words[1:])
        if words == ["proxy_next_upstream", "off"]:
            return "Without a second try, a request that meets a dead server is lost."
    address = passed[0] if passed else ""
    name = address.removeprefix("http://").rstrip("/")
    if name not in groups or not address.startswith("http://"):
        return "`proxy_pass http://NAME;` has to name your `upstream NAME { ... }`."
    weights: dict[str, int | str] = {}
    for place, *options in groups[name]:
        weight = [one.removeprefix("weight=") for one in options if one.startswith("weight=")]
        numbers = [int(one) for one in weight if one.isdecimal()]
        before = weights.get(place, 0)  # a server may be there several times
        more = (numbers or [1])[0]
        reserve = "backup" in options or before == "backup"
        weights[place] = "backup" if reserve else before + more
    found = [weights.get(f"127.0.0.1:{word}") for word in "ABC"]
    if found[2] != "backup":
        return "The third server, at 127.0.0.1:C, has to be a reserve: which word says that?"
    if not isinstance(found[0], int) or not isinstance(found[1], int) or found[0] != 2 * found[1]:
        return "The weight of the first server has to be twice that of the second."
    return None


@exercise(
    "6.6",
    hints=(
        "Count the keys for which the two functions differ, and divide by the number of keys.",
        "With no keys there is nothing to divide by: that case comes first.",
    ),
    typical_mistake=(
        "def share_moved(before, after, keys):\n"
        "    return sum(before(key) != after(key) for key in keys)\n"
        'check("6.6", share_moved)'
    ),
    why="With consistent hashing this share is about one server's share of the ring.",
)
def how_much_moved(answer: Callable):
    def last_digit(key: int) -> str:
        return str(key % 10)

    def half(key: int) -> str:
        return str(key % 10 if key % 2 else 0)

    cases = [
        (last_digit, last_digit, range(10), 0),
        (last_digit, half, range(10), 0.4),
        (last_digit, lambda key: "new", range(4), 1),
        (last_digit, half, [], 0),
        (last_digit, half, [1, 3, 5, 8], 0.25),
        (last_digit, half, [2, 2, 2, 1], 0.75),
    ]
    for before, after, keys, expected in cases:
        what = f"With {len(keys)} keys, of which {round(expected * len(keys))} move, your function"
        try:
            got = answer(before, after, list(keys))
        except Exception as error:
            return f"{what} raised {type(error).__name__}: {show(str(error))}."
        if isinstance(got, bool) or not isinstance(got, (int, float)):
            missing = "; is there a `return`?" if got is None else "; a number is expected."
            return f"{what} gave {show(got)}{missing}"
        if abs(got - expected) > 1e-9:
            return f"{what} gave {got:g}, and not {expected:g}."
    return None


@exercise(
    "6.7",
    hints=(
        "What is unequal in each: the servers, the requests, or what they keep?",
        "Each of the four is right once.",
    ),
    typical_mistake=(
        'check("6.7", {"a": "least connections", "b": "round robin", '
        '"c": "weighted round robin", "d": "consistent hash"})'
    ),
    why="Look for what is unequal, and take the simplest algorithm that minds it.",
)
def which_algorithm(answer: dict):
    names = {"round robin", "weighted round robin", "least connections", "consistent hash"}
    words = {
        key: " ".join(value.split()).casefold() if isinstance(value, str) else value
        for key, value in answer.items()
    }
    for value in words.values():
        if value not in names:
            return f"{show(value)} is none of the four."
    if words.get("a") == "least connections" or words.get("c") == "least connections":
        return "Least connections would work for a and c too, but something simpler fits as well."
    right = ("round robin", "least connections", "weighted round robin", "consistent hash")
    return same_json(words, dict(zip("abcd", right, strict=True)))
