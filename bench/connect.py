"""Pelton's Spark Connect beside Spark's own, and beside Sail where it can: the same PySpark script, the address apart.

    python bench/connect.py [--rounds 3] [--quick] [--only start,batch,functions,words,latency] [--peers spark,sail] [--json FILE]

builds Pelton optimised (or takes the program that PELTON_BIN names) and fetches PySpark, Spark's Kafka connector (Java and
Maven) and Sail. It needs the packages of compat/requirements.txt itself.

The script is `streams/connect_job.py` under `pyspark-client`. All read the same files and the same topics of the same
broker, which is Pelton's; what Pelton reads of a broker that is another process stands beside it (`another Kafka`).
Processor time is that of the server's process and of all that it started, so Pelton's is with its broker's part and
Spark's without. Queries run twice before they are counted, on each, and then three times, of which the middle one is
told: a server may start another worker of Python in one of them. A start is counted from the first instruction. Every
round runs each cell on each server, each time in the other order; the table has medians, with the smallest and the
largest where there are several rounds. Answers are compared: a cell whose answers differ is an error.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compat"), str(ROOT / "bench"), str(ROOT / "bench" / "streams")]

import connect_server  # noqa: E402
import corpus  # noqa: E402
import latency  # noqa: E402
import packages  # noqa: E402
from connect_server import CLIENT, cpu_seconds, memory_mb  # noqa: E402
from streaming import built, measure, say, told  # noqa: E402

PARTS = ["start", "batch", "functions", "words", "latency"]
JOB = ROOT / "bench" / "streams" / "connect_job.py"
RATE = 1_000
FUNCTIONS = ["udf", "udf, Arrow", "pandas_udf"]


class Job:
    """The script, waiting for an address."""

    def __init__(self, client, deed, log, **job):
        pipe = subprocess.PIPE
        command = [client, "-W", "ignore", JOB, deed, json.dumps(job)]
        self.log = log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True)
        self.answer()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the script ended\n{self.log.read_text(errors='replace')[-2000:]}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            # The client can stand still while Python takes itself apart.
            self.process.kill()
            self.process.wait()


class Bench:
    def __init__(self, directory, peers, quick):
        self.directory = Path(directory)
        self.names = ["pelton", *peers]
        self.quick = quick
        self.client = packages.python(f"pyspark-client=={CLIENT}", "pandas<3", "kafka-python==2.3.3")
        self.found, self.answers, self.turn, self.made = [], {}, 0, 0

    def place(self, name):
        self.made += 1
        return self.directory / f"{name}-{self.made}"

    def note(self, part, cell, who, **figures):
        self.found.append({"part": part, "cell": cell, "who": who, **figures})
        say(f"{part:9} {cell:20} {who:7} " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))

    def same(self, cell, who, answer):
        first = self.answers.setdefault(cell, (who, answer))
        if first[1] != answer:
            raise RuntimeError(f"{cell}: {who} answers {answer}, {first[0]} {first[1]}")

    def each(self, *without):
        """The servers' names, every round in the other order."""
        names = [name for name in self.names if name not in without]
        return names if self.turn % 2 == 0 else names[::-1]

    def readers(self):
        """Who reads a Pelton's topics: the name, and what its cells are called more."""
        return [*((name, "") for name in self.each("sail")), ("pelton", ", another Kafka")]

    def server(self, name):
        return connect_server.SERVERS[name](self.place(name), self.client)

    def job(self, server, deed, **job):
        server.listening()
        script = Job(self.client, deed, self.place("job").with_suffix(".log"), **job)
        script.tell(server.address)
        return script

    def counted(self, part, cell, name, server, job):
        """Two runs to get warm; of three more, the one whose processor time is between those of the others."""
        runs = []
        for _ in range(5):
            before = cpu_seconds(server.pid)
            job.tell("again")
            answer = job.answer()
            runs.append((cpu_seconds(server.pid) - before, answer))
        cpu, answer = sorted(runs[2:], key=lambda run: run[0])[1]
        if "found" in answer:
            self.same(cell, name, answer["found"])
        figures = {"rows_per_s": answer["rows"] / answer["seconds"], "cpu_s_per_m": cpu * 1e6 / answer["rows"]}
        self.note(part, cell, name, **figures, rows_per_cpu_s=answer["rows"] / cpu, memory_mb=memory_mb(server.pid))

    def start(self):
        """From the first instruction of the server to the first answer that a waiting client gets."""
        for name in self.each():
            job = Job(self.client, "session", self.place("job").with_suffix(".log"))
            server = self.server(name)
            try:
                server.listening()
                listening, cpu = time.monotonic() - server.began, cpu_seconds(server.pid)
                job.tell(server.address)
                job.answer()
                ready, cpu_ready = time.monotonic() - server.began, cpu_seconds(server.pid)
                figures = {"listening_ms": listening * 1000, "ready_ms": ready * 1000}
                figures |= {"cpu_s_listening": cpu, "cpu_s_ready": cpu_ready, "memory_mb": memory_mb(server.pid)}
                self.note("start", "first answer", name, **figures)
            finally:
                server.close()
                job.close()

    def batch(self):
        """A million rows of JSON in a file, about 55 MB, grouped by a thousand keys."""
        count = 100_000 if self.quick else 1_000_000
        path = self.directory / f"rows-{count}.json"
        if not path.exists():
            path.write_text("\n".join(corpus.numbers(count)) + "\n")
        self.one_by_one("batch", "JSON, 1,000 keys", "grouped", path=str(path))

    def functions(self):
        for function in FUNCTIONS:
            rows = 200_000 if self.quick else 2_000_000
            self.one_by_one("functions", function, "called", function=function, rows=rows)

    def words(self):
        """A backlog of lines in four partitions, cut into words and counted, batches of 50,000 lines."""
        count = 100_000 if self.quick else 1_000_000
        broker = self.server("pelton").listening()
        try:
            lines = (json.dumps({"k": n % 1000, "t": n}) for n in range(count))
            job = {"kafka": broker.kafka, "topic": "lines", "rows": corpus.fill(broker.kafka, "lines", lines)}
            for name, more in self.readers():
                server = broker if name == "pelton" and not more else self.server(name)
                self.one("words", f"backlog of a topic{more}", name, server, "drained", rows_per_batch=50_000, **job)
        finally:
            broker.close()

    def one_by_one(self, part, cell, deed, **job):
        for name in self.each():
            self.one(part, cell, name, self.server(name), deed, **job)

    def one(self, part, cell, name, server, deed, **job):
        """A cell on one server, which ends with it."""
        try:
            script = self.job(server, deed, checkpoint=str(self.place("checkpoint")), **job)
            try:
                self.counted(part, cell, name, server, script)
            finally:
                script.close()
        except RuntimeError as error:
            say(f"{part}, {cell}: {name}: {error}")
        finally:
            # Not the one whose topics others have still to read.
            if "kafka" not in job or server.kafka != job["kafka"]:
                server.close()

    def latency(self):
        """From the time that a line was due to the time that a count with it can be read; 1,000 lines a second."""
        for name, more in self.readers():
            broker = self.server("pelton").listening()
            server = broker if name == "pelton" and not more else self.server(name)
            for topic in ("in", "out"):
                corpus.create(broker.kafka, topic)
            job = {"kafka": broker.kafka, "topic": "in", "sink": "out", "checkpoint": str(self.place("checkpoint"))}
            try:
                script = self.job(server, "live", **job)
                try:
                    self.measure_latency(f"count of words{more}", name, server, script, broker.kafka)
                finally:
                    script.close()
            finally:
                server.close(), broker.close()

    def measure_latency(self, cell, name, server, script, kafka):
        script.answer()
        # The first lines wait for what a server does once; how long, is a figure of its own.
        first = heard(kafka, seconds=1, warm_up=0, idle=3)
        warm_up, seconds = (3, 5) if self.quick else (40 if name == "spark" else 5, 20)
        before, began = cpu_seconds(server.pid), time.monotonic()
        late = heard(kafka, seconds=seconds, warm_up=warm_up, idle=5)
        share = (cpu_seconds(server.pid) - before) / (time.monotonic() - began)
        at = lambda part: late[min(len(late) - 1, int(len(late) * part))]  # noqa: E731
        figures = {"first_ms": first[-1], "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": late[-1], "cpu_share": share}
        self.note("latency", cell, name, **figures, memory_mb=memory_mb(server.pid))


def heard(kafka, seconds, warm_up, idle):
    """Sends lines for so long; how late, in milliseconds and sorted, the counts came whose lines are no warming up."""
    since = time.time_ns() + int(warm_up * 1e9)
    words = [sys.executable, latency.__file__]
    receive = [*words, "receive", kafka, "out", str(since), str(idle)]
    receiver = subprocess.Popen(receive, stdout=subprocess.PIPE, text=True)
    assert receiver.stdout.readline() == "ready\n"
    subprocess.run([*words, "send", kafka, "in", str(RATE), str(warm_up + seconds), "0"], check=True)
    out, _ = receiver.communicate(timeout=300)
    return sorted(json.loads(out.splitlines()[-1]))


def table(found, names):
    """Medians by cell and figure, a column for each server."""
    cells = {}
    for figure in found:
        cells.setdefault((figure["part"], figure["cell"]), []).append(figure)
    lines = ["| part | cell | figure | " + " | ".join(names) + " |", "|---" * (3 + len(names)) + "|"]
    for (part, cell), figures in cells.items():
        for name in (name for name in figures[0] if name not in ("part", "cell", "who")):
            values = [told([run[name] for run in figures if run["who"] == who]) for who in names]
            lines.append("| " + " | ".join([part, cell, name, *values]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows: to see that it runs")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--peers", default="spark,sail", help="what stands beside; empty: nothing")
    parser.add_argument("--json", type=Path, help="where all figures go")
    options = parser.parse_args()
    parts, peers = options.only.split(","), [name for name in options.peers.split(",") if name]
    if unknown := (set(parts) - set(PARTS)) | (set(peers) - set(connect_server.SERVERS)):
        parser.error(f"no such part or peer: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    built()
    # A binary's name that holds wherever a server is started.
    os.environ["PELTON_BIN"] = str(Path(os.environ["PELTON_BIN"]).resolve())
    directory = tempfile.mkdtemp(prefix="pelton-bench-")
    bench = Bench(directory, peers, options.quick)
    measure(bench, parts, options, lambda bench: table(bench.found, bench.names))
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
