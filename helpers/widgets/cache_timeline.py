"""The widget of chapter 7: one object in a shared cache, as time goes by.

Everything is computed in the page by ``cache_timeline_model.js``, which does what
``helpers.proxying.Cache`` does; Python holds the settings.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from ._module import module_text, read, without_comments

OUTCOMES = (
    "hit",
    "stale",
    "miss",
    "revalidated",
    "collapsed",
    "stale-if-error",
    "error",
)
"""What can become of a client's request."""
LONGEST = {"max_age": 60, "s_maxage": 60, "stale_while_revalidate": 30, "stale_if_error": 60}
EVERY = (0.5, 10)
LATENCY = (0.1, 3)

_MODULES = (
    "dom.js",
    "svg.js",
    "cache_timeline_model.js",
    "cache_timeline_picture.js",
    "cache_timeline_panel.js",
    "cache_timeline.js",
)


class CacheTimeline(anywidget.AnyWidget):
    """Watch a song's cover in a shared cache get old, be renewed, and be out of date.

    Args:
        max_age: seconds for which an answer of the origin is fresh, 0 to 60.
        s_maxage: the same for shared caches only, which this one is: 0 to 60, or None to leave it
            out. It also forbids them to use what is stale.
        stale_while_revalidate: seconds for which the cache may use what is stale while it renews
            it, 0 to 30.
        stale_if_error: seconds for which what is stale may stand in for an error, 0 to 60.
        every: seconds between two requests on average, 0.5 to 10.
        latency: seconds that the origin takes to answer, 0.1 to 3.
        validator: whether the origin sends an ETag, so that the cache can ask whether the cover is
            still the same.
        seed: a whole number; the same one gives the same traffic.

    Attributes:
        settings: the same, as the reader sets them: a dict with these names.

    Raises:
        ValueError: a setting is not one of those.
    """

    _esm = without_comments(module_text(*_MODULES))
    _css = read("cache_timeline.css")

    settings = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        max_age: int = 10,
        s_maxage: int | None = None,
        stale_while_revalidate: int = 5,
        stale_if_error: int = 0,
        *,
        every: float = 2,
        latency: float = 0.5,
        validator: bool = True,
        seed: int = 1,
    ) -> None:
        seconds = {
            "max_age": max_age,
            "s_maxage": s_maxage,
            "stale_while_revalidate": stale_while_revalidate,
            "stale_if_error": stale_if_error,
        }
        for name, value in seconds.items():
            if name == "s_maxage" and value is None:
                continue
            if type(value) is not int or not 0 <= value <= LONGEST[name]:
                unless = " or None" if name == "s_maxage" else ""
                raise ValueError(
                    f"{name} is a whole number of seconds from 0 to {LONGEST[name]}{unless}, "
                    f"and this is {value!r}."
                )
        _between("every", every, *EVERY)
        _between("latency", latency, *LATENCY)
        if not isinstance(validator, bool):
            raise ValueError(f"validator is True or False, and this is {validator!r}.")
        if type(seed) is not int:
            raise ValueError(f"seed is a whole number, and this is {seed!r}.")
        traffic = {"every": every, "latency": latency, "validator": validator, "seed": seed}
        super().__init__(settings=seconds | traffic)


def _between(name: str, value: Any, least: float, most: float) -> None:
    """Raises ValueError, in one sentence, unless the value is a number within the bounds."""
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(
            f"{name} is a number of seconds from {least} to {most}, and this is {value!r}."
        )
