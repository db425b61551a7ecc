"""Where each concept is in each application: chapters/apps/concepts.toml, read and looked up.

The file names the first and the last line of each place by their text, so that a place that moves
is still found, and one that is gone is noticed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape

from ..widgets import ConceptMap
from ._frameworks import FRAMEWORKS, apps_folder


@dataclass(frozen=True)
class Place:
    """Some lines of a file.

    Attributes:
        file: its path inside the application's folder.
        first: the number of the first line, counted from 1.
        text: the lines.
    """

    file: str
    first: int
    text: str

    @property
    def last(self) -> int:
        """The number of the last line, counted from 1."""
        return self.first + len(self.text.splitlines()) - 1


@dataclass(frozen=True)
class Concept:
    """One concept, and where it is in each application.

    Attributes:
        name: such as "routing".
        title: as it is written for a reader.
        says: what it is, in a sentence.
        places: for each framework's name.
        notes: for each framework's name, a sentence about it there, or "".
    """

    name: str
    title: str
    says: str
    places: dict[str, tuple[Place, ...]]
    notes: dict[str, str]


@cache
def concepts() -> dict[str, Concept]:
    """All concepts by their names, in the order of the file.

    Raises:
        LookupError: a line that the file names is not there; the message says which.
    """
    tables = tomllib.loads((apps_folder() / "concepts.toml").read_text("utf-8"))
    found = {}
    for name, table in tables.items():
        parts = {one: table.get(one, {}) for one in FRAMEWORKS}
        places = {
            one: tuple(_place(one, *lines) for lines in part.get("lines", ()))
            for one, part in parts.items()
        }
        notes = {one: part.get("note", "") for one, part in parts.items()}
        found[name] = Concept(name, table["title"], table["says"], places, notes)
    return found


def _place(framework: str, file: str, begins: str, ends: str = "") -> Place:
    """From the first line with `begins` in it, to the next one with `ends` in it, or that one."""
    lines = (FRAMEWORKS[framework].folder / file).read_text("utf-8").splitlines()
    for first, line in enumerate(lines):
        if begins in line:
            for last in range(first, len(lines)):
                if (ends or begins) in lines[last]:
                    return Place(file, first + 1, "\n".join(lines[first : last + 1]))
            raise LookupError(f"{framework}/{file}: after {begins!r} there is no line {ends!r}.")
    raise LookupError(f"{framework}/{file}: there is no line {begins!r}.")


class Tabs:
    """One concept in all applications, one at a time; shows itself as tabs, or as text."""

    def __init__(self, concept: Concept) -> None:
        self._concept = concept

    def _parts(self) -> Iterator[tuple[str, str, str, str]]:
        """(name, title, note, code) of each application."""
        for name, framework in FRAMEWORKS.items():
            code = "\n\n".join(
                f"{place.file}, lines {place.first} to {place.last}\n{place.text}"
                if place.last > place.first
                else f"{place.file}, line {place.first}\n{place.text}"
                for place in self._concept.places[name]
            )
            yield name, framework.title, self._concept.notes[name], code

    def __repr__(self) -> str:
        parts = []
        for _, title, note, code in self._parts():
            parts.append("\n".join(filter(None, [f"--- {title} ---", note, code])))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        """Radio buttons choose what is shown: that takes no script, and the keyboard moves them."""
        group = f"concept-tabs-{self._concept.name}"
        choices, panels, rules = [], [], []
        for number, (name, title, note, code) in enumerate(self._parts()):
            uid = f"{group}-{name}"
            checked = " checked" if number == 0 else ""
            choices.append(
                f'<input type="radio" name="{group}" id="{uid}"{checked}>'
                f'<label for="{uid}">{escape(title)}</label>'
            )
            told = f"<p>{escape(note)}</p>" if note else ""
            # no <pre>: the book's theme decides which of those the keyboard reaches, at a time when
            # the hidden ones have no size yet
            shown = (
                f'<div class="code" role="region" tabindex="0" aria-label="{escape(title)}">'
                f"{escape(code)}</div>"
            )
            panels.append(f'<div class="panel {name}">{told}{shown}</div>')
            rules.append(f"#{group} #{uid}:checked ~ .{name}{{display:block}}")
        title = escape(f"{self._concept.title} in five frameworks")
        return (
            f'<div id="{group}" role="group" aria-label="{title}"><style>{_CSS.replace("GROUP", group)}'
            f"{''.join(rules)}</style>{''.join(choices)}{''.join(panels)}</div>"
        )


_CSS = (
    "#GROUP input{position:absolute;opacity:0}"
    "#GROUP label{display:inline-block;margin:0 .3em .3em 0;padding:.25em .8em;cursor:pointer;"
    "border:1px solid currentColor;border-radius:6px}"
    "#GROUP input:checked+label{font-weight:700;border-width:3px;padding:calc(.25em - 2px) "
    "calc(.8em - 2px)}"
    "#GROUP input:focus-visible+label{outline:3px solid currentColor;outline-offset:2px}"
    "#GROUP .panel{display:none}"
    "#GROUP{padding-top:5px}"
    "#GROUP .code{max-height:26em;overflow:auto;margin:.3em 0;padding:.6em;font-size:.8em;"
    "font-family:var(--jp-code-font-family,ui-monospace,monospace);white-space:pre;line-height:1.45;"
    "border:1px solid currentColor;border-radius:6px}"
)


def show_concept(name: str) -> Tabs:
    """The lines of one concept in all five applications, one application at a time.

    Args:
        name: such as "routing"; see `concepts`.

    Raises:
        ValueError: there is no such concept.
    """
    if name not in concepts():
        raise ValueError(f"There is no concept {name!r}: there are {', '.join(concepts())}.")
    return Tabs(concepts()[name])


def concept_map(chosen: str = "") -> ConceptMap:
    """The widget: pick a concept, and its lines light up in the real files of all five.

    Args:
        chosen: the concept that is picked at first; "" means the first one.

    Raises:
        ValueError: there is no such concept.
    """
    apps = []
    for name, framework in FRAMEWORKS.items():
        files = sorted({place.file for one in concepts().values() for place in one.places[name]})
        marks = {
            one.name: [
                (files.index(place.file), place.first - 1, place.last - 1)
                for place in one.places[name]
            ]
            for one in concepts().values()
        }
        texts = [(file, (framework.folder / file).read_text("utf-8")) for file in files]
        notes = {one.name: one.notes[name] for one in concepts().values() if one.notes[name]}
        apps.append({"title": framework.title, "files": texts, "marks": marks, "notes": notes})
    listed = [
        {"name": one.name, "title": one.title, "says": one.says} for one in concepts().values()
    ]
    return ConceptMap(listed, apps, chosen)
