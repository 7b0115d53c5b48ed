"""What a suite is, and one run of it: programs are started, their lines become cases.

The smokes of all languages speak TAP ("Test Anything Protocol"), the simplest thing that all of them can print:
`ok NAME`, `ok NAME # SKIP reason`, `not ok NAME - what happened`.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from apache_kafka import VERSION

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
ITSELF = "the suite itself"
TAP = re.compile(r"^(not ok|ok) (?:\d+ )?(?:- )?(.*)$")


class Skip(Exception):
    """This machine lacks what the suite needs; the message says what."""


@dataclass(frozen=True)
class Suite:
    """A row of the report card.

    `run` gets a `Run` and adds cases to it. `known` names the cases that fail against Pelton, each with its reason;
    `left_out` names what is not run at all, and why. `peer` is the Apache Kafka that the suite can be tried on.
    `page` is for suites of hundreds of cases, many of which fail: a page of the docs that counts them by group (the
    part of a case's name before ` #`). Not to pass as many of a group as that page says is what is not expected; `known`
    has patterns of what is said, then, in place of names. `server(directory, peer)` makes another server than the usual.
    """

    name: str
    version: str
    run: Callable
    needs: tuple = ()
    known: dict = field(default_factory=dict)
    known_on_peer: dict = field(default_factory=dict)
    left_out: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    peer_settings: dict = field(default_factory=dict)
    peer: str = VERSION
    page: str = ""
    server: Callable | None = None
    quick: bool = False
    minutes: int = 10

    def missing(self):
        for program in self.needs:
            if shutil.which(program) is None:
                return f"no {program} on this machine"
        return None


@dataclass
class Case:
    name: str
    outcome: str
    detail: str = ""


class Run:
    """One run of a suite against one server."""

    def __init__(self, suite, server, directory, say):
        self.suite, self.server, self.say = suite, server, say
        self.directory = Path(directory)
        self.cases = {}
        self.deadline = time.monotonic() + suite.minutes * 60

    @property
    def address(self):
        return self.server.kafka

    def case(self, name, outcome, detail=""):
        """Notes one case. A case that failed once has failed, whatever its repetition said."""
        before = self.cases.get(name)
        if before is None or outcome == FAILED:
            self.cases[name] = Case(name, outcome, detail.strip())
        self.say({PASSED: "  ok   ", FAILED: "  FAIL ", SKIPPED: "  skip "}[outcome] + name + (f": {detail[:300]}" if detail else ""))

    def check(self, name, deed):
        """A case that is a Python function: it passes when it returns."""
        try:
            deed()
        except Skip as reason:
            self.case(name, SKIPPED, str(reason))
        except Exception as error:
            self.case(name, FAILED, f"{type(error).__name__}: {error}")
        else:
            self.case(name, PASSED)

    def tap(self, command, **options):
        """Runs a program that prints TAP; the program's own end is a case only if it fails."""
        tail, told = [], []

        def line_read(line):
            found = TAP.match(line)
            if not found:
                tail.append(line)
                del tail[:-20]
                return
            verdict, rest = found.groups()
            told.append(verdict)
            name, _, reason = rest.partition(" # SKIP")
            if reason:
                self.case(name, SKIPPED, reason.strip())
            elif verdict == "ok":
                self.case(rest, PASSED)
            else:
                name, _, detail = rest.partition(" - ")
                self.case(name, FAILED, detail)

        code = self.lines(command, line_read, **options)
        if code != 0 and "not ok" not in told or not told:
            self.case(ITSELF, FAILED, f"ended with code {code}\n" + "\n".join(tail))

    def lines(self, command, line_read, cwd=None, env=None, minutes=None):
        """Runs a program and hands over its lines (standard output and error); returns its exit code."""
        left = self.deadline - time.monotonic() if minutes is None else minutes * 60
        with open(self.directory / "output.log", "a") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd or self.directory,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            watchdog = threading.Timer(max(left, 1), lambda: os.killpg(process.pid, signal.SIGKILL))
            watchdog.start()
            try:
                for line in process.stdout:
                    log.write(line)
                    log.flush()
                    line_read(line.rstrip("\n"))
                return process.wait()
            finally:
                watchdog.cancel()
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def output(self, command, **options):
        """Runs a program to its end and returns what it printed; a failure is an AssertionError with that text."""
        lines = []
        code = self.lines(command, lines.append, **options)
        text = "\n".join(lines)
        # Stack traces, class paths and options of the virtual machine say little to the reader.
        said = " / ".join(line for line in lines[-40:] if line.strip() and not line.startswith("\t"))
        short = " ".join(word for word in map(str, command) if len(word) < 100 and not word.startswith(("-X", "-D")))
        assert code == 0, f"{said[-500:]} (code {code} of {short})"
        return text
