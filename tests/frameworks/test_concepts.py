"""The lines of each concept are in the real files, and few enough to read."""

from __future__ import annotations

import tomllib
from html.parser import HTMLParser

import pytest

from helpers.frameworks import FRAMEWORKS, concept_map, show_concept
from helpers.frameworks._concepts import concepts
from helpers.frameworks._frameworks import apps_folder

CONCEPTS = (
    "routing", "validation", "errors", "middleware", "injection", "testing", "templates",
    "orm", "configuration", "deployment",
)  # fmt: skip


def test_there_are_ten():
    assert tuple(concepts()) == CONCEPTS


@pytest.mark.parametrize("name", CONCEPTS)
def test_each_framework_has_lines_for_it(name):
    concept = concepts()[name]
    for framework in FRAMEWORKS:
        assert concept.places[framework], framework
        for place in concept.places[framework]:
            lines = (FRAMEWORKS[framework].folder / place.file).read_text("utf-8").splitlines()
            assert "\n".join(lines[place.first - 1 : place.last]) == place.text
        total = sum(len(place.text.splitlines()) for place in concept.places[framework])
        assert total <= 60, (framework, total)
    assert concept.says.endswith("?")


def test_a_line_that_is_gone_is_told(monkeypatch, tmp_path):
    text = (apps_folder() / "concepts.toml").read_text("utf-8")
    changed = tomllib.loads(text)["deployment"]["flask"]["lines"][0][1]
    assert changed == "web:"
    from helpers.frameworks import _concepts

    with pytest.raises(LookupError, match=r"flask/Procfile: there is no line 'wbe:'"):
        _concepts._place("flask", "Procfile", "wbe:")
    with pytest.raises(LookupError, match=r"after 'web:' there is no line 'nothing'"):
        _concepts._place("flask", "Procfile", "web:", "nothing")


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


def test_tabs_are_radio_buttons_with_labels():
    found = Tags(show_concept("routing")._repr_html_())
    radios = [attributes for tag, attributes in found.tags if tag == "input"]
    labels = [attributes["for"] for tag, attributes in found.tags if tag == "label"]
    assert [radio["id"] for radio in radios] == labels
    assert len({radio["name"] for radio in radios}) == 1
    assert sum("checked" in radio for radio in radios) == 1
    text = "".join(found.texts)
    assert all(framework.title in text for framework in FRAMEWORKS.values())
    assert len([a for _, a in found.tags if a.get("tabindex") == "0"]) == len(FRAMEWORKS)
    assert '@app.get("/songs/<song_id>")' in text  # shown, not taken for a tag


def test_as_text_it_has_all_five():
    text = repr(show_concept("templates"))
    assert all(f"--- {framework.title} ---" in text for framework in FRAMEWORKS.values())


def test_an_unknown_concept_is_told():
    with pytest.raises(ValueError, match="There is no concept 'magic': there are routing, "):
        show_concept("magic")
    with pytest.raises(ValueError, match="There is no concept 'magic'"):
        concept_map("magic")


def test_the_widget_has_the_real_files_and_marks_in_them():
    widget = concept_map("orm")
    assert widget.chosen == "orm"
    assert [app["title"] for app in widget.apps] == [f.title for f in FRAMEWORKS.values()]
    for app, (name, framework) in zip(widget.apps, FRAMEWORKS.items(), strict=True):
        for file, text in app["files"]:
            assert text == (framework.folder / file).read_text("utf-8")
        for concept in CONCEPTS:
            shown = [
                "\n".join(app["files"][file][1].splitlines()[first : last + 1])
                for file, first, last in app["marks"][concept]
            ]
            assert shown == [place.text for place in concepts()[concept].places[name]]
