"""serve in real Jupyter kernels: cells that run again, interrupts, restarts and kill -9."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from jupyter_client.manager import KernelManager

from tests.serving.apps import ROOT, listening, refuses
from tests.waiting import eventually

SETUP = """
import asyncio
import httpx
from helpers import serve

arrived = 0

async def app(scope, receive, send):
    global arrived
    assert scope["type"] == "http"
    if scope["path"] == "/wait":
        arrived += 1
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(arrived).encode()})
"""


class Kernel:
    """A Jupyter kernel as a notebook drives it."""

    def __init__(self) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(ROOT))
        self._connect()

    def _connect(self) -> None:
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        assert self.run(SETUP)["status"] == "ok"

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._manager.provisioner.pid)

    def send(
        self, code: str, cell: str | None = None, *, expression: str = "", **extra: Any
    ) -> str:
        """Start a cell and return its message's id; JupyterLab sends the cell's id along."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {"value": expression} if expression else {},
            "allow_stdin": False,
            "stop_on_error": False,
        } | extra
        metadata = {"cellId": cell} if cell else {}
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def reply(self, message_id: str) -> dict[str, Any]:
        while True:
            message = self._client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == message_id:
                return message["content"]

    def run(self, code: str, cell: str | None = None, **more: Any) -> dict[str, Any]:
        return self.reply(self.send(code, cell, **more))

    def value(self, code: str, expression: str, cell: str | None = None, **more: Any) -> Any:
        """The value of an expression after a cell has run without an error."""
        content = self.run(code, cell, expression=expression, **more)
        assert content["status"] == "ok", content
        return ast.literal_eval(content["user_expressions"]["value"]["data"]["text/plain"])

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        self._client.stop_channels()
        self._manager.restart_kernel(now=False)
        self._connect()

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    yield kernel
    kernel.close()


@pytest.fixture
def own_kernel() -> Iterator[Kernel]:
    """A kernel that the test may end."""
    kernel = Kernel()
    yield kernel
    kernel.close()


def answers(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}").status_code == 200


@pytest.mark.parametrize("store_history", [True, False])
def test_a_cell_that_runs_again_replaces_its_server(kernel, store_history):
    def run_cell(code):
        return kernel.value(code, "api.port", "again", store_history=store_history)

    first = run_cell("api = serve(app)")
    assert answers(first)
    second = run_cell("api = serve(app)")
    assert answers(second)
    assert refuses(first)
    third = run_cell("api = serve(app)  # edited")
    assert answers(third)
    assert refuses(second)
    kernel.run("api.stop()")
    assert refuses(third)


def test_without_cell_ids_the_text_of_the_cell_counts(kernel):
    first = kernel.value("text = serve(app)", "text.port")
    other = kernel.value("other = serve(app)", "other.port")
    second = kernel.value("text = serve(app)", "text.port")
    assert refuses(first)
    assert answers(second)
    assert answers(other), "another cell's server stays"
    kernel.run("text.stop(); other.stop()")


def test_cells_with_the_same_text_and_their_own_ids_are_two(kernel):
    first = kernel.value("same = serve(app)", "same.port", "cell-1")
    second = kernel.value("same = serve(app)", "same.port", "cell-2")
    assert answers(first)
    assert answers(second)
    for cell in ("cell-1", "cell-2"):
        kernel.run("serve(app).stop()", cell)
    assert refuses(first)
    assert refuses(second)


def test_several_servers_from_one_run_live_side_by_side(kernel):
    code = "many = [serve(app) for _ in range(3)]"
    ports = kernel.value(code, "[api.port for api in many]", "many")
    assert all(answers(port) for port in ports)
    again = kernel.value(code, "[api.port for api in many]", "many")
    assert all(refuses(port) for port in set(ports) - set(again))
    assert all(answers(port) for port in again)
    kernel.run("[api.stop() for api in many]")
    assert all(refuses(port) for port in again)


def test_a_cell_that_serves_on_a_fixed_port_runs_again(kernel):
    port = kernel.value("fixed = serve(app)\nport = fixed.port\nfixed.stop()", "port")
    for _ in range(3):
        assert kernel.value("fixed = serve(app, port)", "fixed.port", "fixed") == port
        assert answers(port)
    kernel.run("fixed.stop()")


def test_a_cell_awaits_its_own_server(kernel):
    code = """
        with serve(app) as api:
            async with httpx.AsyncClient() as client:
                got = [(await client.get(api.url)).status_code for _ in range(3)]
    """
    assert kernel.value(code, "got") == [200, 200, 200]


def test_an_interrupted_cell_leaves_the_server_and_the_kernel_well(kernel):
    port = kernel.value("waiting = serve(app)", "waiting.port", "waiting")
    url = f"http://127.0.0.1:{port}"
    before = int(httpx.get(url).text)
    cell = kernel.send(
        "async with httpx.AsyncClient(timeout=None) as client:\n"
        "    await client.get(waiting.url + '/wait')"
    )
    eventually(lambda: int(httpx.get(url).text) == before + 1)
    kernel.interrupt()
    # ipykernel cancels the cell only when something else wakes its event loop (its issue 881):
    # here that is the next message, as in a notebook it is the reader's next click.
    kernel.send("pass")
    assert kernel.reply(cell)["ename"] == "CancelledError"
    assert answers(port)
    assert kernel.value("got = httpx.get(waiting.url).status_code", "got") == 200
    kernel.run("waiting.stop()")
    assert refuses(port)


def test_an_interrupt_while_the_app_starts(kernel):
    code = """
        import tempfile, pathlib
        mark = pathlib.Path(tempfile.mkdtemp(), "mark")
        async def hanging(scope, receive, send):
            mark.touch()
            await asyncio.Event().wait()
    """
    mark = kernel.value(code, "str(mark)")
    before = set(listening(kernel.process.pid))
    cell = kernel.send("serve(hanging)")
    eventually(lambda: Path(mark).exists())
    kernel.interrupt()
    assert kernel.reply(cell)["ename"] == "KeyboardInterrupt"
    assert set(listening(kernel.process.pid)) == before
    left = "[t.name for t in __import__('threading').enumerate() if t.name == 'serve']"
    assert kernel.value("mark.unlink()", left) == []


def test_nest_asyncio_in_the_kernel(own_kernel):
    ask = """
        async with httpx.AsyncClient() as client:
            got = [(await client.get(f"http://127.0.0.1:{p}")).status_code for p in ports]
    """
    own_kernel.run("before = serve(app)\nports = [before.port]")
    own_kernel.run("import nest_asyncio\nnest_asyncio.apply()")
    own_kernel.run("after = serve(app)\nports.append(after.port)")
    assert own_kernel.value(ask, "got") == [200, 200]
    ports = own_kernel.value("before.stop()\nafter.stop()", "ports")
    assert all(refuses(port) for port in ports)


def test_a_restart_leaves_no_server(own_kernel):
    port = own_kernel.value("api = serve(app)", "api.port")
    old = own_kernel.process
    own_kernel.restart()
    eventually(lambda: refuses(port))
    assert not old.is_running()
    assert own_kernel.value(f"api = serve(app, {port})", "api.port") == port
    assert answers(port)


def test_kill_9_leaves_no_process_and_no_port_and_no_other_kernel_harmed(own_kernel, kernel):
    code = "mine = [serve(app) for _ in range(3)]"
    ports = own_kernel.value(code, "[api.port for api in mine]", "mine")
    others = kernel.value(code, "[api.port for api in mine]", "mine")
    assert not set(ports) & set(others)
    process = own_kernel.process
    family = [process, *process.children(recursive=True)]
    assert {("127.0.0.1", port) for port in ports} <= set(listening(process.pid))
    own_kernel.send(
        "async with httpx.AsyncClient(timeout=None) as c: await c.get(mine[0].url + '/wait')"
    )
    eventually(lambda: httpx.get(f"http://127.0.0.1:{ports[0]}").text == "1")

    process.kill()  # SIGKILL, and TerminateProcess on Windows

    eventually(lambda: all(refuses(port) for port in ports))
    eventually(lambda: all(is_over(member) for member in family))
    assert not [member for member in psutil.process_iter() if started_by(member, process.pid)]
    assert all(answers(port) for port in others), "the other notebook's servers live on"
    kernel.run("[api.stop() for api in mine]")


def is_over(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def started_by(process: psutil.Process, parent: int) -> bool:
    try:
        return process.ppid() == parent
    except psutil.NoSuchProcess:
        return False
