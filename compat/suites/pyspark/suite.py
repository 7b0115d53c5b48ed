"""PySpark's Connect client: the Spark Connect door."""

import os
import subprocess
from pathlib import Path

import jvm
import packages
import spark_connect
from server import Server, binary
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "4.2.0"


def client(this):
    address = getattr(this.server, "connect", None)
    if address is None:
        raise Skip("this server has no Spark Connect door")
    python = packages.python(f"pyspark-client=={VERSION}", "pandas<3", "kafka-python==2.3.3")
    return python, f"sc://{address}"


def script(*names):
    def run(this):
        python, address = client(this)
        for name in names:
            this.tap([python, HERE / name, address, this.address], env={"PYTHONPATH": str(COMPAT)})

    return run


def elsewhere(this):
    """Another Kafka than the one of the server that PySpark asks: here a second server's."""
    python, address = client(this)
    other = Server(this.directory / "elsewhere").start()
    try:
        this.tap([python, HERE / "elsewhere.py", address, other.kafka], env={"PYTHONPATH": str(COMPAT)})
    finally:
        other.kill()


def beside(this):
    """The programs of `examples/` here and on a real Spark Connect server, over the same topics."""
    if jvm.missing():
        raise Skip(jvm.missing())
    python, _ = client(this)
    # Not the server that is there: the programs name no interpreter for their functions.
    ours = Server(this.directory / "pelton", environment={"PYSPARK_PYTHON": str(python)})
    spark = spark_connect.SparkConnect(this.directory / "spark", python)
    try:
        ours.start(), spark.start()
        addresses = [f"sc://{ours.connect}", f"sc://{spark.connect}", ours.kafka]
        this.tap([python, HERE / "beside.py", *addresses, ours.log, spark.log], env={"PYTHONPATH": str(COMPAT)})
    finally:
        ours.close(), spark.close()


def restart(this):
    """The server dies in the middle of two queries, which are then started again."""
    python, address = client(this)
    directory = this.directory / "checkpoints"
    command = [python, HERE / "restart.py"]
    environment = {**os.environ, "PYTHONPATH": str(COMPAT)}
    first = [*command, "first", address, this.address, directory]
    with subprocess.Popen(first, stdout=subprocess.PIPE, text=True, env=environment) as running:
        try:
            if running.stdout.readline() != "running\n":
                raise AssertionError("the queries did not begin")
            this.server.kill_and_restart(keep_port=True)
        finally:
            running.kill()
    python, address = client(this)
    this.tap([*command, "second", address, this.address, directory], env={"PYTHONPATH": str(COMPAT)})


def submitted(this):
    """Once on the server that is there, once on one that the command starts."""
    python, address = client(this)
    alone = ["--kafka", "off", "--http", "off", "--data-dir", this.directory / "submitted"]
    for flags in (["--connect", address.removeprefix("sc://")], ["--connect", "127.0.0.1:0", *alone]):
        command = [binary(), "submit", "--python", python, *flags, HERE / "classic.py", "word"]
        this.tap(command, env={"PYTHONPATH": str(COMPAT)})


SUITES = [
    Suite("PySpark's Connect client", VERSION, script("smoke.py", "windows.py"), quick=True, minutes=5),
    Suite("PySpark's Python functions", VERSION, script("udf.py"), quick=True, minutes=5),
    Suite("PySpark's table functions", VERSION, script("table_functions.py"), quick=True, minutes=5),
    Suite("PySpark's files", VERSION, script("files.py"), quick=True, minutes=5),
    Suite("PySpark's columns, by name and by place", VERSION, script("frames.py"), quick=True, minutes=5),
    Suite("PySpark's types of a script's own", VERSION, script("usertypes.py"), quick=True, minutes=5),
    Suite("PySpark's time zones", VERSION, script("zones.py"), quick=True, minutes=5),
    Suite("PySpark's data sources and deep plans", VERSION, script("sources.py"), quick=True, minutes=5),
    Suite("PySpark's Python functions of streams", VERSION, script("foreach.py"), quick=True, minutes=5),
    Suite("PySpark scripts by pelton submit", VERSION, submitted, quick=True, minutes=5),
    Suite("PySpark's Structured Streaming", VERSION, script("streaming.py"), quick=True, minutes=10),
    Suite("PySpark's models", VERSION, script("models.py"), quick=True, minutes=5),
    Suite("PySpark's functions that remember", VERSION, script("state.py", "timers.py"), quick=True, minutes=5),
    Suite("PySpark's tables and Parquet", VERSION, script("tables.py", "catalog.py"), quick=True, minutes=5),
    Suite("PySpark's programs of examples/", VERSION, script("examples.py"), quick=True, minutes=5),
    Suite("PySpark's programs of examples/, beside Spark", VERSION, beside, ("java", "mvn"), minutes=8),
    Suite("PySpark's Structured Streaming over another Kafka", VERSION, elsewhere, quick=True, minutes=5),
    Suite("PySpark's Structured Streaming over a crash", VERSION, restart, quick=True, minutes=5),
]
