"""Kafka Connect: a file's lines into a topic and out again, standalone and distributed (with its three topics)."""

import json
import subprocess
import time
import urllib.request
from pathlib import Path

import jvm
from apache_kafka import VERSION, free_port
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
CLI = "org.apache.kafka.connect.cli."
LINES = [f"line {n}" for n in range(500)]
STRINGS = "org.apache.kafka.connect.storage.StringConverter"
SECONDS = 60


class Worker:
    """One Connect process. Its REST port is free; its log is in the suite's directory."""

    def __init__(self, this, kind, name, settings, *connectors):
        port = free_port()
        self.rest = f"http://127.0.0.1:{port}"
        common = {
            "bootstrap.servers": this.address,
            "key.converter": STRINGS,
            "value.converter": STRINGS,
            "listeners": self.rest,
            "plugin.discovery": "service_load",
            "offset.flush.interval.ms": 200,
        }
        self.directory = this.directory
        files = [self.file(f"{name}.properties", {**common, **settings})]
        files += [self.file(f"{name}-{connector['name']}.properties", connector) for connector in connectors]
        options = ["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        command = ["java", *options, "-cp", jvm.class_path(HERE / "pom.xml"), CLI + kind, *map(str, files)]
        self.log = this.directory / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def file(self, name, settings):
        path = self.directory / name
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path

    def until(self, what, condition):
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.process.poll() is None, f"Connect ended\n{self.tail()}"
            assert time.monotonic() < deadline, f"{what}: not within {SECONDS} seconds\n{self.tail()}"
            time.sleep(0.1)

    def tail(self):
        return "\n".join(self.log.read_text().splitlines()[-20:])

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.rest + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def answers(self, path):
        try:
            return self.ask("GET", path)
        except OSError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def source(this, name, **settings):
    path = this.directory / f"{name}-in.txt"
    path.write_text("".join(line + "\n" for line in LINES))
    connector = "org.apache.kafka.connect.file.FileStreamSourceConnector"
    return {"name": f"{name}-source", "connector.class": connector, "file": str(path), "topic": name, **settings}


def sink(this, name):
    path = this.directory / f"{name}-out.txt"
    connector = "org.apache.kafka.connect.file.FileStreamSinkConnector"
    return {"name": f"{name}-sink", "connector.class": connector, "file": str(path), "topics": name, "tasks.max": "1"}


def written(connector):
    path = Path(connector["file"])
    return path.read_text().splitlines() if path.exists() else []


def standalone(this):
    settings = {"offset.storage.file.filename": this.directory / "standalone.offsets"}
    into, out = source(this, "standalone"), sink(this, "standalone")
    with Worker(this, "ConnectStandalone", "standalone", settings, into, out) as worker:
        worker.until("all lines", lambda: len(written(out)) >= len(LINES))
    assert written(out) == LINES, f"{len(written(out))} lines"


def distributed(this, name, more, **source_settings):
    settings = {
        "group.id": name,
        "offset.storage.topic": f"{name}-offsets",
        "config.storage.topic": f"{name}-configs",
        "status.storage.topic": f"{name}-status",
        "offset.storage.replication.factor": 1,
        "config.storage.replication.factor": 1,
        "status.storage.replication.factor": 1,
        "offset.storage.partitions": 3,
        **more,
    }
    into, out = source(this, name, **source_settings), sink(this, name)
    half = len(LINES) // 2
    Path(into["file"]).write_text("".join(line + "\n" for line in LINES[:half]))
    with Worker(this, "ConnectDistributed", name, settings) as worker:
        worker.until("the worker answers", lambda: worker.answers("/connectors") is not None)
        for connector in (into, out):
            worker.ask("POST", "/connectors", {"name": connector["name"], "config": connector})
        worker.until("half of the lines", lambda: len(written(out)) >= half)
        worker.until("offsets", lambda: worker.answers(f"/connectors/{out['name']}/offsets")["offsets"])
    with open(into["file"], "a") as file:
        file.write("".join(line + "\n" for line in LINES[half:]))
    # Another worker finds the connectors, their offsets and their states in the topics.
    with Worker(this, "ConnectDistributed", f"{name}-again", settings) as worker:
        worker.until("all lines", lambda: len(written(out)) >= len(LINES))
        worker.until("tasks run", lambda: (worker.answers(f"/connectors/{into['name']}/status") or {}).get("tasks"))
        status = worker.ask("GET", f"/connectors/{into['name']}/status")
        assert status["tasks"][0]["state"] == "RUNNING", status
    assert written(out) == LINES, f"{len(written(out))} lines"


def run(this):
    if jvm.missing():
        raise Skip(jvm.missing())
    this.check("standalone: a file into a topic and out again", lambda: standalone(this))
    this.check("distributed: a second worker goes on where the first ended", lambda: distributed(this, "workers", {}))
    exactly = {"exactly.once.source.support": "enabled"}
    this.check("distributed: a source exactly once", lambda: distributed(this, "exactly", exactly, **{"exactly.once.support": "requested"}))


SUITES = [Suite("Kafka Connect", VERSION, run, ("java", "mvn"), minutes=8)]
