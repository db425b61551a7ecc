"""Load balancing: which of several servers gets a request, and which of them are well.

Each algorithm is a class with ``choose(request) -> server``. ``Health`` keeps account of who is
well. ``traffic`` sends many requests and counts who answered. The balancer that puts them to work
is ``helpers.proxying.ReverseProxy``.
"""

from ._algorithm import Algorithm, NoServer, Request
from ._chance import PowerOfTwoChoices, Random
from ._connections import LeastConnections
from ._hashing import IPHash, ModuloHash
from ._health import Health
from ._ring import ConsistentHash
from ._sticky import StickyCookie
from ._traffic import traffic
from ._turns import RoundRobin, WeightedRoundRobin

__all__ = [
    "Algorithm",
    "ConsistentHash",
    "Health",
    "IPHash",
    "LeastConnections",
    "ModuloHash",
    "NoServer",
    "PowerOfTwoChoices",
    "Random",
    "Request",
    "RoundRobin",
    "StickyCookie",
    "WeightedRoundRobin",
    "traffic",
]
