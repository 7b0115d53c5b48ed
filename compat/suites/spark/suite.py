"""Spark's Kafka source and sink, batch and Structured Streaming."""

from pathlib import Path

import jvm
import packages
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "4.0.0"


def run(this):
    if jvm.missing():
        raise Skip(jvm.missing())
    python = packages.python(f"pyspark=={VERSION}")
    jars = jvm.class_path(HERE / "pom.xml", spark_version=VERSION).split(":")
    arguments = [this.address, this.directory / "spark", ",".join(jars)]
    this.tap([python, HERE / "smoke.py", *arguments], env={"PYTHONPATH": str(COMPAT)})


SUITES = [Suite("Spark's Kafka source", VERSION, run, ("java", "mvn"), minutes=8)]
