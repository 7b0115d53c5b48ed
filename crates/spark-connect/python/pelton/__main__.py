"""Runs a PySpark script: `python -m pelton SCRIPT [ARGS...]`."""

import atexit
import contextlib
import importlib.util
import os
import signal
import sys
import types

PACKAGES = "'pyspark-client==4.2.0' 'pandas<3'"


def fail(*lines):
    print("error: " + "\n  ".join(lines), file=sys.stderr)
    sys.exit(1)


def check():
    """Ends with what to do when there is no PySpark, or not enough of it."""
    install = f"{sys.executable} -m pip install {PACKAGES}"
    if importlib.util.find_spec("pyspark") is None:
        fail(f"{sys.executable} has no PySpark", f"install it: {install}", "or name another Python: --python PYTHON")
    try:
        import pyspark.sql.connect.session  # noqa: F401
    except ImportError as error:
        fail(f"PySpark's Spark Connect client does not start: {error}", f"install it: {install}")


def source(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        fail(f"read {path}: {error.strerror}")


def main(arguments):
    """Does what `python SCRIPT [ARGS...]` does."""
    script = arguments[0]
    code = source(script)
    check()
    from pelton import session

    session.install()
    sys.argv = arguments
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    module = types.ModuleType("__main__")
    module.__file__ = script
    module.__builtins__ = __builtins__
    # The script is the main module: so are the functions that it sends to the server.
    sys.modules["__main__"] = module
    sys.excepthook = lambda kind, error, trace: shown(script, kind, error, trace)
    ending = Ending()
    # The first that is registered is the last that is called.
    atexit.register(ending.leave)
    with ending:
        exec(compile(code, script, "exec"), module.__dict__)


class Ending:
    """Ends the process as the script did, without taking the interpreter apart: there the client's channels, which
    nobody has closed, may wait for each other for ever."""

    code = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, SystemExit):
            self.code = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None:
            self.code = 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1

    def leave(self):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(self.code & 0xFF)


def shown(script, kind, error, trace):
    """An exception as Python shows it, without the frames that led to the script."""
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


main(sys.argv[1:])
