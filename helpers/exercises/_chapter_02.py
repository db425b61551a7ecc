"""The exercises of chapter 2, Web servers."""

from __future__ import annotations

import functools
import gzip
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from helpers.music import SONGS

from . import exercise, items, response, same_json, show, works_like
from ._nginx_text import directives


@exercise(
    "2.1",
    hints=(
        "`split()` without an argument takes any number of spaces for one. What does it take with "
        "one?",
        'Pattern: method, target, version = line.split(" "), and then a look at each of the three.',
    ),
    typical_mistake=(
        "def request_line(line):\n"
        "    method, target, version = line.split()\n"
        "    return method, target, version\n"
        'check("2.1", request_line)'
    ),
    why="Exactly three parts with one space between them: RFC 9112, section 3.",
)
def a_strict_request_line(answer: Callable):
    cases = [
        ("GET /songs HTTP/1.1", ("GET", "/songs", "HTTP/1.1")),
        ("HEAD /songs?limit=3 HTTP/1.0", ("HEAD", "/songs?limit=3", "HTTP/1.0")),
        ("hello", ValueError),
        ("", ValueError),
        ("GET /fur elise HTTP/1.1", ValueError),
        *(
            (f"GET /songs {end}", ValueError)
            for end in ("FTP/1.1", "xHTTP/1.1", "http/1.1", "HTTP")
        ),
        ("GET HTTP/1.1 /songs", ValueError),
    ]

    @functools.wraps(answer)
    def parts(line: str) -> object:  # three parts in a list are as good as in a tuple
        return tuple(found) if isinstance(found := answer(line), list) else found

    return works_like(parts, cases) or _minds_each_space(answer)


def _minds_each_space(function: Callable) -> str | None:
    """What it lets through with a space too many; in words, as a space more is hard to see."""
    for line, what in (
        ("GET  /songs HTTP/1.1", "two spaces behind the method"),
        (" GET /songs HTTP/1.1", "a space in front of the method"),
        ("GET /songs HTTP/1.1 ", "a space behind the version"),
        ("GET  HTTP/1.1", "nothing between the two spaces"),
    ):
        if works_like(function, [(line, ValueError)]):
            return f"A line with {what} should raise ValueError, and your function does not."
    return None


@exercise(
    "2.2",
    hints=(
        "A chunk is: its length in hexadecimal digits, a line end, the bytes, a line end.",
        'f"{26:x}" is "1a". After the pieces comes the end: b"0\\r\\n\\r\\n". An empty piece would '
        "look like that end.",
    ),
    typical_mistake=(
        "def to_chunks(pieces):\n"
        '    chunks = [f"{len(p)}\\r\\n".encode() + p + b"\\r\\n" for p in pieces]\n'
        '    return b"".join(chunks) + b"0\\r\\n\\r\\n"\n'
        'check("2.2", to_chunks)'
    ),
    why="Whoever reads this knows where each piece ends, and where all of it does.",
)
def chunks_from_pieces(answer: Callable):
    for pieces in ([b"la la"], [b"la ", b"la"], [b"la " * 9], [b"la ", b"", b"la"], [], [b"\r\n0"]):
        call = f"`{getattr(answer, '__name__', 'your function')}({show(pieces)})`"
        try:
            made = answer(list(pieces))
        except Exception as error:
            return f"{call} raised {type(error).__name__}: {show(str(error))}."
        if not isinstance(made, bytes | bytearray):
            missing = "; is there a `return`?" if made is None else "; bytes are expected."
            return f"{call} gave {show(made)}{missing}"
        problem = _read_chunks(bytes(made), b"".join(pieces))
        if problem:
            return f"{call} gave {show(made)}. {problem}"
    return None


def _read_chunks(data: bytes, expected: bytes) -> str | None:
    """What is wrong with a chunked body (RFC 9112, section 7.1), None when nothing is."""
    body = b""
    while True:
        if not data:
            return "Its end is missing, the chunk of length zero."
        size, line_end, data = data.partition(b"\r\n")
        if not re.fullmatch(rb"[0-9a-fA-F]+", size):
            return f"A length in hexadecimal digits was expected where {show(size)} stands."
        if not line_end:
            return f"After the length {show(size)} a line end is missing."
        length = int(size, 16)
        if length == 0:
            break
        if data[length : length + 2] != b"\r\n":
            return f"After {length} bytes, the length that {show(size)} says, no line ends."
        body, data = body + data[:length], data[length + 2 :]
    if not data.startswith(b"\r\n"):
        return "The last line, an empty one after the chunk of length zero, is missing."
    if data != b"\r\n":
        return f"The chunk of length zero ended the body, but {show(data[2:])} comes after it."
    return None if body == expected else f"A reader gets {show(body)} from it."


@exercise(
    "2.3",
    hints=(
        "First cut the value into its words, in small letters. Then `close` is the first question.",
        "`split` cuts at the commas, but a blank may stay at a word. And what has no words at all?",
    ),
    typical_mistake=(
        "def stays_open(version, connection):\n"
        '    return version == "HTTP/1.1" and connection != "close"\n'
        'check("2.3", stays_open)'
    ),
    why="In HTTP/1.1 staying is the rule, in HTTP/1.0 the exception.",
)
def keep_or_close(answer: Callable):
    cases = [
        (("HTTP/1.1", None), True),
        (("HTTP/1.1", "close"), False),
        (("HTTP/1.0", None), False),
        (("HTTP/1.0", "keep-alive"), True),
        (("HTTP/1.1", "keep-alive"), True),
        (("HTTP/1.1", "Close"), False),
        (("HTTP/1.0", "Keep-Alive"), True),
        (("HTTP/1.1", "upgrade, close"), False),
        (("HTTP/1.0", "upgrade,keep-alive"), True),
        (("HTTP/1.0", "keep-alive, close"), False),
        (("HTTP/1.0", "close"), False),
        (("HTTP/1.1", "upgrade"), True),
        (("HTTP/1.1", "enclosed"), True),
    ]
    return works_like(answer, cases)


@exercise(
    "2.4",
    hints=(
        "Three of them are about a rule of HTTP/1.1 that a request breaks or a method that a file "
        "does not take. The others get what they ask for, or less.",
        "c asks for one byte, which is a part. In e the client has this version already. For d "
        "look at the ten requests: what did a POST to the song get?",
    ),
    typical_mistake=('check("2.4", {"a": 404, "b": 200, "c": 200, "d": 403, "e": 200, "f": 400})'),
    why="400 is about the form of a request, 405 about the method; 206 and 304 save bytes.",
)
def what_our_server_says(answer: dict):
    return same_json(answer, {"a": 400, "b": 200, "c": 206, "d": 405, "e": 304, "f": 400})


@exercise(
    "2.5",
    hints=(
        "First the path, then the method: an address that does not exist takes no method at all.",
        'Pattern: Response(405, {"Allow": "GET"}). The body of a response is bytes: '
        "str(number).encode().",
    ),
    typical_mistake=(
        "def careless(request):\n"
        "    return Response(200, {}, str(len(SONGS)).encode())\n"
        "running = await start(careless)\n"
        "async with httpx.AsyncClient(base_url=running.url) as visitor:\n"
        '    answer = [await visitor.get("/count"), await visitor.get("/nothing")]\n'
        '    answer.append(await visitor.post("/count"))\n'
        "await running.stop()\n"
        'check("2.5", answer)'
    ),
    why="A handler decides; all the rest, such as HEAD and keep-alive, the server does for it.",
)
def a_handler_of_your_own(answer: list | tuple):
    asked = [("GET", "/count"), ("GET", "/nothing"), ("POST", "/count")]
    if len(answer) != len(asked):
        return f"Your answer has {len(answer)} items; three responses are expected."
    for got, (method, path) in zip(answer, asked, strict=True):
        if not isinstance(got, httpx.Response):
            return response(got)
        if (got.request.method, got.request.url.path) != (method, path):
            request = f"{got.request.method} {got.request.url.path}"
            return f"A response to {request} stands where {method} {path} was expected."
        if got.status_code == 500:
            return (
                f"{method} {path}: your handler made a mistake, so the server answered 500. Often "
                "the body is text where bytes are needed: `.encode()` turns text into bytes."
            )
    counted, missing, refused = answer
    if wrong := response(counted, status=200):
        return f"GET /count: {wrong}"
    if counted.text.strip() != str(len(SONGS)):
        return f"GET /count: the body is {show(counted.text)}, and that is not the number of songs."
    if wrong := response(missing, status=404):
        return f"GET /nothing: {wrong}"
    if wrong := response(refused, status=405, headers={"allow": None}):
        return f"POST /count: {wrong}"
    allowed = {method.strip() for method in refused.headers["allow"].split(",")}
    if allowed != {"GET"}:
        return f"POST /count: Allow names {show(allowed)}, but the task allows GET, and not HEAD."
    return None


@exercise(
    "2.6",
    hints=(
        "Look for lengths that contradict each other, that are no lengths, or that a second "
        "program might read in another way.",
        "Ask each line: is the end of the body told in one way only? Could a body have that many "
        "bytes? Does the colon stand right behind the name, in whatever letters?",
    ),
    typical_mistake='check("2.6", {"b", "f"})',
    why="Refused is what two programs could understand in two ways.",
)
def who_is_smuggling(answer: set | frozenset | list | tuple):
    return items(answer, {"b", "c", "f", "g"}, ignore_case=True)


@exercise(
    "2.7",
    hints=(
        "Begin with the configuration from the chapter. Each line that is not a block ends with a "
        "semicolon.",
        "Which sign in the chapter's `location` keeps /healthy out? And `gzip on` packs only HTML, "
        "until a second line names more types.",
    ),
    typical_mistake=(
        'check("2.7", "server { listen 127.0.0.1:PORT; root FILES; gzip on; "'
        '"location /ping { return 204; } }")'
    ),
    why="A configuration says what is wanted; nginx knows how. In a page, or wherever else there "
    "is no nginx, your text was only read, not run.",
)
def a_configuration_for_nginx(answer: str):
    from helpers.programs import ConfigError, Nginx, ProgramFailed, ProgramMissing

    for word in ("PORT", "FILES"):
        if not re.search(rf"\b{word}\b", answer):
            return f"The word {word} is missing; it stands for what is filled in."
    text, page = "la la la\n" * 200, "<li>la</li>\n" * 200
    files = {"/page.html": page, "/words.txt": text, "/pingpong": "pong"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, inside in files.items():
            Path(name + path).write_text(inside, encoding="utf-8")
        try:
            with Nginx(answer, files=folder) as nginx, httpx.Client(base_url=nginx.url) as client:
                return _ask_the_site(client, files)
        except ProgramMissing:
            return _read_the_site(answer, files)
        except (ConfigError, ProgramFailed) as error:
            return " ".join(f"{error}".splitlines()[:2])


def _ask_the_site(client: httpx.Client, files: dict[str, str]) -> str | None:
    """What is wrong with the answers of the reader's nginx; None when nothing is."""
    for path in ("/page.html", "/words.txt"):
        answer = client.get(path)
        if wrong := response(answer, status=200):
            return f"GET {path}, a file of the folder: {wrong}"
        if answer.text != files[path]:
            return f"GET {path} brings something else than the file of that name."
    ping = client.get("/ping")
    if wrong := response(ping, status=204):
        return f"GET /ping: {wrong}"
    if client.get("/pingpong").status_code == 204:
        return "GET /pingpong answers 204 too, but only exactly /ping should."
    if answer.headers.get("content-encoding") != "gzip":
        return "Plain text is not compressed, although the client can unpack gzip."
    return None


# What a beginner could use here, behind the block that it stands in.
_UNDERSTOOD = re.compile(r"""(?xa)
    http:\ server\{ | server:\ location\ (=\ ?)?[\w/.-]+\{
    | server:\ listen\ 127\.0\.0\.1:PORT(\ default_server)?; | server:\ server_name(\ [\w.-]{1,30})+;
    | (server|location):\ return\ (200|204|40[0-5]|410|50[0-3])(\ [^\s$\\]*)?;
    | (server|location):\ try_files\ \$uri(\ \$uri/)?\ =404; | \w+:\ index(\ [\w.-]+)+;
    | \w+:\ root\ (FILES/*|(?!.*FILES)[\w/.-]+); | \w+:\ limit_rate\ [1-9]\d{1,4}[km];
    | \w+:\ (autoindex|gzip|gzip_vary|sendfile)\ (on|off); | \w+:\ gzip_types(\ [^\s$\\]+)+;""")
_DO_WITHOUT = "a real nginx would have to judge. Can you do without it?"
_OFTEN = {"autoindex", "gzip", "gzip_types", "index", "listen", "location", "return", "root"}


def _read_the_site(config: str, files: dict[str, str]) -> str | None:
    """The same without nginx, as in a page: ask a stand-in that answers as the text says."""
    try:
        lines = directives(config)
    except ValueError as error:
        return f"{error}"
    seen = set()
    for around, words, mark in lines:
        block = re.match("[a-z]+", (*around, "http")[0])[0]
        form = " ".join(re.sub(r"\s", "_", word) for word in words)
        once = (around, "".join(words) if mark == "{" else words[0])
        if once in seen or not _UNDERSTOOD.fullmatch(f"{block}: {form}{mark}"):
            for name in sorted(_OFTEN.intersection(words[1:])):
                return f"Is a semicolon missing in front of {show(name)}?"
            line, place = show(" ".join(words)), "a second time" if once in seen else "here"
            return f"This check only reads, and does not know {line} {place}; {_DO_WITHOUT}"
        seen.add(once)
    if (("server",), "listen") not in seen:
        return "There is no `server` with a line `listen 127.0.0.1:PORT;`."
    stand_in = httpx.MockTransport(functools.partial(_stand_in, lines, files))
    with httpx.Client(transport=stand_in, base_url="http://page") as client:
        return _ask_the_site(client, files)


def _stand_in(lines: list, files: dict[str, str], request: httpx.Request) -> httpx.Response:
    """What nginx answers with these directives, when the folder FILES holds `files`."""
    path, server = request.url.path, ("server",)
    places = ["".join(words[1:]) for _, words, mark in lines if words[0] == "location"]
    fitting = [place for place in places if path.startswith(place) or place == f"={path}"]
    # https://nginx.org/en/docs/http/ngx_http_core_module.html#location
    best = max(fitting, key=lambda place: (place[0] == "=", len(place)), default="")
    inside = (f"location{best}", *server)

    def said(name: str, *blocks: tuple[str, ...]) -> list[str]:
        """The words behind that name in the first of the blocks that has it."""
        told = ([w for a, (n, *ws), _ in lines if (a, n) == (b, name) for w in ws] for b in blocks)
        return next(filter(None, told), [])

    if returned := said("return", server, inside):
        return httpx.Response(int(returned[0]))
    [root], gzips = said("root", inside, server, ()) or [""], said("gzip", inside, server, ())
    if root.rstrip("/") != "FILES" or path not in files:
        return httpx.Response(404)
    types = {kind.lower() for kind in said("gzip_types", inside, server, ())}
    if gzips != ["on"] or not types & {"text/plain", "*"}:
        return httpx.Response(200, text=files[path])
    packed = gzip.compress(files[path].encode())
    return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=packed)


@exercise(
    "2.8",
    hints=(
        "Where do many connections wait, and where does the handler itself wait?",
        "Only one of the four has a handler that blocks.",
    ),
    typical_mistake='check("2.8", {"a": "threads", "b": "loop", "c": "loop", "d": "threads"})',
    why="Waiting connections are cheap on a loop; waiting handlers are not.",
)
def threads_or_loop(answer: dict):
    words = {
        key: value.strip().casefold() if isinstance(value, str) else value
        for key, value in answer.items()
    }
    for value in words.values():
        if value not in ("threads", "loop"):
            return f'{show(value)} is none of the two: each value is "threads" or "loop".'
    return same_json(words, {"a": "loop", "b": "threads", "c": "loop", "d": "loop"})
