"""IPython's shell, with the page as its screen and without a terminal, processes and files."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import Any
from zlib import crc32

from IPython.core import page
from IPython.core.compilerop import CachingCompiler
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type

from ._display import PageDisplayHook, PageDisplayPublisher
from ._tracebacks import shorten

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class NotInAPage(RuntimeError):
    """Something that a page in a browser has not got: other programs, a keyboard prompt, ..."""


class PageCompiler(CachingCompiler):
    """Gives cells names of files that do not exist, as ipykernel does.

    By the name IPython decides how it shows a cell in a traceback.
    """

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        return f"/cells/{number}_{crc32(raw_code.encode('utf-8', 'surrogatepass'))}.py"


class PageHistory(HistoryManager):
    """The cells that ran, in memory only, under the numbers that the page gives them."""

    def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        source_raw = source if source_raw is None else source_raw
        for past, text in ((self.input_hist_parsed, source), (self.input_hist_raw, source_raw)):
            past.extend([""] * (line_num + 1 - len(past)))
            past[line_num] = text.rstrip("\n")
        self._iii, self._ii, self._i = self._ii, self._i, self._i00
        self._i00 = source_raw.rstrip("\n")
        names = {"_i": self._i, "_ii": self._ii, "_iii": self._iii, f"_i{line_num}": self._i00}
        self.shell.push(names, interactive=False)


class PageShell(InteractiveShell):
    """The shell of a page.

    Attributes:
        outputs: where output goes.
        interrupts: whether the page asked the running cell to stop.
        kernel: what libraries know as ``get_ipython().kernel``.
        number: the number of the running cell.
        source: the text of the running cell.
        display_failed: whether its result could not be shown.
    """

    compiler_class = Type(PageCompiler)
    displayhook_class = Type(PageDisplayHook)
    display_pub_class = Type(PageDisplayPublisher)
    outputs = AnyTrait()
    interrupts = AnyTrait()
    kernel = AnyTrait()
    number = 0
    source = ""
    display_failed = False

    def init_history(self) -> None:
        self.history_manager = PageHistory(shell=self, parent=self, enabled=False)
        self.configurables.append(self.history_manager)

    def init_virtualenv(self) -> None:
        pass

    def init_environment(self) -> None:
        pass

    def init_hooks(self) -> None:
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(self._show_in_pager), 99)

    def init_magics(self) -> None:
        super().init_magics()
        for name in ("pip", "conda", "mamba", "micromamba", "uv"):
            self.register_magic_function(_no_install, "line", name)
        for name in ("bash", "sh", "script", "perl", "ruby", "system", "sx", "!"):
            self.register_magic_function(_no_program_cell, "cell", name)

    def system(self, command: str) -> None:
        raise NotInAPage(
            f"a page in the browser has no other programs, so it cannot run {command.strip()!r}. "
            "Open this chapter in JupyterLab on your machine for that."
        )

    system_raw = system_piped = system

    def getoutput(self, command: str, split: bool = True, depth: int = 0) -> None:
        self.system(command)

    def ask_exit(self) -> None:
        print("There is nothing to leave here: Restart, at the top of the page, starts afresh.")

    def enable_gui(self, gui: object = None) -> None:
        if gui is not None:
            raise NotInAPage(f"a page in the browser has no windows, so {gui} cannot open one.")

    def showtraceback(
        self, exc_tuple: Any = None, *args: Any, running_compiled_code: bool = False, **options: Any
    ) -> None:
        """Show an error, without the steps of this package.

        A cell that was stopped while it waited ends with ``KeyboardInterrupt``, as one that was
        stopped while it computed.
        """
        kind, error, steps = exc_tuple or sys.exc_info()
        if running_compiled_code:
            self.interrupts.finish()
        if error is not None and steps is not None:
            steps = _without_own_steps(steps) or steps
            if kind is asyncio.CancelledError and self.interrupts.requested:
                kind, error = KeyboardInterrupt, KeyboardInterrupt()
            if not isinstance(error, SyntaxError):
                exc_tuple = kind, error.with_traceback(steps), steps
        options["running_compiled_code"] = running_compiled_code
        super().showtraceback(exc_tuple, *args, **options)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str] | str) -> None:
        text = stb if isinstance(stb, str) else "\n".join(stb)
        short = shorten(_COLOURS.sub("", text))
        # An error in a __repr__ is shown in the place of the result; the cell failed all the same.
        self.display_failed |= self.displayhook.busy
        self.outputs.show(
            {
                "output_type": "error",
                "ename": etype.__name__,
                # The text of a syntax error ends with the name of a file that is none.
                "evalue": evalue.msg if isinstance(evalue, SyntaxError) else str(evalue),
                "traceback": short.rstrip().split("\n"),
            }
        )

    def _show_in_pager(self, text: Any, **options: object) -> None:
        data = text if isinstance(text, dict) else {"text/plain": text}
        plain = _COLOURS.sub("", data.get("text/plain", ""))
        self.display_pub.publish({**data, "text/plain": plain})


# Not from __file__: in the page that is where the package came to lie after it was compiled.
_HERE = str(Path(PageShell.showtraceback.__code__.co_filename).parent)


def _without_own_steps(steps: TracebackType | None) -> TracebackType | None:
    kept = []
    while steps is not None:
        if not steps.tb_frame.f_code.co_filename.startswith(_HERE):
            kept.append(steps)
        steps = steps.tb_next
    shorter = None
    for one in reversed(kept):
        shorter = TracebackType(shorter, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return shorter


def _no_install(line: str) -> None:
    raise NotInAPage(
        "the packages of this page come with it, and others cannot be installed here. Open this "
        "chapter in JupyterLab on your machine for that."
    )


def _no_program_cell(line: str, cell: str) -> None:
    raise NotInAPage(
        "a page in the browser has no other programs, so it cannot run this cell. Open this "
        "chapter in JupyterLab on your machine for that."
    )
