"""``start(name)``: one of the five applications, in a process of its own or, in a page, in line."""

from __future__ import annotations

import os
from typing import Any

from ..programs import ProgramMissing
from ..serving._interface import IN_PAGE
from ._frameworks import FRAMEWORKS, framework_named


def start(name: str, *, port: int = 0, **variables: str) -> Any:
    """Start one of the five applications and return once it answers.

    What it is built of is made at its first start and kept; a bar shows that this goes on.

    Args:
        name: "fastapi", "flask", "django", "express" or "spring_boot".
        port: where it listens; 0 picks a free port.
        variables: what it finds in its environment, such as MUSIC_LARGEST_BODY="1000".

    Returns:
        The running application with `.url`, `.stop()`, `.log()`; a context manager.

    Raises:
        ValueError: there is no such application.
        ProgramMissing: what it runs on is not here; the message says how to get it.
        ProgramFailed: it could not be built, ended while starting, or did not answer in time.
    """
    framework = framework_named(name)
    if IN_PAGE:
        from ._in_page import AppInPage

        return AppInPage(framework, port=port, **variables)
    from ._app import App

    return App(framework, port=port, **variables)


def start_all() -> dict[str, Any]:
    """Start all of the five that can run here; one line says what is missing for each other one.

    Returns:
        The running applications, by their names.

    Raises:
        ProgramMissing: one is missing, and COURSE_REQUIRE_ALL=1 asks for all.
        ProgramFailed: one could not be built or started.
    """
    apps: dict[str, Any] = {}
    try:
        for name in FRAMEWORKS:
            try:
                apps[name] = start(name)
            except ProgramMissing as missing:
                if os.environ.get("COURSE_REQUIRE_ALL") == "1" and not IN_PAGE:
                    raise
                print(missing)
    except BaseException:
        for app in apps.values():
            app.stop()
        raise
    return apps


def run(line: str, text: str, *, port: int = 0, **variables: str) -> Any:
    """Start an application that is written down here, and return once it answers::

        run("gunicorn app:app --bind 127.0.0.1:$PORT", source)

    Args:
        line: what starts it, as in a Procfile: uvicorn, gunicorn, python or node with arguments;
            $PORT stands for its port.
        text: what its file app.py has in it.
        port: where it listens; 0 picks a free port.
        variables: what it finds in its environment.

    Returns:
        The running application, as `start` does.

    Raises:
        ProgramMissing: the program is not here; the message says how to get it.
        ProgramFailed: it ended while starting, or did not answer in time.
    """
    if IN_PAGE:
        raise ProgramMissing(
            "That is a program of its own, and a page in a browser can't start one: run this cell "
            "on your own machine or on Binder."
        )
    from ._app import WebProgram

    return WebProgram(line, {"app.py": text}, port=port, **variables)
