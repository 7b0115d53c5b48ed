"""The programs of `examples/` in PySpark, unchanged: `examples.py sc://HOST:PORT KAFKA_HOST:PORT`.

Each prints the rows that lie beside it in `result.json`, which real Spark gave.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from kafka import KafkaProducer

from tap import case, equal, finish

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
DATA = {
    "word-count": {"lines": "lines.txt"},
    "hashtags": {"messages": "messages.jsonl"},
    "clicks": {"activity": "activity.jsonl"},
    "sensor": {"readings": "readings.jsonl"},
    "joint-average": {"north": "north.jsonl", "south": "south.jsonl", "west": "west.jsonl"},
}


def printed(name, argument):
    program = [sys.executable, "-W", "ignore", EXAMPLES / name / "spark.py", argument]
    environment = {**os.environ, "SPARK_REMOTE": ADDRESS}
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr[-500:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def expected(name):
    return [json.loads(line) for line in (EXAMPLES / name / "result.json").read_text().splitlines()]


producer = KafkaProducer(bootstrap_servers=KAFKA)
for name, topics in DATA.items():

    @case(f"examples/{name}")
    def _():
        for topic, file in topics.items():
            for line in (EXAMPLES / name / file).read_text().splitlines():
                producer.send(topic, line.encode())
        producer.flush()
        equal(printed(name, KAFKA), expected(name))


@case("examples/socket")
def _():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall((EXAMPLES / "socket" / "lines.txt").read_bytes())
                connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        equal(printed("socket", str(server.getsockname()[1])), expected("socket"))


finish()
