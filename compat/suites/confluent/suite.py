"""librdkafka through its Python binding."""

from pathlib import Path

import packages
from suite import Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "2.16.1"


def smoke(this):
    python = packages.python(f"confluent-kafka=={VERSION}")
    this.tap([python, HERE / "smoke.py", this.address], env={"PYTHONPATH": str(COMPAT)})


SUITES = [Suite("librdkafka smoke", VERSION, smoke, quick=True, minutes=3)]
