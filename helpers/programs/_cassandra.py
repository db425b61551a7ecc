"""Apache Cassandra: one node of it, small enough for a notebook."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from functools import cache
from glob import glob
from pathlib import Path
from typing import Any, ClassVar

from .. import environment
from .._recipes import CASSANDRA
from . import _ports
from ._building import build
from ._database import HOST, Database
from ._errors import ProgramMissing
from ._guarded import PAUSE

_JAVA = next(program for program in environment.PROGRAMS if program.name == "Java")
_JAVA_PATIENCE = 20.0  # seconds for a Java to say its version
_JAVAS = (11, 17)  # those that Cassandra 5.0 runs on, says its manual (Installation, Prerequisites)
_HOMES = (
    "/usr/lib/jvm/*17*",
    "/usr/lib/jvm/*11*",
    "/opt/homebrew/opt/openjdk@17",
    "/opt/homebrew/opt/openjdk@11",
)
_RECONNECTION = 20.0  # seconds that the sessions have to find a node that was started again
_FOLDERS = {
    "data_file_directories": ["data/data"],
    "commitlog_directory": "data/commitlog",
    "saved_caches_directory": "data/saved_caches",
    "hints_directory": "data/hints",
    "cdc_raw_directory": "data/cdc",
}
_SMALL = {
    "num_tokens": 4,
    "commitlog_segment_size": "8MiB",
    "commitlog_total_space": "64MiB",
    "memtable_heap_space": "64MiB",
    "key_cache_size": "4MiB",
    "concurrent_reads": 8,
    "concurrent_writes": 8,
    "auto_snapshot": False,
}
_LOGBACK = """<configuration>
  <appender name="output" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{HH:mm:ss} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="output"/></root>
</configuration>
"""
# A small heap, the plain collector and one compiler: a start in half the time.
_JVM = """
-Xms384M -Xmx384M -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+PerfDisableSharedMem
-Dcassandra-foreground=yes -Dcassandra.skip_wait_for_gossip_to_settle=0
-Dcassandra.ring_delay_ms=1 -Djava.net.preferIPv4Stack=true
""".split()  # noqa: SIM905
# What Cassandra reaches into of the JDK, since JDK 16 only when allowed: its own list for Java 17.
_EXPORTS = """
java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry
java.rmi/sun.rmi.server java.sql/java.sql java.base/java.lang.ref jdk.unsupported/sun.misc
""".split()  # noqa: SIM905
_OPENS = """
java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref
java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module
java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch
java.base/java.io java.base/java.nio java.base/java.util.concurrent java.base/java.util
java.base/java.util.concurrent.atomic java.base/java.lang java.base/java.net
""".split()  # noqa: SIM905


class Cassandra(Database):
    """One node of Apache Cassandra, which takes about ten seconds to start::

        with Cassandra() as cassandra:
            session = cassandra.connect()
            session.execute("CREATE KEYSPACE music ...")

    Its libraries come from Maven Central at the first start, 65 MB of them. It needs Java 11 or 17.
    """

    _name = "Cassandra"
    _timeout: ClassVar[float] = 120.0

    def __init__(self, *, port: int = 0) -> None:
        """Start the node and return once it answers.

        Args:
            port: where clients connect; 0 picks a free one.

        Raises:
            ProgramMissing: Cassandra or a Java that it runs on is not on this machine.
            ProgramFailed: it ended while starting, or did not answer in time.
        """
        self._sessions: list[Any] = []
        super().__init__(port=port)

    def connect(self) -> Any:
        """A session of the driver's; it is closed when the node stops.

        Returns:
            A `cassandra.cluster.Session` that is in no keyspace yet.
        """
        session = open_session(self.port)
        self._sessions.append(session)
        return session

    def start_again(self) -> None:
        """Start it on the data that it has; returns once it answers, to its sessions too.

        Raises:
            ProgramFailed: it was stopped, so its data are gone; or it does not start.
        """
        from cassandra.cluster import NoHostAvailable

        super().start_again()
        deadline = time.monotonic() + _RECONNECTION
        for session in self._sessions:
            while not session.is_shutdown:
                try:
                    session.execute("SELECT key FROM system.local")
                    break
                except NoHostAvailable:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(PAUSE)

    def stop(self) -> None:
        """Close the sessions, stop the node and remove its folder. Stopping twice is fine."""
        for session in self._sessions:
            session.cluster.shutdown()
        self._sessions.clear()
        super().stop()

    def _client_url(self) -> str:
        return f"{HOST}:{self.port}"

    def _first_time(self) -> None:
        self._java = find_java()
        build(CASSANDRA)
        super()._first_time()
        (self.folder / "logback.xml").write_text(_LOGBACK, "utf-8")

    def _write(self, text: str) -> None:
        """The node's settings, with two ports: one for clients, one for other nodes."""
        storage = _ports.free_port()
        seeds = [{"seeds": f"{HOST}:{storage}"}]
        seed_class = "org.apache.cassandra.locator.SimpleSeedProvider"
        settings = {
            "cluster_name": "the course's",
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "SimpleSnitch",
            "seed_provider": [{"class_name": seed_class, "parameters": seeds}],
            "listen_address": HOST,
            "rpc_address": HOST,
            "native_transport_port": self.port,
            "storage_port": storage,
            "auto_bootstrap": False,
            # A write is acknowledged when the log is on the disk.
            "commitlog_sync": "batch",
            **_FOLDERS,
            **_SMALL,
        }
        # YAML can read JSON.
        (self.folder / "cassandra.yaml").write_text(json.dumps(settings, indent=1), "utf-8")

    def _command(self, *, check: bool = False) -> list[str]:
        folder = self.folder
        files = [f"-Dcassandra.config={(folder / 'cassandra.yaml').as_uri()}",
                 f"-Dlogback.configurationFile={(folder / 'logback.xml').as_uri()}",
                 "-Dcassandra.storagedir=data", f"-Djava.io.tmpdir={folder}"]  # fmt: skip
        rights = [f"--add-exports={one}=ALL-UNNAMED" for one in _EXPORTS]
        rights += [f"--add-opens={one}=ALL-UNNAMED" for one in _OPENS]
        classes = ["-cp", str(CASSANDRA.folder / "*")]
        main = "org.apache.cassandra.service.CassandraDaemon"
        return [self._java, *_JVM, *files, *rights, *classes, main]

    def _environment(self) -> dict[str, str]:
        return {"LC_ALL": "C.UTF-8"}  # Java reads names of files by it

    def _is_bound(self) -> bool:
        return "Startup complete" in self._said()


def open_session(port: int) -> Any:
    """A session with the node at a port of this machine; `session.cluster.shutdown()` closes it."""
    from cassandra import ProtocolVersion
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.io.asyncioreactor import AsyncioConnection
    from cassandra.policies import ConstantReconnectionPolicy, RoundRobinPolicy

    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=30)
    cluster = Cluster(
        [HOST],
        port=port,
        protocol_version=ProtocolVersion.V5,
        connection_class=AsyncioConnection,  # the driver's other one ended with Python 3.12
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ConstantReconnectionPolicy(0.2, max_attempts=None),
        connect_timeout=30,
    )
    try:
        return cluster.connect()
    except BaseException:
        cluster.shutdown()
        raise


@cache
def find_java() -> str:
    """The file of a Java that Cassandra runs on.

    Raises:
        ProgramMissing: there is none; the message says how to get one.
    """
    seen = []
    for file in dict.fromkeys(_javas()):
        version = _java_version(file)
        if version in _JAVAS:
            return file
        seen.append(version)
    others = (
        f" This machine has Java {', '.join(map(str, sorted(set(filter(None, seen)))))}."
        if any(seen)
        else ""
    )
    raise ProgramMissing(
        f"Cassandra needs Java 11 or 17.{others} To get it: sudo apt install "
        "openjdk-17-jre-headless (on macOS: brew install openjdk@17)"
    )


def _javas() -> Iterator[str]:
    for home in filter(None, [os.environ.get("JAVA_HOME")]):
        yield str(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        yield on_path
    for pattern in _HOMES:
        for home in sorted(glob(pattern)):  # noqa: PTH207 `Path.glob` takes no absolute pattern
            yield str(Path(home) / "bin" / "java")


def _java_version(file: str) -> int | None:
    """17 for "17.0.15"; None if it does not run."""
    version, _ = _JAVA.ask(file, _JAVA_PATIENCE)
    number = (version or "").partition(".")[0]
    return int(number) if number.isdigit() else None
