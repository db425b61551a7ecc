"""Read a Cache-Control that a reader wrote, for exercise 7.2, and say what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from ._words import show

YEAR = 31_536_000
FIVE, TEN = 300, 600  # minutes, in seconds
_TIMES = {"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"}
_KNOWN = _TIMES | {
    "public", "private", "no-cache", "no-store", "no-transform", "must-revalidate",
    "proxy-revalidate", "must-understand", "immutable",
}  # fmt: skip


def words(text: str) -> dict[str, str | None] | str:
    """The directives of a Cache-Control; or, if they can't be read, what is wrong with it."""
    found: dict[str, str | None] = {}
    text = text.strip()
    if text.lower().startswith("cache-control"):
        return "only the value is wanted, what stands after `Cache-Control:`."
    for word in text.split(","):
        name, equals, value = word.strip().partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if not name or " " in name:
            return f"{show(text)} can't be read: the words are parted by commas."
        if name not in _KNOWN:
            return f"{show(name)} is no word of Cache-Control in an answer."
        if name in _TIMES and not value.isdecimal():
            return f"{show(name)} wants a number of seconds: `{name}=60`."
        if name in found:
            return f"{show(name)} is there twice."
        found[name] = value if equals else None
    return found


def _for_all(said: Mapping[str, str | None], seconds: int) -> str | None:
    """What keeps everybody from having an answer for so long."""
    for word in ("private", "no-store", "no-cache"):
        if word in said:
            return f"`{word}` keeps some from keeping it, or from using it without a question."
    browser = said.get("max-age")
    if browser is None:
        return "A browser does not heed `s-maxage`: it needs the other word for a lifetime."
    for lifetime in (browser, said.get("s-maxage", browser)):
        if int(lifetime) != seconds:
            return f"{lifetime} seconds are not {seconds}."
    return None


def avatar(said: Mapping[str, str | None]) -> str | None:
    return _for_all(said, TEN)


def playlists(said: Mapping[str, str | None]) -> str | None:
    if "no-store" in said:
        return "`no-store` forbids it to the browser as well."
    if "private" not in said:
        return "A shared cache may keep this, and give it to others."
    if "public" in said or "s-maxage" in said:
        return "That is a contradiction: `private`, and at the same time for everybody."
    if "no-cache" in said:
        return "`no-cache` lets the browser not use it for five minutes; it would ask each time."
    if said.get("max-age") is None:
        return "The browser is not told for how long."
    return None if int(said["max-age"]) == FIVE else f"{said['max-age']} seconds are not {FIVE}."


def versioned(said: Mapping[str, str | None]) -> str | None:
    return _for_all(said, YEAR)


def price(said: Mapping[str, str | None]) -> str | None:
    if "no-store" in said:
        return "Everybody may keep it; `no-store` forbids that."
    if "private" in said:
        return "Everybody may keep it; `private` forbids that to shared caches."
    if said.get("stale-while-revalidate") or said.get("stale-if-error"):
        return "The `stale-` words allow what must never happen here."
    if "no-cache" in said:
        return None
    if "max-age" not in said or int(said["max-age"]) or int(said.get("s-maxage") or 0):
        return "For a while it may be used without a question, by some cache at least."
    if "must-revalidate" not in said:
        return "`max-age=0` alone is stale at once, but a cache may be allowed to use it stale."
    return None


def card(said: Mapping[str, str | None]) -> str | None:
    if "no-store" not in said:
        return "Somebody may keep it still, be it the browser."
    return "`public` says the opposite." if "public" in said else None
