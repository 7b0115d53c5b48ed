"""Pelton and a real Apache Kafka on this machine, in turn, under the same load: what a record costs the server.

    python bench/kafka.py [--rounds 5] [--quick] [--only produce-1k,fetch-hot] [--json FILE]

needs Java and Maven for Apache Kafka, and builds the load generator (`crates/broker/examples/load.rs`) and the Kafka
door (`crates/broker/examples/serve.rs`, or the program that PELTON_BIN names). The generator sends batches that were
encoded beforehand; what counts is the processor time of the server, read from /proc, because on few cores the
throughput is as much the client's. Every round runs each cell on both servers, each time in the other order; the table
has medians, and the ratio with its smallest and largest over the rounds.

Apache Kafka runs as it comes (G1, 1 GiB of heap at most) with one change in the cells called `durable`: it does not
flush before it acknowledges unless `flush.messages=1` is set, and Pelton always does for `acks=all`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compat"))

from apache_kafka import ApacheKafka  # noqa: E402
from server import Door, Server  # noqa: E402

KAFKA_DURABLE = {"log.flush.interval.messages": 1}


@dataclass(frozen=True)
class Cell:
    """One kind of load. `options` are those of the load generator; a `durable` cell is acknowledged after a flush."""

    name: str
    mode: str
    options: dict
    durable: bool = False
    partitions: int = 1

    def command(self, load, server, topic):
        options = {"topic": topic, "partitions": self.partitions, "pid": server.process.pid, **self.options}
        return [load, server.kafka, self.mode, *(f"{name}={value}" for name, value in options.items())]


def cells(scale):
    def produce(name, batch, batches, **more):
        options = {"batch": batch, "batches": int(batches * scale), "in-flight": more.pop("in_flight", 5)}
        options["acks"] = more.pop("acks", 1)
        return Cell(name, "produce", options, **more)

    fetched = int(4e9 * scale)
    return [
        produce("produce-16k", 16384, 60_000),
        produce("produce-1k", 1024, 200_000),
        produce("produce-1k-64", 1024, 200_000, in_flight=64),
        produce("produce-16k-100", 16384, 60_000, partitions=100),
        produce("produce-1k-1000", 1024, 100_000, partitions=1000),
        produce("durable-16k", 16384, 4_000, acks=-1, durable=True),
        produce("durable-1k", 1024, 4_000, acks=-1, durable=True),
        produce("durable-16k-100", 16384, 4_000, acks=-1, durable=True, partitions=100, in_flight=64),
        Cell("fetch-hot", "fetch", {"bytes": fetched, "max": 1 << 16}),
        Cell("fetch-1m", "fetch", {"bytes": fetched, "max": 1 << 20}),
        Cell("fetch-100", "fetch", {"bytes": fetched, "max": 1 << 16}, partitions=100),
        Cell("fetch-1000", "fetch", {"bytes": fetched, "max": 1 << 12}, partitions=1000),
    ]


def built(example):
    """The path of an example of the broker, built optimised."""
    command = ["cargo", "build", "--locked", "--release", "--package", "broker", "--example", example]
    say("$ " + " ".join(command))
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target.resolve() / "release" / "examples" / example


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, directory, load, pelton):
        self.directory = Path(directory)
        self.load = load
        self.pelton = pelton
        self.starts = 0

    def server(self, who, durable):
        self.starts += 1
        place = self.directory / f"{self.starts}-{who}"
        if who == "kafka":
            return ApacheKafka(place, KAFKA_DURABLE if durable else {})
        return Server(place) if self.pelton is None else Door(place, self.pelton)

    def run(self, who, cell):
        """One cell on one fresh server: prepared, warmed up, measured."""
        server = self.server(who, cell.durable)
        server.start()
        try:
            return self.measure(server, cell)
        finally:
            server.kill()

    def measure(self, server, cell):
        self.call([self.load, server.kafka, "create", "topic=bench", f"partitions={cell.partitions}"])
        self.await_leaders(server, cell.partitions)
        if cell.mode == "fetch":
            # 64 MiB over the partitions: more than any cache of one partition, well inside the page cache.
            batches = max((64 << 20) // 16384, cell.partitions)
            filling = Cell("fill", "produce", {"batch": 16384, "batches": batches}, partitions=cell.partitions)
            self.call(filling.command(self.load, server, "bench"))
        # The virtual machine compiles what is hot; nobody should pay for that in the figures.
        warm = {**cell.options}
        for size in ("batches", "bytes"):
            if size in warm:
                warm[size] = max(int(warm[size] / 4), 1000)
        self.call(Cell("warm", cell.mode, warm, partitions=cell.partitions).command(self.load, server, "bench"))
        figures = json.loads(self.call(cell.command(self.load, server, "bench")))
        figures["rss_mb"] = resident_mb(server.process.pid)
        return figures

    def await_leaders(self, server, partitions):
        """Apache Kafka answers before the partitions of a new topic have their leaders."""
        probe = Cell("probe", "produce", {"batch": 100, "batches": 2 * partitions}, partitions=partitions)
        for attempt in range(20):
            try:
                return self.call(probe.command(self.load, server, "bench"))
            except RuntimeError:
                if attempt == 19:
                    raise
                time.sleep(0.5)

    def call(self, command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return done.stdout


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def start_figures(bench, rounds):
    """Milliseconds from the start of the process until it takes connections, and memory when idle."""
    rows = {}
    for who in ("pelton", "kafka"):
        times, memory = [], []
        for _ in range(rounds):
            server = bench.server(who, durable=False)
            if who == "kafka":
                server.start()  # the first start formats the directory
                server.kill()
            begun = time.monotonic()
            server.start()
            times.append((time.monotonic() - begun) * 1000)
            time.sleep(2)
            memory.append(resident_mb(server.process.pid))
            server.kill()
        rows[who] = (statistics.median(times), statistics.median(memory))
    return rows


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def row(cell, results):
    """A line of the table: processor time per batch of both, and how many times more Kafka takes."""
    figure = "server_us_per_batch"
    ours, theirs = ([one[figure] for one in results[who]] for who in ("pelton", "kafka"))
    costs = [kafka / pelton for pelton, kafka in zip(ours, theirs, strict=True)]
    speeds = [
        pelton["records_per_second"] / kafka["records_per_second"]
        for pelton, kafka in zip(results["pelton"], results["kafka"], strict=True)
    ]
    cpu = [statistics.median(one["server_cpu_seconds_per_million_records"] for one in results[who]) for who in results]
    return [
        cell.name,
        f"{statistics.median(ours):.1f}",
        f"{statistics.median(theirs):.1f}",
        spread(costs),
        spread(speeds),
        f"{cpu[0]:.3f} / {cpu[1]:.3f}",
        f"{results['pelton'][-1]['rss_mb']:.0f} / {results['kafka'][-1]['rss_mb']:.0f}",
    ]


HEAD = [
    "cell",
    "Pelton, us/batch",
    "Kafka, us/batch",
    "times the processor",
    "times the records/s",
    "CPU-s per million records",
    "MB resident",
]


def table(rows):
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |" for line in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each cell runs on each server")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load, one round: to see that it works")
    parser.add_argument("--only", help="names of cells, separated by commas")
    parser.add_argument("--json", type=Path, help="also write every figure of every run to this file")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    chosen = [cell for cell in cells(0.1 if arguments.quick else 1.0)]
    if arguments.only:
        wanted = arguments.only.split(",")
        unknown = set(wanted) - {cell.name for cell in chosen}
        if unknown:
            parser.error(f"no such cell: {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in chosen)}")
        chosen = [cell for cell in chosen if cell.name in wanted]
    load = built("load")
    pelton = None if os.environ.get("PELTON_BIN") else built("serve")
    everything = {}
    with tempfile.TemporaryDirectory(prefix="pelton-bench-") as directory:
        bench = Bench(directory, load, pelton)
        rows = [HEAD]
        for cell in chosen:
            results = {"pelton": [], "kafka": []}
            for number in range(rounds):
                order = ["pelton", "kafka"] if number % 2 == 0 else ["kafka", "pelton"]
                for who in order:
                    say(f"{cell.name}, round {number + 1} of {rounds}, {who}")
                    results[who].append(bench.run(who, cell))
            everything[cell.name] = results
            rows.append(row(cell, results))
        starts = start_figures(bench, rounds)
    print(table(rows))
    print()
    for who, (ready_ms, idle_mb) in starts.items():
        print(f"{who}: ready after {ready_ms:.0f} ms, {idle_mb:.0f} MB resident when idle")
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
