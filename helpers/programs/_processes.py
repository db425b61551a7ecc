"""What the operating system knows about a program: its processes, and where they listen."""

from __future__ import annotations

from collections.abc import Iterable

from ._config import is_loopback


def workers(master: int) -> set[int]:
    """The process ids of all that a process has started, itself left out."""
    import psutil

    try:
        family = psutil.Process(master).children(recursive=True)
        return {one.pid for one in family if one.status() != psutil.STATUS_ZOMBIE}
    except psutil.NoSuchProcess:
        return set()


def titles(pids: Iterable[int]) -> dict[int, str]:
    """What each process calls itself; those that have ended in the meantime are left out."""
    import psutil

    found = {}
    for pid in pids:
        try:
            found[pid] = " ".join(psutil.Process(pid).cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def listening(pids: Iterable[int]) -> dict[int, set[tuple[str, int]]]:
    """Where each process listens, as (host, port); {} for one that the system does not show."""
    import psutil

    found: dict[int, set[tuple[str, int]]] = {}
    for pid in pids:
        try:
            connections = psutil.Process(pid).net_connections("inet")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        found[pid] = {tuple(c.laddr)[:2] for c in connections if c.status == psutil.CONN_LISTEN}
    return found


def open_to_others(pids: Iterable[int]) -> set[tuple[str, int]]:
    """The addresses on which other machines could reach one of the processes."""
    everywhere = set().union(*listening(pids).values())
    return {(host, port) for host, port in everywhere if not is_loopback(host)}
