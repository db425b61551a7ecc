"""The proxy where there are no sockets: on the page's own network, as over real ones."""

from __future__ import annotations

import asyncio

import httpx

from helpers import serve
from helpers.balancing import WeightedRoundRobin
from helpers.proxying import ReverseProxy
from tests.proxying.behind import OK, Behind, answering, get, named, post, until
from tests.serving.page_worlds import in_both
from tests.web.talk import talk


def app(name: str):
    """An ASGI app that says its name, and what it was asked."""

    async def answer(scope, receive, send):
        assert scope["type"] == "http"
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message["body"]
        headers = [(b"x-name", name.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        text = f"{name} {scope['method']} {scope['path']} {len(body)}"
        await send({"type": "http.response.body", "body": text.encode()})

    return answer


async def asked(url: str, count: int = 1) -> str:
    """Who answers so many requests."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return "".join([(await client.get(url)).headers.get("x-name", "-") for _ in range(count)])


def test_it_forwards_and_balances():
    async def scenario():
        a, b = serve(app("a")), serve(app("b"))
        proxy = ReverseProxy({a.url: 2, b.url: 1}, WeightedRoundRobin)
        front = serve(proxy)
        names = await asked(front.url, 9)
        async with httpx.AsyncClient(trust_env=False) as client:
            large = await client.post(front.url + "/x", content=bytes(3_000_000))
            gone = await client.request("TRACE", front.url)
        await until(lambda: all(row.open == 0 for row in proxy.statistics()))
        rows = [(row.requests, row.failures) for row in proxy.statistics()]
        for server in (front, a, b):
            server.stop()
        date = [name for name, _ in large.headers.raw if name.lower() == b"date"]
        return names, large.text, large.headers["via"], len(date), gone.status_code, rows

    assert in_both(scenario) == (
        "abaabaaba",
        "a POST /x 3000000",
        "1.1 course-proxy",
        1,
        405,
        [(7, 0), (3, 0)],
    )


def test_a_server_that_has_been_stopped():
    """Its requests go to the other one; then nobody is left; then it is back."""

    async def scenario():
        a, b = serve(app("a")), serve(app("b"))
        proxy = ReverseProxy([a.url, b.url], fail_timeout=0.05)
        front = serve(proxy)
        before = await asked(front.url, 4)
        a.stop()
        without = await asked(front.url, 4)
        failures = [row.failures > 0 for row in proxy.statistics()]
        b.stop()
        async with httpx.AsyncClient(trust_env=False) as client:
            nobody = await client.get(front.url)
        again = serve(app("a"), port=a.port)
        await until(lambda: proxy.statistics()[a.url].state == "up")
        back = await asked(front.url, 2)
        again.stop()
        front.stop()
        return before, without, failures, nobody.status_code, nobody.json()["title"], back

    assert in_both(scenario) == ("abab", "bbbb", [True, False], 502, "Bad Gateway", "aa")


def test_checks():
    async def scenario():
        a, b = serve(app("a")), serve(app("b"))
        proxy = ReverseProxy([a.url, b.url], check="/health", check_every=0.01, fall=1, rise=1)
        front = serve(proxy)
        states = []
        a.stop()
        await until(lambda: proxy.statistics()[a.url].state == "down")
        states.append([row.state for row in proxy.statistics()])
        names = await asked(front.url, 3)
        again = serve(app("a"), port=a.port)
        await until(lambda: proxy.statistics()[a.url].state == "up")
        failures = [row.failures for row in proxy.statistics()]
        for server in (front, again, b):
            server.stop()
        return states, names, failures

    assert in_both(scenario) == ([["down", "up"]], "bbb", [0, 0])


def test_raw_bytes():
    """Refusals, bad answers, retries and the use of connections are the same there."""

    async def hang_up(line):
        await line.request()

    async def scenario():
        found = []
        nonsense = answering(b"nonsense", OK)
        async with Behind(hang_up) as bad, Behind(nonsense) as odd, Behind(named("well")) as well:
            proxy = ReverseProxy([bad.url, odd.url, well.url], max_fails=0)
            front = serve(proxy)
            for raw in (
                post(), get(), get() * 5, get(b"X : y\r\n"), post(b"x", b"Content-Length: 2\r\n"),
                get(b"Transfer-Encoding: chunked\r\n", method=b"POST") + b"2\r\nhi\r\n0\r\nX: y\r\n\r\n",
            ):  # fmt: skip
                expected = raw.count(b"HTTP/1.1")
                heard = await talk(front.port, [raw], ["GET"], expected, seconds=10)
                found.append([(answer.status, answer.body) for answer in heard.answers])
            found.append([len(line.heads) for line in well.lines])
            found.append([seen.raw.replace(b"%d" % well.port, b"PORT") for seen in well.requests])
            found.append([(row.requests, row.failures, row.retries) for row in proxy.statistics()])
            front.stop()
            await until(lambda: bad.open == odd.open == well.open == 0)
        return found

    found = in_both(scenario)
    assert [status for status, _ in found[0] + found[1]] == [502, 502]
    assert [status for status, _ in found[2]] == [200] * 5


def test_a_stream_comes_in_pieces():
    async def scenario():
        async def script(line):
            await line.request()
            line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while word := await words.get():
                line.say(b"%x\r\n%b\r\n" % (len(word), word))
            line.say(b"0\r\n\r\n")

        words: asyncio.Queue[bytes] = asyncio.Queue()
        async with Behind(script) as behind:
            front = serve(ReverseProxy([behind.url]))
            reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
            writer.write(get())
            await reader.readuntil(b"\r\n\r\n")
            for word in (b"one", b"two"):
                words.put_nowait(word)
                await reader.readuntil(word)
            words.put_nowait(b"")
            await reader.readuntil(b"0\r\n\r\n")
            writer.close()
            front.stop()
            await until(lambda: behind.open == 0)
        return True

    assert in_both(scenario)
