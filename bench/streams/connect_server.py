"""Servers of Spark Connect, each a process with children whose processor time and memory can be read."""

import os
import signal
import subprocess
import time
from pathlib import Path

import packages
import spark_connect
from server import binary

PATIENCE = 120
SAIL = "0.7.2"
CLIENT = "4.2.0"


def family(pid):
    """A process and all that it started which still live."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [each for child in task.read_text().split() for each in family(int(child))]
        except OSError:
            pass
    return found


def cpu_seconds(pid):
    """Processor time of a process and its children, the ended ones that somebody waited for included."""
    ticks = 0
    for each in family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    """What is resident of a process and its children, what they share counted once for each."""
    pages = 0
    for each in family(pid):
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Process:
    """A server started by a command; `environment` is added to ours."""

    def __init__(self, name, directory, command, port, environment=None):
        self.name, self.port, self.kafka = name, port, None
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "log"
        environment = {**os.environ, **(environment or {})}
        for unwanted in ("SPARK_REMOTE", "PELTON_BIN"):
            environment.pop(unwanted, None)
        with open(self.log, "wb") as log:
            self.began = time.monotonic()
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory,
                env=environment,
                start_new_session=True,
            )

    @property
    def address(self):
        return f"sc://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def listening(self):
        """Waits until the door is open."""
        while not spark_connect.answers(f"127.0.0.1:{self.port}"):
            if self.process.poll() is not None or time.monotonic() - self.began > PATIENCE:
                raise RuntimeError(f"{self.name} does not listen\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.001)
        return self

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE)


def pelton(directory, client):
    """Its topics are at the attribute `kafka`."""
    port, kafka = spark_connect.free_port(), f"127.0.0.1:{spark_connect.free_port()}"
    doors = ["--kafka", kafka, "--connect", f"127.0.0.1:{port}", "--http", "127.0.0.1:0"]
    command = [binary(), "serve", "--data-dir", directory / "data", *doors]
    process = Process("pelton", directory, command, port, {"PYSPARK_PYTHON": str(client)})
    process.kafka = kafka
    return process


def spark(directory, client):
    port = spark_connect.free_port()
    server = spark_connect.SparkConnect(directory, client, memory="4g")
    home = {"SPARK_HOME": str(spark_connect.home(server.spark)), "PYSPARK_PYTHON": str(client)}
    return Process("spark", directory, server.command(port), port, home)


def sail(directory, _):
    """LakeSail's server: batch queries only, its Python functions run in its own process."""
    port = spark_connect.free_port()
    program = packages.python(f"pysail=={SAIL}", f"pyspark-client=={CLIENT}", "pandas<3").parent / "sail"
    # Its Python is a library: the environment is found by what the shell would have set.
    path = {"VIRTUAL_ENV": str(program.parent.parent), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    return Process("sail", directory, [program, "spark", "server", "--port", port], port, path)


SERVERS = {"pelton": pelton, "spark": spark, "sail": sail}
