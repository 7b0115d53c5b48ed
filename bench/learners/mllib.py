"""Streaming k-means beside MLlib's: the same rows, batches and first centres, so the same centres at the end."""

import json
from pathlib import Path

import packages

VERSION = "pyspark==4.0.1"
SCRIPT = Path(__file__).with_name("spark_kmeans.py")
GENERATOR = "generator=rbf(classes=5, centers=10, seed=3)"
ROWS = 300_000
BATCH = 20_000
K = 10
DECAY = 0.9


def run(bench, rounds):
    """For each round the seconds of both, and the largest difference between the centres."""
    python = packages.python(VERSION)
    data, parameters = bench.place / "mllib.csv", bench.place / "parameters.json"
    bench.call([bench.program, GENERATOR, f"rows={bench.rows or ROWS}", f"write={data}"])
    with open(data) as file:
        file.readline()
        first = [[float(word) for word in file.readline().split(",")[:-1]] for _ in range(K)]
    ours = [bench.program, f"data={data}", "label=none", "algorithm=streaming_kmeans", f"batch={BATCH}"]
    ours += [f"decay_factor={DECAY}", f"initial_centers={first}", f"initial_weights={[0.0] * K}"]
    order = json.dumps({"data": str(data), "k": K, "batch": BATCH, "decay": DECAY})
    found = []
    for _ in range(rounds):
        mine = json.loads(bench.call([*ours, f"parameters={parameters}"]))
        theirs = json.loads(bench.call([python, SCRIPT, order]).splitlines()[-1].rsplit("\r", 1)[-1])
        centers = zip(json.loads(parameters.read_text())["centers"], theirs["centers"], strict=True)
        apart = max(abs(a - b) for one, other in centers for a, b in zip(one, other, strict=True))
        found.append({"pelton": mine, "mllib": theirs, "difference": apart})
    return found
