"""The Python side of a page that runs its own code: IPython in a web worker, with no server.

In the page it is imported as the top-level module ``page_kernel``. It needs IPython and ``comm``,
and it also runs outside a browser, where tests give it a function that keeps the messages.
"""

from ._kernel import Kernel, NotInAPage
from ._tracebacks import shorten

__all__ = ["Kernel", "NotInAPage", "shorten"]
