"""Runs clients and their own suites against Pelton and writes the report card.

    PELTON_BIN=target/debug/pelton python compat/report.py [suite...]     these suites, or all
    python compat/report.py --quick                                      those that CI runs
    python compat/report.py --peer [suite...]                            against a real Apache Kafka instead
    python compat/report.py --spark PATH own                             PySpark's own tests, out of a checkout of Spark
    python compat/report.py --write                                      the page, from what the last runs gave

Exit code: 0 when every case went as the suite's table of known failures says.
"""

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import card
from apache_kafka import ApacheKafka
from server import Door, Server
from suite import FAILED, ITSELF, PASSED, SKIPPED, Case, Run, Skip

SUITES = Path(__file__).resolve().parent / "suites"


def load():
    """Every suite of every `suites/*/suite.py`, in the order of the directories' names."""
    found = []
    for path in sorted(SUITES.glob("*/suite.py")):
        spec = importlib.util.spec_from_file_location(f"suites_{path.parent.name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.SUITES
    return found


def select(suites, words):
    """The suites whose names contain one of the words."""
    chosen = [suite for suite in suites if not words or any(word in suite.name for word in words)]
    if not chosen:
        sys.exit(f"no suite is named so; there are {', '.join(suite.name for suite in suites)}")
    return chosen


def server_for(suite, directory, arguments):
    if suite.server:
        return suite.server(directory, arguments.peer)
    if arguments.peer:
        return ApacheKafka(directory, {**suite.settings, **suite.peer_settings}, version=suite.peer)
    if arguments.door:
        return Door(directory, arguments.door, suite.settings)
    return Server(directory, suite.settings)


def run(suite, arguments, directory):
    """One suite on a server of its own; returns its cases."""
    missing = suite.missing()
    if missing:
        return [Case(ITSELF, SKIPPED, missing)]
    try:
        server = server_for(suite, Path(directory) / "server", arguments)
    except Skip as reason:
        return [Case(ITSELF, SKIPPED, str(reason))]
    this = Run(suite, server, directory, say)
    try:
        server.start()
        suite.run(this)
        if not server.alive():
            this.case("the server lives", FAILED, server.log_tail())
    except Skip as reason:
        this.case(ITSELF, SKIPPED, str(reason))
    except Exception as error:
        this.case(ITSELF, FAILED, f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    finally:
        if server.alive():
            server.close()
    return list(this.cases.values())


def say(text):
    print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", help="a part of a suite's name")
    parser.add_argument("--list", action="store_true", help="name the suites and end")
    parser.add_argument("--quick", action="store_true", help="only what CI runs")
    parser.add_argument("--peer", action="store_true", help="run against Apache Kafka: shows that a suite is right")
    parser.add_argument("--door", metavar="PROGRAM", help="the broker's example `serve`, which is quicker to build")
    parser.add_argument("--spark", metavar="PATH", help="a checkout of Spark, whose own tests of the client then run")
    parser.add_argument("--modules", metavar="WORDS", help="of these only modules named so; the others' results stay")
    parser.add_argument("--write", action="store_true", help="write docs/compatibility.md from the kept results")
    parser.add_argument("--keep", metavar="DIR", help="keep logs and data here")
    arguments = parser.parse_args()
    for name, value in (("SPARK_CHECKOUT", arguments.spark), ("SPARK_MODULES", arguments.modules)):
        if value:
            os.environ[name] = value
    suites = load()
    if arguments.list:
        return [say(f"{suite.name}  {suite.version}{'  (quick)' if suite.quick else ''}") for suite in suites]
    if not arguments.write or arguments.suites:
        unexpected = carry_out(select([s for s in suites if s.quick or not arguments.quick], arguments.suites), arguments)
    else:
        unexpected = []
    if arguments.write:
        card.write(suites)
    if unexpected:
        say("\nnot as expected:\n" + "\n".join(f"- {line}" for line in unexpected))
        sys.exit(1)


def carry_out(suites, arguments):
    unexpected, all_counts, began = [], {}, time.monotonic()
    for number, suite in enumerate(suites, 1):
        say(f"\n[{number}/{len(suites)}] {suite.name} {suite.version}")
        started = time.monotonic()
        directory = tempfile.mkdtemp(prefix="compat-", dir=arguments.keep)
        try:
            cases = run(suite, arguments, directory)
        finally:
            if not arguments.keep:
                shutil.rmtree(directory, ignore_errors=True)
        seconds = time.monotonic() - started
        some = bool(arguments.modules)
        card.keep(suite, cases, seconds, arguments.peer, some)
        unexpected += card.verdicts(suite, cases, arguments.peer, some)
        counts = {}
        for case in cases:
            for sums in (counts, all_counts):
                sums[case.outcome] = sums.get(case.outcome, 0) + 1
        total = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        say(f"  {suite.name}: {total} in {seconds:.0f} s")
    seconds = time.monotonic() - began
    passed, skipped = (all_counts.get(outcome, 0) for outcome in (PASSED, SKIPPED))
    # As pytest ends, which is what the reader of the summary knows; known failures are not among the failed.
    say(f"\n=== {len(unexpected)} failed, {passed} passed, {skipped} skipped in {seconds:.0f}s ===")
    return unexpected


if __name__ == "__main__":
    main()
