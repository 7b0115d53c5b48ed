"""The programs of `examples/` in PySpark: their data, and running them unchanged against a server of Spark Connect."""

import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
# Topic -> the file with its records.
DATA = {
    "word-count": {"lines": "lines.txt"},
    "hashtags": {"messages": "messages.jsonl"},
    "clicks": {"activity": "activity.jsonl"},
    "sensor": {"readings": "readings.jsonl"},
    "joint-average": {"north": "north.jsonl", "south": "south.jsonl", "west": "west.jsonl"},
}


def fill(producer, name):
    """Writes an example's records into its topics."""
    for topic, file in DATA[name].items():
        for line in (EXAMPLES / name / file).read_text().splitlines():
            producer.send(topic, line.encode())
    producer.flush()


def printed(address, name, argument):
    """What the program prints: a row of JSON a line."""
    program = [sys.executable, "-W", "ignore", EXAMPLES / name / "spark.py", argument]
    environment = {**os.environ, "SPARK_REMOTE": address}
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr[-500:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def expected(name):
    return [json.loads(line) for line in (EXAMPLES / name / "result.json").read_text().splitlines()]


@contextmanager
def lines_served():
    """A port that sends the lines of `socket` to whoever calls, once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall((EXAMPLES / "socket" / "lines.txt").read_bytes())
                connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield str(server.getsockname()[1])
