"""kafka-python: the newest, the last 2.x, and the newest speaking the protocol of Kafka 0.10."""

from pathlib import Path

import packages
from suite import Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
CODECS = ("lz4==4.4.5", "python-snappy==0.7.3", "zstandard==0.25.0")
# So that compaction can be watched; Kafka looks every 15 seconds.
SETTINGS = {"log.cleaner.backoff.ms": 200}
NEWEST, LAST_2 = "3.0.12", "2.3.3"
# Kafka 4 has dropped what was old in 2.x; Pelton has not.
GONE = {"the cluster and its directories are described": "Kafka 4 no longer serves DescribeLogDirs v0"}


def smoke(version, *arguments):
    def run(this):
        python = packages.python(f"kafka-python=={version}", *CODECS)
        this.tap([python, HERE / "smoke.py", this.address, *arguments], env={"PYTHONPATH": str(COMPAT)})

    return run


SUITES = [
    Suite("kafka-python 3 smoke", NEWEST, smoke(NEWEST), settings=SETTINGS, quick=True, minutes=3),
    Suite("kafka-python 3 smoke as 0.10", NEWEST, smoke(NEWEST, "0.10.1"), settings=SETTINGS, quick=True, minutes=3, peer="3.9.1"),
    Suite("kafka-python 2 smoke", LAST_2, smoke(LAST_2), settings=SETTINGS, quick=True, minutes=3, known_on_peer=GONE),
]
