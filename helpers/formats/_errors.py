"""What goes wrong with a message."""

from __future__ import annotations

from .._told import Told


class FormatError(Told, ValueError):
    """The format can't carry this value, or these bytes are no message of this format.

    The message says why in one sentence. The library's own exception is the cause
    (``error.__cause__``), if a library found it.
    """
