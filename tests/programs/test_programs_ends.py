"""Whatever happens to the process that started a program: nothing of the program is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from helpers.programs import Nginx
from tests.programs.servers import PROGRAMS, family, folders, is_over, start
from tests.serving.apps import ROOT, refuses, run_python
from tests.waiting import eventually

every_program = pytest.mark.parametrize("kind", PROGRAMS)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has neither")


def running() -> set[int]:
    """The ids of all processes that have not ended."""
    return {process.pid for process in psutil.process_iter() if not is_over(process)}


# argv: the folder with the song. Prints the ports and the processes of one program of each kind.
START_ALL = f"""
import json, os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.programs.servers import PROGRAMS, family, start

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have switched it off
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and nohup this

programs = [start(kind, Path(sys.argv[1])) for kind in PROGRAMS]
pids = [process.pid for program in programs for process in family(program)]
print(json.dumps([[program.port for program in programs], pids]), flush=True)
"""


class Notebook:
    """A process that started one program of each kind, and waits."""

    def __init__(self, files: Path, more: str = "time.sleep(600)") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", START_ALL + more, str(files)],
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd=ROOT,
        )
        self.ports, self.pids = json.loads(self.process.stdout.readline())

    def is_gone(self) -> bool:
        """Whether no process and no port is left."""
        return not set(self.pids) & running() and all(map(refuses, self.ports))

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.mark.parametrize("end", ["", "sys.exit(1)", "raise RuntimeError", "os._exit(0)"])
def test_the_process_ends_without_stopping(files, end, nothing_left):
    with Notebook(files, end) as notebook:
        notebook.process.wait(60)
        if end != "os._exit(0)":
            assert notebook.is_gone(), "at the end of the process all is over"
            assert not folders(nothing_left)
        eventually(notebook.is_gone)


@needs_posix
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"])
def test_the_process_and_its_group_are_killed(files, name):
    with Notebook(files) as notebook:
        os.killpg(notebook.process.pid, getattr(signal, name))
        notebook.process.wait(60)
        eventually(notebook.is_gone)


@needs_posix
@every_program
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_who_looks_after_a_program_is_ended_politely(kind, name, files):
    with start(kind, files) as program:
        processes = family(program)
        processes[0].send_signal(getattr(signal, name))
        eventually(lambda: all(map(is_over, processes)))
        assert not program.running
        assert "(stopped)" in repr(program)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@every_program
def test_who_looks_after_a_program_is_killed(kind, files):
    with start(kind, files) as program:
        processes = family(program)
        processes[0].kill()
        eventually(lambda: all(map(is_over, processes)))
        eventually(lambda: refuses(program.port))


@needs_posix
@pytest.mark.parametrize("kind", [kind for kind in PROGRAMS if kind.__name__ != "Caddy"])
def test_the_first_process_is_killed(kind, files):
    """nginx's and Apache's workers would live on and hold the port."""
    with start(kind, files) as program:
        processes = family(program)
        psutil.Process(program.pid).kill()
        eventually(lambda: not program.running)
    assert all(map(is_over, processes))
    assert refuses(program.port)


@needs_posix
def test_a_program_that_does_not_listen_to_signals_is_killed(files):
    with start(Nginx, files) as program:
        processes = family(program)
        for process in processes[1:]:
            process.suspend()
    assert all(map(is_over, processes))


@needs_posix
def test_a_forked_process_stops_nothing_and_keeps_nothing(files):
    """It ends, stops what it knows, and even lives on after its parent: all without effect."""
    script = f"""if True:
        import os, sys, signal
        from pathlib import Path
        sys.path.insert(0, {str(ROOT)!r})
        from tests.programs.servers import ask, Nginx, start
        nginx = start(Nginx, Path(sys.argv[1]))
        child = os.fork()
        if not child:
            nginx.stop()
            nginx.stop()
            assert not nginx.running and not nginx.processes()
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert ask(nginx.url + "/song.wav").status_code == 200
        child = os.fork()
        if not child:
            os.read(0, 1)  # until the test lets go
            os._exit(0)
        print(nginx.port, child, nginx._process._guard.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    with subprocess.Popen(
        [sys.executable, "-c", script, str(files)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as parent:  # fmt: skip
        port, child, guard = (int(number) for number in parent.stdout.readline().split())
        processes = [psutil.Process(pid) for pid in (guard, child)]
        eventually(lambda: refuses(port))
        eventually(lambda: is_over(processes[0]))
        assert not is_over(processes[1])
        parent.stdin.close()
        eventually(lambda: is_over(processes[1]))


@needs_posix
def test_an_interrupt_while_it_starts(files, monkeypatch):
    """At each of the moments at which Python may notice an interrupt while waiting."""
    from helpers.programs import _guarded, _ports, _processes

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for owner, name in [
        (_ports, "accepts"),
        (_processes, "workers"),
        (_processes, "open_to_others"),
        (_guarded.Guarded, "run"),
        (_guarded.Guarded, "exit_code"),
        (_guarded.Guarded, "_line"),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, interrupted)
            before = set(psutil.Process().children(recursive=True))  # of other tests
            with pytest.raises(KeyboardInterrupt):
                start(Nginx, files)
        assert not set(psutil.Process().children(recursive=True)) - before, name


EVERYTHING = f"""
import json, os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from helpers.programs import ConfigError
from tests.programs.servers import ask, FILES_AND_WORD, PROGRAMS, start

for kind in PROGRAMS:
    with start(kind, Path(sys.argv[1])) as program:
        for word in ("first", "second"):
            answer = ask(program.url + "/song.wav")
            assert (answer.status_code, answer.headers["X-Word"]) == (200, word), answer
            program.reload(word="second")
        assert "song.wav" in program.log()
        assert program.processes()
        try:
            program.reload(FILES_AND_WORD[kind] + "}} roote")
        except ConfigError as error:
            assert "says:" in str(error), error
        else:
            raise AssertionError("a mistake")
    assert not program.folder.exists()
print(os.getuid() if hasattr(os, "getuid") else "")
"""


def test_everything_from_and_in_folders_with_blanks_and_other_letters(tmp_path, monkeypatch):
    """The course, the files and the folder for temporary files: none has a simple name."""
    strange = tmp_path / "Kurs für Anfänger – 1"
    shutil.copytree(ROOT / "helpers", strange / "helpers")
    shutil.copytree(ROOT / "tests" / "programs", strange / "tests" / "programs")
    (strange / "tmp").mkdir()
    (strange / "song.wav").write_bytes(b"the song")
    monkeypatch.setenv("TMPDIR", str(strange / "tmp"))
    script = EVERYTHING.replace(repr(str(ROOT)), repr(str(strange)))
    code = "import sys; sys.path[:0] = [sys.argv[2]]; exec(sys.argv[3])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(strange), str(strange), script],
        cwd=strange, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not list((strange / "tmp").iterdir())


@needs_posix
@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="the whole suite is run so")
def test_everything_as_an_ordinary_user_with_a_checkout_that_is_read_only():
    """Root starts a Python as the user nobody, who may write to one folder only."""
    pythons = [path for path in (sys.executable, "/usr/bin/python3") if may_run(path)]
    assert pythons, "no Python here that an ordinary user may run"
    home = Path(tempfile.mkdtemp(dir="/tmp"))  # pytest's own folders are root's
    home.chmod(0o755)
    try:
        mine = home / "mine"
        mine.mkdir(mode=0o700)
        (mine / "song.wav").write_bytes(b"the song")
        for path in (mine, mine / "song.wav"):
            os.chown(path, 65534, 65534)
        done = subprocess.run(
            [pythons[0], "-c", EVERYTHING, str(mine)],
            user=65534, group=65534, extra_groups=[], cwd="/",
            env={
                "PATH": os.environ["PATH"],
                "TMPDIR": str(mine),
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(psutil.__file__).parents[1])]),
            },
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout == "65534\n"
        assert list(mine.iterdir()) == [mine / "song.wav"]
    finally:
        shutil.rmtree(home)


def may_run(python: str) -> bool:
    """Whether the user nobody may run this Python; root's own is often in root's own folder."""
    command = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return not subprocess.run(command, user=65534, group=65534, cwd="/").returncode
    except OSError:
        return False


def test_a_folder_for_temporary_files_that_is_not_there(tmp_path):
    script = f"""if True:
        import sys, tempfile
        tempfile.tempdir = {str(tmp_path / "nowhere")!r}
        from helpers.programs import Nginx, ProgramFailed
        try:
            Nginx("server {{ listen 127.0.0.1:PORT; }}")
        except ProgramFailed as error:
            print(error)
    """
    assert "No private folder could be made" in run_python(script)
