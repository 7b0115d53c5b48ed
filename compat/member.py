"""One member of a consumer group, in a process of its own as members are.

The child tells each assignment on a line of its standard output. It polls with long patience: a rejoin
that outlasts the timeout of kafka-python's `poll` can lose its assignment (3.0.12).
"""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path


class Member:
    """The parent's side."""

    def __init__(self, server, topic, group, api_version=None):
        arguments = [server.kafka, topic, group, json.dumps(api_version)]
        self.process = subprocess.Popen([sys.executable, Path(__file__), *arguments], stdout=subprocess.PIPE)
        self.partitions = None
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.partitions = json.loads(line)

    def leave(self):
        """Closes its consumer, which says goodbye to the group."""
        self.end(signal.SIGTERM)
        assert self.process.returncode == 0

    def die(self):
        self.end(signal.SIGKILL)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(20)
        self.reader.join(20)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.die()


def main(address, topic, group, api_version):
    import kafka

    class Listener(kafka.ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            pass

        def on_partitions_assigned(self, assigned):
            print(sorted(partition.partition for partition in assigned), flush=True)

    version = json.loads(api_version)
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        session_timeout_ms=6000,
        heartbeat_interval_ms=300,
        **({"api_version": tuple(version)} if version else {}),
    )
    consumer.subscribe([topic], listener=Listener())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            consumer.poll(60_000)
    finally:
        consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
