"""One module of Spark's own tests: `one.py MODULE [METHOD...]` prints a line of JSON for each test.

The address of the server is in SPARK_CONNECT_TESTING_REMOTE, which Spark's fixtures read.
"""

import faulthandler
import functools
import json
import os
import signal
import sys
import time
import unittest
import warnings

# One test of Spark's own waits for 95 seconds by the clock.
SECONDS = 150
# Characters told of an error; a traceback of a worker has what matters at its end.
LONG = 700
CHECKOUT = os.environ.get("SPARK_HOME", "SPARK")
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def told(error):
    """An error's kind and text on one line, without the stacks of server and workers."""
    kind, value, _ = error
    lines = str(value).partition("JVM stacktrace")[0].splitlines()
    lines = [line for line in lines if not line.startswith((" ", "Traceback"))] or lines
    text = " ".join(f"{kind.__name__}: {' '.join(lines)}".split()).replace(CHECKOUT, "SPARK")
    return text if len(text) <= LONG else f"{text[: LONG // 2]} ... {text[-LONG // 2 :]}"


def too_long(*_):
    # An ordinary exception would be taken for a failed attempt by the tests that try again until something holds.
    raise KeyboardInterrupt(f"no end within {SECONDS} seconds")


class Told(unittest.TestResult):
    """Prints each outcome when it is known. A test with several failing parts has failed once."""

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.failure = None
        signal.alarm(SECONDS)

    def stopTest(self, test):
        signal.alarm(0)
        if self.failure:
            self.tell(test, FAILED, self.failure)
        super().stopTest(test)

    def tell(self, test, outcome, detail=""):
        # Fixtures of a class are no tests, but what they cannot do takes all tests of the class with it.
        name = test.id() if isinstance(test, unittest.TestCase) else str(test)
        name = ".".join(name.removeprefix(f"{MODULE}.").split(".")[-2:])
        seconds = round(time.monotonic() - getattr(self, "began", time.monotonic()), 2)
        line = {"name": name, "outcome": outcome, "detail": detail, "seconds": seconds}
        print("\n" + json.dumps(line), flush=True)

    def addSuccess(self, test):
        self.tell(test, PASSED)

    addUnexpectedSuccess = addSuccess

    def addExpectedFailure(self, test, error):
        self.tell(test, PASSED)

    def addSkip(self, test, reason):
        self.tell(test, SKIPPED, " ".join(reason.split()).replace(CHECKOUT, "SPARK"))

    def addFailure(self, test, error):
        if isinstance(test, unittest.TestCase):
            self.failure = self.failure or told(error)
        else:
            self.tell(test, FAILED, told(error))

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.failure = self.failure or told(error)


def without_interrupts(method):
    """The test as it is, but one that takes too long fails alone instead of ending all."""

    @functools.wraps(method)
    def run(*arguments, **named):
        try:
            return method(*arguments, **named)
        except KeyboardInterrupt as error:
            raise TimeoutError(str(error)) from None

    return run


def tests(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from tests(entry)
        else:
            yield entry


def main():
    warnings.simplefilter("ignore")
    faulthandler.enable()
    signal.signal(signal.SIGALRM, too_long)
    found = unittest.defaultTestLoader.loadTestsFromName(MODULE)
    wanted = set(sys.argv[2:])
    chosen = unittest.TestSuite(test for test in tests(found) if not wanted or test._testMethodName in wanted)
    for test in tests(chosen):
        name = test._testMethodName
        setattr(test, name, without_interrupts(getattr(test, name)))
    result = Told()
    # What a module of tests cannot import is a test that fails, told by the loader.
    chosen.run(result)
    print("\n" + json.dumps({"tests": result.testsRun}), flush=True)


if __name__ == "__main__":
    MODULE = sys.argv[1]
    main()
    # At once: what clients leave behind can stand still while Python takes itself apart.
    os._exit(0)
