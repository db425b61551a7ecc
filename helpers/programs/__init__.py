"""Start real servers from a notebook: nginx, HAProxy, Apache, Caddy, and three databases.

Each runs in processes of its own, on this machine only, with its files in a private folder, and
ends with the notebook. `Postgres`, `MongoDB` and `Cassandra` can also be killed and started again
on their data. `available()` says which of them are here,
and `load(url)` asks one of them as often as it can answer::

    from helpers.programs import Nginx

    with Nginx("server { listen 127.0.0.1:PORT; return 200 hello; }") as nginx:
        print(nginx.url, nginx.version, nginx.processes())
"""

from ._apache import Apache
from ._caddy import Caddy
from ._cassandra import Cassandra
from ._errors import ConfigError, ProgramFailed, ProgramMissing
from ._find import available
from ._haproxy import Haproxy
from ._load import Load, load
from ._mongodb import MongoDB
from ._nginx import Nginx
from ._postgres import Postgres

__all__ = [
    "Apache",
    "Caddy",
    "Cassandra",
    "ConfigError",
    "Haproxy",
    "Load",
    "MongoDB",
    "Nginx",
    "Postgres",
    "ProgramFailed",
    "ProgramMissing",
    "available",
    "load",
]
