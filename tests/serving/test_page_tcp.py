"""The page's own network carries bytes as real sockets do, down to how connections end."""

from __future__ import annotations

import asyncio
import errno
import re
import socket

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.serving._page_network import NO_INTERNET
from tests.serving.page_worlds import in_both, in_page

HOST = "127.0.0.1"


class Recorder(asyncio.Protocol):
    """Writes down what happens to a connection, in order; bytes next to each other in one."""

    keep_open = False

    def __init__(self, log=None):
        self.log = [] if log is None else log
        self.loop = asyncio.get_running_loop()
        self.made = self.loop.create_future()
        self.ended = self.loop.create_future()
        self.lost = self.loop.create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.made.set_result(self)

    def data_received(self, data):
        if self.log and isinstance(self.log[-1], bytes):
            data = self.log.pop() + data
        self.log.append(data)

    def eof_received(self):
        self.log.append("end")
        self.ended.set_result(None)
        return self.keep_open

    def connection_lost(self, exc):
        self.log.append(("lost", type(exc).__name__))
        self.lost.set_result(None)


class HalfOpen(Recorder):
    keep_open = True


async def turns(number=20):
    """Enough turns of the loop for anything on its way to arrive, also over real sockets."""
    for _ in range(number):
        await asyncio.sleep(0.001)


async def two_ends(kind=Recorder):
    """A server, its end of one connection, and the client's."""
    loop = asyncio.get_running_loop()
    accepted = loop.create_future()

    class Accepted(kind):
        def connection_made(self, transport):
            super().connection_made(transport)
            accepted.set_result(self)

    server = await loop.create_server(Accepted, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    _, client = await loop.create_connection(kind, HOST, port)
    return server, await accepted, client


def events(scenario, kind=Recorder):
    """What both ends have seen, which is the same in both worlds."""

    async def run():
        server, there, here = await two_ends(kind)
        await scenario(there, here)
        await asyncio.wait([there.lost, here.lost], timeout=10)
        server.close()
        await server.wait_closed()
        return there.log, here.log

    return in_both(run)


async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_streams_and_a_half_close():
    async def scenario():
        server = await asyncio.start_server(echo, HOST, 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection(HOST, port)
            assert writer.can_write_eof()
            writer.writelines(["Für ".encode(), b"Elise"])
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer, server.is_serving()

    assert in_both(scenario) == ("Für Elise".encode(), True)


def test_both_ends_know_their_addresses():
    async def scenario():
        server, there, here = await two_ends()
        names = [
            (
                end.transport.get_extra_info("sockname"),
                end.transport.get_extra_info("peername"),
                sock.getsockname(),
                sock.getpeername(),
                sock.family,
                sock.type,
            )
            for end in (there, here)
            for sock in [end.transport.get_extra_info("socket")]
        ]
        port = server.sockets[0].getsockname()[1]
        other = names[1][0][1]
        here.transport.close()
        await there.lost
        server.close()
        shown = repr(names).replace(str(port), "SERVER").replace(str(other), "CLIENT")
        return shown, other != port

    shown, differ = in_both(scenario)
    assert "SERVER" in shown and "CLIENT" in shown and differ


def test_a_close_sends_everything_first():
    async def scenario(there, here):
        there.transport.write(b"x" * 3_000_000)
        there.transport.close()
        assert there.transport.is_closing()

    there, here = events(scenario)
    assert there == [("lost", "NoneType")]
    assert here == [b"x" * 3_000_000, "end", ("lost", "NoneType")]


def test_an_abort_is_an_end_for_the_peer():
    async def scenario(there, here):
        there.transport.write(b"before")
        there.transport.abort()

    assert events(scenario)[1] == [b"before", "end", ("lost", "NoneType")]


def test_bytes_that_nobody_reads_make_a_reset():
    async def scenario(there, here):
        there.transport.pause_reading()
        here.transport.write(b"for nobody")
        await turns()
        there.transport.write(b"an answer")
        there.transport.close()

    assert events(scenario)[1] == [b"an answer", ("lost", "ConnectionResetError")]


def test_writing_to_a_peer_that_has_gone():
    async def scenario(there, here):
        there.transport.close()
        await here.ended
        for _ in range(3):
            here.transport.write(b"too late")
            await turns()

    assert events(scenario, HalfOpen)[1] == ["end", ("lost", "BrokenPipeError")]


def test_a_half_open_connection_still_carries_bytes():
    async def scenario(there, here):
        here.transport.write_eof()
        await there.ended
        there.transport.write(b"still here")
        await turns()
        with pytest.raises(RuntimeError, match="write_eof"):
            here.transport.write(b"no")
        there.transport.close()
        await here.ended
        here.transport.close()

    there, here = events(scenario, HalfOpen)
    assert there == ["end", ("lost", "NoneType")]
    assert here == [b"still here", "end", ("lost", "NoneType")]


def test_a_paused_reader_hears_nothing():
    async def scenario(there, here):
        here.transport.pause_reading()
        here.transport.pause_reading()
        there.transport.write(b"waits")
        there.transport.close()
        await turns()
        here.log.append("nothing yet")
        here.transport.resume_reading()

    assert events(scenario)[1] == ["nothing yet", b"waits", "end", ("lost", "NoneType")]


def test_a_protocol_that_fails_loses_its_connection():
    class Clumsy(Recorder):
        def data_received(self, data):
            raise ZeroDivisionError("a mistake")

    async def run():
        told = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        server, there, here = await two_ends(Clumsy)
        here.transport.write(b"x")
        await there.lost
        await here.lost
        server.close()
        return told, there.log, here.log

    told, there, _ = in_both(run)
    assert told == ["Fatal error: protocol.data_received() call failed."]
    assert there == [("lost", "ZeroDivisionError")]


def test_a_writer_is_held_back_until_the_reader_reads():
    class Held(Recorder):
        def pause_writing(self):
            self.log.append("pause")

        def resume_writing(self):
            self.log.append("resume")

    async def scenario(there, here):
        here.transport.pause_reading()
        there.transport.set_write_buffer_limits(high=100_000, low=10)
        there.transport.write(b"x" * 20_000_000)
        assert there.log == ["pause"], "within the write, so that drain() waits"
        assert there.transport.get_write_buffer_size() > 100_000
        await turns()
        here.transport.resume_reading()
        there.transport.write_eof()

    there, here = events(scenario, Held)
    assert there == ["pause", "resume", "end", ("lost", "NoneType")]
    assert len(here[0]) == 20_000_000


def test_a_buffered_protocol():
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self, done):
            self.buffer, self.got, self.done = bytearray(7), bytearray(), done

        def get_buffer(self, sizehint):
            return self.buffer

        def buffer_updated(self, nbytes):
            self.got += self.buffer[:nbytes]

        def connection_lost(self, exc):
            self.done.set_result(bytes(self.got))

    async def scenario():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        server = await loop.create_server(lambda: Buffered(done), HOST, 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(bytes(range(100)))
        writer.close()
        got = await done
        server.close()
        return got

    assert in_both(scenario) == bytes(range(100))


@pytest.mark.parametrize("data", ["text", None, 3])
def test_only_bytes_can_be_written(data):
    async def scenario():
        server, there, here = await two_ends()
        with pytest.raises(TypeError) as caught:
            here.transport.write(data)
        here.transport.close()
        await there.lost
        server.close()
        return str(caught.value)

    in_page(scenario)


async def failure(coroutine):
    """How an attempt fails, with the port left out, which is another one in each world."""
    try:
        await coroutine
    except Exception as error:
        return type(error), getattr(error, "errno", None), error
    raise AssertionError("it did not fail")


async def closed_port():
    server = await asyncio.start_server(echo, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


def test_nobody_listens():
    async def scenario():
        port = await closed_port()
        kind, number, error = await failure(asyncio.open_connection(HOST, port))
        return kind, number, str(error).replace(str(port), "PORT")

    kind, number, text = in_both(scenario)
    assert (kind, number) == (ConnectionRefusedError, errno.ECONNREFUSED)
    assert text.endswith("Connect call failed ('127.0.0.1', PORT)")


def test_httpx_says_the_same_where_nobody_listens():
    async def scenario():
        port = await closed_port()
        async with httpx.AsyncClient() as client:
            return [
                (kind, str(error))
                for host in (HOST, "localhost")
                for kind, _, error in [await failure(client.get(f"http://{host}:{port}"))]
            ]

    assert in_both(scenario)[0] == (httpx.ConnectError, "All connection attempts failed")


def test_a_port_in_use():
    async def scenario():
        server = await asyncio.start_server(echo, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        kind, number, error = await failure(asyncio.start_server(echo, HOST, port))
        server.close()
        await server.wait_closed()
        again = await asyncio.start_server(echo, HOST, port)
        again.close()
        text = re.sub(r"\[errno \d+\] ", "", str(error))  # which newer Pythons write in between
        return kind, number, text.replace(str(port), "PORT")

    assert in_both(scenario)[:2] == (OSError, errno.EADDRINUSE)


def test_a_server_that_does_not_serve_yet_refuses():
    async def scenario():
        server = await asyncio.start_server(echo, HOST, 0, start_serving=False)
        address = server.sockets[0].getsockname()
        kind, _, _ = await failure(asyncio.open_connection(*address))
        states = [server.is_serving()]
        await server.start_serving()
        states.append(server.is_serving())
        _, writer = await asyncio.open_connection(*address)
        writer.close()
        forever = asyncio.ensure_future(server.serve_forever())
        await asyncio.sleep(0)
        forever.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forever
        states += [server.is_serving(), len(server.sockets)]
        return kind, states

    assert in_both(scenario) == (ConnectionRefusedError, [False, True, False, 0])


@pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "2001:db8::1", "fur elise"])
def test_there_is_no_way_out_of_a_page(host):
    async def scenario():
        for attempt in (asyncio.open_connection(host, 80), asyncio.start_server(echo, host, 80)):
            kind, _, error = await failure(attempt)
            assert issubclass(kind, OSError)
            assert str(error) == NO_INTERNET.format(host=host)

    in_page(scenario)


def test_httpx_names_the_host_that_a_page_cannot_reach():
    async def scenario():
        async with httpx.AsyncClient() as client:
            for url in ("http://example.com/songs", "https://example.com"):
                kind, _, error = await failure(client.get(url))
                assert (kind, str(error)) == (
                    httpx.ConnectError,
                    NO_INTERNET.format(host="example.com"),
                )

    in_page(scenario)


def test_tls_is_refused_with_a_reason():
    async def scenario():
        for attempt in (
            asyncio.start_server(echo, HOST, 0, ssl=object()),
            asyncio.open_connection(HOST, 1, ssl=True),
        ):
            kind, _, error = await failure(attempt)
            assert kind is NotImplementedError
            assert "no TLS" in str(error)

    in_page(scenario)


@pytest.mark.parametrize("host", ["localhost", HOST, "127.0.0.2", "::1"])
def test_the_names_of_the_loopback_address(host):
    async def scenario():
        server = await asyncio.start_server(echo, host, 0, family=0)
        for sock in server.sockets:
            reader, writer = await asyncio.open_connection(*sock.getsockname()[:2])
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == b"hello"
            writer.close()
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
        server.close()
        return [sock.getsockname()[0] for sock in server.sockets], found

    _, found = in_page(scenario)
    assert {entry[4][1] for entry in found} == {80}


def test_a_port_is_not_picked_again_at_once():
    async def scenario():
        return [await closed_port() for _ in range(1000)]

    assert len(set(in_page(scenario))) == 1000


pieces = st.lists(st.binary(min_size=0, max_size=400_000), max_size=6)


@settings(max_examples=40)
@given(there=pieces, back=pieces, step=st.integers(1, 300_000))
def test_bytes_arrive_whole_and_in_order_both_ways(there, back, step):
    async def scenario():
        got = asyncio.get_running_loop().create_future()

        async def answer(reader, writer):
            for piece in back:
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
            got.set_result(await reader.read())
            writer.close()

        async def send(writer):
            for piece in there:
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

        async with await asyncio.start_server(answer, HOST, 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            sending = asyncio.ensure_future(send(writer))
            received = bytearray()
            while data := await reader.read(step):
                received += data
            await sending
            arrived = await got
            writer.close()
            await writer.wait_closed()
        return arrived, bytes(received)

    assert in_page(scenario) == (b"".join(there), b"".join(back))
