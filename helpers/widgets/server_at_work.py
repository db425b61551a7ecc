"""The widget of chapter 2: how a server deals with several clients at once, as a moving picture.

Everything is computed in the page by ``server_at_work_model.js``, in virtual milliseconds; Python
holds the settings.
"""

from __future__ import annotations

import anywidget
import traitlets

from ._module import module_text, read
from ._settings import one_of, whole

WAYS = ("one after the other", "a thread for each", "event loop")
HANDLERS = ("waits and lets go", "waits and holds on", "computes")

_MODULES = ("server_at_work_model.js", "server_at_work_picture.js", "server_at_work.js")


class ServerAtWork(anywidget.AnyWidget):
    """Watch one server with several clients, some of them slow.

    Args:
        clients: how many clients come, 3 to 6. They come 40 ms apart: A, B, C and so on.
        slow: how many of them are slow, from A on. A quick client's request arrives at once.
        drip: milliseconds from one piece of a slow client's request to the next, 50 to 400. There
            are six pieces.
        work: milliseconds of work for each request, 20 to 400.
        way: how the server works: ``"one after the other"``, ``"a thread for each"`` or
            ``"event loop"``.
        handler: what the work is: ``"waits and lets go"`` (for the disk, as with ``await``),
            ``"waits and holds on"`` (to its thread, as ``time.sleep`` does) or ``"computes"``.

    Attributes:
        clients, slow, drip, work, way, handler: the same, as the reader sets them.

    Raises:
        ValueError: a setting is not one of those.
    """

    _esm = module_text(*_MODULES)
    _css = read("server_at_work.css")

    clients = traitlets.Int(5, min=3, max=6).tag(sync=True)
    slow = traitlets.Int(1, min=0, max=6).tag(sync=True)
    drip = traitlets.Int(200, min=50, max=400).tag(sync=True)
    work = traitlets.Int(100, min=20, max=400).tag(sync=True)
    way = traitlets.Enum(WAYS, WAYS[0]).tag(sync=True)
    handler = traitlets.Enum(HANDLERS, HANDLERS[0]).tag(sync=True)

    def __init__(
        self,
        *,
        clients: int = 5,
        slow: int = 1,
        drip: int = 200,
        work: int = 100,
        way: str = WAYS[0],
        handler: str = HANDLERS[0],
    ) -> None:
        whole("clients", clients, 3, 6)
        whole("slow", slow, 0, clients)
        whole("drip", drip, 50, 400)
        whole("work", work, 20, 400)
        one_of("way", way, WAYS)
        one_of("handler", handler, HANDLERS)
        super().__init__(clients=clients, slow=slow, drip=drip, work=work, way=way, handler=handler)
