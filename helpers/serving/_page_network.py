"""The page's own network: what an event loop needs so that asyncio's TCP works in memory.

``install`` gives a loop ``create_server`` and ``create_connection`` for loopback addresses. What
stands on them works unchanged: ``asyncio.start_server`` and ``asyncio.open_connection``, anyio,
httpx and uvicorn. There is no way out: any other host cannot be reached.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from types import MethodType
from typing import Any

from ._page_server import PageServer, Protocols
from ._page_socket import Addresses, PageListener, full_address
from ._page_transport import PageTransport

NO_INTERNET = (
    "This page has no internet: it reaches only the servers that it started itself, "
    "at 127.0.0.1 or localhost, and not {host}."
)
_NO_TLS = "The page's own network has no TLS: leave out `ssl`, and use http:// in URLs."

addresses = Addresses()
"""Who listens where. The loops of a page share it, so that each reaches the others' servers."""


def install(loop: Any) -> None:
    """Give a loop the network, or every loop of a class.

    Args:
        loop: an event loop, or the class of event loops.
    """
    for method in (create_server, create_connection, getaddrinfo, getnameinfo):
        bound = method if isinstance(loop, type) else MethodType(method, loop)
        setattr(loop, method.__name__, bound)


async def create_server(
    loop: asyncio.AbstractEventLoop,
    protocol_factory: Protocols,
    host: str | Iterable[str] | None = None,
    port: int | None = None,
    *,
    family: int = socket.AF_UNSPEC,
    flags: int = 0,
    sock: PageListener | None = None,
    backlog: int = 100,
    ssl: Any = None,
    reuse_address: bool | None = None,
    reuse_port: bool | None = None,
    keep_alive: bool | None = None,
    ssl_handshake_timeout: float | None = None,
    ssl_shutdown_timeout: float | None = None,
    start_serving: bool = True,
) -> PageServer:
    """As ``loop.create_server``, in memory; without a host it listens on both loopback addresses.

    Raises:
        NotImplementedError: TLS was asked for.
        OSError: the port is in use, or the host is none of this page.
    """
    if ssl is not None:
        raise NotImplementedError(_NO_TLS)
    if sock is not None:
        if host is not None or port is not None:
            raise ValueError("host/port and sock can not be specified at the same time")
        if not isinstance(sock, PageListener):
            raise ValueError(f"A listening socket of the page was expected, got {sock!r}")
        listeners = [sock]
    else:
        if host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        listeners = []
        hosts = [host] if host is None or isinstance(host, str) else host
        found = dict.fromkeys(ip for name in hosts for ip in _resolve(name, family))
        try:
            for ip in found:
                listeners.append(addresses.bind(ip, port or 0))
        except OSError:
            for listener in listeners:
                listener.close()
            raise
    server = PageServer(loop, listeners, protocol_factory)
    if start_serving:
        await server.start_serving()
    return server


async def create_connection(
    loop: asyncio.AbstractEventLoop,
    protocol_factory: Protocols,
    host: str | None = None,
    port: int | None = None,
    *,
    ssl: Any = None,
    family: int = 0,
    proto: int = 0,
    flags: int = 0,
    sock: Any = None,
    local_addr: tuple | None = None,
    server_hostname: str | None = None,
    ssl_handshake_timeout: float | None = None,
    ssl_shutdown_timeout: float | None = None,
    happy_eyeballs_delay: float | None = None,
    interleave: int | None = None,
    all_errors: bool = False,
) -> tuple[PageTransport, asyncio.BaseProtocol]:
    """As ``loop.create_connection``, in memory.

    Raises:
        ConnectionRefusedError: nobody listens there.
        OSError: the host is none of this page.
        NotImplementedError: TLS was asked for.
    """
    if sock is not None or host is None or port is None:
        raise ValueError("In a page, create_connection takes a host and a port, and no sock.")
    found = _resolve(host, family)
    if ssl:
        raise NotImplementedError(_NO_TLS)
    errors: list[OSError] = []
    for ip in found:
        try:
            client = addresses.connect(ip, int(port), local_addr[1] if local_addr else 0)
            break
        except OSError as error:
            errors.append(error)
    else:
        await asyncio.sleep(0)
        if all_errors:
            raise ExceptionGroup("create_connection failed", errors)
        if len(errors) == 1:
            raise errors[0]
        raise OSError(f"Multiple exceptions: {', '.join(map(str, errors))}")
    transport = PageTransport(loop, client, protocol := protocol_factory())
    made = loop.create_future()
    loop.call_soon(lambda: made.done() or made.set_result(None))
    try:
        await made
    except BaseException:
        transport.close()
        raise
    return transport, protocol


async def getaddrinfo(
    loop: asyncio.AbstractEventLoop,
    host: str | None,
    port: int | str | None,
    *,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[tuple]:
    """As ``loop.getaddrinfo``, for this page's own addresses.

    Raises:
        socket.gaierror: any other host.
    """
    found = _resolve(host.decode() if isinstance(host, bytes) else host, family)
    return [
        (
            socket.AF_INET6 if ":" in ip else socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
            "",
            full_address(ip, int(port or 0)),
        )
        for ip in found
    ]


async def getnameinfo(
    loop: asyncio.AbstractEventLoop, sockaddr: tuple, flags: int = 0
) -> tuple[str, str]:
    """As ``loop.getnameinfo``, for this page's own addresses."""
    (ip,) = _resolve(sockaddr[0], 0)
    return (ip if flags & socket.NI_NUMERICHOST else "localhost", str(sockaddr[1]))


def _resolve(host: str | None, family: int) -> list[str]:
    """The page's IP addresses that a host's name or address stands for.

    An address that means every interface of a machine means here the loopback one.
    """
    if host in (None, "", "localhost"):
        found = ["::1", "127.0.0.1"]
    else:
        try:
            ip = ipaddress.ip_address(host)
        except ValueError:
            raise _no_internet(host) from None
        if ip.is_unspecified:
            ip = ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
        if not ip.is_loopback:
            raise _no_internet(host)
        found = [ip.compressed]
    wanted = {socket.AF_INET: [4], socket.AF_INET6: [6]}.get(family, [4, 6])
    return [ip for ip in found if (6 if ":" in ip else 4) in wanted]


def _no_internet(host: Any) -> socket.gaierror:
    return socket.gaierror(NO_INTERNET.format(host=host))
