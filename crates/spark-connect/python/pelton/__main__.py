"""Runs a PySpark script: `python -m pelton SCRIPT [ARGS...]`."""

import importlib.util
import os
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
    sys.excepthook = shown
    exec(compile(code, script, "exec"), module.__dict__)


def shown(kind, error, trace):
    """An exception as Python shows it, without the frames of this file."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


main(sys.argv[1:])
