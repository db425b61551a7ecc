"""Run an API inside a notebook and look at what travels over the wire.

``serve(app)`` puts any ASGI or WSGI app on a loopback socket; ``show_exchange(response)`` prints
the request and the response as HTTP/1.1 writes them; ``SlowAnswer(app, seconds)`` makes an app
answer late.

In a page, where there are no sockets, all of this works on a network that lives in memory.
"""

from ._interface import IN_PAGE
from ._serve import Server, serve, serve_apart
from ._slow import SlowAnswer
from ._wire import request_text, response_text, show_exchange

if IN_PAGE:
    from ._page import install

    install()

__all__ = [
    "Server",
    "SlowAnswer",
    "request_text",
    "response_text",
    "serve",
    "serve_apart",
    "show_exchange",
]
