"""PySpark's Connect client: the Spark Connect door."""

from pathlib import Path

import packages
from server import binary
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "4.2.0"


def script(name):
    def run(this):
        address = getattr(this.server, "connect", None)
        if address is None:
            raise Skip("this server has no Spark Connect door")
        python = packages.python(f"pyspark-client=={VERSION}", "pandas<3")
        this.tap([python, HERE / name, f"sc://{address}"], env={"PYTHONPATH": str(COMPAT)})

    return run


def submitted(this):
    """Once on the server that is there, once on one that the command starts."""
    address = getattr(this.server, "connect", None)
    if address is None:
        raise Skip("this server has no Spark Connect door")
    python = packages.python(f"pyspark-client=={VERSION}", "pandas<3")
    alone = ["--kafka", "off", "--http", "off", "--data-dir", this.directory / "submitted"]
    for flags in (["--connect", address], ["--connect", "127.0.0.1:0", *alone]):
        command = [binary(), "submit", "--python", python, *flags, HERE / "classic.py", "word"]
        this.tap(command, env={"PYTHONPATH": str(COMPAT)})


SUITES = [
    Suite("PySpark's Connect client", VERSION, script("smoke.py"), quick=True, minutes=5),
    Suite("PySpark's Python functions", VERSION, script("udf.py"), quick=True, minutes=5),
    Suite("PySpark scripts by pelton submit", VERSION, submitted, quick=True, minutes=5),
]
