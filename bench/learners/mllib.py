"""Streaming k-means and the two regressions beside MLlib's: the same rows, batches and start, so the same end."""

import json
from pathlib import Path

import packages

VERSION = "pyspark==4.0.1"
HERE = Path(__file__).parent
BATCH = 20_000
K = 10
DECAY = 0.9
KMEANS = ("rbf(classes=5, centers=10, seed=3)", 300_000)
# Rows of ten columns; the classes of a plane, and its distance as a number.
REGRESSIONS = {
    "streaming linear regression": ("streaming_linear_regression", "friedman", "number", 200_000),
    "streaming logistic regression": ("streaming_logistic_regression", "hyperplane(drifting=0)", "class", 200_000),
}


def run(bench, rounds):
    """By learner, for each round the figures of both, and the largest difference of what they came to."""
    python = packages.python(VERSION)
    found = {"streaming k-means": kmeans(bench, python, rounds)}
    for name, case in REGRESSIONS.items():
        found[name] = regression(bench, python, rounds, *case)
    return found


def written(bench, generator, rows):
    data = bench.place / f"mllib-{rows}.csv"
    bench.call([bench.program, f"generator={generator}", f"rows={bench.rows or rows}", f"write={data}"])
    return data


def ask(bench, python, script, order):
    """The last line of what Spark's program says; its progress bars end with a carriage return."""
    return json.loads(bench.call([python, HERE / script, json.dumps(order)]).splitlines()[-1].rsplit("\r", 1)[-1])


def kmeans(bench, python, rounds):
    data, parameters = written(bench, *KMEANS), bench.place / "parameters.json"
    with open(data) as file:
        file.readline()
        first = [[float(word) for word in file.readline().split(",")[:-1]] for _ in range(K)]
    ours = [bench.program, f"data={data}", "label=none", "algorithm=streaming_kmeans", f"batch={BATCH}"]
    ours += [f"decay_factor={DECAY}", f"initial_centers={first}", f"initial_weights={[0.0] * K}"]
    found = []
    for _ in range(rounds):
        mine = json.loads(bench.call([*ours, f"parameters={parameters}"]))
        theirs = ask(bench, python, "spark_kmeans.py", {"data": str(data), "k": K, "batch": BATCH, "decay": DECAY})
        centers = zip(json.loads(parameters.read_text())["centers"], theirs["centers"], strict=True)
        apart = max(abs(a - b) for one, other in centers for a, b in zip(one, other, strict=True))
        found.append({"pelton": mine, "mllib": theirs, "difference": apart})
    return found


def regression(bench, python, rounds, algorithm, generator, label, rows):
    data, parameters = written(bench, generator, rows), bench.place / "parameters.json"
    ours = [bench.program, f"data={data}", f"label={label}", f"algorithm={algorithm}", f"batch={BATCH}"]
    found = []
    for _ in range(rounds):
        mine = json.loads(bench.call([*ours, f"parameters={parameters}"]))
        theirs = ask(bench, python, "spark_descent.py", {"data": str(data), "batch": BATCH, "label": label})
        weights = json.loads(parameters.read_text())["weights"]
        weights = weights[0] if label == "class" else weights
        # The function of two classes speaks for the one that came second.
        sign = -1 if theirs["first"] == "1" else 1
        apart = max(abs(sign * a - b) for a, b in zip(weights, theirs["weights"], strict=True))
        found.append({"pelton": mine, "mllib": theirs, "difference": apart})
    return found
