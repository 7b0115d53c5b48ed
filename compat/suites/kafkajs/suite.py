"""KafkaJS. It speaks old, non-flexible versions of most requests."""

from pathlib import Path

import packages
from suite import Suite

HERE = Path(__file__).resolve().parent


def smoke(this):
    this.tap(["node", packages.node(HERE) / "smoke.js", this.address])


SUITES = [Suite("KafkaJS smoke", "2.2.4", smoke, ("node", "npm"), quick=True, minutes=4)]
