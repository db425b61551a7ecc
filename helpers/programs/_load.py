"""Ask a server for the same page as often as it can answer, and count: ``await load(url)``.

The asking is done by `wrk`, a program written for it (https://github.com/wg/wrk). A Python client
would be slower than the servers that it measures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from ._config import is_loopback
from ._errors import ProgramFailed
from ._find import find
from ._guarded import OUTPUT, Guarded

MOST_SECONDS = 30
MOST_CONNECTIONS = 1000
REPORT = "report.json"  # as the script below has it
_LOOK = 0.02  # seconds between two looks at the program

# wrk calls `done` at the end; its times are in microseconds (SCRIPTING in wrk's documentation).
_SCRIPT = """
done = function(summary, latency, requests)
   local e = summary.errors
   local file = io.open("report.json", "w")
   file:write(string.format(
      '{"requests": %d, "microseconds": %d, "bytes": %d, "failed": %d, "refused": %d, ' ..
      '"median": %d, "p99": %d}',
      summary.requests, summary.duration, summary.bytes,
      e.connect + e.read + e.write + e.timeout, e.status,
      latency:percentile(50), latency:percentile(99)))
   file:close()
end
"""


@dataclass(frozen=True)
class Load:
    """What came of it.

    Attributes:
        requests: how many requests were answered, with whatever status.
        seconds: how long it took.
        connections: how many connections asked at the same time.
        failed: connections and requests that broke or timed out.
        refused: answers with a status of 400 or above; they are among ``requests``.
        bytes: how much came back, headers included.
        median_ms: half of the answers took at most so many milliseconds.
        p99_ms: 99 of 100 answers took at most so many milliseconds.
        busy: the share of its time that the asking program spent computing, 0 to 1. Near 1, it
            is the one that cannot do more, and its figures say nothing about the server.
    """

    requests: int
    seconds: float
    connections: int
    failed: int
    refused: int
    bytes: int
    median_ms: float
    p99_ms: float
    busy: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def errors(self) -> int:
        """Everything that was not a good answer."""
        return self.failed + self.refused

    def __repr__(self) -> str:
        return (
            f"{self.requests:,} answers in {self.seconds:.1f} s over {self.connections} "
            f"connections, {self.errors:,} of them bad; the asking program was busy for "
            f"{self.busy:.0%} of the time"
        )


async def load(url: str, seconds: float = 2, connections: int = 32) -> Load:
    """Ask ``url`` over some connections at once, each time as soon as the last answer is there.

    Args:
        url: an address on this machine.
        seconds: for how long, 1 to 30, in whole seconds.
        connections: how many at once, 1 to 1,000. They stay open (keep-alive).

    Raises:
        ProgramMissing: wrk is not here.
        ProgramFailed: wrk could not reach the server.
        ValueError: another machine's address, or a number that is out of bounds.
    """
    _check(url, seconds, connections)
    guarded = Guarded()
    try:
        pid = _start(guarded, url, int(seconds), connections)
        computed = await asyncio.to_thread(_wait, guarded, pid)
        report = guarded.folder / REPORT
        if not report.exists():
            said = " ".join((guarded.folder / OUTPUT).read_text("utf-8", "replace").split())
            raise ProgramFailed(f"wrk could not ask {url}: {said or 'it says nothing'}.")
        found = json.loads(report.read_text("utf-8"))
    finally:
        guarded.close()
    elapsed = found["microseconds"] / 1e6
    return Load(
        requests=found["requests"],
        seconds=elapsed,
        connections=connections,
        failed=found["failed"],
        refused=found["refused"],
        bytes=found["bytes"],
        median_ms=found["median"] / 1000,
        p99_ms=found["p99"] / 1000,
        busy=min(1.0, computed / elapsed),
    )


def _check(url: str, seconds: float, connections: int) -> None:
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ValueError(
            f"load asks servers of this machine only, such as http://127.0.0.1:8000/, and not {url}"
        )
    if not 1 <= seconds <= MOST_SECONDS:
        raise ValueError(f"load asks for 1 to {MOST_SECONDS} seconds, not {seconds}.")
    if not 1 <= connections <= MOST_CONNECTIONS:
        raise ValueError(f"load opens 1 to {MOST_CONNECTIONS:,} connections, not {connections}.")


def _start(guarded: Guarded, url: str, seconds: int, connections: int) -> int:
    (guarded.folder / "report.lua").write_text(_SCRIPT, encoding="utf-8")
    command = [str(find("wrk").path), "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds}s", "--script", "report.lua", url]
    return guarded.run(command, {})


def _wait(guarded: Guarded, pid: int) -> float:
    """Wait for the end; how many seconds the program has computed."""
    import psutil  # here, as a page has none and must be able to import this package

    computed = 0.0
    while guarded.exit_code() is None:
        with contextlib.suppress(psutil.Error):
            used = psutil.Process(pid).cpu_times()
            computed = used.user + used.system
        time.sleep(_LOOK)
    return computed
