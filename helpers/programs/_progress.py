"""A bar for work that takes long and can't say how long: it moves, and counts the seconds."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def waiting(title: str) -> Iterator[Callable[[], None]]:
    """Show the title and the seconds that have passed, until the work is done.

    In a notebook it is a bar that disappears; elsewhere it is one line.

    Args:
        title: what is being done.

    Yields:
        What the work calls now and then, so that the bar moves.
    """
    begun = time.monotonic()
    if not _in_notebook():
        print(f"{title} ...", file=sys.stderr, flush=True)
        yield lambda: None
        return
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(min=0, max=20)
    label = ipywidgets.Label(title)
    box = ipywidgets.HBox([label, bar])
    display(box)

    def tell() -> None:
        seconds = time.monotonic() - begun
        bar.value = int(seconds * 4) % (bar.max + 1)
        label.value = f"{title}: {seconds:.0f} s"

    try:
        yield tell
    finally:
        box.close()


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
