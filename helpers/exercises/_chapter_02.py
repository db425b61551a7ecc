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
    return works_like(_lists_as_tuples(answer), cases) or _minds_each_space(answer)


def _minds_each_space(function: Callable) -> str | None:
    """What it lets through with a space too many; in words, as a space more is hard to see."""
    for line, what in (
        ("GET  /songs HTTP/1.1", "two spaces behind the method"),
        (" GET /songs HTTP/1.1", "a space in front of the method"),
        ("GET /songs HTTP/1.1 ", "a space behind the version"),
        ("GET  HTTP/1.1", "nothing between the two spaces"),
    ):
        try:
            got = function(line)
        except ValueError:
            continue
        except Exception as error:
            return f"A line with {what} should raise ValueError, and raised {type(error).__name__}."
        return f"A line with {what} should raise ValueError, but your function gave {show(got)}."
    return None


def _lists_as_tuples(function: Callable) -> Callable:
    """The same function; three parts in a list are as good as in a tuple."""

    @functools.wraps(function)
    def parts(line: str) -> object:
        found = function(line)
        return tuple(found) if isinstance(found, list) else found

    return parts


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
        given = show(refused.headers["allow"])
        return f"POST /count: Allow says {given}, but the task allows GET alone, not even HEAD."
    return None


@exercise(
    "2.6",
    hints=(
        "Look for lengths that contradict each other, that are no lengths, or that a second "
        "program might read in another way.",
        "Ask of each line: does it say where the body ends, once, and in the form of a header?",
    ),
    typical_mistake='check("2.6", {"b", "f"})',
    why="Refused is what two programs could understand in two ways.",
)
def who_is_smuggling(answer: set | frozenset | list | tuple):
    wrong = items(answer, {"b", "c", "f", "g"}, ignore_case=True)
    if wrong is None or not all(isinstance(letter, str) for letter in answer):
        return wrong
    look_at = {
        "b": "How long is a body that has two lengths?",
        "c": "Look closely at each colon, and at what stands beside it.",
        "f": "Which lines tell the end of the body in two ways at once?",
        "g": "Can each of the lengths be a number of bytes?",
        "d": "Capital and small letters in a header's name mean the same.",
    }
    off = {"b", "c", "f", "g"} ^ {letter.casefold() for letter in answer}
    return " ".join([wrong, *[text for letter, text in look_at.items() if letter in off][:1]])


@exercise(
    "2.7",
    hints=(
        "Begin with the configuration from the chapter. Each line that is not a block ends with a "
        "semicolon.",
        "Which sign in the chapter's `location` keeps /healthy out? And `gzip on` packs only HTML, "
        "until a second line names more types.",
    ),
    typical_mistake=(
        'answer = """\n'
        "server {\n"
        "    listen 127.0.0.1:PORT;\n"
        "    root FILES;\n"
        "    gzip on;\n"
        "    location /ping { return 204; }\n"
        "}\n"
        '"""\n'
        'check("2.7", answer)'
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "words.txt").write_text(text, encoding="utf-8")
        (folder / "page.html").write_text(page, encoding="utf-8")
        (folder / "pingpong").write_text("pong", encoding="utf-8")
        try:
            with Nginx(answer, files=folder) as nginx, httpx.Client(base_url=nginx.url) as client:
                return _ask_the_site(client, text, page)
        except ProgramMissing:
            return _read_the_site(answer, text, page)
        except ConfigError as error:
            return " ".join(f"{error}".splitlines()[:2])
        except ProgramFailed as error:
            return f"{error}"


def _ask_the_site(client: httpx.Client, text: str, page: str) -> str | None:
    """What is wrong with the answers of the reader's nginx; None when nothing is."""
    for path, expected in (("/page.html", page), ("/words.txt", text)):
        answer = client.get(path)
        if wrong := response(answer, status=200):
            return f"GET {path}, a file of the folder: {wrong}"
        if answer.text != expected:
            return f"GET {path} brings something else than the file of that name."
    ping = client.get("/ping")
    if wrong := response(ping, status=204):
        return f"GET /ping: {wrong}"
    if client.get("/pingpong").status_code == 204:
        return "GET /pingpong answers 204 too, but only exactly /ping should."
    if answer.headers.get("content-encoding") != "gzip":
        return "Plain text is not compressed, although the client can unpack gzip."
    return None


# What a beginner could use here, each with the block that it stands in.
_UNDERSTOOD = re.compile(
    r"""http:\ server\{ | server:\ listen\ 127\.0\.0\.1:PORT(\ default_server)?;
    | server:\ server_name(\ [\w.-]{1,30})+; | \w+:\ index(\ [\w.-]+)+;
    | server:\ location\ ((=|\^~)?\ ?[\w/.-]+ | ~\*?\ ?([\w/.^$()|?+*-]|\\[./])+)\{
    | (server|location):\ return\ (200|204|40[0-5]|410|50[0-3])(\ [^\s$\\]*)?;
    | (server|location):\ try_files\ \$uri(\ \$uri/)?\ =404;
    | \w+:\ root\ (FILES/*|(?!.*FILES)[\w/.-]+); | \w+:\ gzip_types(\ [^\s$\\]+)+;
    | \w+:\ (gzip|gzip_vary|autoindex|sendfile)\ (on|off); | \w+:\ gzip_comp_level\ [1-9];
    | \w+:\ gzip_min_length\ \d{1,6}; | \w+:\ limit_rate\ [1-9]\d{1,4}[km]; | \w+:\ charset\ utf-8;""",
    re.VERBOSE | re.ASCII,
)
_NAMES = {"autoindex", "gzip", "gzip_types", "index", "listen", "location", "return", "root"}
_REPEATED = {"gzip_types", "index", "return", "server_name"}
# As nginx cuts its text: a mark or a quote counts only where a word could begin.
_TOKEN = re.compile(
    r"""[ \t\r\n]+ | \#[^\n]* | (?P<mark>[;{}])
    | (["'])(?P<quoted>(?:\\.|(?!\2)[^\\])*)\2(?=[ \t\r\n;{)]|\Z)
    | (?P<bare>(?!["'])(?:\\.|\$\{|[^ \t\r\n;{\\])+)""",
    re.VERBOSE | re.DOTALL,
)


def _read_the_site(config: str, text: str, page: str) -> str | None:
    """The same without nginx, as in a page: ask a stand-in that answers as the text says."""
    try:
        lines = _directives(config)
    except ValueError as error:
        return f"{error}"
    seen = set()
    for around, words, mark in lines:
        block, line = (around or ("http",))[-1].split()[0], " ".join(words)
        same = (around, words[0] if mark == ";" else "".join(words).replace("^~", ""))
        if words[0] in ("http", "events"):
            return f"`{words[0]}` is there already, around your text: begin with `server`."
        if same in seen and words != ["server"] and "~" not in same[1]:
            return f"{show(line)} comes too late: its block has such a line already."
        one_word_each = " ".join(re.sub(r"\s", "_", word) for word in words)
        if same in seen or not _UNDERSTOOD.fullmatch(f"{block}: {one_word_each}{mark}"):
            for name in _NAMES.intersection(words[1:]):
                return f"Is a semicolon missing in front of {show(name)}?"
            return f"This check only reads, and does not know {show(line)} in this place; a real nginx would have to judge."
        if words[0] not in _REPEATED:
            seen.add(same)
    if (("server",), "listen") not in seen:
        return "There is no `server` with a line `listen 127.0.0.1:PORT;`."
    files = {"/page.html": page, "/words.txt": text, "/pingpong": "pong"}
    stand_in = httpx.MockTransport(functools.partial(_stand_in, lines, files))
    with httpx.Client(transport=stand_in, base_url="http://page") as client:
        return _ask_the_site(client, text, page)


def _directives(config: str) -> list[tuple[tuple[str, ...], list[str], str]]:
    """For each directive the blocks around it, its words, and what ends them: ";" or "{".

    Raises ValueError for a mark that is missing or too many.
    """
    found, around, words, at = [], [], [], 0
    while at < len(config):
        token = _TOKEN.match(config, at)
        if not token:
            raise ValueError(f"Something is wrong with the quotes at {show(config[at : at + 30])}.")
        at, mark = token.end(), token["mark"]
        if mark and bool(words) == (mark == "}"):
            missing = f"A semicolon is missing after {show(' '.join(words))}."
            raise ValueError(missing if words else f"There is a {mark} too many.")
        if mark == "}":
            if not around:
                raise ValueError("There is a } too many.")
            around.pop()
        elif mark:
            found.append((tuple(around), words, mark))
            around += [" ".join(words)] * (mark == "{")
            words = []
        elif (word := token["bare"] or token["quoted"]) is not None:
            words.append(word)
    if words or around:
        raise ValueError("The text ends too early: a semicolon or a closing brace is missing.")
    return found


def _stand_in(lines: list, files: dict[str, str], request: httpx.Request) -> httpx.Response:
    """The answer of an nginx with these directives; FILES holds `files`, each by its path."""
    path, server = request.url.path, ("server",)
    inside = (*server, _location([" ".join(words) for _, words, _ in lines], path))

    def values(name: str, *blocks: tuple[str, ...]) -> list[str]:
        """What the first of the blocks that has the directive says."""
        told = ([w for a, (n, *ws), _ in lines if (a, n) == (b, name) for w in ws] for b in blocks)
        return next(filter(None, told), [])

    if returned := values("return", server, inside):
        return httpx.Response(int(returned[0]))
    if path not in files or values("root", inside, server, ())[:1] not in (["FILES"], ["FILES/"]):
        return httpx.Response(404)
    types = " ".join(values("gzip_types", inside, server, ())).lower().split()
    packs = path.endswith(".html") or "text/plain" in types or "*" in types
    least = int((values("gzip_min_length", inside, server, ()) or ["20"])[0])
    if values("gzip", inside, server, ()) != ["on"] or not packs or len(files[path]) < least:
        return httpx.Response(200, text=files[path])
    packed = gzip.compress(files[path].encode())
    return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=packed)


def _location(lines: list[str], path: str) -> str:
    """The line of the location that nginx takes for `path`; "" when none fits.

    The rule: https://nginx.org/en/docs/http/ngx_http_core_module.html#location
    """
    found = [re.fullmatch(r"location (=|\^~|~\*?|) ?(.*)", line) for line in lines]
    chosen, longest = "", -1
    for place in filter(None, found):
        ...


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
