"""The tiny book, built once for all tests of `live_book`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.live_book.tiny_book import build_book, write_book


@dataclass
class Book:
    """A built book: its source folder, the folder of its pages and what the build printed."""

    folder: Path
    html: Path
    output: str

    def text(self, page: str) -> str:
        return (self.html / page).read_text("utf-8")

    def soup(self, page: str) -> BeautifulSoup:
        return BeautifulSoup(self.text(page), "html.parser")

    def pages(self) -> list[str]:
        found = self.html.rglob("*.html")
        return sorted(
            path.relative_to(self.html).as_posix() for path in found if "_static" not in path.parts
        )

    def warnings(self) -> list[str]:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", self.output)
        return [line for line in plain.splitlines() if ": WARNING:" in line]


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The tiny book, written and built once."""
    folder = tmp_path_factory.mktemp("tiny") / "book"
    write_book(folder)
    html, output = build_book(folder)
    return Book(folder, html, output)


@pytest.fixture(scope="session")
def site(book: Book, site_server: Callable[[Path], str]) -> str:
    """The URL of the tiny book, served with gzip."""
    return site_server(book.html)
