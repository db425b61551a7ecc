"""A browser plays a song from our server, and jumps in it."""

from __future__ import annotations

import pytest


def test_a_browser_plays_and_jumps(homemade, page):
    """Jumping in a song is a Range request; without ranges a browser can't do it."""
    page.goto(homemade.url)
    assert page.title() == "Songs"
    duration = page.evaluate("""() => new Promise((done, fail) => {
        const audio = document.querySelector("audio");
        audio.onloadedmetadata = () => done(audio.duration);
        audio.onerror = () => fail(new Error(audio.error.message));
        audio.load(); audio.preload = "auto";
    })""")
    assert duration > 1
    where = page.evaluate("""() => new Promise((done, fail) => {
        const audio = document.querySelector("audio");
        audio.onseeked = () => done(audio.currentTime);
        audio.onerror = () => fail(new Error(audio.error.message));
        audio.currentTime = audio.duration - 0.5;
    })""")
    assert where == pytest.approx(duration - 0.5, abs=0.1)
    part = page.evaluate("""async () => {
        const answer = await fetch("elise.wav", {headers: {Range: "bytes=8-11"}});
        return [answer.status, await answer.text(), answer.headers.get("content-range")];
    }""")
    assert part[:2] == [206, "WAVE"] and part[2].startswith("bytes 8-11/")
    reload = page.evaluate("""async () => (await fetch("elise.wav", {cache: "no-cache"})).status""")
    assert reload == 200
    assert not page.errors
