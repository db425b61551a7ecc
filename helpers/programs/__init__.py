"""Start real servers from a notebook: nginx, HAProxy, Apache and Caddy.

Each runs in processes of its own, on this machine only, with its files in a private folder, and
ends with the notebook. `available()` says which of them are here,
and `load(url)` asks one of them as often as it can answer::

    from helpers.programs import Nginx

    with Nginx("server { listen 127.0.0.1:PORT; return 200 hello; }") as nginx:
        print(nginx.url, nginx.version, nginx.processes())
"""

from ._apache import Apache
from ._caddy import Caddy
from ._errors import ConfigError, ProgramFailed, ProgramMissing
from ._find import available
from ._haproxy import Haproxy
from ._load import Load, load
from ._nginx import Nginx

__all__ = [
    "Apache",
    "Caddy",
    "ConfigError",
    "Haproxy",
    "Load",
    "Nginx",
    "ProgramFailed",
    "ProgramMissing",
    "available",
    "load",
]
