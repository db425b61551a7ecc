"""Real programs in real Jupyter kernels: cells run again, interrupts, restarts and kill -9."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from tests.programs.servers import FILES_AND_WORD, PROGRAMS, all_over, ask, folders, is_over
from tests.serving.test_kernel import Kernel
from tests.waiting import eventually

SETUP = """
import sys, tempfile
from pathlib import Path
from helpers.programs import *
files = Path({files!r})
configs = {configs!r}
"""
NAMES = [kind.__name__ for kind in PROGRAMS]
CONFIGS = {kind.__name__: config for kind, config in FILES_AND_WORD.items()}
START = "{0} = {1}(configs['{1}'], files=files, word='w')"
ALL = "; ".join(START.format(name.lower(), name) for name in NAMES)
PORTS = f"[p.port for p in ({', '.join(map(str.lower, NAMES))})]"
PIDS = (
    "sorted({pid for p in programs for pid, _ in p.processes()}"
    " | {p._process._guard.pid for p in programs})"
)


@pytest.fixture
def kernel(files, nothing_left) -> Iterator[Kernel]:
    kernel = Kernel()
    kernel.value(SETUP.format(files=str(files), configs=CONFIGS), "None")
    yield kernel
    kernel.close()


def start_all(kernel: Kernel, cell: str = "all") -> tuple[list[int], list[psutil.Process]]:
    """The ports of one program of each kind, and all their processes."""
    ports = kernel.value(f"{ALL}\nprograms = [{', '.join(map(str.lower, NAMES))}]", PORTS, cell)
    pids = kernel.value("None", PIDS)
    assert all(answers(port) for port in ports)
    assert len(pids) == 4 + 3 + 2 + 3 + 1
    return ports, [psutil.Process(pid) for pid in pids]


def answers(port: int) -> bool:
    return ask(f"http://127.0.0.1:{port}/song.wav").status_code == 200


def test_a_cell_that_runs_again_replaces_its_programs(kernel, nothing_left):
    ports, processes = start_all(kernel)
    again, others = start_all(kernel)
    assert all_over([port for port in ports if port not in again], processes)
    assert len(folders(nothing_left)) == 4
    third = kernel.value("print(nginx.log())\nnginx.port", "nginx.port", "other cell")
    assert answers(third), "another cell replaces nothing"
    # A cell that goes wrong when it runs again has stopped its old program all the same.
    reply = kernel.run("Nginx('server { listen 127.0.0.1:PORT; roote x; }')", "all")
    assert reply["ename"] == "ConfigError"
    assert "\n".join(reply["traceback"]).startswith("ConfigError: nginx does not take this config")
    assert all_over(again, others)


def test_a_restart_leaves_nothing(kernel, nothing_left):
    ports, processes = start_all(kernel)
    kernel.restart()
    eventually(lambda: all_over(ports, processes))
    eventually(lambda: not folders(nothing_left))


def test_kill_9_leaves_nothing(kernel, nothing_left):
    ports, processes = start_all(kernel)
    kernel.process.kill()
    eventually(lambda: all_over(ports, processes))
    eventually(lambda: not folders(nothing_left))


def test_an_interrupt_leaves_the_programs_that_run(kernel, files):
    ports, processes = start_all(kernel)
    cell = kernel.send("files.joinpath('mark').touch()\nimport time\ntime.sleep(600)")
    eventually((files / "mark").exists)
    kernel.interrupt()
    assert kernel.reply(cell)["ename"] == "KeyboardInterrupt"
    assert all(answers(port) for port in ports)
    assert not any(map(is_over, processes))


def test_an_interrupt_while_a_program_starts_leaves_nothing(kernel, nothing_left):
    """The program never writes that it is ready, so that the start waits: that is interrupted."""
    wait = "from helpers.programs import _nginx\n_nginx.Nginx._is_bound = lambda self: False"
    kernel.value(wait, "None")
    for _ in range(3):
        cell = kernel.send(START.format("nginx", "Nginx"), "start")
        started = eventually(
            lambda: [c for c in kernel.process.children(recursive=True) if c.name() == "nginx"]
        )
        kernel.interrupt()
        assert kernel.reply(cell)["ename"] == "KeyboardInterrupt"
        assert all(map(is_over, started))
        # an interrupt may come while nginx is asked for its version: its end is noticed a bit later
        eventually(lambda: not kernel.process.children())
        assert not folders(nothing_left)
