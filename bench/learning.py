"""Pelton's learners, River's and MOA's on the same rows, test-then-train: how good they are and what a row costs.

    python bench/learning.py --elec elec.csv [--rounds 5] [--only 'Hoeffding tree,perceptron'] [--write FILE]

builds the program for streams (`crates/ml/examples/stream`), and fetches River (an environment of its own) and MOA
(the archive in the CapyMOA package, which Java runs) where they are not there yet. ELEC, the electricity market of New
South Wales, is not part of the project: `--elec` names a file of its 45,312 rows with a line of names, the class last.
Without it the streams of generators remain.

Every round runs each cell in each library, each time in another order. What counts is the processor time of the thread
that learns: Pelton's and River's without the reading of the rows, MOA's as it tells it itself, with the reading, which
is why the ratio to MOA counts Pelton's reading too. Ratios are medians with the smallest and largest over the rounds;
a learner that draws random numbers gets another seed each round, and its accuracy is told with its spread. Whether it
reaches what MOA is known for is a question of more seeds than rounds: `--seeds 10` asks it, of Pelton and of MOA.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compat"), str(ROOT / "bench" / "learners")]

import drifts  # noqa: E402
import mllib  # noqa: E402
import moa  # noqa: E402
import packages  # noqa: E402
import pages  # noqa: E402
import rows  # noqa: E402
import tables  # noqa: E402
from cells import CELLS, STREAMS  # noqa: E402
from paper import PAPER_CELLS, PAPER_STREAMS  # noqa: E402

RIVER = "river==0.26.1"
# A peer that took longer than this is believed after one round.
LONG_SECONDS = 15


def say(text):
    print(text, file=sys.stderr, flush=True)


def built(example):
    """The path of an example of the crate, built optimised."""
    command = ["cargo", "build", "--locked", "--release", "--package", "ml", "--example", example]
    say("$ " + " ".join(command))
    subprocess.run(command, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target.resolve() / "release" / "examples" / example


class Bench:
    def __init__(self, place, program, peers, elec, rows):
        self.place = Path(place)
        self.program = program
        self.river = packages.python(RIVER) if "river" in peers else None
        self.moa = moa.jar() if "moa" in peers else None
        self.elec = elec
        self.rows = rows
        self.streams = {stream.name: stream for stream in [*STREAMS, *PAPER_STREAMS]}

    def data(self, stream):
        """The file of a stream's rows; generated ones are written once."""
        if stream.generator is None and stream.made is None:
            return self.elec
        path = self.place / f"{stream.name}.csv"
        if path.exists():
            return path
        if stream.made == "hours":
            rows.hours(path)
        elif stream.made:
            python = self.river or packages.python(RIVER)
            self.call([python, "-c", rows.DATASET, stream.made.title(), path])
        else:
            options = shlex.split(stream.generator)
            self.call([self.program, *options, f"rows={self.rows or stream.rows}", f"write={path}"])
        return path

    def run(self, who, cell, seed):
        """One cell in one library: its figures, or None where the library has no such learner."""
        stream = self.streams[cell.stream]
        data, categories = self.data(stream), stream.categories if cell.nominal else ()
        if who == "pelton":
            return self.run_pelton(cell, stream, data, categories, seed)
        if who == "river" and cell.river and self.river:
            order = {
                "data": str(data),
                "model": cell.river.replace("SEED", str(seed)),
                "label": stream.label,
                "task": cell.task or stream.label,
                "categories": categories,
                "binary": cell.binary,
                "answers": str(self.answers("river")),
            }
            if self.rows:
                order["rows"] = self.rows
            script = ROOT / "bench" / "learners" / "river_stream.py"
            return json.loads(self.call([self.river, script, json.dumps(order)]))
        if who == "moa" and cell.moa and self.moa:
            data = moa.arff(data, self.place, stream.label, categories)
            return moa.run(self.moa, cell.moa.replace("SEED", str(seed)), data, stream.label, self.rows, seed)
        return None

    def run_pelton(self, cell, stream, data, categories, seed):
        options = {name: str(value).replace("SEED", str(seed)) for name, value in cell.options.items()}
        command = [self.program, f"data={data}", f"algorithm={cell.algorithm}", f"answers={self.answers('pelton')}"]
        command += [f"{name}={value}" for name, value in options.items()]
        command.append(f"label={'none' if cell.task in ('cluster', 'score') else stream.label}")
        if categories:
            command.append(f"categories={','.join(categories)}")
        if self.rows:
            command.append(f"rows={self.rows}")
        if cell.exact:
            self.call(command)
        # Once more for the clock: writing answers is no part of learning.
        return json.loads(self.call([word for word in command if not str(word).startswith("answers=")]))

    def answers(self, who):
        return self.place / f"answers-{who}"

    def difference(self):
        """The largest difference between Pelton's and River's answers, from the row on where every class has come."""
        found, ready = 0.0, False
        with open(self.answers("pelton")) as ours, open(self.answers("river")) as theirs:
            for one, other in zip(ours, theirs, strict=True):
                one, other = ([float(word) for word in line.split(",") if word.strip()] for line in (one, other))
                ready = ready or (len(one) == len(other) > 0)
                if ready:
                    found = max([found, *(abs(a - b) for a, b in zip(one, other, strict=True))])
        return found

    def call(self, command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return done.stdout


def measure(bench, cell, rounds, peers):
    """All rounds of a cell: by library a list of figures, one per round it ran."""
    results = {who: [] for who in ("pelton", *peers)}
    for number in range(rounds):
        order = list(results)
        order = order[number % len(order) :] + order[: number % len(order)]
        for who in order:
            before = results[who]
            if before and (before[-1] is None or who != "pelton" and before[-1]["seconds"] > LONG_SECONDS):
                continue
            say(f"{cell.name}, round {number + 1} of {rounds}, {who}")
            try:
                results[who].append(bench.run(who, cell, number + 1))
            except RuntimeError as error:
                say(error)
                results[who].append(None)
            if results["pelton"] == [None]:
                return {}
        if number == 0 and cell.exact and all(results.get(who, [None])[0] for who in ("pelton", "river")):
            results["pelton"][0]["difference"] = bench.difference()
    return {who: [one for one in found if one] for who, found in results.items()}


def spread(bench, cell, seeds):
    """By library the accuracy with each seed; MOA, which takes longer, runs half as many."""
    found = {}
    for who, count in (("pelton", seeds), ("moa", (seeds + 1) // 2)):
        say(f"{cell.name}, {count} seeds, {who}")
        runs = [bench.run(who, cell, seed) for seed in range(1, count + 1)]
        found[who] = [run["accuracy"] for run in runs if run]
    return found


def machine():
    """What ran it, for the page."""
    model = platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def command():
    """What was typed, without the places of files."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return shlex.join(["python", "bench/learning.py", *words])


def chosen(arguments, parser):
    cells = PAPER_CELLS if arguments.paper else [cell for cell in CELLS if arguments.elec or cell.stream != "elec"]
    if arguments.only == "none":
        return []
    if arguments.only:
        wanted = arguments.only.split(",")
        unknown = set(wanted) - {cell.name for cell in cells}
        if unknown:
            parser.error(f"no such cell: {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in cells)}")
        cells = [cell for cell in cells if cell.name in wanted]
    return cells


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elec", type=Path, help="ELEC as comma-separated values")
    parser.add_argument("--rounds", type=int, default=5, help="how often each cell runs in each library")
    parser.add_argument("--rows", type=int, help="only so many rows of each stream: to see that it works")
    parser.add_argument("--only", help="names of cells, separated by commas; 'none' is none")
    parser.add_argument("--peers", default="river,moa", help="who runs beside Pelton")
    parser.add_argument("--paper", action="store_true", help="the ten streams of the adaptive random forest's paper")
    parser.add_argument("--mllib", action="store_true", help="k-means and the regressions beside Spark's MLlib too")
    parser.add_argument("--drift", action="store_true", help="drift detectors beside River's too")
    parser.add_argument("--seeds", type=int, help="run the chosen cells with so many seeds each, and nothing else")
    parser.add_argument("--json", type=Path, help="keep every figure in this file, and those of earlier runs")
    parser.add_argument("--write", type=Path, help="bring the page of figures in this file up to date")
    arguments = parser.parse_args()
    return arguments, chosen(arguments, parser)


def main():
    arguments, cells = parsed()
    peers = [peer for peer in arguments.peers.split(",") if peer]
    everything = {}
    if arguments.json and arguments.json.exists():
        everything = json.loads(arguments.json.read_text())

    def keep(name, figures):
        # What was measured before stays where it was not measured again.
        everything[name] = {**everything.get(name, {}), **figures}
        if arguments.json:
            arguments.json.write_text(json.dumps(everything, indent=1))

    with tempfile.TemporaryDirectory(prefix="pelton-bench-") as place:
        bench = Bench(place, built("stream"), peers, arguments.elec, arguments.rows)
        for cell in cells:
            if arguments.seeds:
                keep("seeds", {cell.name: spread(bench, cell, arguments.seeds)})
            else:
                keep(cell.name, measure(bench, cell, arguments.rounds, peers))
        if arguments.drift:
            keep("drift", drifts.run(bench, arguments.rounds))
        if arguments.mllib:
            keep("mllib", mllib.run(bench, arguments.rounds))
    print(tables.page(everything, machine()))
    if arguments.write:
        page = tables.document(everything, machine(), command())
        if arguments.write.exists():
            page = pages.merged(arguments.write.read_text(), page, everything)
        arguments.write.write_text(page)


if __name__ == "__main__":
    main()
