"""A thread for each client: the same answers, and what one slow client does to the others."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from helpers.web import Files, Response, ThreadedServer, ask, start
from tests.waiting import eventually
from tests.web.rfc_cases import CASES
from tests.web.talk import is_right, play

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def hello(request):
    return Response(200, {}, b"hello " + request.body)


@pytest.fixture
def threaded():
    """Starts servers; afterwards none of their threads may be left."""
    before = set(threading.enumerate())
    servers = []

    def begin(handler=hello, **more) -> ThreadedServer:
        servers.append(ThreadedServer(handler, **more))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()
        assert server.threads == 0
    ours = [
        thread for thread in set(threading.enumerate()) - before if "ThreadedServer" in thread.name
    ]
    assert not ours


def say(port: int, raw: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(raw)
    return client


def test_it_answers_as_the_event_loop_does(folder, threaded):
    server = threaded(Files(folder))
    heard = asyncio.run(play(server.port, seconds=30))
    assert [case.name for case in CASES if not is_right(case, heard[case.name])] == []


def test_each_client_has_a_thread(threaded):
    server = threaded()
    clients = [say(server.port, GET[:5]) for _ in range(20)]
    eventually(lambda: server.threads == server.connections == 20)
    answer = asyncio.run(ask(server, GET))
    assert answer.endswith(b"hello ")
    for client in clients:
        client.close()
    eventually(lambda: server.threads == 0)


def test_one_at_a_time(threaded):
    """One slow client stops everyone, until it has its answer."""
    server = threaded(at_once=1)
    slow = say(server.port, GET[:5])
    eventually(lambda: server.threads == 1)
    with pytest.raises(TimeoutError, match="keeps the connection open, and said nothing"):
        asyncio.run(ask(server, GET, timeout=0.2))
    waiting = say(server.port, GET)
    slow.sendall(GET[5:])
    assert slow.recv(9) == b"HTTP/1.1 "
    assert server.threads == 1, "the connection is kept for the next request"
    slow.close()
    assert waiting.recv(9) == b"HTTP/1.1 "
    waiting.close()


def test_two_at_a_time(threaded):
    server = threaded(at_once=2)
    clients = [say(server.port, GET[:5]) for _ in range(5)]
    eventually(lambda: server.threads == 2)
    for client in clients:
        client.close()
    eventually(lambda: server.threads == 0)
    assert asyncio.run(ask(server, GET))


def test_the_loop_has_no_thread_more_for_many_clients(folder):
    async def scenario():
        site = await start(hello)
        before = threading.active_count()
        clients = [say(site.port, GET[:5]) for _ in range(100)]
        async with asyncio.timeout(20):
            while site.connections < 100:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.002)
        assert threading.active_count() == before
        assert await ask(site, GET)
        for client in clients:
            client.close()
        await site.stop()

    asyncio.run(scenario())


def test_a_silent_client_is_let_go(threaded):
    server = threaded(idle=0.1)
    client = say(server.port, GET[:5])
    assert client.recv(1) == b""
    client.close()


def test_stop_is_quick_with_clients_in_every_state(threaded):
    server = threaded(lambda request: Response(200, {}, bytes(50_000_000)))
    clients = [say(server.port, raw) for raw in (b"", GET[:5], GET, b"nonsense\r\n\r\n")]
    eventually(lambda: server.threads >= 3)
    done = threading.Event()
    stopper = threading.Thread(target=lambda: (server.stop(), server.stop(), done.set()))
    stopper.start()
    assert done.wait(10), "stop() waits for clients"
    stopper.join()
    assert server.threads == 0 and "stopped" in repr(server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    for client in clients:
        client.close()


def test_stop_while_all_places_are_taken(threaded):
    server = threaded(at_once=1)
    clients = [say(server.port, GET[:5]) for _ in range(3)]
    eventually(lambda: server.threads == 1)
    server.stop()
    for client in clients:
        client.close()


def test_a_mistake_of_the_handler(threaded, caplog):
    server = threaded(lambda request: 1 / 0)
    assert asyncio.run(ask(server, GET)).startswith(b"HTTP/1.1 500 ")
    assert "ZeroDivisionError" in caplog.text


def test_a_number_of_clients_that_can_not_be():
    with pytest.raises(ValueError, match="from 1 on"):
        ThreadedServer(hello, at_once=0)


def test_as_a_context_manager():
    with ThreadedServer(hello) as server:
        assert server.url == f"http://127.0.0.1:{server.port}" and "running" in repr(server)
    assert "stopped" in repr(server)
