"""A real Apache Kafka to compare with: one KRaft node from its Maven packages, on free ports, in a directory of its own.

    python compat/apache_kafka.py [--data-dir DIR] [--set KEY=VALUE]...

prints the address once it serves, and runs until Ctrl-C or SIGTERM. In Python: `with ApacheKafka(directory) as kafka:`.
"""

import argparse
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

import jvm

POM = Path(__file__).resolve().parent / "suites" / "kafka" / "pom.xml"
VERSION = "4.3.1"
START_SECONDS = 90
STOP_SECONDS = 30

# What one node needs; all else is as Kafka ships it.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
}
HEAP = ["-Xms256m", "-Xmx1g"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ApacheKafka:
    """One broker. `settings` are lines of server.properties; `java` are options of the virtual machine; `formatting` are
    options of `kafka-storage.sh format`. `clients` says what a client has to be told beside the address."""

    def __init__(self, directory, settings=None, java=HEAP, version=VERSION, protocol="PLAINTEXT", formatting=()):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.settings = settings or {}
        self.java = list(java)
        self.version = version
        self.protocol = protocol
        self.formatting = list(formatting)
        self.clients = {}
        self.process = None
        self.kafka = None
        self.http = None

    @property
    def log(self):
        return self.directory / "kafka.log"

    def log_tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def start(self, keep_port=False):
        """Starts, on the same data if there is some, and waits until it answers."""
        assert self.process is None, "already started"
        reason = jvm.missing()
        if reason:
            raise RuntimeError(f"cannot start Apache Kafka: {reason}")
        port, controller = free_port(), free_port()
        if keep_port:
            port = int(self.kafka.rsplit(":", 1)[1])
        self.kafka = f"127.0.0.1:{port}"
        properties = self.write_properties(port, controller)
        if not (self.directory / "data" / "meta.properties").exists():
            self.format(properties)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command("kafka.Kafka", properties), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self.await_ready(port)
        except BaseException:
            self.kill()
            raise
        return self

    def command(self, main, *arguments):
        options = ["-XX:+UseG1GC", "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        path = jvm.class_path(POM, kafka_version=self.version)
        return ["java", *self.java, *options, "-cp", path, main, *map(str, arguments)]

    def write_properties(self, port, controller):
        settings = {
            **SETTINGS,
            "listeners": f"{self.protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"{self.protocol}://127.0.0.1:{port}",
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,{self.protocol}:{self.protocol}",
            "security.inter.broker.protocol": self.protocol,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "log.dirs": self.directory / "data",
            **self.settings,
        }
        path = self.directory / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path

    def format(self, properties):
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # Kafka's tools take a leading dash for an option.
        command = self.command("kafka.tools.StorageTool", "format", "--config", properties, f"--cluster-id={cluster}", *self.formatting)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"Apache Kafka could not format its directory\n{done.stdout}{done.stderr}")

    def await_ready(self, port):
        """The listener opens only when the broker is unfenced, so a connection is enough."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"Apache Kafka ended with code {self.process.returncode}\n{self.log_tail()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"Apache Kafka was not ready within {START_SECONDS} seconds\n{self.log_tail()}")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.process = None

    def stop(self):
        """A clean stop; a broker that does not want to is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
            self.process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def kill_and_restart(self):
        """As `kill -9`, then the same broker at the same address."""
        self.kill()
        return self.start(keep_port=True)

    def close(self):
        if self.process is not None:
            self.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None:
            self.stop()


def secured(directory):
    """One whose clients come by TLS, with a certificate of its own making, and log in with a password (SCRAM)."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    store, authority = directory / "broker.p12", directory / "authority.pem"
    keytool = ["keytool", "-keystore", store, "-storetype", "PKCS12", "-storepass", "changeit", "-alias", "broker"]
    made = ["-genkeypair", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1", "-validity", "30"]
    subprocess.run([*keytool, *made], check=True, capture_output=True)
    subprocess.run([*keytool, "-exportcert", "-rfc", "-file", authority], check=True, capture_output=True)
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required username=broker password=inside;"
    settings = {
        "ssl.keystore.location": store,
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.password": "changeit",
        "ssl.truststore.location": store,
        "ssl.truststore.type": "PKCS12",
        "ssl.truststore.password": "changeit",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": login,
    }
    users = [f"--add-scram=SCRAM-SHA-512=[name={name},password={word}]" for name, word in
             (("broker", "inside"), ("pelton", "turbine"))]
    kafka = ApacheKafka(directory, settings, protocol="SASL_SSL", formatting=users)
    kafka.clients = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(authority),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "pelton",
        "sasl.password": "turbine",
    }
    return kafka


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="keep the data here instead of in a directory that goes away")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a line of server.properties")
    parser.add_argument("--java", action="append", default=[], metavar="OPTION", help="an option of the virtual machine")
    arguments = parser.parse_args()
    settings = dict(line.split("=", 1) for line in arguments.set)
    # Ctrl-C and SIGTERM end the wait below, and the broker with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="apache-kafka-") as temporary:
        directory = arguments.data_dir or temporary
        with ApacheKafka(directory, settings, [*HEAP, *arguments.java]) as kafka:
            print(kafka.kafka, kafka.process.pid, flush=True)
            try:
                sys.exit(kafka.process.wait())
            except KeyboardInterrupt:
                pass


if __name__ == "__main__":
    main()
