"""Read the text of an nginx configuration, for judges in a page, where no nginx runs."""

from __future__ import annotations

import re

from ._words import show

# As nginx cuts a text: a mark, a quote or a # counts only where a word could begin.
_TOKEN = re.compile(r"""(?xs)
    [ \t\r\n]+ | \#[^\n]* | (?P<mark>[;{}])
    | (["'])(?P<quoted>(?:\\.|(?!\2)[^\\])*)\2(?=[ \t\r\n;{)]|\Z)
    | (?P<bare>(?!["'])(?:\\.|\$\{|[^ \t\r\n;{\\])+)""")


def directives(config: str) -> list[tuple[tuple[str, ...], list[str], str]]:
    """For each directive the blocks around it, innermost first; its words; and its end, ; or {.

    Raises ValueError for a mark that is missing or too many.
    """
    found, around, words, at = [], (), [], 0
    while at < len(config):
        token = _TOKEN.match(config, at)
        if not token:
            raise ValueError(f"Look at the quotes and what follows: {show(config[at:], 40)}.")
        at, mark = token.end(), token["mark"]
        if mark == "}" and words:
            raise ValueError(f"A semicolon is missing after {show(' '.join(words))}.")
        if mark and not (around if mark == "}" else words):
            raise ValueError(f"There is a {mark} too many.")
        if mark == "}":
            around = around[1:]
        elif mark:
            found.append((around, words, mark))
            around, words = ("".join(words), *around) if mark == "{" else around, []
        elif (word := token["bare"] or token["quoted"]) is not None:
            words.append(word)
    if words or around:
        raise ValueError("The text ends too early: a semicolon or a closing brace is missing.")
    return found
