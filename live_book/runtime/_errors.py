"""The one error that gathering the runtime raises."""

from __future__ import annotations


class RuntimeNotGathered(Exception):
    """Python for the page could not be gathered.

    The message is one sentence for a reader: what happened, why, and what to do.
    """
