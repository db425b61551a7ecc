"""A widget's files as the one JavaScript module that anywidget takes."""

from __future__ import annotations

import re
from importlib.resources import files

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_COMMENTS = re.compile(r"^ *(?:/\*\*.*?\*/|//.*?$)\n|(?<=[;{,]) // .*?$|^ +", re.S | re.M)
"""Whole lines of comments, comments after code, and indentation: a reader's page needs none."""


def read(name: str) -> str:
    """The text of a file of this folder."""
    return files(__package__).joinpath(name).read_text("utf-8")


def module_text(*names: str) -> str:
    """JavaScript files of this folder in this order, without their imports of each other."""
    return "\n".join(_IMPORT.sub("", read(name)) for name in names)


def without_comments(text: str) -> str:
    """JavaScript as a reader's page gets it, a quarter smaller."""
    return _COMMENTS.sub("", text)
