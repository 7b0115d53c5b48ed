"""The programs of `examples/` in PySpark, unchanged: `examples.py sc://HOST:PORT KAFKA_HOST:PORT`.

Each prints the rows that lie beside it in `result.json`, which real Spark gave.
"""

import sys

from kafka import KafkaProducer

from programs import DATA, expected, fill, lines_served, printed
from tap import case, equal, finish

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
producer = KafkaProducer(bootstrap_servers=KAFKA)
for name in DATA:

    @case(f"examples/{name}")
    def _():
        fill(producer, name)
        equal(printed(ADDRESS, name, KAFKA), expected(name))


@case("examples/socket")
def _():
    with lines_served() as port:
        equal(printed(ADDRESS, "socket", port), expected("socket"))


finish()
