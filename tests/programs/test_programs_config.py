"""What a reader writes, what the program gets, and what is said about a mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import environment
from helpers.programs import (
    Apache,
    Caddy,
    ConfigError,
    Haproxy,
    Nginx,
    ProgramMissing,
    _find,
    _guarded,
    available,
)
from helpers.programs._config import Quoting, fill, is_loopback
from tests.programs.servers import PROGRAMS, ask, start
from tests.serving.apps import ROOT, run_python

every_program = pytest.mark.parametrize("kind", PROGRAMS)

NAMES = ["with blanks", "Für Elise – é", "O'Brien", 'a "quoted" one', "a;b", "a#b", "#1", "50%"]
if os.name == "nt":
    NAMES = [name for name in NAMES if '"' not in name]


@every_program
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_may_have_any_usual_name(kind, name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "song.wav").write_bytes(b"the song")
    with start(kind, folder) as program:
        assert ask(program.url + "/song.wav").content == b"the song"


@pytest.mark.parametrize("kind", [Haproxy, Apache, Caddy])
def test_a_folder_with_a_dollar_sign(kind, tmp_path):
    (tmp_path / "$home").mkdir()
    (tmp_path / "$home" / "song.wav").write_bytes(b"the song")
    with start(kind, tmp_path / "$home") as program:
        assert ask(program.url + "/song.wav").content == b"the song"


@pytest.mark.parametrize("kind", [Nginx, Haproxy, Apache])
def test_a_folder_with_braces(kind, tmp_path):
    (tmp_path / "{home}").mkdir()
    (tmp_path / "{home}" / "song.wav").write_bytes(b"the song")
    with start(kind, tmp_path / "{home}") as program:
        assert ask(program.url + "/song.wav").content == b"the song"


@pytest.mark.parametrize(("kind", "name"), [(Nginx, "$home"), (Caddy, "{home}")])
def test_what_a_language_cannot_write_is_told(kind, name, tmp_path):
    with pytest.raises(ConfigError, match="can't hold a path with"):
        start(kind, tmp_path / name)


def test_a_path_may_go_on_after_its_word_or_be_in_quotes(tmp_path):
    folder = tmp_path / "two words"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "song.wav").write_bytes(b"the song")
    for root in ("FILES/inner", '"FILES/inner"', "'FILES/inner'"):
        with Nginx(f"server {{ listen 127.0.0.1:PORT; root {root}; }}", files=folder) as nginx:
            assert ask(nginx.url + "/song.wav").content == b"the song"
    config = "Listen 127.0.0.1:PORT\nAlias /songs FILES/inner\n<Directory FILES>\n</Directory>"
    with Apache(config, files=folder) as apache:
        assert ask(apache.url + "/songs/song.wav").content == b"the song"


def test_text_goes_in_as_it_is(files):
    servers = "server a 127.0.0.1:1\n    server b 127.0.0.1:2"
    config = "listen all\n    bind 127.0.0.1:PORT\n    SERVERS\n"
    with Haproxy(config, servers=servers) as haproxy:
        assert servers in haproxy.config


WORDS = st.dictionaries(st.from_regex(r"[A-Z]{2,6}", fullmatch=True), st.integers(0, 9))


@given(text=st.text(), words=WORDS)
def test_lines_stay_and_text_without_words_stays(text, words):
    quoting = Quoting(escaped='\\"')
    filled = fill(text, words, quoting)
    assert filled.count("\n") == text.count("\n")
    if not any(word in text for word in words):
        assert filled == text


def test_only_whole_words_are_replaced_and_comments_stay():
    config = "# PORT is chosen\nPORT PORTS MY_PORT $PORT PORT;PORT} 'PORT' a#PORT"
    filled = fill(config, {"PORT": 1}, Quoting(escaped='\\"'))
    assert filled == "# PORT is chosen\n1 PORTS MY_PORT $1 1;1} '1' a#1"


MISTAKES = [
    (Nginx, "server {\n  lisen 127.0.0.1:PORT;\n}", 2, "is `lisen` meant to be it"),
    (Nginx, "server {\n  listen 127.0.0.1:PORT;\n  roote x;\n}", 3, 'unknown directive "roote"'),
    (Nginx, "server {\n  listen 127.0.0.1:PORT;\n  root x y;\n}", 3, 'arguments in "root"'),
    (Nginx, "server {\n  listen 127.0.0.1:PORT;\n  gzip on\n}\n", 4, 'unexpected "}"'),
    (Nginx, "server {\n  listen 127.0.0.1:PORT;\n", 3, "unexpected end of file"),
    (Nginx, "server {\n  listen 127.0.0.1:PORT;\n}\n}\n", 4, 'unexpected "}"'),
    (Haproxy, "frontend f\n  bind 127.0.0.1:PORT\n  roote x\n", 3, "unknown keyword 'roote'"),
    (Haproxy, "frontend f\n  bind 127.0.0.1:PORT\n  use_backend b\n", None, "backend: 'b'"),
    (Haproxy, "frontend f\n  bind 127.0.0.1:PORT\n  default_backend 'b\n", 3, "quote"),
    (Apache, "Listen 127.0.0.1:PORT\nRoote x", 2, "Invalid command 'Roote'"),
    (Apache, "Listen 127.0.0.1:PORT\nDocumentRoot x y", 2, "takes one argument"),
    (Apache, "Listen 127.0.0.1:PORT\n<Directory />\nOptions None", 2, "was not closed"),
    (Apache, "Listen 127.0.0.1:PORT\n</Directory>\n", 2, "without matching"),
    (Caddy, "http://127.0.0.1:PORT {\n  roote x\n}", 2, "unrecognized directive: roote"),
    (Caddy, "http://127.0.0.1:PORT {\n  root x y z\n}", 2, "argument count"),
    (Caddy, "http://127.0.0.1:PORT {\n  file_server\n", None, "end of file|EOF|expecting"),
]


@pytest.mark.parametrize(("kind", "config", "line", "words"), MISTAKES)
def test_a_mistake_is_told_in_the_programs_words_with_the_readers_line(kind, config, line, words):
    with pytest.raises(ConfigError, match=words) as caught:
        kind(config)
    error = caught.value
    if line is not None:
        assert error.line == line
        lines = config.splitlines()
        if line <= len(lines):
            assert f"--> {line:3} | {lines[line - 1]}" in str(error)
    shown = error._render_traceback_()
    assert shown[0].startswith("ConfigError: ")
    assert 1 <= len(shown) <= 8
    assert "backend-course" not in str(error), "no path that the reader does not know"


def test_the_line_is_the_one_as_the_program_saw_it_if_words_brought_lines():
    config = "frontend f\n  bind 127.0.0.1:PORT\n  RULES\n  roote\n"
    with pytest.raises(ConfigError) as caught:
        Haproxy(config, rules="http-request deny\n  maxconn 7")
    assert caught.value.line == 5
    assert "-->   5 |   roote" in str(caught.value)


OPEN = [
    (Nginx, "server {{\n  listen 127.0.0.1:PORT; listen {};\n}}"),
    (Haproxy, "frontend f\n  bind 127.0.0.1:PORT\n  bind {}\n"),
    (Apache, "Listen 127.0.0.1:PORT\nListen {}"),
    (Caddy, "http://127.0.0.1:PORT {{\n}}\nhttp://:8 {{\n  bind {}\n}}"),
]
ANY = ".".join("0000")


@pytest.mark.parametrize(("kind", "config"), OPEN)
@pytest.mark.parametrize("address", [f"{ANY}:80", "192.0.2.1:80", "*:80", ":80", "80", "[::]:80"])
def test_other_machines_stay_out(kind, config, address, monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("it was started")

    if kind is Caddy:
        address = address.rpartition(":")[0].strip("[]*") or "::"
        monkeypatch.setattr(_guarded.Guarded, "run", forbidden)  # its own folder is needed before
    else:
        monkeypatch.setattr(_guarded.Guarded, "__init__", forbidden)
    with pytest.raises(ConfigError, match="other machines"):
        kind(config.format(address))


def test_a_server_without_listen_would_take_every_address():
    with pytest.raises(ConfigError, match="has no `listen`") as caught:
        Nginx("server { listen 127.0.0.1:PORT; }\nserver {\n  location / { return 200; }\n}")
    assert caught.value.line == 2


def test_what_an_included_file_opens_is_closed_again(tmp_path):
    (tmp_path / "more.conf").write_text(f"server {{ listen {ANY}:45891; }}")
    with pytest.raises(ConfigError, match="45891"):
        Nginx("include MORE;\nserver { listen 127.0.0.1:PORT; }", more=tmp_path / "more.conf")


def test_a_caddy_site_without_bind_is_on_this_machine_only():
    with Caddy("http://:PORT {\n respond hello\n}") as caddy:
        assert ask(caddy.url).text == "hello"


def test_a_caddy_site_without_http_is_plain_http_too():
    with Caddy("127.0.0.1:PORT {\n respond hello\n}") as caddy:
        assert ask(caddy.url).text == "hello"


def test_other_loopback_addresses_are_fine():
    with Nginx("server { listen [::1]:PORT; return 200 six; }") as nginx:
        assert nginx.url == f"http://[::1]:{nginx.port}"
        assert ask(nginx.url).text == "six"
    with Nginx("server { listen localhost:PORT; return 200 named; }") as nginx:
        assert ask(nginx.url).text == "named"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.8.7", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"]
)
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "*", "10.0.0.1", "::ffff:10.0.0.1", "::", "localhost.example", "1"]
)
def test_not_loopback(host):
    assert not is_loopback(host)


@every_program
def test_words_that_do_not_fit_get_one_sentence(kind, files):
    for config, words, said in [
        ("nothing", {}, "a free port is put in for PORT"),
        ("# PORT", {}, "a free port is put in for PORT"),
        (b"PORT", {}, "has to be text, and this is bytes"),
        ("PORT", {"nobody": 1}, "the word NOBODY is nowhere"),
        ("PORT FILES", {}, "add `files=...`"),
        ("PORT \ud800", {}, "can't be written to a file"),
    ]:
        with pytest.raises(ConfigError, match=said) as caught:
            kind(config, **words)
        assert len(caught.value._render_traceback_()) == 1


def test_a_port_that_nothing_listens_on_is_told():
    with pytest.raises(ConfigError, match="PORT has to say where to listen"):
        Nginx("server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:PORT; } }")


@every_program
def test_a_missing_program_is_told_with_what_gets_it(kind, monkeypatch):
    _find._find.cache_clear()
    monkeypatch.setattr(environment.Program, "candidates", lambda self: iter(()))
    with pytest.raises(ProgramMissing) as caught:
        start(kind, Path("/"))
    program = next(one for one in environment.PROGRAMS if one.name == kind._name)
    assert any(get in str(caught.value) for get in program.get)
    assert len(caught.value._render_traceback_()) == 1
    row = next(row for row in available().rows if row.name == kind._name)
    assert (row.status, row.note in program.get) == ("not here", True)


@every_program
def test_in_a_page_one_sentence_says_where_programs_run(kind, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(ProgramMissing, match="on your own machine or on Binder"):
        start(kind, Path("/"))


def test_available_lists_what_chapters_start():
    servers = ["nginx", "HAProxy", "Apache", "Caddy", "wrk", "PostgreSQL", "MongoDB", "Cassandra"]
    assert [row.name for row in available().rows] == servers


def test_the_import_needs_no_process_and_no_psutil():
    """A page imports it too."""
    script = "import sys, helpers.programs; print('psutil' in sys.modules, 'ctypes' in sys.modules)"
    assert run_python(script).startswith("False ")


def test_a_broken_program_is_told(monkeypatch):
    _find._find.cache_clear()
    broken = environment.Row("nginx", "broken", None, "nginx on PATH, but it ends with code 1", "")
    monkeypatch.setattr(environment.Program, "look", lambda self, timeout: broken)
    with pytest.raises(ProgramMissing, match="here but does not run: nginx on PATH, but it ends"):
        start(Nginx, Path("/"))


def test_ipython_shows_the_message_and_no_traceback():
    script = """if True:
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance(colors="NoColor")
        shell.run_cell("from helpers.programs import Nginx")
        shell.run_cell("Nginx('server { listen 127.0.0.1:PORT; roote x; }')")
    """
    printed = run_python(script)
    assert printed.startswith("ConfigError: nginx does not take this config at line 1.\n")
    assert "Traceback" not in printed
    assert len(printed.splitlines()) <= 8


def test_the_guard_is_a_program_of_its_own():
    """It runs without the course, without what pip has installed, and ends with its input."""
    guard = ROOT / "helpers" / "programs" / "_guard.py"
    command = [sys.executable, "-I", "-S", str(guard), os.environ["TMPDIR"]]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith(b'"backend-course-')
