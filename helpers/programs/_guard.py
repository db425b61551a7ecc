"""Runs beside a notebook and sees to it that nothing of a real program is left.

`python -I -S _guard.py TEMP`: makes a private folder in TEMP, says its name, and then does what
its standard input asks, one JSON line each, one JSON line back. When the input ends, however the
notebook's process ended, the program is ended with all its processes, and the folder is removed.
It runs in a session of its own, so an interrupt of the notebook does not reach it. On Linux the
system ends the program should this process be killed itself.

It has one thread and imports little: it has to be ready in a few milliseconds.
"""

# pathlib takes longer to import than all of this takes to start
# ruff: noqa: PTH100, PTH102, PTH106, PTH108, PTH114, PTH118, PTH119, PTH123

import contextlib
import json
import os
import signal
import sys
import time

GRACE = 1.0  # seconds that a program has to end by itself before it is killed
NOBODY = 65534
LINUX = sys.platform == "linux"
# <linux/prctl.h>, <linux/capability.h>
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT = 1, 8, 36, 47
PR_CAP_AMBIENT_RAISE, CAPABILITY_VERSION_3 = 2, 0x20080522
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2

if LINUX:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)


class Posix:
    """The program, on Linux and macOS: a session of its own, whose processes end together."""

    def __init__(self, arguments, environment, output, drop_root):
        guard = os.getpid()
        self.code = None
        self.pid = os.fork()
        if self.pid:
            return
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for number, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
                os.dup2(number, target)
            if drop_root and os.getuid() == 0:
                become_nobody()
            if LINUX:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
                if os.getppid() != guard:
                    os._exit(1)
            os.execve(arguments[0], arguments, {**os.environb, **environment})
        except OSError as error:
            os.write(2, f"it does not start: {error.strerror}\n".encode())
        finally:
            os._exit(127)

    def exit_code(self):
        """None while it runs. It stays a zombie, so that its number can't become another's."""
        if self.code is None:
            if hasattr(os, "waitid"):
                state = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if state:
                    self.code = state.si_status * (1 if state.si_code == os.CLD_EXITED else -1)
            else:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def signal(self, number):
        if self.exit_code() is None:
            os.kill(self.pid, number)

    def kill(self):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.end()

    def end(self):
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while self.exit_code() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.code is None:
            self.code = -signal.SIGKILL
        with contextlib.suppress(ChildProcessError):  # on macOS it may have been collected above
            os.waitpid(self.pid, 0)
        kill_orphans()


def kill_orphans():
    """On Linux, what left the program's group became our child, since we asked for orphans."""
    with contextlib.suppress(OSError):
        while True:
            with open(f"/proc/self/task/{os.getpid()}/children") as file:
                children = [int(child) for child in file.read().split()]
            if not children:
                break
            for child in children:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def become_nobody():
    """Give root up, but keep the right to read and write any file, where the system lets us.

    For Apache, which does not serve as root: its workers would be a user who can't read the
    folders of the one who started it. If the right can't be kept, such folders answer 403.
    """
    wanted = 0
    if LINUX:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        wanted = 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH
    os.chown(".", NOBODY, NOBODY)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    for rights in (wanted, 1 << CAP_DAC_OVERRIDE) if LINUX else ():
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(rights, rights, rights, 0, 0, 0)
        if libc.capset(header, sets) == 0:
            for number in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
                libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)
            return


class Windows:
    """The program in a job object, which ends all its processes when its last handle is closed."""

    def __init__(self, arguments, environment, output, drop_root):
        import ctypes
        import subprocess

        text = {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}
        self.kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        self.kernel.CreateJobObjectW.restype = ctypes.c_void_p
        self.job = ctypes.c_void_p(self.kernel.CreateJobObjectW(None, None))
        # JOBOBJECT_EXTENDED_LIMIT_INFORMATION: LimitFlags follows two 64-bit times
        limits = (ctypes.c_byte * (144 if sys.maxsize > 2**32 else 112))()
        ctypes.c_uint32.from_buffer(limits, 16).value = 0x2000  # KILL_ON_JOB_CLOSE
        self.kernel.SetInformationJobObject(self.job, 9, limits, len(limits))
        with open(output, "ab") as log:
            self.process = subprocess.Popen(
                [os.fsdecode(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **text},
                creationflags=subprocess.CREATE_NO_WINDOW,
            )
        self.pid = self.process.pid
        self.kernel.AssignProcessToJobObject(self.job, ctypes.c_void_p(int(self.process._handle)))

    def exit_code(self):
        return self.process.poll()

    def signal(self, number):
        raise OSError("Windows has no signals")

    def kill(self):
        self.end()

    def end(self):
        self.kernel.TerminateJobObject(self.job, 1)
        self.process.wait()


class Guard:
    """Answers the notebook; `program` is the one that runs or ran last."""

    def __init__(self):
        self.program = None
        self.code = None  # of the one that was ended last

    def run(self, arguments, environment, output, drop_root):
        self.end()
        kind = Windows if os.name == "nt" else Posix
        names = {as_bytes(name): as_bytes(value) for name, value in environment.items()}
        arguments = [as_bytes(argument) for argument in arguments]
        self.program = kind(arguments, names, output, drop_root)
        return self.program.pid

    def exit_code(self):
        return self.program.exit_code() if self.program else self.code

    def signal(self, number):
        self.program.signal(number)

    def kill(self):
        self.end(kill=True)

    def end(self, kill=False):
        program, self.program = self.program, None
        if program:
            program.kill() if kill else program.end()
            self.code = program.exit_code()
        return self.code


def as_bytes(text):
    """Names of files come as the bytes they are, whatever either side's locale."""
    return text.encode("latin-1")


def remove(folder):
    """Remove a folder and all in it; what can't be removed stays."""
    for path, folders, files in os.walk(folder, topdown=False):
        for name in files:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(path, name))
        for name in folders:
            inner = os.path.join(path, name)
            with contextlib.suppress(OSError):
                os.unlink(inner) if os.path.islink(inner) else os.rmdir(inner)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def main():
    """Serve the notebook until its end of the pipe is closed."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if LINUX:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    temp = os.path.abspath(sys.argv[1])
    folder = os.path.join(temp, f"backend-course-{os.urandom(6).hex()}")
    guard = Guard()
    try:
        os.mkdir(folder, 0o700)
        os.chdir(folder)
        say(os.path.basename(folder))
        for line in iter(sys.stdin.buffer.readline, b""):
            number, name, *arguments = json.loads(line)
            try:
                say([number, "answer", getattr(guard, name)(*arguments)])
            except Exception as error:
                say([number, "error", f"{type(error).__name__}: {error}"])
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        guard.end()
        os.chdir(temp)
        remove(folder)


def say(message):
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
