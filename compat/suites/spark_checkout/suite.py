"""PySpark's own tests of Spark Connect, out of a checkout of Spark that `report.py --spark PATH` names.

No package has them. The client under them is the one of PyPI; of the checkout are the tests and their fixtures, which
start a server of their own unless SPARK_CONNECT_TESTING_REMOTE names one: here it names ours.
"""

import json
import os
import shutil
from pathlib import Path

import packages
import spark_connect
from server import Server
from spark_reasons import REASONS
from suite import FAILED, SKIPPED, Case, Skip, Suite

HERE = Path(__file__).resolve().parent
VERSION = "4.2.0"
PAGE = "compatibility-spark.md"
TESTS = Path("python/pyspark/sql/tests/connect")
# A module that waits much, or that stands still.
MODULE_MINUTES = 25
LEFT_OUT = {
    "test_session": "it speaks to hosts that are none, and waits minutes for each",
    "client/test_artifact_localcluster": "a cluster of several processes",
}


def checkout():
    path = os.environ.get("SPARK_CHECKOUT")
    if not path:
        raise Skip("no checkout of Spark: `report.py --spark PATH`")
    path = Path(path).resolve()
    if not (path / TESTS).is_dir():
        raise Skip(f"the checkout of Spark has no {TESTS}")
    return path


def client():
    return packages.python(f"pyspark-client=={VERSION}", "pandas<3", "kafka-python==2.3.3")


def joined(interpreter, source, directory):
    """The installed client, by links, with the checkout's tests and fixtures where they belong."""
    installed = spark_connect.home(interpreter)
    found = Path(directory) / "pyspark"
    left_out = shutil.ignore_patterns("__pycache__", "testing")
    shutil.copytree(installed, found, copy_function=os.symlink, ignore=left_out)
    package = source / "python" / "pyspark"
    (found / "testing").symlink_to(package / "testing")
    for tests in sorted(package.rglob("tests")):
        place = found / tests.relative_to(package)
        if place.parent.is_dir() and not place.parent.is_symlink() and not place.exists():
            place.symlink_to(tests)
    return Path(directory)


def environment(interpreter, path):
    """For a server's workers, which unpickle functions of the tests by the names of their modules."""
    return {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1", "PYSPARK_PYTHON": str(interpreter)}


def server(directory, peer):
    """Ours, or a real Spark Connect server. Both run functions in workers that have the tests, and read files there."""
    source, interpreter = checkout(), client()
    path = joined(interpreter, source, Path(directory).parent / "client")
    if peer:
        return spark_connect.SparkConnect(directory, interpreter, environment=environment(interpreter, path), cwd=source)
    # Some of the tests' modules ask where Spark is when a worker loads them.
    settings = environment(interpreter, path) | {"SPARK_HOME": str(source)}
    return Server(directory, environment=settings, cwd=source)


def modules(source):
    """Those of streams first; SPARK_MODULES are words of which a name must have one."""
    paths = sorted(path.relative_to(source / TESTS).with_suffix("") for path in (source / TESTS).rglob("test_*.py"))
    words = os.environ.get("SPARK_MODULES", "").split(",")
    chosen = [str(path) for path in paths if any(word in str(path) for word in words)]
    return sorted(chosen, key=lambda name: "streaming" not in name)


def run(this):
    source, interpreter = checkout(), client()
    settings = environment(interpreter, this.directory / "client")
    settings |= {"SPARK_HOME": str(source), "SPARK_TESTING": "1"}
    for name in modules(source):
        if name in LEFT_OUT:
            this.case(f"{name} #all tests", SKIPPED, LEFT_OUT[name])
            continue
        if not this.server.alive():
            this.case(f"{name} #the server lives", FAILED, this.server.log_tail())
            this.server.process = None
            this.server.start()
        settings["SPARK_CONNECT_TESTING_REMOTE"] = f"sc://{this.server.connect}"
        module(this, interpreter, name, source, settings)


def module(this, interpreter, name, source, settings):
    told, tail, ended = {}, [], []

    def line_read(line):
        if line.startswith('{"tests":'):
            ended.append(line)
        elif line.startswith('{"name":'):
            case = json.loads(line)
            this.cases[f"{name} #{case['name']}"] = Case(f"{name} #{case['name']}", case["outcome"], case["detail"])
            told[case["outcome"]] = told.get(case["outcome"], 0) + 1
        else:
            tail.append(line)
            del tail[:-20]

    full = ".".join(("pyspark", "sql", "tests", "connect", *Path(name).parts))
    command = [interpreter, "-W", "ignore", HERE / "one.py", full]
    code = this.lines(command, line_read, cwd=source, env=settings, minutes=MODULE_MINUTES)
    if not ended:
        this.case(f"{name} #all tests", FAILED, f"ended with code {code}: " + " / ".join(tail))
    this.say(f"  {name}: " + (", ".join(f"{count} {what}" for what, count in sorted(told.items())) or "nothing"))


SUITES = [Suite("PySpark's own Connect tests", VERSION, run, known=REASONS, page=PAGE, server=server, minutes=120)]
