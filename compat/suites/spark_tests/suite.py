"""What Spark tests itself with: the plans of its Connect client and the statements of its SQL files.

Spark publishes both on Maven Central, with what they should give. They are fetched, never kept here.
"""

import json
from pathlib import Path

import jvm
import packages
from suite import FAILED, ITSELF, PASSED, SKIPPED, Case, Skip, Suite

HERE = Path(__file__).resolve().parent
COMPAT = HERE.parent.parent
VERSION = "4.0.0"
CLIENT = "4.2.0"
PAGE = "compatibility-spark.md"


def prepared(this):
    """The client's Python, the server's address, and the jars by a part of their names."""
    address = getattr(this.server, "connect", None)
    if address is None:
        raise Skip("this server has no Spark Connect door")
    if jvm.missing():
        raise Skip(jvm.missing())
    jars = jvm.class_path(HERE / "pom.xml", spark_version=VERSION).split(":")
    python = packages.python(f"pyspark-client=={CLIENT}", "pandas<3", "kafka-python==2.3.3")
    return python, f"sc://{address}", lambda part: next(jar for jar in jars if part in jar)


def plans(deed):
    def run(this):
        python, address, jar = prepared(this)
        command = [python, HERE / "plans.py", address, jar("spark-connect-common"), deed]
        this.tap(command, env={"PYTHONPATH": str(COMPAT)})

    return run


def statements(this):
    """One case for each statement; told are only the files."""
    python, address, jar = prepared(this)
    files, tail = {}, []

    def line_read(line):
        if not line.startswith("{"):
            tail.append(line)
            del tail[:-20]
            return
        told = json.loads(line)
        name = f"{told['file']} #{told['number']}"
        # Behind an error that is one here and there: whether it has Spark's condition.
        detail = told["detail"] or {None: "", True: "same condition", False: "other condition"}[told["condition"]]
        this.cases[name] = Case(name, told["outcome"], detail)
        counts = files.setdefault(told["file"], {PASSED: 0, FAILED: 0, SKIPPED: 0})
        counts[told["outcome"]] += 1
        if len(files) > 1 and sum(counts.values()) == 1:
            last = list(files)[-2]
            this.say(f"  {last}: " + ", ".join(f"{count} {what}" for what, count in files[last].items()))

    command = [python, HERE / "statements.py", address, jar("spark-sql")]
    code = this.lines(command, line_read, env={"PYTHONPATH": str(COMPAT)})
    if code != 0 or not files:
        this.case(ITSELF, FAILED, f"ended with code {code}\n" + "\n".join(tail))


SUITES = [
    Suite("Spark's Connect plans, analysed", VERSION, plans("analyse"), ("mvn", "java"), page=PAGE, minutes=10),
    Suite("Spark's Connect plans, carried out", VERSION, plans("run"), ("mvn", "java"), page=PAGE, minutes=10),
    Suite("Spark's SQL files", VERSION, statements, ("mvn", "java"), page=PAGE, minutes=60),
]
