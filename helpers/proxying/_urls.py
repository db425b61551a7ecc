"""The addresses of the servers behind the proxy."""

from __future__ import annotations

from urllib.parse import urlsplit

Address = tuple[str, int]  # a host, and a port


def address_of(url: object) -> Address:
    """Where to connect to for a server's URL, such as ``"http://127.0.0.1:8001"``.

    Raises:
        TypeError: it is no text.
        ValueError: it is no such URL; the message says what is wrong with it.
    """
    if not isinstance(url, str):
        raise TypeError(
            f"A server is named by its URL, such as 'http://127.0.0.1:8001', "
            f"and this is {type(url).__name__}. (Of a running server, that is `.url`.)"
        )
    wrong = f"{url!r} can't be a server's URL:"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{wrong} its port is a number from 1 to 65535.") from None
    if not parts.scheme or "://" not in url:
        raise ValueError(f"{wrong} it begins with http://, as in 'http://127.0.0.1:8001'.")
    if parts.scheme != "http":
        raise ValueError(f"{wrong} this proxy speaks plain http:// to its servers.")
    if not host or port == 0 or url != url.strip() or any(not " " < char < "\x7f" for char in url):
        raise ValueError(f"{wrong} after http:// comes a host and a port, as in '127.0.0.1:8001'.")
    if parts.username is not None:
        raise ValueError(f"{wrong} it holds a name or a password. Leave that out.")
    if parts.path not in ("", "/") or parts.query or parts.fragment or url[-1] in "?#":
        raise ValueError(
            f"{wrong} it goes on after the port. The path comes from each request: leave it out."
        )
    return host, port or 80
