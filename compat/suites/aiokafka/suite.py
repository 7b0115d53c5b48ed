"""aiokafka."""

from pathlib import Path

import packages
from suite import Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "0.14.0"


def smoke(this):
    python = packages.python(f"aiokafka[lz4,snappy,zstd]=={VERSION}")
    this.tap([python, HERE / "smoke.py", this.address], env={"PYTHONPATH": str(COMPAT)})


SUITES = [Suite("aiokafka smoke", VERSION, smoke, quick=True, minutes=3)]
