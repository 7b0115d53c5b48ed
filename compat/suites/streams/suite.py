"""Kafka Streams: a word count, also exactly once, stopped in the middle and started again."""

from pathlib import Path

import jvm
import packages
from apache_kafka import VERSION
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
JAVA = HERE.parent / "java"


def run(this):
    if jvm.missing():
        raise Skip(jvm.missing())
    path = jvm.class_path(HERE / "pom.xml")
    sources = [HERE / "WordCount.java", JAVA / "Clients.java", JAVA / "Tap.java"]
    build = lambda into: packages.call(["javac", "-nowarn", "-cp", path, "-d", into, *sources])
    classes = packages.made(packages.kept("streams", VERSION, *sources), build)
    options = ["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    this.tap(["java", *options, "-cp", f"{classes}:{path}", "WordCount", this.address, this.directory / "streams"])


SUITES = [Suite("Kafka Streams word count", VERSION, run, ("java", "javac", "mvn"), minutes=6)]
