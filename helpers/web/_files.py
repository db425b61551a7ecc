"""Static files: from a path to a file's bytes, a part of them, or word that nothing changed."""

# ruff: noqa: PTH112, PTH122, PTH123 - pathlib would take longer than all the rest together
import calendar
import mimetypes
import os
import re
import stat
import time
from dataclasses import dataclass
from email.utils import parsedate
from functools import lru_cache
from urllib.parse import unquote

from ._message import PIECE, Headers, Problem, Request, Response, http_date, insist

_ALLOW = {"Allow": "GET, HEAD"}
# Python's own list, without what the operating system adds: the same types everywhere.
_TYPES = mimetypes.MimeTypes().types_map[True] | {
    ".gz": "application/gzip", ".js": "text/javascript", ".md": "text/markdown", ".wav": "audio/wav",
}  # fmt: skip
# One step down on every system: no "..", no separator, no drive, no device of Windows.
_NAME = re.compile(r"(?!(con|prn|aux|nul|com\d|lpt\d)(\.|\Z))[^\0-\x1f/\\:]*[^\0-\x1f/\\:. ]", re.I)
_ETAG = re.compile(r'(?:W/)?"[!#-~\x80-\xff]*"')
_RANGE = re.compile(r"bytes=[ \t]*(?=-?[0-9])([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.I)


class Files:
    """A handler that serves the files of a folder. It follows no links, so none leads outside."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(folder)
        if not os.path.isdir(self.root):
            raise NotADirectoryError(f"There is no folder {self.root} to serve files from.")

    def __call__(self, request: Request) -> Response:
        """Answer GET and HEAD, conditional or for a part (RFC 9110, 13.2.2). Raises Problem."""
        insist(request.method in ("GET", "HEAD"), 405, "This can only be read.", _ALLOW)
        path, info = self.find(request.path)
        if stat.S_ISDIR(info.st_mode):
            before, mark, query = request.target.partition("?")
            return Response(301, {"Location": f"{before}/{mark}{query}"})
        modified, size = int(info.st_mtime), info.st_size
        etag = f'"{info.st_mtime_ns:x}-{size:x}"'
        headers = {
            "Content-Type": media_type(path),
            "Last-Modified": http_date(modified),
            "ETag": etag,
            "Accept-Ranges": "bytes",
        }
        if is_unchanged(request.headers, etag, modified):
            return Response(304, headers)
        if part := requested_part(request, etag, modified, size):
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
            return Response(206, headers, Part(path, info.st_mtime_ns, part))
        whole = Part(path, info.st_mtime_ns, range(size))
        # A file may change twice in one tick of the clock: what is so new is not kept.
        keep = size <= PIECE and modified + 1 < time.time()
        return Response(200, headers, _kept(whole) if keep else whole)

    def find(self, path: str) -> tuple[str, os.stat_result]:
        """The file for a path, or the folder if only the slash is missing. Raises Problem 404."""
        try:
            *folders, last = unquote(path, errors="strict")[1:].split("/")
            found = self.root
            for name in (*folders, last or "index.html"):
                found = f"{found}{os.sep}{name}"
                info = os.lstat(found if _NAME.fullmatch(name) else "")
                regular = stat.S_ISREG(info.st_mode)
                insist(regular or stat.S_ISDIR(info.st_mode), 404, "This is no file.")
            insist(regular or last, 404, "This folder has no index.html.")
            return found, info
        except (OSError, ValueError):  # also for names that are too long, or not in UTF-8
            raise Problem(404, "No file is here.") from None


def is_unchanged(headers: Headers, etag: str, modified: int) -> bool:
    """Whether the client has this very version. Raises Problem 412: it wants another one."""
    wanted, known = headers.get("if-match"), headers.get("if-none-match")
    if wanted is not None:
        right = wanted == "*" or etag in _ETAG.findall(wanted)
    else:
        right = modified <= _seconds(headers.get("if-unmodified-since"), modified)
    insist(right, 412, "The file is in another version now.")
    if known is not None:
        return known == "*" or etag in _ETAG.findall(known.replace("W/", ""))
    return modified <= _seconds(headers.get("if-modified-since"), -1)


def requested_part(request: Request, etag: str, modified: int, size: int) -> range | None:
    """The bytes that a Range asks for (RFC 9110, 14.2). Raises Problem 416: there are none.

    None: send all. That is the answer to several parts at once, too, and to what is no range.
    """
    if not (match := _RANGE.fullmatch(request.headers.get("range", ""))) or request.method != "GET":
        return None
    version = request.headers.get("if-range", etag)
    # A date stands for one version only if a second has passed since (section 8.8.2.2).
    dated = version == http_date(modified) and modified + 1 < time.time()
    if not (version == etag or dated):
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None:  # "bytes=-50" means the last 50
        first, last = max(0, size - last), size
    elif last is not None and last < first:
        return None
    part = range(size)[first : None if last is None else last + 1]
    insist(part, 416, f"The file has {size} bytes.", {"Content-Range": f"bytes */{size}"})
    return part


@dataclass(frozen=True)
class Part:
    """The bytes of a file that are in `part`. They are read when a slice of them is asked for."""

    path: str
    version: int  # when it was modified, in nanoseconds
    part: range

    def __len__(self) -> int:
        return len(self.part)

    def __getitem__(self, cut: slice) -> bytes:
        wanted = self.part[cut]
        with open(self.path, "rb", buffering=0) as file:
            file.seek(wanted.start)
            data = file.read(len(wanted))
            if len(data) < len(wanted) or os.fstat(file.fileno()).st_mtime_ns != self.version:
                raise OSError(f"{self.path} has changed while it was sent.")
        return data


@lru_cache(256)
def media_type(path: str) -> str:
    """The type that the end of a file's name stands for; a text says that it is UTF-8."""
    kind = _TYPES.get(os.path.splitext(path)[1].lower(), "application/octet-stream")
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


@lru_cache(256)
def _kept(part: Part) -> bytes:
    return part[:]


def _seconds(date: str | None, otherwise: int) -> int:
    """An HTTP date (RFC 9110, 5.6.7) as seconds since 1970; `otherwise` for anything else."""
    try:
        return calendar.timegm(parsedate(date)) if date else otherwise
    except (TypeError, ValueError, OverflowError, IndexError):
        return otherwise
