"""sarama: our smoke, in the newest protocol and in those of older Kafkas."""

from pathlib import Path

import packages
from suite import Suite

HERE = Path(__file__).resolve().parent
VERSION = "v1.61.1"


def smoke(this):
    this.tap([packages.go_program(HERE), this.address])


SUITES = [Suite("sarama smoke", VERSION, smoke, ("go",), quick=True, minutes=4, peer="3.9.1")]
