"""The song widget in Chromium: what the reader sees, hears and can do with the keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.music import SONGS, render_wav
from helpers.widgets import SongRequest
from tests.browser_support import axe_findings
from tests.widgets.stage import colours_of, contrast, follows_theme, set_theme

SONG = min(SONGS, key=lambda song: song.seconds)
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>The song widget</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="widget.css"><style>body { margin: 0 }</style></head>
<body><main><h1>The song widget</h1></main><script type="module">
import widget from "./widget.js";
const state = await (await fetch("state.json")).json();
window.urls = { made: [], revoked: [] };
for (const [name, list] of [["createObjectURL", urls.made], ["revokeObjectURL", urls.revoked]]) {
  const original = URL[name].bind(URL);
  URL[name] = (value) => { const url = original(value); list.push(url ?? value); return url; };
}
// A model as the hosts of anywidgets give it. `python` answers messages as a kernel would.
window.show = (changes = {}, python = () => {}) => {
  const values = { ...state, ...changes };
  const listeners = [];
  const emit = (name, ...details) => {
    for (const [event, callback] of [...listeners]) if (event === name) callback(...details);
  };
  const el = document.querySelector("main").appendChild(document.createElement("div"));
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; emit(`change:${name}`); },
    save_changes() {},
    on: (names, callback) => names.split(" ").forEach((name) => listeners.push([name, callback])),
    off: (names, callback) => names.split(" ").forEach((name) => {
      const at = listeners.findIndex(([event, other]) => event === name && other === callback);
      if (at >= 0) listeners.splice(at, 1);
    }),
    send: (message) => python(message, (...answer) => emit("msg:custom", ...answer)),
  };
  return { cleanup: widget.render({ model, el }), model, listeners, el };
};
window.ready = true;
</script></body></html>"""
# what a kernel answers, with markup in every place where text from outside is shown
EVIL = "<img src=x onerror=window.hacked=1>"
PYTHON = """(message, answer) => {
  answer({ id: message.id, accepted: true });
  const response = { start: `HTTP/1.1 404 ${evil}`, status: 404, headers: [[evil, evil]] };
  const request = { start: `GET /${evil} HTTP/1.1`, headers: [["Host", evil]] };
  const body = new TextEncoder().encode(JSON.stringify({ detail: evil, suggestions: [evil] }));
  answer({ id: message.id, request, response }, [new DataView(body.buffer)]);
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    widget = SongRequest(query=SONG.title)
    path = tmp_path_factory.mktemp("page")
    state = {
        name: getattr(widget, name)
        for name in widget.trait_names(sync=True)
        if name in ("songs", "phrases", "query", "kind", "server", "live")
    }
    for name, text in (
        ("index.html", PAGE),
        ("widget.js", widget._esm),
        ("widget.css", widget._css),
        ("state.json", json.dumps(state)),
    ):
        (path / name).write_text(text, "utf-8")
    return path


@pytest.fixture
def open_page(page: Any, site_server: Callable[[Path], str], folder: Path) -> Any:
    """The page, ready, with no widget on it yet; it must not complain about anything."""
    page.goto(site_server(folder))
    page.wait_for_function("window.ready")
    yield page
    assert page.errors == []
    assert page.outside == []


@pytest.fixture
def shown(open_page: Any) -> Any:
    open_page.evaluate("void (window.one = show())")
    return open_page


def panel(page: Any, name: str) -> Any:
    return page.get_by_role("listbox", name=name)


def outcome(page: Any, begins: str) -> str:
    """The status sentence, once it is there."""
    status = page.get_by_role("status").filter(has_text=re.compile(f"^{begins}"))
    status.wait_for()
    return status.inner_text().replace("\N{NO-BREAK SPACE}", " ")


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def test_enter_sends_and_the_song_can_be_heard(shown: Any) -> None:
    shown.get_by_label("Name of a song").press("Enter")
    size = len(render_wav(SONG))
    assert outcome(shown, "200") == f"200 OK, {grouped(size)} bytes of audio."
    audio = shown.locator("audio")
    assert not audio.evaluate("audio => audio.autoplay")
    duration = audio.evaluate("""async (audio) => {
        if (!audio.duration) await new Promise((done) => { audio.onloadedmetadata = done; });
        return audio.duration;
    }""")
    assert duration == pytest.approx((size - 44) / 2 / 22050, abs=0.1)
    assert audio.evaluate("audio => audio.paused")


def test_the_request_is_seen_while_typing(shown: Any) -> None:
    shown.get_by_label("Name of a song").fill("Für 😀 <b>")
    start = panel(shown, "Request").get_by_role("option").first.inner_text()
    assert "GET /play?song=F%C3%BCr+%F0%9F%98%80+%3Cb%3E HTTP/1.1" in start


def test_each_part_has_its_word_and_its_sentence(shown: Any) -> None:
    shown.get_by_role("button", name="Send").click()
    outcome(shown, "200")
    rows = panel(shown, "Response").get_by_role("option")
    words = rows.locator(".sr-part").all_inner_texts()
    assert words[0] == "start line" and words[-2:] == ["empty line", "body"]
    assert set(words[1:-2]) == {"header"}
    assert "52 49 46 46" in rows.last.inner_text() and "RIFF" in rows.last.inner_text()
    for row in rows.all():
        row.hover()
        about = shown.locator(f"#{row.get_attribute('aria-describedby')}").inner_text()
        assert about.endswith(".") and "knows nothing" not in about


def test_the_lines_are_walked_with_the_keyboard(shown: Any) -> None:
    shown.get_by_label("Name of a song").focus()
    for stop in ("Ask for", "Send"):
        shown.keyboard.press("Tab")
        names = "e => e.labels?.[0]?.textContent || e.textContent"
        assert shown.evaluate(f"({names})(document.activeElement)") == stop
    shown.keyboard.press("Tab")
    texts = []
    for key in ("ArrowDown", "ArrowDown", "End", "Home", "ArrowUp"):
        texts.append(shown.evaluate("document.activeElement.textContent"))
        assert shown.locator("[aria-selected=true]").evaluate("e => e.textContent") == texts[-1]
        shown.keyboard.press(key)
    assert texts[0].startswith("start line") and "Host:" in texts[1] and "User-Agent" in texts[2]
    assert texts[3].startswith("empty line") and texts[4] == texts[0]
    outline = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize(
    ("kind", "begins", "says"),
    [
        ("head", "200 OK", "HEAD asks for the headers alone"),
        ("first", "206 Partial Content", "100 of "),
        ("after", "416", "begins after the end"),
        ("facts", "200 OK", "bytes of JSON"),
    ],
)
def test_the_other_requests(shown: Any, kind: str, begins: str, says: str) -> None:
    shown.get_by_label("Ask for").select_option(kind)
    shown.get_by_role("button", name="Send").click()
    assert says in outcome(shown, begins)
    assert shown.locator("audio").count() == 0


def test_an_unknown_name_gets_suggestions(shown: Any) -> None:
    shown.get_by_label("Name of a song").fill("zzzzzzzzzzzz")
    shown.get_by_role("button", name="Send").click()
    assert "The nearest titles: " in outcome(shown, "404")


def test_no_python_within_two_seconds_and_the_page_answers(open_page: Any) -> None:
    open_page.evaluate("void show({ live: true })")
    open_page.get_by_role("button", name="Send").click()
    outcome(open_page, "200")
    assert open_page.get_by_text("answered by this page, with the same bytes").is_visible()


def test_pythons_answer_is_shown_as_text(open_page: Any) -> None:
    open_page.evaluate(f"window.evil = {json.dumps(EVIL)}")
    open_page.evaluate(f"void show({{ live: true, server: '127.0.0.1:5' }}, {PYTHON})")
    open_page.get_by_role("button", name="Send").click()
    assert EVIL in outcome(open_page, "404")
    assert open_page.get_by_text("real bytes, over 127.0.0.1:5").count() == 2
    assert EVIL in panel(open_page, "Response").inner_text()
    assert EVIL in panel(open_page, "Request").inner_text()
    assert open_page.locator("img").count() == 0
    assert open_page.evaluate("window.hacked") is None


def test_pythons_error_is_shown(open_page: Any) -> None:
    answer = "(m, answer) => answer({ id: m.id, error: 'Nothing answers at 127.0.0.1:5.' })"
    open_page.evaluate(f"void show({{ live: true }}, {answer})")
    open_page.get_by_role("button", name="Send").click()
    assert outcome(open_page, "Nothing") == "Nothing answers at 127.0.0.1:5."


def test_what_python_sets_is_seen(shown: Any) -> None:
    shown.evaluate("one.model.set('query', 'other'); one.model.set('kind', 'head')")
    assert shown.get_by_label("Name of a song").input_value() == "other"
    assert "HEAD /play?song=other" in panel(shown, "Request").inner_text()


def test_two_widgets_share_no_id(shown: Any) -> None:
    shown.evaluate("void show()")
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 8


def test_sounds_and_listeners_go_with_the_widget(shown: Any) -> None:
    for _ in range(2):
        shown.get_by_role("button", name="Send").click()
        outcome(shown, "200")
        shown.locator("audio").wait_for()
    assert shown.evaluate("urls.made.length") == 2
    shown.evaluate("one.cleanup()")
    assert shown.evaluate("[urls.made.length, urls.revoked, one.listeners.length]") == [
        2,
        shown.evaluate("urls.made"),
        0,
    ]
    assert shown.evaluate("one.el.childElementCount") == 0


def test_nothing_moves_for_who_wants_no_motion(shown: Any) -> None:
    shown.emulate_media(reduced_motion="reduce")
    shown.get_by_role("button", name="Send").click()
    outcome(shown, "200")
    assert shown.evaluate("document.getAnimations().length") == 0
    assert shown.locator(".sr-back").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_follows_the_theme_and_fits_360_pixels(shown: Any, theme: str) -> None:
    shown.set_viewport_size({"width": 360, "height": 800})
    set_theme(shown, theme)
    shown.get_by_label("Name of a song").fill("w" * 300)
    shown.get_by_role("button", name="Send").click()
    outcome(shown, "422")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 360
    assert follows_theme(shown, ".song-request", theme)


def test_a_notebook_around_the_widget_gets_none_of_its_keys(shown: Any) -> None:
    # JupyterLab listens at the document, first of all, but not within elements that say so;
    # its notebook listens as keys bubble up to it.
    shown.evaluate("""() => {
      window.taken = [];
      document.addEventListener("keydown", (event) => {
        if (event.target.closest("[data-lm-suppress-shortcuts=true]")) return;
        taken.push(event.key);
        event.preventDefault();
      }, true);
      document.querySelector("main").addEventListener("keydown", (e) => taken.push(e.key));
    }""")
    shown.keyboard.press("d")
    assert shown.evaluate("taken.splice(0)") == ["d"], "the notebook of this test hears nothing"
    panel(shown, "Request").get_by_role("option").first.focus()
    for key in ("d", "d", "ArrowDown", "Escape"):
        shown.keyboard.press(key)
    shown.get_by_label("Name of a song").press("Enter")
    outcome(shown, "200")
    assert shown.evaluate("taken") == []


def test_enter_sends_once_where_a_notebook_prevents_its_default(shown: Any) -> None:
    shown.evaluate("""() => {
      window.submits = 0;
      document.addEventListener("submit", () => { submits += 1; }, true);
    }""")
    shown.get_by_label("Name of a song").press("Enter")
    outcome(shown, "200")
    assert shown.evaluate("submits") == 1
    shown.evaluate("document.addEventListener('keydown', (e) => e.preventDefault(), true)")
    shown.get_by_label("Name of a song").press("Enter")
    assert shown.evaluate("submits") == 2


@pytest.mark.parametrize("width", [320, 360, 800, 1280])
def test_nothing_is_torn_or_cut(shown: Any, width: int) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    # Of all these lengths of the Host line, some end its row within the sign of the line's end.
    pieces = shown.evaluate("""() => Array.from({ length: 100 }, (_, length) => {
      one.model.set("server", "w".repeat(length));
      return [...document.querySelectorAll(".sr-end")].map((e) => e.getClientRects().length);
    }).flat()""")
    assert set(pieces) == {1}
    shown.evaluate("one.model.set('server', '127.0.0.1:8000')")
    name = shown.get_by_label("Name of a song")
    name.fill(SONG.title)
    name.press("Enter")
    outcome(shown, "200")
    dump = panel(shown, "Response").get_by_role("option").last.locator("code")
    rows = dump.evaluate(
        "e => e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight)"
    )
    assert round(rows) == dump.text_content().count("\n") + 1
    select = shown.get_by_label("Ask for")
    drawn, natural = select.evaluate("""(e) => {
      const drawn = e.offsetWidth;
      const copy = document.body.appendChild(e.cloneNode(true));
      const { font, padding, border } = getComputedStyle(e);
      Object.assign(copy.style, { position: "absolute", font, padding, border });
      return [drawn, copy.offsetWidth];
    }""")
    assert drawn >= natural


def test_lines_stay_put_below_the_sentence_about_one(shown: Any) -> None:
    shown.set_viewport_size({"width": 360, "height": 800})
    shown.get_by_role("button", name="Send").click()
    outcome(shown, "200")
    lines = panel(shown, "Response")
    place = "e => e.getBoundingClientRect().top + scrollY"
    top = lines.evaluate(place)
    for row in lines.get_by_role("option").all():
        row.hover()
        assert lines.evaluate(place) == top
        about = shown.locator(f"#{row.get_attribute('aria-describedby')}")
        assert about.evaluate("e => e.getBoundingClientRect().bottom + scrollY") <= top


def test_axe_finds_nothing(shown: Any) -> None:
    assert axe_findings(shown) == []
    shown.get_by_role("button", name="Send").click()
    outcome(shown, "200")
    assert axe_findings(shown) == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(scheme: int) -> None:
    colours = colours_of(SongRequest._css, "sr", scheme)
    for text in ("text", "quiet", "start", "header", "body", "accent"):
        for ground in ("paper", "tint"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["edge"], colours["paper"]) >= 3
