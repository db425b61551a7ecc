"""Ports: a free one without races, and a clear word where that is not possible."""

from __future__ import annotations

import socket
import threading

import pytest

from helpers.programs import Haproxy, Nginx, ProgramFailed, _ports
from tests.programs.servers import FILES_AND_WORD, PROGRAMS, ask, start

every_program = pytest.mark.parametrize("kind", PROGRAMS)


@pytest.fixture
def stranger():
    """Another server on a port of its own; it answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@every_program
def test_a_port_that_is_taken_in_the_last_moment(kind, files, stranger, monkeypatch):
    """Between picking a port and starting, another program may take it: twice, here."""
    picks = [stranger, stranger]
    pick = _ports.free_port
    monkeypatch.setattr(_ports, "free_port", lambda: picks.pop() if picks else pick())
    with start(kind, files) as program:
        assert not picks
        assert program.port != stranger
        assert ask(program.url + "/song.wav").headers["X-Word"] == "first"


@every_program
def test_it_gives_up_after_some_ports(kind, files, stranger, monkeypatch):
    monkeypatch.setattr(_ports, "free_port", lambda: stranger)
    monkeypatch.setattr("helpers.programs._starting._ATTEMPTS", 2)
    with pytest.raises(ProgramFailed, match=f"can't use port {stranger}: another program holds it"):
        start(kind, files)


@every_program
def test_a_port_of_the_readers_choice(kind, files, stranger):
    with start(kind, files) as program:
        port = program.port
    with start(kind, files, port=port) as program:
        assert program.port == port
        assert ask(f"http://127.0.0.1:{port}/song.wav").status_code == 200
    with pytest.raises(ProgramFailed, match="another program holds it"):
        start(kind, files, port=stranger)


def test_two_haproxies_never_share_a_port(files):
    """Without `noreuseport` both would run, and the kernel would deal out the clients."""
    with start(Haproxy, files) as one:
        with pytest.raises(ProgramFailed, match="another program holds it"):
            start(Haproxy, files, port=one.port)


def test_a_second_port_that_is_taken_is_named(files, stranger):
    more = f"server {{ listen 127.0.0.1:{stranger}; }}"
    with pytest.raises(ProgramFailed, match=f"127.0.0.1:{stranger}"):
        Nginx(FILES_AND_WORD[Nginx] + more, files=files, word="x")


def test_many_at_once_from_threads_that_end(files):
    """A program belongs to the process, not to the thread that started it."""
    started = []
    threads = [
        threading.Thread(target=lambda kind=kind: started.append(start(kind, files)))
        for kind in PROGRAMS * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({program.port for program in started}) == len(threads)
    for program in started:
        assert ask(program.url + "/song.wav").status_code == 200
        program.stop()
