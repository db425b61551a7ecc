"""Every raw request of rfc_cases.py: against our server, and beside nginx, Node and Apache."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers import environment
from helpers.programs import Apache, Nginx, ProgramMissing
from helpers.web import Homemade
from tests.browser_support import skip_or_fail
from tests.web.rfc_cases import CASES, Case
from tests.web.talk import Heard, is_right, play

NGINX = "access_log off; server { listen 127.0.0.1:PORT; root FILES; }"
APACHE = "Listen 127.0.0.1:PORT\nDocumentRoot FILES\nDirectoryIndex index.html\n"


@pytest.fixture(scope="module")
def ours(folder) -> Iterator[dict[str, Heard]]:
    with Homemade(folder) as homemade:
        yield asyncio.run(play(homemade.port, seconds=30))


def test_there_are_enough_cases_and_each_has_its_name():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 120
    assert all(re.match(r"(9110|9112|3986) \d", case.section) for case in CASES)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: case.name.encode("unicode_escape").decode()
)
def test_case(case: Case, ours):
    heard = ours[case.name]
    allowed = [[sorted(one) for one in choice] for choice in case.allowed]
    assert is_right(case, heard), f"RFC {case.section}: {allowed} is right, and this came: {heard}"


def test_answers_are_whole(ours):
    """What holds for each answer: Date (9110, 6.6.1), a length or none, what a status asks for."""
    for name, heard in ours.items():
        assert not heard.complaint and not heard.rest, name
        for answer in heard.answers:
            assert re.fullmatch(
                r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.headers["date"]
            )
            bare = answer.status in (204, 304)
            assert ("content-length" in answer.headers) != bare, name
            assert b"Traceback" not in answer.body
            if answer.status == 405:
                assert answer.headers["allow"] == "GET, HEAD"
            if answer.status >= 400 and answer.body:
                assert answer.headers["content-type"] == "application/problem+json"


def test_who_is_refused_hears_that_it_is_over(ours):
    """RFC 9112, section 9.6: a server that closes says so."""
    for name, heard in ours.items():
        if heard.closed and heard.answers and "HTTP/1.0" not in name:
            assert heard.answers[-1].headers["connection"] == "close", name


@contextmanager
def node(folder: Path) -> Iterator[int]:
    program = next(one for one in environment.PROGRAMS if one.name == "Node")
    row = program.look(20)
    if row.path is None:
        skip_or_fail(f"Node is not here: {row.note}")
    script = Path(__file__).with_name("node_server.mjs")
    process = subprocess.Popen([row.path, script, folder], stdout=subprocess.PIPE)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@contextmanager
def real(kind: type, config: str, folder: Path) -> Iterator[int]:
    try:
        program = kind(config, files=folder)
    except ProgramMissing as error:
        skip_or_fail(str(error))
    with program:
        yield program.port


@pytest.mark.parametrize("name", ["nginx", "Node", "Apache"])
def test_no_fewer_than(name, folder, ours, record_property):
    """The same cases, in the same run. Node's http serves no files: only the protocol counts."""
    cases = [case for case in CASES if name != "Node" or case.group == "protocol"]
    servers = {
        "nginx": lambda: real(Nginx, NGINX, folder),
        "Node": lambda: node(folder),
        "Apache": lambda: real(Apache, APACHE, folder),
    }
    with servers[name]() as port:
        theirs = asyncio.run(play(port, cases))
    mine = sum(is_right(case, ours[case.name]) for case in cases)
    other = sum(is_right(case, theirs[case.name]) for case in cases)
    record_property("score", f"{name} {other}, ours {mine}, of {len(cases)}")
    print(f"{name} {other}, ours {mine}, of {len(cases)}")
    assert other > len(cases) / 2, f"{name} was not asked the way it should have been"
    assert mine >= other
