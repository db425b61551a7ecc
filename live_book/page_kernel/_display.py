"""Results and displays of IPython as nbformat outputs."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher


class PageDisplayHook(DisplayHook):
    """Sends the value of a cell's last line as ``execute_result``."""

    _output: dict[str, Any] | None = None

    @property
    def busy(self) -> bool:
        """Whether a result is being turned into text."""
        return self._output is not None

    @property
    def prompt_count(self) -> int:
        """The number of the cell, which the page gives."""
        return self.shell.number

    def quiet(self) -> bool:
        """Whether the cell ends with ``;``."""
        return self.semicolon_at_end_of_expression(self.shell.source)

    def start_displayhook(self) -> None:
        self._output = {
            "output_type": "execute_result",
            "execution_count": self.prompt_count,
            "data": {},
            "metadata": {},
        }

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        if self._output is not None:
            self._output["data"] = encode(format_dict)
            self._output["metadata"] = md_dict or {}

    def finish_displayhook(self) -> None:
        output, self._output = self._output, None
        if output is not None and output["data"]:
            self.shell.outputs.show(output)


class PageDisplayPublisher(DisplayPublisher):
    """Sends what ``display`` shows, replaces and clears."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **others: object,
    ) -> None:
        self.shell.outputs.show(
            {
                "output_type": "update_display_data" if update else "display_data",
                "data": encode(data),
                "metadata": metadata or {},
                "transient": transient or {},
            }
        )

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.show({"output_type": "clear_output", "wait": wait})


def encode(data: dict[str, Any]) -> dict[str, Any]:
    """A MIME bundle as nbformat keeps it: bytes in base64."""
    return {
        kind: b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        for kind, value in data.items()
    }
