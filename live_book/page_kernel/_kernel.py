"""The kernel of a page: runs cells one at a time and says what happened, in messages.

Messages are dictionaries: ``{"type": "output", "cell", "output"}``, ``{"type": "done", "cell",
"status", "highlighted"}`` and ``{"type": "comm", "cell", "message"}``; buffers go beside them.
"""

from __future__ import annotations

import asyncio
import builtins
import sys
import uuid
from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from ._comms import PageComms
from ._highlight import highlight
from ._interrupts import Interrupts
from ._outputs import Outputs, Stream
from ._shell import NotInAPage, PageShell

Post = Callable[[dict[str, Any], list[bytes]], None]
"""Takes a message and its buffers."""


class Kernel:
    """One Python for one page. It takes over ``sys.stdout``, ``input`` and SIGINT.

    Args:
        post: gets each message for the page.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._parent: dict[str, Any] = {}
        self.outputs = Outputs(self._post_output)
        self.interrupts = Interrupts()
        self.comm_manager = PageComms(self._post_comm, lambda: self.outputs.cell)

    def start(self) -> None:
        """Become the shell that ``get_ipython()`` finds. Call it once."""
        sys.stdout = Stream("stdout", self.outputs)
        sys.stderr = Stream("stderr", self.outputs)
        self.shell = PageShell.instance(
            outputs=self.outputs, interrupts=self.interrupts, kernel=self
        )
        # Libraries ask for the shell by the class they know.
        for one in InteractiveShell._walk_mro():
            one._instance = self.shell
        self.comm_manager.install()
        self.interrupts.install()
        builtins.input = _no_input

    def get_parent(self) -> dict[str, Any]:
        """The message that asked for the running cell (Jupyter messaging protocol 5)."""
        return self._parent

    async def run(self, cell: str, number: int, code: str, store_history: bool = True) -> None:
        """Run a cell and send its outputs, then "done".

        Args:
            cell: identifies the cell in all messages.
            number: its execution count, from 1.
            code: its text.
            store_history: whether ``In`` and ``_i`` remember it.
        """
        self.outputs.start(cell)
        self._parent = _request(cell, code)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_lost_error)
        shell = self.shell
        shell.execution_count = shell.number = number
        shell.source = code
        shell.display_failed = False
        status = "error"
        try:
            task = loop.create_task(self._execute(code, store_history))
            self.interrupts.start(task)
            if await task and not shell.display_failed:
                status = "ok"
        except (KeyboardInterrupt, asyncio.CancelledError) as error:
            # Hit between the reader's lines, in the shell's own code.
            self.interrupts.finish()
            shell.showtraceback((KeyboardInterrupt, KeyboardInterrupt(), error.__traceback__))
        except BaseException:
            self.interrupts.finish()
            shell.showtraceback()
        finally:
            self.interrupts.end()
        if status == "error" and self.interrupts.requested:
            status = "interrupted"
        self.outputs.flush()
        done = {"type": "done", "cell": cell, "status": status, "highlighted": highlight(code)}
        self._post(done, [])

    async def _execute(self, code: str, store_history: bool) -> bool:
        shell = self.shell
        wrong = None
        transformed = code
        try:
            transformed = shell.transform_cell(code)
        except Exception:
            wrong = sys.exc_info()
        result = await shell.run_cell_async(
            code,
            store_history=store_history,
            transformed_cell=transformed,
            preprocessing_exc_tuple=wrong,
        )
        self.interrupts.finish()
        return result.success

    def interrupt(self) -> None:
        """Stop the running cell if it waits; one that computes gets SIGINT instead."""
        self.interrupts.stop_waiting()

    def receive_comm(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Hand a comm message of the page to its widget; what that prints goes to its cell."""
        cell = self.comm_manager.cell_of(message["comm_id"])
        parent, self._parent = self._parent, _request(cell, "")
        with self.outputs.callback(cell):
            try:
                self.comm_manager.receive(message, buffers)
            except Exception:
                self.shell.showtraceback(tb_offset=0)
            finally:
                self._parent = parent

    def _post_output(self, cell: str | None, output: dict[str, Any]) -> None:
        self._post({"type": "output", "cell": cell, "output": output}, [])

    def _post_comm(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self.outputs.flush()
        self._post({"type": "comm", "cell": self.outputs.cell, "message": message}, buffers)

    def _on_lost_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task or a callback of the event loop failed and nobody was waiting for it."""
        print(context.get("message") or "A background task failed", file=sys.stderr)
        error = context.get("exception")
        if error is not None:
            self.shell.showtraceback((type(error), error, error.__traceback__), tb_offset=0)
        self.outputs.flush()


def _request(cell: str | None, code: str) -> dict[str, Any]:
    return {
        "header": {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request"},
        "metadata": {"cellId": cell},
        "content": {"code": code},
    }


def _no_input(prompt: object = "") -> str:
    raise NotInAPage(
        "input() cannot ask you anything in a page. Write your answer into the cell instead, "
        'for example: name = "Ada".'
    )
