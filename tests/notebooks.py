"""The chapters' notebooks, for the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))

# Runs when Python starts: from then on the process reaches this machine and nothing else.
OFFLINE = """
import socket

def guard(original):
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])
            if not (host.startswith("127.") or host in ("::1", "localhost")):
                raise OSError(f"a chapter tried to reach {host}; chapters run offline")
        return original(self, address)
    return connect

socket.socket.connect = guard(socket.socket.connect)
socket.socket.connect_ex = guard(socket.socket.connect_ex)
"""


def read(path: Path) -> Any:
    """The notebook, as nbformat 4."""
    return nbformat.read(path, as_version=4)


def text_of(notebook: Any) -> str:
    """All its Markdown, cell after cell."""
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def without_code(text: str) -> str:
    """Markdown without its fenced blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def code_cells(notebook: Any) -> Iterator[Any]:
    """Its code cells."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def lines_of(cell: Any) -> list[str]:
    """The lines of a cell that are not blank."""
    return [line for line in cell.source.splitlines() if line.strip()]


def links_of(notebook: Any) -> set[str]:
    """Targets of the links and pictures in its Markdown."""
    prose = re.sub(r"`[^`]*`", "", without_code(text_of(notebook)))
    return set(re.findall(r"\]\(([^)\s]+)\)", prose))
