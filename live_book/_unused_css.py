"""Leaves out of a stylesheet the rules that can't apply to any page of the site.

The theme and its extensions style hundreds of parts that a site may have, and this one has few of
them: four fifths of the rules ask for a class that nothing ever carries. Every page waits for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2

_WORD = re.compile(r"[A-Za-z_][\w-]*")
_GROUPS = ("media", "supports")  # rules that hold rules
# Put together by scripts from parts ("bs-" + name), or worn by what runs in the page and by widgets.
_MADE_AT_RUN_TIME = ("ansi-", "bs-", "fa-", "jp-", "jupyter-", "lm-", "p-", "widget-")


def words_of(files: Iterable[Path]) -> set[str]:
    """Every word in pages and scripts that could be the name of a class."""
    return {word for file in files for word in _WORD.findall(file.read_text("utf-8", "replace"))}


def drop_unused_rules(css: str, words: set[str]) -> str:
    """The stylesheet without the selectors that ask for a class that is none of `words`.

    A rule goes if all of its selectors do, and a group such as `@media` if all of its rules do.
    What is left keeps its order. Text that is not correct CSS is given back as it is.
    """
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    try:
        return "".join(_written(rules, words))
    except ValueError:
        return css


def _written(rules: list[Any], words: set[str]) -> Iterable[str]:
    for rule in rules:
        if rule.type == "error":
            raise ValueError(rule.message)
        if rule.type == "qualified-rule":
            if kept := [one for one in _selectors(rule.prelude) if _can_apply(one, words)]:
                written = ",".join(map(tinycss2.serialize, kept))
                yield f"{written}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.content is not None and rule.lower_at_keyword in _GROUPS:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if kept := list(_written(inner, words)):
                condition = tinycss2.serialize(rule.prelude)
                yield f"@{rule.at_keyword}{condition}{{{''.join(kept)}}}"
        else:
            yield rule.serialize()


def _selectors(prelude: list[Any]) -> list[list[Any]]:
    """What stands between the commas; those in brackets are inside of a token of their own."""
    selectors: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "error":
            raise ValueError(token.message)
        if token == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def _can_apply(selector: list[Any], words: set[str]) -> bool:
    """Whether all classes exist that an element must have; those in `:not(...)` and the like aside."""
    pairs = pairwise(selector)
    names = [name.value for dot, name in pairs if dot == "." and name.type == "ident"]
    return all(name in words or name.startswith(_MADE_AT_RUN_TIME) for name in names)
