"""Comms between widgets in Python and their views in the page.

``comm`` is the package through which ipywidgets and anywidget reach Jupyter; here its messages
(Jupyter messaging protocol 5, "Custom messages") go to the page instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comm
from comm.base_comm import BaseComm, CommManager

Send = Callable[[dict[str, Any], list[bytes]], None]
"""Takes a message and its buffers."""


class PageComms(CommManager):
    """All comms of the page."""

    def __init__(self, send: Send, current_cell: Callable[[], str | None]) -> None:
        super().__init__()
        self.send = send
        self.current_cell = current_cell

    def install(self) -> None:
        """Make the ``comm`` package create comms of the page from now on."""
        manager = self

        class PageComm(BaseComm):
            def __init__(self, *args: Any, **options: Any) -> None:
                # Before anything is sent: what a callback prints belongs to this cell.
                self.cell = manager.current_cell()
                super().__init__(*args, **options)

            def publish_msg(
                self,
                msg_type: str,
                data: dict[str, Any] | None = None,
                metadata: dict[str, Any] | None = None,
                buffers: list[Any] | None = None,
                **keys: Any,
            ) -> None:
                message = {
                    "comm_id": self.comm_id,
                    "msg_type": msg_type,
                    **keys,
                    "data": data or {},
                    "metadata": metadata or {},
                }
                manager.send(message, [bytes(memoryview(one)) for one in buffers or []])

        comm.create_comm = PageComm
        comm.get_comm_manager = lambda: manager

    def cell_of(self, comm_id: str) -> str | None:
        """The cell that made a comm."""
        return getattr(self.comms.get(comm_id), "cell", None)

    def receive(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Hand a message from the page to its comm. Errors of its handler are raised."""
        one = self.comms.get(message["comm_id"])
        if one is None:
            return
        wrapped = {
            "header": {"msg_type": message["msg_type"]},
            "content": {"comm_id": message["comm_id"], "data": message.get("data", {})},
            "metadata": message.get("metadata", {}),
            "buffers": buffers,
        }
        if message["msg_type"] == "comm_close":
            self.comms.pop(message["comm_id"], None)
            one._closed = True
            one.handle_close(wrapped)
        else:
            one.handle_msg(wrapped)
