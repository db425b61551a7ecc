"""What of a client's request a cache looks at, and whether a kept answer is good enough for it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from enum import Enum

from ._cache_entry import Entry
from ._cache_fields import CacheControl
from ._cache_store import Key
from ._forwarding import Forwarded
from ._framing import Field

_OWN_CONDITIONS = frozenset([b"if-none-match", b"if-modified-since", b"if-range", b"range"])
_WISHES = frozenset([b"cache-control", b"pragma"])
# Fields that let a client choose what an answer is, behind the back of the cache, whose key has
# nothing of them: it would keep one client's choice for all. Some frameworks heed them.
UNKEYED = frozenset(
    [
        b"front-end-https",
        b"x-forwarded",
        b"x-forwarded-by",
        b"x-forwarded-path",
        b"x-forwarded-method",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-forwarded-uri",
        b"x-host",
        b"x-http-host-override",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-original-host",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-scheme",
        b"x-url-scheme",
    ]
)


def without_unkeyed(fields: Iterable[Field]) -> list[Field]:
    """A request's fields without those, and without a Forwarded that names a host or a scheme.

    WSGI and CGI can't tell `_` in a name from `-`.
    """
    return [(name, value) for name, value in fields if not _is_unkeyed(name, value)]


def _is_unkeyed(name: bytes, value: bytes) -> bool:
    if name == b"forwarded":
        return b"host" in value.lower() or b"proto" in value.lower()
    return (name.replace(b"_", b"-") if b"_" in name else name) in UNKEYED


class Verdict(Enum):
    """What becomes of a request for which an answer is kept."""

    USE = "it is good"
    USE_AND_REFRESH = "it is stale, but may be used once more while it is renewed"
    STALE = "it has to be validated, since it is stale"
    ASKED = "it has to be validated, since the client wants that"


class CacheRequest:
    """A request as the cache sees it.

    Attributes:
        forwarded: the request.
        method: of it.
        key: under which answers are kept: host and target.
        control: its Cache-Control.
        range, if_range, if_none_match, if_modified_since: as the client sent them.
        conditional: it asks for an answer only if that is newer.
        authorized: it has credentials (Authorization).
        has_cookie: it says who the client is in another way, maybe.
        precondition: it is for a server only (If-Match, If-Unmodified-Since).
    """

    def __init__(self, forwarded: Forwarded) -> None:
        self.forwarded = forwarded
        self.method = forwarded.method
        host = forwarded.host_bytes.lower()
        self.key: Key = (host.removesuffix(b":80"), forwarded.target)
        self.range = self.if_range = self.if_modified_since = b""
        self.if_none_match: list[bytes] = []
        self.authorized = self.has_cookie = self.precondition = False
        controls: list[bytes] = []
        pragma = False
        for name, value in forwarded.fields:
            if name == b"cache-control":
                controls.append(value)
            elif name == b"pragma":
                pragma = pragma or b"no-cache" in value.lower()
            elif name == b"range":
                self.range = value
            elif name == b"if-none-match":
                self.if_none_match.append(value)
            elif name == b"if-modified-since":
                self.if_modified_since = value
            elif name == b"if-range":
                self.if_range = value
            elif name == b"authorization":
                self.authorized = True
            elif name == b"cookie":
                self.has_cookie = True
            elif name in (b"if-match", b"if-unmodified-since"):
                self.precondition = True  # RFC 9110, section 13.1
        if not controls and pragma:
            controls.append(b"no-cache")  # RFC 9111, section 5.4
        self.control = CacheControl(controls)
        self.conditional = bool(self.if_none_match or self.if_modified_since)

    @property
    def may_share(self) -> bool:
        """Whether it may wait for the answer to another request that is under way."""
        return (
            self.method == "GET"
            and not (self.range or self.conditional or self.authorized or self.precondition)
            and not self.control
        )

    def judge(self, entry: Entry, now: float) -> Verdict:
        """Whether a kept answer may be used without asking a server (RFC 9111, section 4)."""
        wishes = self.control
        if entry.no_cache:
            return Verdict.STALE
        ttl = entry.ttl(now)
        if wishes:
            oldest, spare = wishes.seconds("max-age"), wishes.seconds("min-fresh")
            if (
                "no-cache" in wishes
                or (oldest is not None and entry.age(now) > oldest)
                or (spare is not None and ttl < spare)
            ):
                return Verdict.ASKED if ttl > 0 else Verdict.STALE
        if ttl > 0:
            return Verdict.USE
        if not entry.may_be_stale:
            return Verdict.STALE
        if -ttl <= wishes.most("max-stale"):
            return Verdict.USE
        if -ttl < entry.while_revalidate:
            return Verdict.USE_AND_REFRESH
        return Verdict.STALE

    def for_renewal(self) -> CacheRequest:
        """The request that renews a kept answer in the background: without this client's wishes."""
        found = copy.copy(self)
        found.forwarded = copy.copy(self.forwarded)
        found.method = found.forwarded.method = "GET"
        found.forwarded.fields = [one for one in self.forwarded.fields if one[0] not in _WISHES]
        found.control = CacheControl()
        return found

    def asks_whether(self, entry: Entry) -> Forwarded:
        """The request to a server whether a kept answer is still good (section 4.3.1)."""
        found = copy.copy(self.forwarded)
        kept = [one for one in found.fields if one[0] not in _OWN_CONDITIONS]
        found.fields = kept + entry.conditions
        return found
