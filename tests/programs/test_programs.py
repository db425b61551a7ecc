"""Real programs: started, asked, reloaded and stopped."""

from __future__ import annotations

import os
import socket
import stat
import subprocess

import psutil
import pytest

from helpers import environment
from helpers.programs import Apache, Caddy, ConfigError, Haproxy, Nginx, ProgramFailed
from tests.programs.servers import FILES_AND_WORD, PROGRAMS, ask, family, is_over, start
from tests.serving.apps import refuses

every_program = pytest.mark.parametrize("kind", PROGRAMS)


@every_program
def test_it_answers_as_soon_as_it_is_there(kind, files):
    with start(kind, files) as program:
        answer = ask(f"{program.url}/song.wav")
        assert answer.status_code == 200
        assert answer.content == (files / "song.wav").read_bytes()
        assert answer.headers["X-Word"] == "first"
        # Caddy asks the system which type a file has, and systems differ
        assert answer.headers["Content-Type"] in ("audio/wav", "audio/x-wav", "audio/vnd.wave")
        assert program.url == f"http://127.0.0.1:{program.port}"


@every_program
def test_it_listens_on_this_machine_only_and_on_one_port(kind, files):
    with start(kind, files) as program:
        listening = {
            tuple(connection.laddr)
            for process in family(program)
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {("127.0.0.1", program.port)}


@every_program
def test_its_version_is_what_the_program_says(kind, files):
    row = environment.report_on([kind._name], timeout=20).rows[0]
    with start(kind, files) as program:
        said = subprocess.run(
            [row.path, "version" if kind is Caddy else "-v"], capture_output=True, text=True
        )
        assert program.version in said.stdout + said.stderr
        assert repr(program) == f"{kind._name} {program.version} at {program.url}"
        assert f'href="{program.url}"' in program._repr_html_()
    assert repr(program) == f"{kind._name} {program.version} (stopped)"
    assert "(stopped)" in program._repr_html_()


@every_program
def test_its_folder_is_private_and_everything_is_gone_after_stop(kind, files, nothing_left):
    program = start(kind, files)
    assert program.folder.parent == nothing_left
    if os.name == "posix":
        assert stat.S_IMODE(program.folder.stat().st_mode) == 0o700
    processes = family(program)
    program.stop()
    program.stop()
    assert all(is_over(process) for process in processes)
    assert refuses(program.port)
    assert not program.folder.exists()
    assert not program.running
    assert program.processes() == []


@every_program
def test_stop_does_not_wait_for_a_client_that_does_nothing(kind, files):
    with start(kind, files) as program:
        with socket.create_connection(("127.0.0.1", program.port)) as idle:
            idle.sendall(b"GET /song.wav HTTP/1.1\r\nHost: x\r\n")  # a head without its end
            program.stop()
            assert refuses(program.port)


@every_program
def test_each_request_is_in_the_log_also_after_stop(kind, files):
    with start(kind, files) as program:
        for number in range(5):
            ask(f"{program.url}/song.wav?number={number}")
            assert f"/song.wav?number={number}" in program.log()
    assert "/song.wav?number=4" in program.log()


@pytest.mark.parametrize("kind", [Nginx, Apache])
def test_the_access_log_is_in_the_combined_format(kind, files):
    with start(kind, files) as program:
        ask(f"{program.url}/song.wav", headers={"User-Agent": "Radio", "Referer": "/home"})
        line = program.log().splitlines()[1]
        assert line.startswith("127.0.0.1 - - [")
        assert line.endswith('] "GET /song.wav HTTP/1.1" 200 260 "/home" "Radio"')


def test_the_error_log_names_the_file_that_is_missing(files):
    with start(Nginx, files) as nginx:
        assert ask(f"{nginx.url}/other.wav").status_code == 404
        assert f'open() "{files}/other.wav" failed' in nginx.log().partition("error log")[2]


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        (Nginx, ["master", "worker", "worker"]),
        (Haproxy, ["master", "worker"]),
        (Apache, ["master", "worker", "worker"]),
        (Caddy, ["master"]),
    ],
)
def test_its_processes(kind, kinds, files):
    with start(kind, files) as program:
        processes = program.processes()
        assert [what for _, what in processes] == kinds
        assert {pid for pid, _ in processes} == {p.pid for p in family(program)[1:]}


def test_nginx_has_as_many_workers_as_asked_for(files):
    with start(Nginx, files, workers=1) as nginx:
        assert [what for _, what in nginx.processes()] == ["master", "worker"]


@every_program
def test_the_config_is_whole(kind, files):
    with start(kind, files, word="whole") as program:
        assert f"127.0.0.1:{program.port}" in program.config
        assert "whole" in program.config
        assert "include site" not in program.config.lower()
        assert len(program.config) > len(FILES_AND_WORD[kind]) or kind is Caddy


def test_nginx_accepts_its_whole_config(files):
    """What `.config` shows is what nginx itself reads."""
    with start(Nginx, files) as nginx:
        (nginx.folder / "whole.conf").write_text(nginx.config, "utf-8")
        command = [nginx._file, "-t", "-p", str(nginx.folder), "-c", "whole.conf"]
        assert subprocess.run(command, capture_output=True).returncode == 0


@every_program
def test_a_reload_answers_by_the_new_config_at_once(kind, files):
    with start(kind, files) as program:
        processes = program.processes()
        for number in range(3):
            program.reload(word=f"word-{number}")
            for _ in range(20):  # each over a new connection, which an old worker might take
                answer = ask(program.url + "/song.wav")
                assert answer.headers["X-Word"] == f"word-{number}"
        assert program.pid == processes[0][0], "the first process stays"
        program.reload(FILES_AND_WORD[kind].replace("X-Word", "X-Other"))
        answer = ask(program.url + "/song.wav")
        assert "X-Word" not in answer.headers
        assert answer.headers["X-Other"] == "word-2"
        assert "X-Other" in program.config


@every_program
def test_a_reload_with_a_mistake_leaves_all_as_it_was(kind, files):
    with start(kind, files) as program:
        config = program.config
        wrong = FILES_AND_WORD[kind].replace("WORD", "WORD one too many {")
        for words in ({"config": wrong}, {"nobody": 1}, {"config": "nothing"}):
            with pytest.raises(ConfigError):
                program.reload(**words)
            assert ask(program.url + "/song.wav").headers["X-Word"] == "first"
            assert program.config == config
        program.reload(word="second")
        assert ask(program.url + "/song.wav").headers["X-Word"] == "second"


def test_a_reload_that_finds_a_port_taken_says_so(files):
    with socket.create_server(("127.0.0.1", 0)) as taken, start(Nginx, files) as nginx:
        more = f"server {{ listen 127.0.0.1:{taken.getsockname()[1]}; }}"
        with pytest.raises(ProgramFailed, match="in use"):
            nginx.reload(FILES_AND_WORD[Nginx] + more)
        assert ask(nginx.url + "/song.wav").headers["X-Word"] == "first"


def test_a_stopped_program_does_not_reload(files):
    with start(Nginx, files) as nginx:
        nginx.stop()
        with pytest.raises(ProgramFailed, match="start it again"):
            nginx.reload()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no root")
def test_apache_does_not_run_as_root_and_yet_reads_what_its_owner_may(files):
    """Apache refuses to serve as root; as nobody it could not read root's folders."""
    assert stat.S_IMODE(files.stat().st_mode) == 0o700
    with start(Apache, files) as apache:
        assert ask(apache.url + "/song.wav").status_code == 200
        assert all(process.uids().effective != 0 for process in family(apache)[1:])


def test_apache_takes_its_own_number_of_processes():
    config = "StartServers 1\nListen 127.0.0.1:PORT"
    with Apache(config) as apache:
        assert [what for _, what in apache.processes()] == ["master", "worker"]


@every_program
def test_two_of_a_kind_live_side_by_side(kind, files):
    with start(kind, files, "one") as one, start(kind, files, "two") as two:
        assert ask(one.url + "/song.wav").headers["X-Word"] == "one"
        assert ask(two.url + "/song.wav").headers["X-Word"] == "two"
        two.stop()
        assert ask(one.url + "/song.wav").headers["X-Word"] == "one"


def test_all_that_newcomers_need_of_apache_is_loaded(files):
    config = """
        Listen 127.0.0.1:PORT
        DocumentRoot FILES
        RewriteEngine On
        RewriteRule ^/old$ /song.wav [R=301]
        AddOutputFilterByType DEFLATE text/plain
        SetEnvIf User-Agent Robot robot
        <Proxy balancer://songs>
            BalancerMember http://127.0.0.1:1
            ProxySet lbmethod=bybusyness
        </Proxy>
        ProxyPass /songs balancer://songs
        Alias /again FILES
        ExpiresActive On
    """
    (files / "text.txt").write_text("a" * 5000)
    with Apache(config, files=files) as apache:
        assert ask(apache.url + "/old").headers["Location"].endswith("/song.wav")
        text = ask(apache.url + "/again/text.txt")
        assert text.headers["Content-Encoding"] == "gzip"
        assert ask(apache.url + "/songs").status_code == 503
