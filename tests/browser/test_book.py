"""The built book as a reader sees it: in Chromium, with every outside host blocked."""

from __future__ import annotations

import re
import struct
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from tests.browser_support import axe_findings, watched_page

pytestmark = pytest.mark.browser

SCREENSHOTS = Path(__file__).resolve().parents[2] / "_build" / "screenshots"
VIEWS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"},
}
CHAPTER_1 = "chapters/01_what_is_an_api.html"


def pages_of(book: Path) -> list[Path]:
    """The pages that the table of contents leads to."""
    return [book / "index.html", *sorted((book / "chapters").glob("*.html"))]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("address", ["index.html", CHAPTER_1])
def test_page_is_whole_in_every_view(book, browser, site_server, address, view):
    """No complaint in the console, no request to outside, nothing wider than the window."""
    with watched_page(browser, **VIEWS[view]) as page:
        page.goto(site_server(book) + address, wait_until="networkidle")
        assert page.outside == []
        assert page.errors == []
        assert page.locator("h1").count() == 1
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{wide} pixels wider than the window"
        assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth)")
        assert axe_findings(page) == []
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        name = f"{Path(address).stem}-{view}.png"
        page.screenshot(path=SCREENSHOTS / name, full_page=True)


def test_widget_answers_and_the_song_is_heard(book, page, site_server):
    """Type a name with a slip, send, and the response is there with sound that is not silent."""
    page.goto(site_server(book) + CHAPTER_1)
    page.locator(".live-widget").scroll_into_view_if_needed()
    widget = page.locator(".song-request")
    widget.get_by_label("Name of a song").fill("yankee doodel")
    widget.get_by_role("button", name="Send").click()
    widget.get_by_text("HTTP/1.1 200 OK").wait_for()
    assert widget.get_by_text("/songs/yankee-doodle/audio").count() == 1
    sound = widget.locator("audio")
    wav = bytes(page.evaluate("async url => [...new Uint8Array(await (await fetch(url)).arrayBuffer())]",
                              sound.get_attribute("src")))  # fmt: skip
    assert wav[:4] == b"RIFF" and wav[8:12] == b"WAVE"
    assert loudness(wav[44:]) > 0.02, "silent"
    duration = sound.evaluate(
        "a => new Promise(done => a.readyState ? done(a.duration)"
        " : a.addEventListener('loadedmetadata', () => done(a.duration)))"
    )
    assert duration == pytest.approx((len(wav) - 44) / 2 / 22050, abs=0.01)
    assert page.errors == [] and page.outside == []


def test_widget_by_keyboard_alone(book, page, site_server):
    page.goto(site_server(book) + CHAPTER_1)
    page.locator(".live-widget").scroll_into_view_if_needed()
    widget = page.locator(".song-request")
    widget.get_by_label("Name of a song").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("no song has this name")
    page.keyboard.press("Enter")
    widget.get_by_text("HTTP/1.1 404 Not Found").wait_for()
    assert "404" in widget.get_by_role("status").inner_text()


def test_sound_of_the_chapter_can_be_played(book, page, site_server):
    """The recorded output is a file beside the page, and Chromium can decode it."""
    page.goto(site_server(book) + CHAPTER_1)
    players = page.locator("div.output audio")
    assert players.count() >= 2
    address = players.first.evaluate("a => a.currentSrc || a.src || a.querySelector('source').src")
    peak = page.evaluate(
        """async url => {
            const bytes = await (await fetch(url)).arrayBuffer();
            const sound = await new OfflineAudioContext(1, 22050, 22050).decodeAudioData(bytes);
            return sound.getChannelData(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        }""",
        address,
    )
    assert 0.5 < peak <= 1


def test_solutions_are_folded_until_asked_for(book, page, site_server):
    page.goto(site_server(book) + CHAPTER_1)
    solution = page.locator("details", has_text="Solution to 1.1")
    code = solution.locator("pre")
    assert not code.is_visible()
    solution.locator("summary").focus()
    page.keyboard.press("Enter")
    assert code.is_visible()


class Addresses(HTMLParser):
    """Collects what a page refers to, and the places in it that others may refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.targets |= {values[n] for n in ("href", "src") if values.get(n)}
        self.places |= {values[n] for n in ("id", "name") if values.get(n)}


def read(page: Path) -> Addresses:
    parser = Addresses()
    parser.feed(page.read_text("utf-8"))
    return parser


def test_every_link_inside_the_book_holds(book):
    for page in pages_of(book):
        base = page.relative_to(book).as_posix()
        for target in read(page).targets:
            address, place = urldefrag(urljoin(f"http://book/{base}", target))
            if urlsplit(address).netloc != "book":
                continue
            file = book / unquote(urlsplit(address).path).lstrip("/")
            file = file / "index.html" if file.is_dir() else file
            assert file.exists(), f"{base} refers to {target}"
            if place and file.suffix == ".html":
                assert unquote(place) in read(file).places, f"{base} refers to {target}"


def test_pages_ask_no_other_host_for_anything(book):
    """What a browser would load by itself is all local; links to read on may lead outside."""
    loads = re.compile(r"<(?:script|img|link|source|audio|iframe)[^>]*(?:src|href)=\"(https?:)?//")
    for page in pages_of(book):
        found = [m.group(0) for m in loads.finditer(page.read_text("utf-8"))]
        assert [tag for tag in found if 'rel="canonical"' not in tag] == [], page.name


def loudness(samples: bytes) -> float:
    """Root mean square of 16-bit samples, 1.0 for the loudest there is."""
    values = struct.unpack(f"<{len(samples) // 2}h", samples)
    return (sum(v * v for v in values) / len(values)) ** 0.5 / 32768
