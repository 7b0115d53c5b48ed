"""The programs of `examples/` on Pelton and on Spark: `beside.py PELTON SPARK KAFKA PELTONS_LOG SPARKS_LOG`.

Both servers speak Spark Connect and read the same topics, which are Pelton's; the programs differ in the address that
SPARK_REMOTE gives them, and in nothing else. What they print must be the same, row by row.
"""

import json
import re
import sys
from pathlib import Path

from kafka import KafkaProducer

from programs import DATA, EXAMPLES, fill, lines_served, printed
from tap import case, equal, finish, until

PELTON, SPARK, KAFKA, *LOGS = sys.argv[1:]
# What `words-per-batch` prints, it prints in the server, where other lines may follow without a break: the number of the
# batch and the number of its words.
BATCH = re.compile(r"^\[\d+, \d+\]", re.MULTILINE)
producer = KafkaProducer(bootstrap_servers=KAFKA)


def same(ours, theirs):
    """Equal, and not both nothing."""
    assert theirs, "Spark printed nothing"
    equal(ours, theirs)


for name in DATA:

    @case(f"examples/{name}, Pelton and Spark over the same topics")
    def _():
        fill(producer, name)
        same(printed(PELTON, name, KAFKA), printed(SPARK, name, KAFKA))


@case("examples/socket, Pelton and Spark")
def _():
    found = []
    for address in (PELTON, SPARK):
        with lines_served() as port:
            found.append(printed(address, "socket", port))
    same(*found)


@case("examples/words-per-batch, Pelton and Spark over the same topics")
def _():
    def batches(address, log):
        def found():
            return [json.loads(line) for line in BATCH.findall(log.read_text(errors="replace")[before:])]

        before = len(log.read_text(errors="replace"))
        equal(printed(address, "words-per-batch", KAFKA), [])
        # The query has ended; its last line may still be on its way through the server.
        return until(lambda: sum(count for _, count in found()) == words and found(), f"{words} words in the output")

    lines = (EXAMPLES / "word-count" / "lines.txt").read_text().splitlines()
    words = sum(len(line.split(" ")) for line in lines)
    same(*(batches(address, Path(log)) for address, log in zip((PELTON, SPARK), LOGS, strict=True)))


finish()
