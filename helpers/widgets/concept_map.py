"""The widget of chapter 9: pick a concept, and see its lines light up in every application.

The texts come from `helpers.frameworks.concept_map()`, which reads them from the real files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from ._module import module_text, read, without_comments


class ConceptMap(anywidget.AnyWidget):
    """The same concept in several applications, side by side.

    Args:
        concepts: what can be picked, each a dict with `name`, `title` and `says`, one sentence.
        apps: the applications, each a dict with `title`; `files`, a list of (name, text); `marks`,
            for the name of a concept a list of (number of the file, first line, last line), all
            counted from 0; and `notes`, for the name of a concept a sentence about it here.
        chosen: the name of the concept that is picked at first.

    Attributes:
        chosen: the name of the concept that is picked.

    Raises:
        ValueError: no concept has the name `chosen`, or a mark is outside of its file.
    """

    _esm = without_comments(module_text("dom.js", "concept_map.js"))
    _css = read("concept_map.css")

    concepts = traitlets.List().tag(sync=True)
    apps = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        concepts: Sequence[Mapping[str, str]],
        apps: Sequence[Mapping[str, Any]],
        chosen: str = "",
    ) -> None:
        names = [concept["name"] for concept in concepts]
        chosen = chosen or names[0]
        if chosen not in names:
            raise ValueError(f"There is no concept {chosen!r}: there are {', '.join(names)}.")
        for app in apps:
            lengths = [len(text.splitlines()) for _, text in app["files"]]
            for name, marks in app["marks"].items():
                for file, first, last in marks:
                    if not (file < len(lengths) and 0 <= first <= last < lengths[file]):
                        raise ValueError(
                            f"{app['title']}: a mark of {name} is outside of its file."
                        )
        super().__init__(concepts=list(concepts), apps=list(apps), chosen=chosen)
