"""From the config that a reader writes to the one that a program gets.

Whole words in CAPITALS are replaced. The number of lines stays the same, so that the line that a
program complains about is the reader's own.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ._errors import ConfigError

# A comment; a string in quotes; a mark of the language; or a bare word. All the programs here
# agree that a comment begins where a word could begin.
_TOKEN = re.compile(
    r"""(?P<comment>(?<![^\s;{}])\#[^\n]*) | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*`
    | (?P<mark>[;{}]) | [^\s;{}"'`]+ | ["'`]""",
    re.VERBOSE | re.DOTALL,
)
_NEEDS_NO_QUOTES = re.compile(r"[\w./:@%+,=~-]*")
# What goes into `config` most often, so that forgetting it gets an answer.
_EXPECTED = ("FILES",)


@dataclass(frozen=True)
class Quoting:
    """How a config language writes a text that has blanks in it, between double quotes.

    escaped: the characters that get a backslash. impossible: those that can't be written at all.
    ends: what ends a bare word besides a blank.
    """

    escaped: str
    impossible: str = ""
    ends: str = ""

    def inside(self, text: str) -> str:
        """The text as it is written between quotes."""
        for character in self.impossible:
            if character in text:
                raise ConfigError(
                    f"This config language can't hold a path with {character}: {text}"
                )
        return re.sub(f"[{re.escape(self.escaped)}]", r"\\\g<0>", text)


@dataclass(frozen=True)
class Address:
    """Where a config tells its program to listen: a line of the config, a host and a port."""

    line: int
    written: str
    host: str
    port: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host, as text, is this machine and only reachable from it."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        # Java writes IPv4 as a part of IPv6, ::ffff:127.0.0.1 (RFC 4291, section 2.5.5.2)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def tokens(text: str) -> Iterator[tuple[int, str]]:
    """(line, token) for each word, string and mark of a config, comments left out."""
    line, end = 1, 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", end, found.start())
        end = found.start()
        if not found["comment"]:
            yield line, found[0]


def address(line: int, written: str) -> Address:
    """What "127.0.0.1:8080", "[::1]:8080", ":8080", "*:8080" or "8080" says."""
    written = written.strip("\"'")
    host, colon, port = written.rpartition(":")
    if not colon:
        host, port = ("", written) if written.isdigit() else (written, "")
    return Address(line, written, host.strip("[]"), int(port) if port.isdigit() else None)


def words_of(given: Mapping[str, object]) -> dict[str, object]:
    """The keywords of a call as the words that they stand for in a config."""
    return {name.upper(): value for name, value in given.items()}


def check_words(config: str, given: Mapping[str, object], example: str) -> None:
    """Refuse a word that is nowhere in the config, and a config without PORT.

    Args:
        config: as the reader gave it.
        given: the words that this call brings.
        example: a line that uses PORT as this program would.

    Raises:
        ConfigError: one sentence says what is missing.
    """
    if not isinstance(config, str):
        raise ConfigError(f"The config has to be text, and this is {type(config).__name__}.")
    if "\0" in config or any("\ud800" <= character <= "\udfff" for character in config):
        raise ConfigError("The config has a character in it that can't be written to a file.")
    if not _is_in("PORT", config):
        raise ConfigError(
            f"This config does not say where to listen: write `{example}`, "
            "and a free port is put in for PORT."
        )
    for name in given:
        if not _is_in(name, config):
            raise ConfigError(
                f"`{name.lower()}` was given, but the word {name} is nowhere in the config."
            )


def check_forgotten(config: str, words: Mapping[str, object]) -> None:
    """Refuse a config with a well-known word that nobody gave."""
    for name in _EXPECTED:
        if name not in words and _is_in(name, config):
            raise ConfigError(
                f"The config has the word {name}, but the call does not say what it stands for: "
                f"add `{name.lower()}=...`."
            )


def fill(config: str, words: Mapping[str, object], quoting: Quoting) -> str:
    """The config with each word replaced by its value.

    A path is written as the program's language wants it, in quotes if it has blanks; any other
    value goes in as it is. Words in comments stay.
    """
    if not words:
        return config
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, words)) + r")(?!\w)", re.ASCII)

    def replace(found: re.Match[str]) -> str:
        token = found[0]
        if found["comment"] or not pattern.search(token):
            return token
        if token[0] in "\"'`":
            return pattern.sub(lambda word: quoting.inside(_text(words[word[0]])), token)
        bare = token.rstrip(quoting.ends) if quoting.ends else token
        paths = [words[word] for word in pattern.findall(bare) if _is_path(words[word])]
        filled = pattern.sub(lambda word: _text(words[word[0]]), bare)
        if any(not _NEEDS_NO_QUOTES.fullmatch(_text(path)) for path in paths):
            filled = f'"{quoting.inside(filled)}"'
        return filled + token[len(bare) :]

    return _TOKEN.sub(replace, config)


def _is_in(word: str, config: str) -> bool:
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.ASCII)
    return any(pattern.search(token) for _, token in tokens(config))


def _is_path(value: object) -> bool:
    if isinstance(value, os.PathLike):
        return True
    return isinstance(value, str) and "\n" not in value and Path(value).is_absolute()


def _text(value: object) -> str:
    if not isinstance(value, os.PathLike):
        return str(value)
    text = Path(os.fspath(value)).absolute().as_posix()
    if not text.isprintable():
        raise ConfigError(f"This path can't be written in a config: {text!r}")
    return text
