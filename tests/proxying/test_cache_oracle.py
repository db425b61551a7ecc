"""Random requests, answers and clocks, next to a small cache that is written from the RFC's text.

The other one knows nothing of ours: it keeps a list, has its fields in dictionaries, and decides
anew each time. Both have to say for each request whether a server is asked, and with which body and
status the client is answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from email.utils import formatdate

from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.proxying import Cache
from helpers.proxying._errors import Refusal
from helpers.proxying._forwarding import Forwarded

START = 1_800_000_000


@dataclass
class Said:
    """What the server says, if it is asked."""

    status: int
    control: dict
    tag: str
    vary: str
    age: int
    modified: int  # seconds ago; 0: it does not say
    body: str = ""
    made: int = 0  # by the clock

    def fields(self) -> list[tuple[bytes, bytes]]:
        control = ", ".join(k if v is None else f"{k}={v}" for k, v in self.control.items())
        lines = {
            "date": formatdate(self.made, usegmt=True),
            "cache-control": control,
            "etag": self.tag,
            "vary": self.vary,
            "age": str(self.age) if self.age else "",
            "last-modified": formatdate(self.made - self.modified, usegmt=True)
            if self.modified
            else "",
        }
        return [(name.encode(), value.encode()) for name, value in lines.items() if value]


@dataclass
class Asked:
    method: str
    path: str
    lines: dict
    control: dict


class Plain:
    """The other cache. Sections are those of RFC 9111."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict, Said]] = []  # the newest one first

    def find(self, asked: Asked) -> Said | None:
        for path, chosen, said in self.kept:  # 4.1
            if path == asked.path and all(asked.lines.get(n) == v for n, v in chosen.items()):
                return said
        return None

    @staticmethod
    def lifetime(said: Said) -> float:  # 4.2.1, 4.2.2
        for name in ("s-maxage", "max-age"):
            if name in said.control:
                return said.control[name]
        if said.modified and (
            said.status in (200, 301) or ("public" in said.control and said.status != 404)
        ):
            return int(said.modified * 0.1)
        return 0

    def staleness(self, said: Said, now: int) -> float:
        """Seconds since it ceased to be fresh; below zero: it is fresh."""
        return said.age + now - said.made - self.lifetime(said)  # 4.2.3

    def usable(self, asked: Asked, said: Said, now: int) -> bool:
        mine, theirs = asked.control, said.control
        late = self.staleness(said, now)
        if "no-cache" in theirs or "no-cache" in mine:  # 5.2.1.4, 5.2.2.4
            return False
        if "max-age" in mine and said.age + now - said.made > mine["max-age"]:  # 5.2.1.1
            return False
        if "min-fresh" in mine and -late < mine["min-fresh"]:  # 5.2.1.3
            return False
        if late < 0:
            return True
        if theirs.keys() & {"must-revalidate", "proxy-revalidate", "s-maxage"}:  # 4.2.4
            return False
        if "max-stale" not in mine:  # 5.2.1.2
            return False
        return mine["max-stale"] is None or late <= mine["max-stale"]

    def why_not(self, asked: Asked, said: Said) -> str:  # 3
        control = said.control
        if "no-store" in control or "private" in control:
            return "the answer"
        explicit = control.keys() & {"max-age", "s-maxage", "public"}
        if said.status not in (200, 301, 404) and not explicit:
            return "the answer"
        if "no-store" in asked.control:
            return "the request"
        if "authorization" in asked.lines and not control.keys() & {
            "public",
            "s-maxage",
            "must-revalidate",
        }:
            return "the request"  # 3.5
        return "the answer" if said.vary == "*" else ""

    def keep(self, asked: Asked, said: Said, old: Said | None) -> None:
        """Put an answer in the place of what it replaces; or take away what is not true any more."""
        why_not = self.why_not(asked, said)
        if (
            not why_not
            and not said.tag
            and not said.modified
            and self.staleness(said, said.made) >= 0
        ):
            why_not = "the answer"  # it could never be used
        if why_not:
            if old and why_not == "the answer" and said.status < 500:
                self.kept = [one for one in self.kept if one[2] is not old]
            return
        chosen = {said.vary: asked.lines.get(said.vary)} if said.vary else {}
        others = [one for one in self.kept if one[:2] != (asked.path, chosen) and one[2] is not old]
        if old and (asked.path, chosen) not in [one[:2] for one in self.kept if one[2] is old]:
            others = [one for one in self.kept if one[:2] != (asked.path, chosen)]
        self.kept = [(asked.path, chosen, said), *others]

    def answer(self, asked: Asked, said: Said, now: int) -> tuple[bool, int, str]:
        """Whether the server is asked; the status and the body that the client gets."""
        if asked.method == "POST":  # 4.4
            if said.status < 400:
                self.kept = [one for one in self.kept if one[0] != asked.path]
            return True, said.status, said.body
        old = self.find(asked)
        if old and self.usable(asked, old, now):
            return False, old.status, old.body
        if "only-if-cached" in asked.control:  # 5.2.1.7
            return False, 504, ""
        said.body = said.body or "x"
        if old and old.tag and old.tag == said.tag and said.status == 200:  # 4.3.3: 304
            fresh = Said(old.status, said.control, old.tag, said.vary or old.vary, said.age,
                         said.modified, old.body, now)  # fmt: skip
            fresh.modified = said.modified or (old.modified and old.modified + now - old.made)
            fresh.control = said.control or old.control
            self.renew(asked, old, fresh)
            return True, old.status, old.body
        if old and said.status == 503 and not old.control.keys() & {
            "must-revalidate", "proxy-revalidate", "s-maxage", "no-cache"} and old.status < 500:  # fmt: skip
            limit = old.control.get("stale-if-error", 0)
            if max(0, self.staleness(old, now)) < limit:
                return True, old.status, old.body
        self.keep(asked, said, old)
        return True, said.status, said.body

    def renew(self, asked: Asked, old: Said, fresh: Said) -> None:
        """4.3.4: what is kept has the newer fields, if it may be kept with them."""
        why_not = self.why_not(asked, fresh)
        if why_not == "the request":
            return
        others = [one for one in self.kept if one[2] is not old]
        if not why_not:
            chosen = {fresh.vary: asked.lines.get(fresh.vary)} if fresh.vary else {}
            others = [one for one in others if one[:2] != (asked.path, chosen)]
            others = [(asked.path, chosen, fresh), *others]
        self.kept = others


async def ours(cache: Cache, asked: Asked, said: Said) -> tuple[bool, int, str]:
    """The same by our cache."""
    told, was_asked = [], []
    control = ", ".join(k if v is None else f"{k}={v}" for k, v in asked.control.items())
    lines = {"host": "a", **asked.lines, **({"cache-control": control} if control else {})}
    scope = {
        "method": asked.method, "path": asked.path, "raw_path": asked.path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
        "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def ask(forwarded, receive, send) -> None:
        was_asked.append(forwarded)
        good = (
            said.status == 200
            and said.tag
            and (b"if-none-match", said.tag.encode()) in forwarded.fields
        )
        status = 304 if good else said.status
        await send({"type": "http.response.start", "status": status, "headers": said.fields()})
        body = b"" if good else said.body.encode()
        await send({"type": "http.response.body", "body": body[:1], "more_body": True})
        await send({"type": "http.response.body", "body": body[1:]})

    async def send(message) -> None:
        told.append(message)

    try:
        await cache.answer(Forwarded(scope), None, send, ask)
    except Refusal as refusal:
        return bool(was_asked), refusal.status, ""
    return bool(was_asked), told[0]["status"], b"".join(m["body"] for m in told[1:]).decode()


SECONDS = st.sampled_from([0, 1, 5, 9, 10, 11, 30])


def directives(*numbers: str, bare: tuple = ()):
    given = {name: SECONDS for name in numbers} | {name: st.none() for name in bare}
    names = st.lists(st.sampled_from(sorted(given)), max_size=3, unique=True)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: given[name] for name in chosen})
    )


SAID = st.builds(
    Said,
    st.sampled_from([200, 200, 200, 200, 301, 302, 404, 503]),
    directives(
        "max-age", "max-age", "s-maxage", "stale-if-error",
        bare=("public", "private", "no-store", "no-cache", "must-revalidate", "proxy-revalidate"),
    ),
    st.sampled_from(["", '"1"', '"2"']),
    st.sampled_from(["", "", "x", "y", "*"]),
    st.sampled_from([0, 0, 3, 20]),
    st.sampled_from([0, 0, 100]),
)  # fmt: skip
ASKED = st.builds(
    Asked,
    st.sampled_from(["GET", "GET", "GET", "GET", "POST"]),
    st.sampled_from(["/a", "/b"]),
    st.dictionaries(st.sampled_from(["x", "y", "authorization"]), st.sampled_from(["1", "2"]), max_size=2),
    st.one_of(
        st.just({}), st.just({}), st.just({"max-stale": None}),
        directives("max-age", "max-stale", "min-fresh", bare=("no-cache", "no-store", "only-if-cached")),
    ),
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.lists(st.tuples(ASKED, SAID, st.sampled_from([0, 0, 1, 5, 9, 10])), min_size=2, max_size=12)
)
def test_both_do_the_same(steps):
    async def run() -> None:
        now = [START]
        cache, plain = Cache(clock=lambda: now[0]), Plain()
        for number, (asked, said, passed) in enumerate(steps):
            now[0] += passed
            said = replace(said, made=now[0], body=f"body {number}")
            expected = plain.answer(asked, said, now[0])
            assert await ours(cache, asked, said) == expected, f"step {number} of {steps}"

    asyncio.run(run())
