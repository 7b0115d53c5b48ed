"""The real binary, started on free ports with a data directory of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 20
STOP_SECONDS = 20


def binary():
    """The `pelton` to test, or an error that says how to name one."""
    named = os.environ.get("PELTON_BIN")
    if not named:
        raise RuntimeError("PELTON_BIN is not set: build with `cargo build -p pelton` and give the path of the binary")
    path = Path(named).resolve()
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"PELTON_BIN={named}: there is no such program")
    return path


def until(condition, what, seconds=20.0):
    """Waits for `condition()` to become true and returns its value; fails, naming `what`, if it does not."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.02)


class Server:
    """One `pelton serve`. Its address changes with every start unless `keep_port` is asked for."""

    def __init__(self, directory, settings=None, engine=None, storage=None, environment=None, cwd=None):
        """`settings` are those of `[broker]` in `pelton.toml`, `engine` and `storage` those of the tables so named."""
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.settings = {"broker": settings or {}, "engine": engine or {}, "storage": storage or {}}
        self.environment, self.cwd = environment or {}, cwd or self.directory
        self.process = None
        self.kafka = None
        self.connect = None
        self.http = None
        self.starts = 0

    def start(self, kafka="127.0.0.1:0"):
        assert self.process is None, "already started"
        self.starts += 1
        ready = self.directory / f"ready-{self.starts}.json"
        ready.unlink(missing_ok=True)
        command = [binary(), "serve", "--data-dir", self.directory / "data", "--kafka", kafka]
        command += ["--connect", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", ready]
        if any(self.settings.values()):
            command += ["--config", self.write_settings()]
        # Settings of whoever runs the tests must not reach the server.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PELTON_")}
        environment |= self.environment
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.cwd
            )
        until(lambda: ready.exists() or self.process.poll() is not None, "the server is ready", START_SECONDS)
        if self.process.poll() is not None:
            code, self.process = self.process.returncode, None
            raise AssertionError(f"the server ended with code {code} instead of opening\n{self.log_tail()}")
        doors = json.loads(ready.read_text())
        self.kafka, self.connect, self.http = doors["kafka"], doors.get("connect"), doors.get("http")
        return self

    def write_settings(self):
        path = self.directory / "pelton.toml"
        lines = []
        for table, values in self.settings.items():
            lines += [f"[{table}]", *(f"'{key}' = {json.dumps(value)}" for key, value in values.items())]
        path.write_text("\n".join([*lines, ""]))
        return path

    @property
    def log(self):
        return self.directory / "server.log"

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As `kill -9`: nothing is flushed, nobody says goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        self.process = None

    def stop(self):
        """As Ctrl-C or an init system would; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop on SIGTERM\n{self.log_tail()}") from None
        finally:
            self.process = None

    def kill_and_restart(self, keep_port=False):
        kafka = self.kafka if keep_port else "127.0.0.1:0"
        self.kill()
        return self.start(kafka)

    def close(self):
        """After a test: ends what is left. A server that died on its own is the test's failure."""
        if self.process is None:
            return
        code = self.process.poll()
        if code is not None:
            self.process = None
            raise AssertionError(f"the server died with code {code}\n{self.log_tail()}")
        self.kill()


class Door(Server):
    """The Kafka door alone: the broker's example `serve`, which is built in a minute, or another that is called alike."""

    def __init__(self, directory, program, settings=None, arguments=()):
        super().__init__(directory, settings)
        self.program = Path(program).resolve()
        self.arguments = arguments

    def start(self, kafka="127.0.0.1:0"):
        assert self.process is None, "already started"
        address = self.directory / "address"
        with open(self.log, "ab") as log, open(address, "wb") as out:
            command = [self.program, self.directory / "data", kafka, *self.arguments]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        until(lambda: "\n" in address.read_text() or self.process.poll() is not None, "the door opens", START_SECONDS)
        if self.process.poll() is not None:
            raise AssertionError(f"the door did not open\n{self.log_tail()}")
        self.kafka = address.read_text().split()[0]
        return self


if __name__ == "__main__":
    sys.exit("run the tests with pytest; README.md says how")
