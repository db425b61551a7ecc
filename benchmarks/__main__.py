"""Run the benchmarks that are named, one after the other; without a name, all of them.

python -m benchmarks              every benchmark
python -m benchmarks live_page    one
"""

import sys

from benchmarks import (
    balancers,
    cache_suite,
    caches,
    formats,
    frameworks,
    lab_frames,
    lighthouse,
    live_page,
    serve,
    stores,
    web_servers,
)

ALL = {
    "serve": serve,
    "live_page": live_page,
    "web_servers": web_servers,
    "balancers": balancers,
    "lab_frames": lab_frames,
    "caches": caches,
    "cache_suite": cache_suite,
    "stores": stores,
    "formats": formats,
    "frameworks": frameworks,
    "lighthouse": lighthouse,
}

names = sys.argv[1:] or list(ALL)
unknown = [name for name in names if name not in ALL]
if unknown:
    sys.exit(f"There is no benchmark {unknown[0]}. There are: {', '.join(ALL)}.")
for name in names:
    ALL[name].main()
