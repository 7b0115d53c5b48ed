"""How long a prediction over HTTP takes: `POST /models/NAME/predict`, one row and many, on a connection that stays open.

    python bench/predict.py [--binary pelton] [--requests 5000] [--learning]

starts the program on an empty directory, teaches models of 10 columns with 20,000 rows, and asks each of them again and
again, one request after the other, as a web service next door does. What counts is the time from the first byte sent to
the last byte received; the table has the median, the 99th percentile, and what a request costs the server in processor
time. With `--learning`, rows go on coming in while it asks, so that every version is soon another. Only what comes with
Python is needed; the binary is built with `cargo build --release` (or is the one that `--binary` names).
"""

import argparse
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = [f"c{at}" for at in range(10)]
ROWS = 20_000
MODELS = {
    "logistic_regression": "preprocess 'standard_scaler'",
    "naive_bayes": "",
    "hoeffding_tree": "",
    "adaptive_random_forest": "n_models 10",
    "knn_classifier": "window_size 1000",
}
SIZES = (1, 100)


class Server:
    """The program on a directory that goes away with it."""

    def __init__(self, binary, place):
        ready = Path(place) / "ready.json"
        doors = [word for door in ("kafka", "connect", "http") for word in (f"--{door}", "127.0.0.1:0")]
        command = [binary, "serve", "--data-dir", f"{place}/data", "--ready-file", ready, *doors]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        while not ready.exists():
            if self.process.poll() is not None:
                sys.exit(f"{binary} ended with {self.process.returncode}")
            time.sleep(0.01)
        self.http = json.loads(ready.read_text())["http"]

    def sql(self, text):
        body = json.dumps({"sql": text}).encode()
        asked = Request(f"http://{self.http}/api/sql", body, {"Content-Type": "application/json"})
        with urlopen(asked) as answer:
            return json.load(answer)["answers"]

    def learned(self, model):
        with urlopen(f"http://{self.http}/api/models") as answer:
            return next(one["rows_learned"] for one in json.load(answer) if one["name"] == model)

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.terminate()
        self.process.wait()


class Connection:
    """Requests on one connection, without a library's own time."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = address

    def request(self, model, rows):
        body = json.dumps(rows).encode()
        head = f"POST /models/{model}/predict HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def ask(self, request):
        self.socket.sendall(request)
        got = self.socket.recv(1 << 20)
        while b"\r\n\r\n" not in got:
            got += self.socket.recv(1 << 20)
        head, body = got.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
        while len(body) < length:
            body += self.socket.recv(1 << 20)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(body.decode())
        return body


def row(chance):
    values = {column: round(chance.gauss(0, 1), 4) for column in COLUMNS}
    values["side"] = "left" if values["c0"] + values["c1"] * values["c2"] < 0.3 * chance.gauss(0, 1) else "right"
    return values


def insert(server, chance, count):
    rows = (row(chance) for _ in range(count))
    values = ", ".join(f"({', '.join(repr(v) if k != 'side' else chr(39) + v + chr(39) for k, v in r.items())})" for r in rows)
    server.sql(f"INSERT INTO examples VALUES {values}")


def taught(server, chance):
    columns = ", ".join(f"{column} DOUBLE" for column in COLUMNS)
    server.sql(f"CREATE STREAMING TABLE examples ({columns}, side STRING) USING kafka OPTIONS (topic 'examples')")
    for model, options in MODELS.items():
        options = f"algorithm '{model}', label 'side'" + (f", {options}" if options else "")
        server.sql(f"CREATE MODEL {model} OPTIONS ({options}) AS SELECT * FROM STREAM examples")
    for _ in range(ROWS // 1000):
        insert(server, chance, 1000)
    for model in MODELS:
        while server.learned(model) < ROWS:
            time.sleep(0.05)


def measured(server, model, size, requests, chance):
    """Seconds per request, sorted, and the server's processor time for one."""
    connection = Connection(server.http)
    questions = []
    for _ in range(100):
        rows = [row(chance) for _ in range(size)]
        for one in rows:
            del one["side"]
        questions.append(connection.request(model, rows[0] if size == 1 else rows))
    answer = json.loads(connection.ask(questions[0]))
    assert all(one["prediction"] in ("left", "right") for one in answer["predictions"]), answer
    for at in range(200):
        connection.ask(questions[at % 100])
    took, before = [], server.processor_seconds()
    for at in range(requests):
        begun = time.perf_counter()
        connection.ask(questions[at % 100])
        took.append(time.perf_counter() - begun)
    return sorted(took), (server.processor_seconds() - before) / requests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "pelton")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--learning", action="store_true", help="rows come in meanwhile")
    arguments = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="pelton-predict-") as place:
        server, stop = Server(arguments.binary, place), threading.Event()
        try:
            taught(server, chance)

            def teach():
                more = random.Random(2)
                while not stop.wait(0.2):
                    insert(server, more, 20)

            teacher = threading.Thread(target=teach)
            if arguments.learning:
                teacher.start()
            print("| model | rows per request | p50 ms | p99 ms | server's CPU per request, ms |")
            print("|---|---|---|---|---|")
            for model in MODELS:
                for size in SIZES:
                    took, cost = measured(server, model, size, arguments.requests // (1 if size == 1 else 5), chance)
                    middle, late = took[len(took) // 2], took[len(took) * 99 // 100]
                    print(f"| {model} | {size} | {middle * 1e3:.2f} | {late * 1e3:.2f} | {cost * 1e3:.3f} |", flush=True)
            print(f"\nload averages {os.getloadavg()}", file=sys.stderr)
        finally:
            stop.set()
            if arguments.learning:
                teacher.join()
            server.close()


if __name__ == "__main__":
    main()
