"""Raw conversations with any server: send bytes, read answers with h11 as a strict client."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import h11

from tests.web.rfc_cases import CASES, Case, prepare


@dataclass
class Answer:
    """One answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    interim: list[int] = field(default_factory=list)
    raw: bytes = b""


@dataclass
class Heard:
    """What came back on a connection."""

    answers: list[Answer] = field(default_factory=list)
    rest: bytes = b""
    closed: bool = False
    complaint: str = ""

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]


def parse(said: bytes, methods: list[str], closed: bool) -> Heard:
    """Split what a server said into answers, as strictly as h11 does.

    methods: of the requests in their order; the last counts for all that follow.
    """
    heard = Heard(rest=said, closed=closed)
    while heard.rest:
        method = methods[min(len(heard.answers), len(methods) - 1)]
        client = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(heard.rest)
        if closed:
            client.receive_data(b"")
        answer = None
        interim = []
        try:
            while True:
                event = client.next_event()
                if isinstance(event, h11.InformationalResponse):
                    interim.append(event.status_code)
                elif isinstance(event, h11.Response):
                    names = {
                        name.decode(): value.decode("latin-1") for name, value in event.headers
                    }
                    answer = Answer(event.status_code, names, b"", interim)
                elif isinstance(event, h11.Data):
                    answer.body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return heard  # more has to come
        except h11.RemoteProtocolError as error:
            heard.complaint = str(error)
            return heard
        rest = client.trailing_data[0]
        answer.raw = heard.rest[: len(heard.rest) - len(rest)]
        heard.answers.append(answer)
        heard.rest = rest
    return heard


async def talk(
    port: int, pieces: list[bytes], methods: list[str], expected: int = 1, seconds: float = 3.0
) -> Heard:
    """Send pieces, and listen until the server closes or all answers are here.

    An answer more than expected is noticed only if it comes with the others; `seconds` is how long
    it may take, and decides only how long a silent server takes.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said, closed = b"", False

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    sending = asyncio.ensure_future(send())
    try:
        async with asyncio.timeout(seconds):
            while len(parse(said, methods, closed).answers) < expected:
                data = await reader.read(1 << 18)
                if not data:
                    closed = True
                    break
                said += data
    except TimeoutError:
        pass
    except ConnectionError:
        closed = True
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return parse(said, methods, closed)


def methods_of(case: Case) -> list[str]:
    """HEAD matters to who reads the answers."""
    return ["HEAD", "GET"] if case.raw.startswith(b"HEAD") else ["GET"]


def is_right(case: Case, heard: Heard) -> bool:
    """Whether what came back is what the RFC allows."""
    if heard.complaint or heard.rest or (case.closes and not heard.closed):
        return False
    if case.body is not None and (not heard.answers or heard.answers[-1].body != case.body):
        return False
    if any(b"SECRET" in answer.body for answer in heard.answers):
        return False
    return any(
        len(heard.answers) == len(choice)
        and all(status in right for status, right in zip(heard.statuses, choice, strict=True))
        for choice in case.allowed
    )


async def hear(
    port: int, case: Case, known: dict[str, str], seconds: float = 3.0, piece: int = 1 << 20
) -> Heard:
    """Play one case against the server at a port, in pieces of so many bytes."""
    longest = max(map(len, case.allowed))
    expected = longest + 1 if case.closes else longest
    raw = prepare(case.raw, known)
    pieces = [raw[at : at + piece] for at in range(0, len(raw), piece)]
    return await talk(port, pieces, methods_of(case), expected, seconds)


async def play(
    port: int, cases: list[Case] = CASES, *, seconds: float = 3.0, piece: int = 1 << 20
) -> dict[str, Heard]:
    """Play cases against the server at a port, some at the same time."""
    known = (await talk(port, [CASES[0].raw], ["GET"])).answers[0].headers
    slots = asyncio.Semaphore(16)

    async def one(case: Case) -> Heard:
        async with slots:
            return await hear(port, case, known, seconds, piece)

    heard = await asyncio.gather(*map(one, cases))
    return {case.name: found for case, found in zip(cases, heard, strict=True)}
