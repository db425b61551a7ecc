"""Audio outputs become files beside the page."""

from __future__ import annotations

import wave
from base64 import b64encode
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from live_book._audio import _Page


def rewrite(tmp_path, text: str, section: str = "Section", page=None) -> str:
    page = page or _Page(SimpleNamespace(outdir=str(tmp_path)), "chapters/one")
    return page.rewrite(text, section)


def data_url(content: bytes, kind: str = "wav") -> str:
    return f"data:audio/{kind};base64,{b64encode(content).decode()}"


def test_the_sound_of_a_notebook_is_a_file_and_is_not_preloaded(book):
    assert "data:audio" not in book.text("chapters/widgets.html")
    audio = book.soup("chapters/widgets.html").audio
    assert audio["preload"] == "none"
    assert "controls" in audio.attrs
    assert "autoplay" not in audio.attrs
    assert audio["aria-label"] == "Audio: Widgets"
    with wave.open(str(book.html / "chapters" / audio.source["src"])) as sound:
        assert sound.getnframes() == 4000


@pytest.mark.browser
def test_the_browser_can_play_it(page, site):
    page.goto(site + "chapters/widgets.html", wait_until="networkidle")
    assert not [url for url in page.requests if url.endswith(".wav")]
    length = page.evaluate("""() => new Promise((resolve, reject) => {
        const audio = document.querySelector("audio");
        audio.onloadedmetadata = () => resolve(audio.duration);
        audio.querySelector("source").onerror = () => reject(new Error("no sound"));
        audio.preload = "metadata";
        audio.load();
    })""")
    assert length == pytest.approx(0.5)


@pytest.mark.parametrize(("kind", "suffix"), [("wav", ".wav"), ("mpeg", ".mp3"), ("ogg", ".ogg")])
def test_the_file_is_named_after_its_content_and_kind(tmp_path, kind, suffix):
    text = f'<audio controls><source src="{data_url(b"sound", kind)}"></audio>'
    first, second = rewrite(tmp_path, text), rewrite(tmp_path, text)
    source = BeautifulSoup(first, "html.parser").source["src"]
    assert first == second
    assert source.startswith("../_live/audio-") and source.endswith(suffix)
    assert (tmp_path / source.removeprefix("../")).read_bytes() == b"sound"


def test_labels_are_kept_or_made_and_told_apart(tmp_path):
    page = _Page(SimpleNamespace(outdir=str(tmp_path)), "one")
    texts = [
        '<audio aria-label="Für Elise"></audio>',
        "<audio></audio>",
        "<audio autoplay></audio>",
    ]
    labels = [
        BeautifulSoup(rewrite(tmp_path, text, 'A "b"', page), "html.parser").audio["aria-label"]
        for text in texts
    ]
    assert labels == ["Für Elise", 'Audio: A "b"', 'Audio: A "b" (2)']


def test_other_attributes_and_addresses_stay(tmp_path):
    text = '<audio id="a" controls="controls" src="song.wav" loop>Text</audio>'
    audio = BeautifulSoup(rewrite(tmp_path, text), "html.parser").audio
    assert (audio["id"], audio["src"], audio.get_text()) == ("a", "song.wav", "Text")
    assert "loop" in audio.attrs


def test_broken_data_is_left_alone(tmp_path):
    text = '<audio src="data:audio/wav;base64,AAA"></audio>'
    assert "data:audio/wav;base64,AAA" in rewrite(tmp_path, text)
