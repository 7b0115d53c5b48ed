"""Pelton's queries beside Spark's on this machine: what a batch costs, how late its result is, and Nexmark.

    python bench/streaming.py [--rounds 3] [--quick] [--only batch,latency,nexmark,bulk,start] [--without-spark] [--json FILE]

builds Pelton optimised (or takes the program that PELTON_BIN names), fetches PySpark and Spark's Kafka connector, which
need Java and Maven, and the generator of the Nexmark suite. It needs the packages of compat/requirements.txt itself.

Both read the same topics of the same broker, which is Pelton's, with the same SQL (`streams/workloads.py`). What counts
is processor time: Pelton's is that of its whole process, so with its broker's part; Spark's is that of its virtual
machine, without the broker's. Spark is warm before it is measured: the first batches (150 of the small ones) are left
out; Pelton's are all counted, and so is the planning. Every round runs each cell on both, each time in the other order;
the table has medians, with the smallest and the largest where there are several rounds.

The answers are what the tests compare, not this: `compat/` and the engine's tests hold them against Spark's.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compat"), str(ROOT / "bench" / "streams")]

import corpus  # noqa: E402
import latency  # noqa: E402
import workloads  # noqa: E402
from pelton import Pelton  # noqa: E402
from spark import Spark  # noqa: E402

PARTS = ["batch", "latency", "nexmark", "bulk", "start"]
ENGINE = {"state-bytes-max": 8 << 30}
LATENCY_RATE = 1_000


def say(text):
    print(text, file=sys.stderr, flush=True)


def built():
    """Pelton, optimised."""
    if os.environ.get("PELTON_BIN"):
        return
    command = ["cargo", "build", "--locked", "--release", "--package", "pelton"]
    say("$ " + " ".join(command))
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    os.environ["PELTON_BIN"] = str(target.resolve() / "release" / "pelton")


class Bench:
    def __init__(self, directory, with_spark, quick):
        self.directory = Path(directory)
        self.spark = Spark(self.directory) if with_spark else None
        self.quick = quick
        self.found = []
        self.servers = 0
        self.turn = 0

    def server(self):
        self.servers += 1
        return Pelton(self.directory / f"pelton-{self.servers}", ENGINE)

    def note(self, part, cell, who, figures):
        self.found.append({"part": part, "cell": cell, "who": who, **figures})
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        say(f"{part:8} {cell:16} {who:7} {told}")

    def both(self, of_pelton, of_spark):
        """Runs the two, each round in the other order."""
        pair = [of_pelton] if self.spark is None or of_spark is None else [of_pelton, of_spark]
        for run in pair if self.turn % 2 == 0 else reversed(pair):
            run()

    def batch(self):
        """1,000 rows per batch, read, decoded, computed, written and committed."""
        batches, skip = (60, 20) if self.quick else (400, 150)
        # Processor time is told in hundredths of a second: Pelton's batches want more of them to be told apart.
        own_batches = batches if self.quick else 2_000
        pelton = self.server()
        try:
            rows = corpus.fill(pelton.kafka, "rows", corpus.numbers(own_batches * 1_000))
            for workload in workloads.BATCH:

                def of_pelton():
                    figures = pelton.drained(workload, "rows", rows, 1_000, f"kafka topic 'out-{workload.name}'")
                    self.note("batch", workload.name, "pelton", per_batch(figures))

                def of_spark():
                    more = {"skip": skip, "batches": batches, "sink": f"spark-{workload.name}"}
                    figures = self.spark.measured(workload, pelton.kafka, "rows", 1_000, **more)
                    self.note("batch", workload.name, "spark", per_batch(figures))

                self.both(of_pelton, of_spark)
        finally:
            pelton.close()

    def nexmark(self):
        """A backlog of auctions, bids and persons as JSON; no sink, as in the suite's own Kafka mode."""
        count = 100_000 if self.quick else 1_000_000
        pelton = self.server()
        try:
            rows = corpus.fill(pelton.kafka, "nexmark", corpus.nexmark(count))
            for workload in workloads.NEXMARK:

                def of_pelton():
                    figures = pelton.drained(workload, "nexmark", rows, 50_000)
                    self.note("nexmark", workload.name, "pelton", per_million(figures, rows))

                def of_spark():
                    batches = rows // 50_000
                    more = {"skip": batches // 4, "batches": batches}
                    figures = self.spark.measured(workload, pelton.kafka, "nexmark", 50_000, **more)
                    self.note("nexmark", workload.name, "spark", per_million(figures, figures["batches"] * 50_000))

                try:
                    self.both(of_pelton, of_spark if workload.in_spark else None)
                except RuntimeError as error:
                    say(f"nexmark  {workload.name}: {error}")
        finally:
            pelton.close()

    def latency(self):
        """From the time that a row was due to the time that its result can be read, both transactions included."""
        seconds = 5 if self.quick else 20
        for workload in workloads.LATENCY:

            def of_pelton():
                pelton = self.server()
                try:
                    corpus.create(pelton.kafka, "in")
                    pelton.tables(workload, "in", 10_000)
                    pelton.create(workload, "kafka topic 'out', partitions 4")
                    self.measure_latency("pelton", workload, pelton, "out", 2, seconds)
                finally:
                    pelton.close()

            def of_spark():
                pelton = self.server()
                try:
                    corpus.create(pelton.kafka, "in")
                    corpus.create(pelton.kafka, "out")
                    self.spark_latency(workload, pelton, seconds)
                finally:
                    pelton.close()

            self.both(of_pelton, of_spark)

    def spark_latency(self, workload, pelton, seconds):
        more = {"run": "until told", "sink": "out", "from": "latest"}
        job = self.spark.job(workload, pelton.kafka, "in", 10_000, **more)
        try:
            # The first batch needs a row; so long it may take to start.
            subprocess.run(self.sender(pelton, 10, 60, 0), check=True)
            if json.loads(job.stdout.readline() or "{}").get("ready") is not True:
                raise RuntimeError(f"Spark did not begin; its output is in {self.directory}")
            self.measure_latency("spark", workload, pelton, "out", 40, seconds)
        finally:
            job.stdin.close()
            job.wait(120)

    def sender(self, pelton, rate, seconds, first):
        program = ROOT / "bench" / "streams" / "latency.py"
        return [sys.executable, program, "send", pelton.kafka, "in", str(rate), str(seconds), str(first)]

    def measure_latency(self, who, workload, pelton, topic, warm_up, seconds):
        since = time.time_ns() + int(warm_up * 1e9)
        receive = [sys.executable, latency.__file__, "receive", pelton.kafka, topic, str(since), "5"]
        receiver = subprocess.Popen([str(word) for word in receive], stdout=subprocess.PIPE, text=True)
        assert receiver.stdout.readline() == "ready\n"
        before = corpus.cpu_seconds(pelton.pid)
        subprocess.run(self.sender(pelton, LATENCY_RATE, warm_up + seconds, 1_000_000), check=True)
        cpu = corpus.cpu_seconds(pelton.pid) - before
        out, _ = receiver.communicate(timeout=120)
        late = sorted(json.loads(out.splitlines()[-1]))
        at = lambda share: late[min(len(late) - 1, int(len(late) * share))]  # noqa: E731
        figures = {"p50": at(0.5), "p99": at(0.99), "max": late[-1], "rows": len(late)}
        figures["server_cpu_share"] = cpu / (warm_up + seconds)
        self.note("latency", workload.name, who, figures)

    def bulk(self):
        """A million generated rows per batch; then how much ten million keys take, and how soon a million are back."""
        pelton = self.server()

        def of_pelton():
            (figures,) = pelton.generated(workloads.BULK, 1_000_000, [2, 12])
            self.note("bulk", workloads.BULK.name, "pelton", figures)
            pelton.sql("DROP TABLE sink")

        def of_spark():
            more = {"skip": 15, "batches": 40}
            figures = self.spark.measured(workloads.BULK, "", None, 1_000_000, **more)
            rate = figures["batches"] * 1e6 / figures["cpu"]
            figures = {"rows_per_cpu_s": rate, "us_per_row": 1e6 / rate, "memory_mb": figures["memory_mb"]}
            self.note("bulk", workloads.BULK.name, "spark", figures)

        try:
            self.both(of_pelton, of_spark)
            for millions in [1] if self.quick else [1, 10]:
                workload = workloads.keyed(millions * 1_000_000)
                new, again = pelton.generated(workload, 1_000_000, [0, millions, 2 * millions])
                self.note("bulk", f"{workload.name}, new", "pelton", new)
                self.note("bulk", f"{workload.name}, again", "pelton", again)
                if millions == 1:
                    self.note("bulk", f"{workload.name}, back", "pelton", pelton.recovered())
                pelton.sql("DROP TABLE sink")
        finally:
            pelton.close()

    def start(self):
        pelton = self.server()
        try:
            corpus.fill(pelton.kafka, "rows", corpus.numbers(1_000))
            self.note("start", "first result", "pelton", {"ms": pelton.first_result("rows")})
            before = corpus.cpu_seconds(pelton.pid)
            time.sleep(10)
            share = (corpus.cpu_seconds(pelton.pid) - before) / 10
            self.note("start", "idle query", "pelton", {"cpu_share": share, "memory_mb": corpus.resident_mb(pelton.pid)})
        finally:
            pelton.close()


def per_batch(figures):
    batches = figures["batches"]
    return {"cpu_ms": 1000 * figures["cpu"] / batches, "batches": batches, "memory_mb": figures["memory_mb"]}


def per_million(figures, rows):
    cpu = figures["cpu"] * 1e6 / rows
    return {"cpu_s_per_m": cpu, "events_per_cpu_s": 1e6 / cpu, "memory_mb": figures["memory_mb"]}


def table(found):
    """Medians by cell, Pelton's and Spark's side by side, with the ratio of what is best when small."""
    cells = {}
    for figure in found:
        cells.setdefault((figure["part"], figure["cell"]), {}).setdefault(figure["who"], []).append(figure)
    lines = ["| part | cell | figure | Pelton | Spark | Spark / Pelton |", "|---|---|---|---|---|---|"]
    for (part, cell), by in cells.items():
        some = next(iter(by.values()))[0]
        for name in (name for name in some if name not in ("part", "cell", "who", "rows", "batches")):
            values = {who: [run[name] for run in runs if name in run] for who, runs in by.items()}
            medians = {who: statistics.median(each) for who, each in values.items() if each}
            ratio = medians["spark"] / medians["pelton"] if len(medians) == 2 and medians["pelton"] else None
            row = [part, cell, name, *(told(values.get(who)) for who in ("pelton", "spark"))]
            lines.append("| " + " | ".join([*row, "" if ratio is None else f"{ratio:.3g}"]) + " |")
    return "\n".join(lines)


def told(values):
    if not values:
        return ""
    spread = f" ({min(values):.3g} to {max(values):.3g})" if len(values) > 1 else ""
    return f"{statistics.median(values):.3g}{spread}"


def measure(bench, parts, options, shown):
    """Runs the parts, round by round; what was found is written and shown, however it ends."""
    try:
        for bench.turn in range(options.rounds):
            for part in parts:
                getattr(bench, part)()
    finally:
        if options.json:
            options.json.write_text(json.dumps(bench.found, indent=1))
        print(shown(bench))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows: to see that it runs")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--without-spark", action="store_true")
    parser.add_argument("--json", type=Path, help="where all figures go")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    built()
    directory = tempfile.mkdtemp(prefix="pelton-bench-")
    bench = Bench(directory, not options.without_spark, options.quick)
    measure(bench, parts, options, lambda bench: table(bench.found))
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
