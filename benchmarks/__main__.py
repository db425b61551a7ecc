"""Run every benchmark, one after the other."""

from benchmarks import serve

for benchmark in (serve,):
    benchmark.main()
