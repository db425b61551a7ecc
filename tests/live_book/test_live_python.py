"""What the build writes into pages whose code runs in the browser."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest

from live_book import _python
from live_book._python import needs_sentence
from live_book.runtime import RuntimeNotGathered
from tests.browser_support import skip_or_fail
from tests.live_book.tiny_book import PYTHON_CELLS, runtime_folder

PAGE = "chapters/python.html"


@pytest.mark.parametrize(
    ("names", "recorded", "sentence"),
    [
        (
            ["sockets"],
            True,
            "Runs in JupyterLab on your machine, where there are real sockets; the output below was recorded.",
        ),
        (["nginx"], False, "Runs in JupyterLab on your machine, where there is nginx."),
        (
            ["nginx", "haproxy", "postgres"],
            False,
            "Runs in JupyterLab on your machine, where there are nginx, HAProxy and PostgreSQL.",
        ),
        (["gpu"], False, "Runs in JupyterLab on your machine, where there is gpu."),
    ],
)
def test_the_line_about_what_a_cell_needs(names, recorded, sentence):
    assert needs_sentence(names, recorded) == sentence


class TestPage:
    @pytest.fixture(autouse=True)
    def runtime(self):
        if isinstance(runtime := runtime_folder(), str):
            skip_or_fail(runtime)
        return runtime

    def test_only_pages_with_code_that_runs_load_anything(self, book):
        loading = [page for page in book.pages() if "live_python" in book.text(page)]
        assert loading == [
            f"chapters/{name}.html" for name in ["broken", "core", "python", "widgets"]
        ]

    def test_the_script_names_files_that_are_there(self, book):
        soup = book.soup(PAGE)
        [script] = soup.select("script[data-runtime]")
        assert script["type"] == "module"
        folder = book.html / "chapters" / script["data-runtime"]
        assert (folder / "manifest.json").resolve().is_file()
        imports = json.loads(soup.select_one('script[type="importmap"]').string)["imports"]
        preloaded = [link["href"] for link in soup.select('link[rel="modulepreload"]')]
        assert set(preloaded) <= set(imports.values())
        for address in [*imports, *imports.values(), script["data-worker"]]:
            path = urljoin("/chapters/python.html", address).split("?")[0]
            assert (book.html / path.lstrip("/")).is_file(), address

    def test_cells_have_the_numbers_that_they_were_recorded_with(self, book):
        [script] = book.soup(PAGE).select("script[data-runtime]")
        numbers = [int(number) for number in script["data-numbers"].split()]
        assert numbers == list(range(1, len(PYTHON_CELLS) + 1))

    def test_a_cell_has_room_for_buttons_or_a_line_about_where_it_runs(self, book):
        for cell, (_, tags) in zip(book.soup(PAGE).select("div.cell"), PYTHON_CELLS, strict=True):
            needs = any(tag.startswith("needs-") for tag in tags)
            assert len(cell.select(".live-needs")) == needs
            assert len(cell.select(".live-tools")) == (not needs)

    def test_the_bar_is_right_below_the_title(self, book):
        assert "live-bar" in book.soup(PAGE).h1.find_next_sibling()["class"]

    def test_nothing_runs_before_anybody_asks(self, book):
        assert "_runtime/" not in "".join(
            str(tag) for tag in book.soup(PAGE).select("link, script:not([data-runtime])")
        )


class TestRuntime:
    @pytest.fixture
    def app(self, tmp_path, monkeypatch):
        for name in ("COURSE_RUNTIME", "LIVE_BOOK_RUNTIME"):
            monkeypatch.delenv(name, raising=False)
        return SimpleNamespace(
            builder=SimpleNamespace(format="html"),
            config=SimpleNamespace(live_book_runtime="auto"),
            confdir=tmp_path,
            outdir=tmp_path / "html",
        )

    @pytest.fixture
    def warnings(self, monkeypatch):
        said: list[str] = []
        logger = SimpleNamespace(warning=lambda text, error, **_: said.append(text % error))
        monkeypatch.setattr(_python, "logger", logger)
        return said

    def test_a_folder_can_be_named(self, app, warnings, tmp_path):
        folder = tmp_path / "ready"
        folder.mkdir()
        manifest = '{"files": {"a": 10}, "packages": {}}'
        (folder / "manifest.json").write_text(manifest)
        app.config.live_book_runtime = "ready"
        _python._place_runtime(app)
        assert (Path(app.outdir) / app.live_book_runtime / "manifest.json").read_text() == manifest
        assert app.live_book_runtime_size == 10
        assert warnings == []

    def test_without_one_the_pages_do_without_and_the_author_hears_why(
        self, app, warnings, monkeypatch
    ):
        def gather(root):
            raise RuntimeNotGathered("No network.")

        monkeypatch.setattr("live_book.runtime.gather", gather)
        _python._place_runtime(app)
        assert (app.live_book_runtime, warnings) == ("", ["No network."])

    @pytest.mark.parametrize("way", ["setting", "environment", "another format"])
    def test_it_can_be_turned_off(self, app, warnings, monkeypatch, way):
        monkeypatch.setattr("live_book.runtime.gather", lambda root: pytest.fail("gathered"))
        if way == "setting":
            app.config.live_book_runtime = "off"
        elif way == "environment":
            monkeypatch.setenv("LIVE_BOOK_RUNTIME", "off")
        else:
            app.builder.format = "latex"
        _python._place_runtime(app)
        assert (app.live_book_runtime, warnings) == ("", [])
