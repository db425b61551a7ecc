"""What the load balancer lab asks of the real nginx and HAProxy: its settings as configurations.

Each server says its name in Served-By. nginx says in Tried whom it has asked for a request; HAProxy
tells as much at its admin socket.
"""

from __future__ import annotations

from typing import Any

ADMIN = "admin.sock"  # in HAProxy's folder

_NGINX = """
upstream lab {{
    {method}
    {servers}
    {sticky}
    keepalive 16;
}}
server {{
    listen 127.0.0.1:PORT;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    location / {{
        proxy_pass http://lab;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        add_header Tried $upstream_addr always;
    }}
}}
"""
_NGINX_METHODS = {
    "random": "random;",
    "least connections": "least_conn;",
    "power of two choices": "random two least_conn;",
    "IP hash": "ip_hash;",
    "consistent hash": "hash $arg_song consistent;",
}

_HAPROXY = """
global
    stats socket unix@{admin} level admin

frontend door
    bind 127.0.0.1:PORT
    default_backend lab

backend lab
    balance {method}
    {hashing}
    {cookie}
    option redispatch 1
    retries 2
    option httpchk GET /health
    default-server check inter 250ms fall 2 rise 2
    {servers}
"""
_HAPROXY_METHODS = {
    "random": "random(1)",
    "least connections": "leastconn",
    "power of two choices": "random(2)",
    "IP hash": "hash hdr(x-forwarded-for)",
    "consistent hash": "url_param song",
}


def weights_of(settings: dict[str, Any]) -> dict[str, int]:
    """The weights that the algorithm heeds: plain round robin knows only 0 and 1."""
    plain = settings["algorithm"] == "round robin"
    return {
        one["name"]: min(one["weight"], 1) if plain else one["weight"]
        for one in settings["servers"]
    }


def nginx_config(settings: dict[str, Any], ports: dict[str, int]) -> str:
    """What stands in nginx's `http { }`. A server of weight 0 is `down`, as nginx has it."""
    lines = []
    for name, weight in weights_of(settings).items():
        share = f"weight={weight}" if weight else "down"
        lines.append(f"server 127.0.0.1:{ports[name]} {share} max_fails=1 fail_timeout=1s;")
    return _NGINX.format(
        method=_NGINX_METHODS.get(settings["algorithm"], ""),
        servers="\n    ".join(lines),
        sticky="sticky cookie lab_server;" if settings["sticky"] else "",
    )


def haproxy_config(settings: dict[str, Any], ports: dict[str, int]) -> str:
    """HAProxy's sections; its admin socket lies beside them."""
    lines = [
        f"server {name} 127.0.0.1:{ports[name]} weight {weight}"
        + (f" cookie {name}" if settings["sticky"] else "")
        for name, weight in weights_of(settings).items()
    ]
    method = settings["algorithm"]
    return _HAPROXY.format(
        admin=ADMIN,
        method=_HAPROXY_METHODS.get(method, "roundrobin"),
        hashing="hash-type consistent" if method == "consistent hash" else "",
        cookie="cookie lab_server insert indirect nocache" if settings["sticky"] else "",
        servers="\n    ".join(lines),
    )
