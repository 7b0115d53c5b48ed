"""For the smokes in Python: deeds become lines of TAP, one each, at once.

    @case("name")
    def deed(): ...          # fails when it raises

    finish()                 # ends the program with the right code
"""

import inspect
import os
import sys
import time
import traceback

failed = False


def until(condition, what, seconds=20.0):
    """Waits for `condition()` to become true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} seconds"
        time.sleep(0.02)


def equal(found, wanted):
    assert found == wanted, f"{found!r:.300} instead of {wanted!r:.300}"


def note(name, error=None):
    global failed
    if error is None:
        print(f"ok {name}", flush=True)
    else:
        failed = True
        traceback.print_exception(error, file=sys.stderr)
        what = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"not ok {name} - {what[:500]}", flush=True)


def case(name, unless=None):
    """Runs the function below at once, as the case `name`; `unless` is a reason to skip it."""

    def run(deed):
        if unless:
            print(f"ok {name} # SKIP {unless}", flush=True)
            return deed
        try:
            deed()
        except Exception as error:
            note(name, error)
        else:
            note(name)
        return deed

    return run


async def acase(name, deed):
    """The same for a coroutine function."""
    assert inspect.iscoroutinefunction(deed)
    try:
        await deed()
    except Exception as error:
        note(name, error)
    else:
        note(name)


def finish():
    # At once: calls of gRPC that are still open can wait for each other for ever while the interpreter is taken down.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if failed else 0)
