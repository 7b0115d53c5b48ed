"""MOA as a program of its own, out of the CapyMOA package."""

import subprocess
import sys
import zipfile
from pathlib import Path

from packages import call, kept, made

VERSION = "capymoa==0.15.1"
FIGURES = {
    "evaluation time (cpu seconds)": "seconds",
    "classifications correct (percent)": "accuracy",
    "Kappa Statistic (percent)": "kappa",
    "Kappa Temporal Statistic (percent)": "kappa_temporal",
    "Kappa M Statistic (percent)": "kappa_majority",
    "mean absolute error": "mae",
    "root mean squared error": "rmse",
}


def jar():
    """The path of MOA's archive."""

    def make(directory):
        options = ["--no-deps", "--dest", directory]
        call([sys.executable, "-m", "pip", "download", "--disable-pip-version-check", *options, VERSION])
        wheel = next(directory.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            (directory / "moa.jar").write_bytes(archive.read("capymoa/jar/moa.jar"))
        wheel.unlink()

    return made(kept("moa", VERSION), make) / "moa.jar"


def arff(rows, place, label, categories):
    """The rows of a file of comma-separated values as MOA reads them; the classes in the order in which they came."""
    written = Path(place) / f"{Path(rows).stem}-{label}-{'-'.join(sorted(categories))}.arff"
    if written.exists():
        return written
    with open(rows) as file:
        columns = file.readline().rstrip("\n").split(",")
        lines = file.read().splitlines()
    classes = dict.fromkeys(line.rsplit(",", 1)[1] for line in lines)
    values = {name: set() for name in categories}
    places = [columns.index(name) for name in categories]
    for line in lines:
        fields = line.split(",")
        for name, position in zip(categories, places, strict=True):
            values[name].add(fields[position])
    with open(written, "w") as file:
        file.write("@relation rows\n")
        for name in columns[:-1]:
            kind = "{" + ",".join(sorted(values[name])) + "}" if name in values else "numeric"
            file.write(f"@attribute {name} {kind}\n")
        kind = "{" + ",".join(classes) + "}" if label == "class" else "numeric"
        file.write(f"@attribute {columns[-1]} {kind}\n@data\n")
        file.write("\n".join(lines) + "\n")
    return written


def run(moa, learner, data, label, limit=None, seed=1):
    """Test-then-train in MOA; the seconds are those of its own thread, reading and parsing the rows among them."""
    # Only the one task takes a seed; it hands it to the learner.
    task, evaluator = {
        "class": (f"EvaluateInterleavedTestThenTrain -r {seed}", "BasicClassificationPerformanceEvaluator"),
        "number": ("EvaluatePrequentialRegression", "BasicRegressionPerformanceEvaluator"),
    }[label]
    task = (
        f"{task} -l ({learner}) -s (ArffFileStream -f {data}) -e {evaluator}"
        f" -f {limit or 100_000_000} -q 100000000 -i {limit or -1}"
    )
    command = ["java", "-Xmx4g", "-cp", str(moa), "moa.DoTask", task]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) < 2:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    told = dict(zip(lines[-2].split(","), lines[-1].split(","), strict=False))
    figures = {}
    for theirs, ours in FIGURES.items():
        if theirs in told:
            figures[ours] = float(told[theirs]) / (100 if "percent" in theirs else 1)
    figures["rows"] = float(told["learning evaluation instances"])
    figures["rows_per_second"] = figures["rows"] / figures["seconds"]
    return figures
