"""The Java client: the newest, the last 3.x, and a 2.x that many programs still carry."""

from pathlib import Path

import jvm
import packages
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
NEWEST, LAST_3, OLD = "4.3.1", "3.9.1", "2.8.2"
COMMON = ["Smoke.java", "Clients.java", "Tap.java"]
NEEDS = ("java", "javac", "mvn")
# Kafka looks for forgotten transactions every ten seconds otherwise.
SETTINGS = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": 500}


def compiled(version, sources):
    """The class path of the sources, compiled against that version of the client."""
    path = jvm.class_path(HERE / "pom.xml", kafka_version=version)
    files = [HERE / name for name in sources]
    build = lambda into: packages.call(["javac", "-nowarn", "-cp", path, "-d", into, *files])
    return f"{packages.made(packages.kept('java', version, *files), build)}:{path}"


def smoke(version, mains, sources):
    def run(this):
        if jvm.missing():
            raise Skip(jvm.missing())
        path = compiled(version, sources)
        for main in mains:
            this.tap(["java", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", path, main, this.address])

    return run


SUITES = [
    Suite("Java client 4 smoke", NEWEST, smoke(NEWEST, ["Smoke", "Newer"], [*COMMON, "Newer.java"]), NEEDS, quick=True, peer_settings=SETTINGS),
    Suite("Java client 3 smoke", LAST_3, smoke(LAST_3, ["Smoke"], COMMON), NEEDS, quick=True, peer_settings=SETTINGS),
    Suite("Java client 2 smoke", OLD, smoke(OLD, ["Smoke"], COMMON), NEEDS, quick=True, peer_settings=SETTINGS),
]
