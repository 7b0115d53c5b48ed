"""A real Spark Connect server: Apache Spark as PyPI has it, on a free port, with its Kafka connector from Maven Central.

    python compat/spark_connect.py          # prints its address, and serves until Ctrl-C
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import jvm
import packages
from server import until

VERSION = "4.2.0"
START_SECONDS = 120
STOP_SECONDS = 30
HERE = Path(__file__).resolve().parent


def python():
    """The interpreter of an environment with Spark itself, which is a client of its Connect servers too."""
    return packages.python(f"pyspark[connect]=={VERSION}", "pandas<3", "kafka-python==2.3.3")


def home(interpreter):
    """Where that environment has Spark."""
    text = "import importlib.util as u; print(u.find_spec('pyspark').submodule_search_locations[0])"
    return Path(packages.call([interpreter, "-c", text]).strip())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def answers(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


class SparkConnect:
    """One server, `local[2]` unless told otherwise. Its functions run in workers of the given interpreter."""

    def __init__(self, directory, interpreter=None, master="local[2]", memory="2g", environment=None, cwd=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.master, self.memory = master, memory
        self.spark = python()
        self.interpreter = interpreter or self.spark
        self.jars = jvm.class_path(HERE / "suites" / "spark" / "pom.xml", spark_version=VERSION).split(":")
        self.environment, self.cwd = environment or {}, cwd or self.directory
        self.process = None
        self.connect = None

    @property
    def log(self):
        return self.directory / "spark.log"

    def command(self, port):
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": port,
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": 2,
            "spark.sql.warehouse.dir": self.directory / "warehouse",
            "spark.ui.enabled": "false",
        }
        flags = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        flags += ["--master", self.master, "--driver-memory", self.memory, "--jars", ",".join(self.jars)]
        started = "org.apache.spark.sql.connect.service.SparkConnectServer"
        return [home(self.spark) / "bin" / "spark-submit", "--class", started, *flags, "spark-internal"]

    def start(self):
        port = free_port()
        environment = {**os.environ, "SPARK_HOME": str(home(self.spark)), "PYSPARK_PYTHON": str(self.interpreter)}
        # What leads a client to a server would lead this one to itself.
        for name in ("SPARK_REMOTE", "SPARK_TESTING"):
            environment.pop(name, None)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.command(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**environment, **self.environment},
                cwd=self.cwd,
                start_new_session=True,
            )
        address = f"127.0.0.1:{port}"
        until(lambda: answers(address) or not self.alive(), "Spark Connect listens", START_SECONDS)
        if not self.alive():
            raise AssertionError(f"Spark ended with code {self.process.returncode}\n{self.log_tail()}")
        self.connect = address
        return self

    @property
    def pid(self):
        """The virtual machine: what Spark's scripts start takes their place."""
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def close(self):
        """Ends the server and the workers that it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(STOP_SECONDS)
        self.process = None


def main():
    directory = tempfile.mkdtemp(prefix="spark-connect-")
    server = SparkConnect(directory).start()
    try:
        print(f"sc://{server.connect}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        server.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
