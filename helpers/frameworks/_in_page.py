"""One of the three Python applications inside this process, for pages, where there is no other."""

from __future__ import annotations

from html import escape
from typing import Any, Self

from ..programs import ProgramMissing
from ..serving import serve
from ._frameworks import Framework
from ._here import django_application, imported


class AppInPage:
    """A running application, with what `helpers.frameworks._app.App` has of it that a page can do.

    Attributes:
        url: such as "http://127.0.0.1:54321", without a slash at the end.
        framework: what it is written in.
    """

    def __init__(self, framework: Framework, *, port: int = 0, **variables: str) -> None:
        """Import it and serve it.

        Args:
            framework: which application.
            port: where it listens; 0 picks a free port.
            variables: what it finds in its environment; Django's are read once.

        Raises:
            ProgramMissing: it needs a program of its own, which a page can't start.
        """
        if not framework.in_pages:
            raise ProgramMissing(
                f"{framework.title} runs in a program of its own, and a page in a browser can't "
                "start one: run this cell on your own machine or on Binder."
            )
        self.framework = framework
        if framework.name == "django":
            application, self._log = django_application()
        else:
            module, self._log = imported(framework.name, **variables)
            application = module.app
        self._server = serve(application, port)
        self.url, self.port = self._server.url, self._server.port

    @property
    def running(self) -> bool:
        """Whether it answers requests."""
        return self._server.running

    def log(self) -> str:
        """What it has logged so far."""
        return f"--- log ---\n{self._log.getvalue() or '(empty)'}".rstrip("\n")

    def stop(self) -> None:
        """Stop it. Stopping twice is fine."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"at {self.url}" if self.running else "(stopped)"
        return f"The {self.framework.title} application {state}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"
