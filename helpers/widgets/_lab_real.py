"""The load balancer lab at work: a real nginx or HAProxy, real replicas, and clients that ask.

Everything runs in a thread of its own with an event loop, so that the notebook stays free. What the
reader changes in the widget is carried out there, one change after the other: a replica is stopped
or started again on its port, nginx reads a new configuration, HAProxy is told a weight at its admin
socket. The numbers are those of the requests that really were sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import random
import socket
import threading
import time
import weakref
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import httpx

from ..programs import Haproxy, Nginx
from ..serving import serve_apart
from ._lab_configs import ADMIN, haproxy_config, nginx_config, weights_of

if TYPE_CHECKING:
    from .load_balancer_lab import LoadBalancerLab

PLACES, LINE = 4, 20  # as in the simulation: requests that a replica works on, and that may wait
CLIENTS = [f"198.51.{net}.7" for net in (3, 18, 40, 66, 71, 97, 118, 130, 159, 184, 203, 240)]
SONGS = 50  # different ones that are asked for; what consistent hash looks at
LOOK = 0.2  # seconds from one report to the next
PATIENCE = 10.0  # seconds until a request counts as lost
ENDS = 5.0  # seconds that the thread may take to end
FAILURES = ("econ", "eresp", "wretr", "wredis")  # lost at a server, tried again, sent elsewhere
KEPT = 500  # times of answers, for the percentiles

_running: weakref.WeakSet[Drive] = weakref.WeakSet()


class Replica:
    """One server that takes its time: an ASGI app, on the same port whenever it runs.

    Attributes:
        ms: how long it works on a request.
        open: requests that it has now.
    """

    def __init__(self, name: str, ms: int) -> None:
        self.name, self.ms, self.open = name, ms, 0
        self._server = serve_apart(self)
        self.port = self._server.port
        self._places: asyncio.Semaphore | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise NotImplementedError("no lifespan")
        status = 200 if scope["path"] == "/health" else await self._work()
        fields = [(b"served-by", self.name.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b""})

    async def _work(self) -> int:
        """Wait for a place, work, and return the status."""
        if self._places is None:
            self._places = asyncio.Semaphore(PLACES)
        if self.open >= PLACES + LINE:
            return 503
        self.open += 1
        try:
            async with self._places:
                await asyncio.sleep(self.ms / 1000)
        finally:
            self.open -= 1
        return 200

    def set_up(self, up: bool) -> None:
        """Kill it or start it again, unless it is as wanted."""
        if up and not self._server.running:
            self._places, self.open = None, 0
            self._server = serve_apart(self, self.port)
        elif not up:
            self._server.stop()


class Drive:
    """Runs the real program for a widget until `stop`; a second one ends the first.

    Args:
        lab: the widget; its settings are followed, and `measured` and `message` are set.
        kind: "nginx" or "haproxy".

    Raises:
        ProgramMissing, ProgramFailed: there is none, or it does not start.
    """

    def __init__(self, lab: LoadBalancerLab, kind: str) -> None:
        for other in list(_running):
            other.stop()
        self._lab, self._kind = weakref.ref(lab), kind
        self._wanted = lab.settings
        self._replicas: dict[str, Replica] = {}
        self._config = nginx_config if kind == "nginx" else haproxy_config
        self._begin()
        try:
            self._add_replicas(self._wanted)
            start = Nginx if kind == "nginx" else Haproxy
            words = {"workers": 1} if kind == "nginx" else {}
            self._program: Any = start(self._config(self._wanted, self._ports), **words)
        except BaseException:
            self._stop_replicas()
            raise
        self._done = self._wanted
        self._loop = asyncio.new_event_loop()
        self._changed, self._end = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._live, name="load balancer lab", daemon=True)
        lab.observe(self._hear, "settings")
        _running.add(self)
        self._thread.start()

    def stop(self) -> None:
        """End the clients, the program and the replicas. Stopping twice is fine."""
        _running.discard(self)
        if lab := self._lab():
            with contextlib.suppress(ValueError):
                lab.unobserve(self._hear, "settings")
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._end.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(ENDS)
        self._program.stop()
        self._stop_replicas()

    @property
    def _ports(self) -> dict[str, int]:
        return {name: replica.port for name, replica in self._replicas.items()}

    def _stop_replicas(self) -> None:
        for replica in self._replicas.values():
            replica.set_up(False)

    def _add_replicas(self, settings: dict[str, Any]) -> None:
        """Have a replica for each server: new ones are started, old ones work as they should."""
        for one in settings["servers"]:
            replica = self._replicas.get(one["name"])
            if replica is None:
                replica = self._replicas[one["name"]] = Replica(one["name"], one["ms"])
            replica.ms = one["ms"]
            replica.set_up(one["up"])

    def _begin(self) -> None:
        """Count from nothing."""
        self._answered: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._lost = 0
        self._times: deque[float] = deque(maxlen=KEPT)
        self._fates: list[list[Any]] = []
        self._errors_before: dict[str, int] = {}

    def _hear(self, change: Any) -> None:
        """The reader has changed something; called in the notebook's thread."""
        self._wanted = change["new"]
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed.set)

    # What runs in the thread.

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._work())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _work(self) -> None:
        tasks = {
            self._loop.create_task(one()) for one in (self._ask_on, self._follow, self._report_on)
        }
        tasks.add(self._loop.create_task(self._end.wait()))
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _ask_on(self) -> None:
        """Clients come at random moments, so many a second as the reader wants."""
        asking: set[asyncio.Task[None]] = set()
        async with contextlib.AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=self._program.url,
                        headers={"X-Forwarded-For": address},
                        timeout=PATIENCE,
                    )
                )
                for address in CLIENTS
            ]
            try:
                while True:
                    await asyncio.sleep(random.expovariate(self._wanted["rate"]))
                    task = self._loop.create_task(self._ask(random.choice(clients)))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
            finally:
                for task in asking:
                    task.cancel()
                if asking:
                    await asyncio.wait(asking)

    async def _ask(self, client: httpx.AsyncClient) -> None:
        begun, counts = time.perf_counter(), self._times
        answer = await self._answer(client, random.randrange(SONGS))
        if counts is not self._times:  # the numbers have begun anew meanwhile
            return
        ms = (time.perf_counter() - begun) * 1000
        ok = answer is not None and answer.status_code < 500
        name = answer.headers.get("served-by") if answer is not None else None
        if self._kind == "nginx" and answer is not None:
            self._count_tried(answer.headers.get("tried", ""), ok)
        if ok and name:
            self._answered[name] += 1
            self._times.append(ms)
        else:
            self._lost += 1
        self._fates.append([name, round(ms), ok])

    @staticmethod
    async def _answer(client: httpx.AsyncClient, song: int) -> httpx.Response | None:
        """Ask; once more if the line was closed, as a client may (RFC 9112, section 9.3.1).

        A program that reads a new configuration closes lines that rest, and a request can be on
        its way just then.
        """
        for _ in range(2):
            try:
                return await client.get("/", params={"song": song})
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                continue
            except httpx.HTTPError:
                break
        return None

    def _count_tried(self, tried: str, ok: bool) -> None:
        """nginx lists all that it asked; all but the last have failed, and perhaps that one too."""
        names = {f"127.0.0.1:{port}": name for name, port in self._ports.items()}
        asked = [names[one] for one in tried.split(", ") if one in names]
        self._failed.update(asked[: -1 if ok else None])

    async def _follow(self) -> None:
        """Carry out what the reader has changed, the newest wish first."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = self._wanted
            try:
                told = await asyncio.to_thread(self._carry_out, wanted)
            except Exception as error:
                told = f"{type(self._program).__name__} refused: " + str(error).splitlines()[0]
            self._done = wanted
            if told:
                self._say(told)

    def _carry_out(self, wanted: dict[str, Any]) -> str:
        """Make it so; returns what was done, for the reader."""
        before = self._done
        self._add_replicas(wanted)
        weights = weights_of(wanted)
        same = [wanted[key] == before[key] for key in ("algorithm", "sticky")]
        if not all(same):
            self._begin()
        if all(same) and weights == weights_of(before):
            return ""
        if self._kind == "haproxy" and all(same) and weights.keys() == weights_of(before).keys():
            told = self._tell_weights(
                {n: w for n, w in weights.items() if w != weights_of(before)[n]}
            )
            if told:
                return told
        self._program.reload(self._config(wanted, self._ports))
        gone = [name for name in self._replicas if name not in weights]
        for name in gone:
            self._replicas.pop(name).set_up(False)
        return f"{'nginx' if self._kind == 'nginx' else 'HAProxy'} has read a new configuration."

    def _tell_weights(self, weights: dict[str, int]) -> str:
        """Set weights at HAProxy's admin socket; empty if its algorithm can't change them there."""
        orders = [f"set weight lab/{name} {weight}" for name, weight in weights.items()]
        refused = any(self._admin(order).strip() for order in orders)
        return "" if refused else f"HAProxy was told: {'; '.join(orders)}."

    def _admin(self, order: str) -> str:
        """Ask HAProxy at its admin socket (Management Guide, section 9.3)."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(self._program.folder / ADMIN))
            line.sendall(order.encode() + b"\n")
            return b"".join(iter(lambda: line.recv(65_536), b"")).decode()

    def _read_failures(self) -> None:
        """What HAProxy says of failed requests (Management Guide, section 9.1)."""
        try:
            rows = list(csv.DictReader(io.StringIO(self._admin("show stat"))))
        except OSError:
            return  # it is reading a new configuration
        for row in rows:
            name = row.get("svname", "")
            if row.get("# pxname") == "lab" and name in self._replicas:
                errors = sum(int(row[column] or 0) for column in FAILURES)
                before = self._errors_before.setdefault(name, errors)
                if errors < before:  # a new process counts from 0
                    before = 0
                self._failed[name] += errors - before
                self._errors_before[name] = errors

    async def _report_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            if self._kind == "haproxy":
                await asyncio.to_thread(self._read_failures)
            self._report()

    def _report(self) -> None:
        """Give the widget the numbers, and what became of the requests since the last time."""
        lab = self._lab()
        if lab is None:
            self._end.set()  # nobody is left who could look
            return
        times = sorted(self._times)
        parts = {
            name: times[min(int(len(times) * part), len(times) - 1)] if times else None
            for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        }
        rows = []
        for name, replica in list(self._replicas.items()):
            failed, now = self._failed[name], replica.open
            sent = self._answered[name] + failed + now
            rows.append({"name": name, "requests": sent, "failed": failed, "open": now})
        lab.measured = {"servers": rows, "lost": self._lost, **parts}
        fates, self._fates = self._fates, []
        if fates:
            lab.send({"kind": "requests", "list": fates})

    def _say(self, text: str) -> None:
        if lab := self._lab():
            lab.message = text
