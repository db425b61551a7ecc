"""Chapter 6: what its judges let through, and what they say of the rest.

What the reading of a configuration says (exercise 6.5) is compared with the real nginx.
"""

import itertools

import pytest

from helpers.exercises._chapter_06 import _read_the_group
from helpers.programs import Nginx, ProgramMissing
from tests.browser_support import skip_or_fail
from tests.exercises.judged import said


def by_cycle(servers):
    return itertools.cycle(servers).__next__


def by_counting(servers):
    position = -1

    def turn():
        nonlocal position
        position += 1
        return servers[position % len(servers)]

    return turn


def by_turning_the_list(servers):
    def turn():
        servers.append(servers.pop(0))
        return servers[-1]

    return turn


def test_turns_may_be_kept_in_any_way_but_in_the_list():
    assert said("6.1", by_cycle) is None
    assert said("6.1", by_counting) is None
    assert "changes the list" in said("6.1", by_turning_the_list)


def test_a_division_without_a_remainder_is_found():
    def whole(open_requests, weights):
        able = [name for name in weights if weights[name]]
        return min(able, key=lambda name: open_requests[name] // weights[name])

    assert said("6.3", whole) is not None


def test_the_same_key_twice_counts_twice():
    def once(before, after, keys):
        keys = set(keys)
        return sum(before(key) != after(key) for key in keys) / len(keys) if keys else 0

    assert "4 keys" in said("6.6", once)


GROUP = """
upstream music {{
    {group}
}}
server {{
    listen 127.0.0.1:PORT;
    location / {{ {location} }}
}}
"""
SERVERS = "server 127.0.0.1:A weight=2; server 127.0.0.1:B; server 127.0.0.1:C backup;"
PASS = "proxy_pass http://music;"
CONFIGS = {
    "as it should be": GROUP.format(group=SERVERS, location=PASS),
    "a twice": GROUP.format(
        group="server 127.0.0.1:A; server 127.0.0.1:A; server 127.0.0.1:B; "
        "server 127.0.0.1:C backup;",
        location=PASS,
    ),
    "no http": GROUP.format(group=SERVERS, location="proxy_pass music;"),
    "hash of the address": GROUP.format(group=f"ip_hash; {SERVERS}", location=PASS),
    "chance": GROUP.format(group=f"random; {SERVERS}", location=PASS),
    "no second try": GROUP.format(group=SERVERS, location=f"{PASS} proxy_next_upstream off;"),
    "no reserve": GROUP.format(group=SERVERS.replace(" backup", ""), location=PASS),
    "no weight": GROUP.format(group=SERVERS.replace(" weight=2", ""), location=PASS),
    "a whole file": "events {}\nhttp {" + GROUP.format(group=SERVERS, location=PASS) + "}",
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_reading_of_a_configuration_says_what_nginx_shows(config):
    """Both call the same configurations right."""
    try:
        Nginx("server { listen 127.0.0.1:PORT; }").stop()
    except ProgramMissing as missing:
        skip_or_fail(str(missing))
    assert (_read_the_group(config) is None) == (said("6.5", config) is None)
