"""Pelton and a real Apache Kafka on this machine, in turn, under the same load: what a record costs the server.

    python bench/kafka.py [--rounds 5] [--quick] [--only produce-1k,fetch-hot] [--json FILE]

needs Java and Maven for Apache Kafka, and builds the load generator (`crates/broker/examples/load.rs`) and the Kafka
door (`crates/broker/examples/serve.rs`, or the program that PELTON_BIN names). The generator sends batches that were
encoded beforehand; what counts is the processor time of the server, read from /proc, because on few cores the
throughput is as much the client's. Every round runs each cell on both servers, each time in the other order; the table
has medians, and the ratio with its smallest and largest over the rounds.

Apache Kafka runs as it comes (G1, 1 GiB of heap at most) with one change in the cells called `durable`: it does not
flush before it acknowledges unless `flush.messages=1` is set, and Pelton always does for `acks=all`.

The floor is the least that any broker does for the same load on the same machine: read, CRC-32C, `pwrite` to the
partition's file, reply, and `sendfile` for fetches (`crates/broker/examples/floor.rs`). It is measured where nothing
waits for the disk.
"""

import argparse
import json
import os
import socket
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

LEADER_ATTEMPTS = 120
IDLE_CONNECTIONS, IDLE_SECONDS = 1000, 5
MANY_TOPICS, MANY_PARTITIONS = 4, 2_500
KAFKA_DURABLE = {"log.flush.interval.messages": 1}


@dataclass(frozen=True)
class Cell:
    """One kind of load. `options` are those of the load generator; a `durable` cell is acknowledged after a flush, a
    `cold` one is read once, from the disk."""

    name: str
    mode: str
    options: dict
    durable: bool = False
    partitions: int = 1
    cold: bool = False

    def command(self, load, server, topic):
        options = {"topic": topic, "partitions": self.partitions, "pid": server.process.pid, **self.options}
        return [load, server.kafka, self.mode, *(f"{name}={value}" for name, value in options.items())]


def cells(scale):
    def produce(name, batch, batches, **more):
        options = {"batch": batch, "batches": int(batches * scale), "in-flight": more.pop("in_flight", 5)}
        options["acks"] = more.pop("acks", 1)
        return Cell(name, "produce", options, **more)

    fetched, cold = int(4e9 * scale), int(1e9 * scale)
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
        Cell("fetch-cold", "fetch", {"bytes": cold, "max": 1 << 20}, cold=True),
        # A batch of each partition: what does not fit is left out by every broker, but for the first partition.
        Cell("fetch-1000", "fetch", {"bytes": fetched, "max": 20 << 10}, partitions=1000),
    ]


IDLE = Cell("idle", "produce", {})


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
    def __init__(self, directory, load, floor, pelton):
        self.directory = Path(directory)
        self.load = load
        self.floor = floor
        self.pelton = pelton
        self.starts = 0

    def server(self, who, cell):
        self.starts += 1
        place = self.directory / f"{self.starts}-{who}"
        if who == "kafka":
            return ApacheKafka(place, KAFKA_DURABLE if cell.durable else {})
        if who == "floor":
            return Door(place, self.floor, arguments=[str(cell.partitions)])
        return Server(place) if self.pelton is None else Door(place, self.pelton)

    def run(self, who, cell):
        """One cell on one fresh server: prepared, warmed up, measured."""
        server = self.server(who, cell)
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
            size = cell.options["bytes"] if cell.cold else 64 << 20
            batches = max(size // 16000, cell.partitions)
            filling = Cell("fill", "produce", {"batch": 16384, "batches": batches}, partitions=cell.partitions)
            self.call(filling.command(self.load, server, "bench"))
        if cell.cold:
            return self.measured(server, cell)
        # The virtual machine compiles what is hot; nobody should pay for that in the figures.
        warm = {**cell.options}
        for size in ("batches", "bytes"):
            if size in warm:
                warm[size] = max(int(warm[size] / 4), 1000)
        self.call(Cell("warm", cell.mode, warm, partitions=cell.partitions).command(self.load, server, "bench"))
        return self.measured(server, cell)

    def measured(self, server, cell):
        if cell.cold:
            forget_cached(server.directory)
        figures = json.loads(self.call(cell.command(self.load, server, "bench")))
        figures["rss_mb"] = resident_mb(server.process.pid)
        return figures

    def await_leaders(self, server, partitions):
        """Apache Kafka answers before the partitions of a new topic have their leaders."""
        probe = Cell("probe", "produce", {"batch": 100, "batches": 2 * partitions}, partitions=partitions)
        for attempt in range(LEADER_ATTEMPTS):
            try:
                return self.call(probe.command(self.load, server, "bench"))
            except RuntimeError:
                if attempt == LEADER_ATTEMPTS - 1:
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


def forget_cached(directory):
    """Has the system write what it holds of these files and forget it, so that the next reader waits for the disk."""
    for path in (path for path in Path(directory).rglob("*") if path.is_file()):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_acknowledgement_ms(bench, server):
    """From the start of the process to the first acknowledged record, for a client that is waiting for it to open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*probe.getsockname())
    client = subprocess.Popen([bench.load, address, "first", "topic=bench"], stdout=subprocess.PIPE)
    begun = time.monotonic()
    server.start(address)
    assert client.stdout.readline() == b"acknowledged\n", "the client gave up"
    taken = (time.monotonic() - begun) * 1000
    client.wait()
    return taken


def idle_figures(server):
    """Memory, and processor time per second, with 1,000 connections that ask for nothing."""
    host, port = server.kafka.rsplit(":", 1)
    connections = [socket.create_connection((host, int(port))) for _ in range(IDLE_CONNECTIONS)]
    time.sleep(2)
    spent = processor_seconds(server.process.pid)
    time.sleep(IDLE_SECONDS)
    spent = processor_seconds(server.process.pid) - spent
    memory = resident_mb(server.process.pid)
    for connection in connections:
        connection.close()
    return memory, 100 * spent / IDLE_SECONDS


def many_partitions(bench):
    """How long a server takes to open again that was killed with 10,000 partitions, in ms, and what it then holds."""
    server = bench.server("pelton", IDLE)
    server.start()
    for number in range(MANY_TOPICS):
        bench.call([bench.load, server.kafka, "create", f"topic=many-{number}", f"partitions={MANY_PARTITIONS}"])
    server.kill()
    begun = time.monotonic()
    server.start()
    taken = (time.monotonic() - begun) * 1000
    memory = resident_mb(server.process.pid)
    server.kill()
    return taken, memory


def standing_figures(bench, rounds):
    """What a server takes before it has anything to do, a line for each."""
    ready, first, alone, crowd, crowd_cpu = [], [], [], [], []
    for _ in range(rounds):
        server = bench.server("pelton", IDLE)
        begun = time.monotonic()
        server.start()
        ready.append((time.monotonic() - begun) * 1000)
        bench.call([bench.load, server.kafka, "create", "topic=bench", "partitions=1"])
        time.sleep(1)
        alone.append(resident_mb(server.process.pid))
        memory, percent = idle_figures(server)
        crowd.append(memory)
        crowd_cpu.append(percent)
        server.kill()
        first.append(first_acknowledgement_ms(bench, server))
        server.kill()
    yield f"pelton: ready after {spread(ready)} ms, first acknowledgement after {spread(first)} ms"
    yield f"pelton: {spread(alone)} MB resident when idle"
    yield (
        f"pelton: {spread(crowd)} MB resident and {spread(crowd_cpu)} % of a processor with {IDLE_CONNECTIONS} idle "
        "connections"
    )
    taken, memory = many_partitions(bench)
    yield f"pelton: {MANY_TOPICS * MANY_PARTITIONS:,} partitions open in {taken:.0f} ms, {memory:.0f} MB resident"
    server = bench.server("kafka", IDLE)
    server.start()  # the first start formats the directory
    server.kill()
    begun = time.monotonic()
    server.start()
    taken = (time.monotonic() - begun) * 1000
    memory, percent = idle_figures(server)
    server.kill()
    yield f"kafka: ready after {taken:.0f} ms, {memory:.0f} MB and {percent:.1f} % with {IDLE_CONNECTIONS} idle connections"


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
    cpu = [
        statistics.median(one["server_cpu_seconds_per_million_records"] for one in results[who])
        for who in ("pelton", "kafka")
    ]
    least = [one[figure] for one in results.get("floor", [])]
    floors = [pelton / floor for pelton, floor in zip(ours, least)]
    return [
        cell.name,
        f"{statistics.median(ours):.1f}",
        f"{statistics.median(theirs):.1f}",
        f"{statistics.median(least):.1f}" if least else "",
        spread(costs),
        spread(floors) if floors else "",
        spread(speeds),
        f"{cpu[0]:.3f} / {cpu[1]:.3f}",
        f"{results['pelton'][-1]['rss_mb']:.0f} / {results['kafka'][-1]['rss_mb']:.0f}",
    ]


HEAD = [
    "cell",
    "Pelton, us/batch",
    "Kafka, us/batch",
    "floor, us/batch",
    "Kafka / Pelton",
    "Pelton / floor",
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
    load, floor = built("load"), built("floor")
    pelton = None if os.environ.get("PELTON_BIN") else built("serve")
    everything = {}
    with tempfile.TemporaryDirectory(prefix="pelton-bench-") as directory:
        bench = Bench(directory, load, floor, pelton)
        rows = [HEAD]
        for cell in chosen:
            contenders = ["pelton", "kafka"] if cell.durable or cell.cold else ["pelton", "floor", "kafka"]
            results = {who: [] for who in contenders}
            for number in range(rounds):
                for who in contenders if number % 2 == 0 else reversed(contenders):
                    say(f"{cell.name}, round {number + 1} of {rounds}, {who}")
                    results[who].append(bench.run(who, cell))
            everything[cell.name] = results
            if arguments.json:
                arguments.json.write_text(json.dumps(everything, indent=1))
            rows.append(row(cell, results))
        print(table(rows), flush=True)
        print()
        for line in standing_figures(bench, rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
