"""PySpark's Connect client: the Spark Connect door."""

from pathlib import Path

import packages
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "4.2.0"


def batch(this):
    address = getattr(this.server, "connect", None)
    if address is None:
        raise Skip("this server has no Spark Connect door")
    python = packages.python(f"pyspark-client=={VERSION}", "pandas<3")
    this.tap([python, HERE / "smoke.py", f"sc://{address}"], env={"PYTHONPATH": str(COMPAT)})


SUITES = [Suite("PySpark's Connect client", VERSION, batch, quick=True, minutes=5)]
