"""The campaign: `kill -9` under load, again and again, and then every promise is looked at.

    python compat/kill9.py --cycles 1000 --seed 7 --door target/debug/examples/serve

Real clients (librdkafka) write, read and commit while the server dies at a random moment and comes back on the same
port. Nobody tells them. What they were promised is written down, and at the end the log is read and compared:

- an idempotent producer: every acknowledged record is there, each once, in order;
- a transactional producer that commits and aborts: what was committed is there whole, what was aborted is not seen by
  read_committed, and what nobody answered for is there whole or not at all;
- a copying program (read, write, commit offsets in one transaction): the copy is exact, nothing twice, nothing left out;
- the same by the Java client, where there is one: it ends transactions in the newer manner (KIP-890);
- a consumer group that commits as it reads: no aborted record, and its position never moves back.
"""

import argparse
import collections
import os
import random
import socket
import sys
import tempfile
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import jvm
from server import Door, Server
from workers import COPY, MARKED, NEWER, NUMBERS, PARTITIONS, PATIENCE_SECONDS, QUICK, Copying, Group, Java, Marked, Numbers

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Campaign:
    """Kills, restarts, and looks."""

    def __init__(self, server, seed, java):
        self.server = server
        self.random = random.Random(seed)
        self.findings = []
        self.starts = []
        self.recoveries = []
        address = server.kafka
        self.workers = [Numbers(address, seed), Marked(address, seed), Copying(address, seed), Group(address, seed)]
        if java:
            self.workers.append(Java(address, seed))
        self.address = address

    def prepare(self):
        admin = AdminClient({"bootstrap.servers": self.address})
        for future in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (NUMBERS, MARKED, COPY, NEWER)]).values():
            future.result(20)
        for worker in self.workers:
            worker.start()

    def cycle(self):
        """Lets everybody get something done, kills at a random moment, starts again."""
        before = [worker.done for worker in self.workers]
        began = time.monotonic()
        while not all(worker.done > done for worker, done in zip(self.workers, before, strict=True)):
            if broken := [worker for worker in self.workers if worker.broken]:
                raise SystemExit(f"{broken[0].name} broke: {broken[0].broken}")
            if not self.server.alive():
                self.findings.append(f"the server died by itself\n{self.server.log_tail()}")
                break
            if time.monotonic() - began > PATIENCE_SECONDS:
                idle = [worker.name for worker, done in zip(self.workers, before, strict=True) if worker.done == done]
                self.findings.append(f"no progress in {PATIENCE_SECONDS} s: {', '.join(idle)}")
                break
            time.sleep(0.01)
        self.recoveries.append(time.monotonic() - began)
        time.sleep(self.random.uniform(0, 0.3))
        promised = self.workers[3].promised()
        began = time.monotonic()
        self.server.kill_and_restart(keep_port=True)
        self.starts.append(time.monotonic() - began)
        self.check_positions(promised)

    def check_positions(self, promised):
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "kill9-group", **QUICK})
        try:
            for one in consumer.committed([TopicPartition(MARKED, index) for index in promised], 30):
                if one.error or one.offset < promised[one.partition]:
                    self.findings.append(f"position of {one.partition}: {one} after {promised[one.partition]}")
        except KafkaException as error:
            self.findings.append(f"positions cannot be asked for: {error}")
        finally:
            consumer.close()

    def stop(self):
        # The counting one first, so that the others can catch up.
        for worker in self.workers:
            worker.stopping.set()
        for worker in self.workers:
            worker.join(2 * PATIENCE_SECONDS)
            if worker.is_alive():
                self.findings.append(f"{worker.name} does not end")

    def read(self, topic, isolation="read_committed"):
        """Every record by partition: offset and value."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "kill9-check", "isolation.level": isolation,
                             "enable.partition.eof": True, "enable.auto.commit": False, **QUICK})
        consumer.assign([TopicPartition(topic, index, 0) for index in range(PARTITIONS)])
        records = {index: [] for index in range(PARTITIONS)}
        ends, deadline = set(), time.monotonic() + PATIENCE_SECONDS
        while len(ends) < PARTITIONS and time.monotonic() < deadline:
            for message in consumer.consume(1000, 1):
                if message.error() is None:
                    records[message.partition()].append((message.offset(), message.value()))
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ends.add(message.partition())
        consumer.close()
        if len(ends) < PARTITIONS:
            self.findings.append(f"{topic} cannot be read to its end")
        return records

    def expect(self, name, bad):
        if bad:
            self.findings.append(f"{name}: {len(bad)}, as {list(bad)[:5]}")
        return len(bad)

    def judge(self):
        """The table of what was promised and what is there."""
        rows = []
        numbers, marked, _, group, *newer = self.workers
        stored = self.read(NUMBERS)
        values = [[int(value) for _, value in stored[index]] for index in range(PARTITIONS)]
        flat = [value for of_one in values for value in of_one]
        times = collections.Counter(flat)
        rows.append(("idempotent: acknowledged", len(numbers.acked)))
        rows.append(("idempotent: lost", self.expect("lost", [one for one in numbers.acked if not times[one]])))
        rows.append(("idempotent: twice", self.expect("twice", [one for one, count in times.items() if count > 1])))
        rows.append(("idempotent: refused", self.expect("refused", numbers.failed)))
        moved = [one for one, (index, offset) in numbers.acked.items() if (offset, b"%d" % one) not in set_of(stored, index)]
        rows.append(("idempotent: at another offset", self.expect("at another offset", moved)))
        disorder = [index for index in range(PARTITIONS) if values[index] != sorted(values[index])]
        rows.append(("idempotent: out of order", self.expect("out of order", disorder)))

        found = self.judge_transactions("librdkafka", marked, MARKED, rows)
        for worker in newer:
            self.judge_transactions("java", worker, NEWER, rows)
        rows.append(("group: records seen", sum(group.seen.values())))
        rows.append(("group: uncommitted records seen", self.expect("uncommitted seen", [one for one in group.seen if not found[one]])))

        copy = self.read(COPY)
        copied = [[int(value) for _, value in copy[index]] for index in range(PARTITIONS)]
        rows.append(("copy: records", sum(map(len, copied))))
        inexact = [index for index in range(PARTITIONS) if copied[index] != values[index][: len(copied[index])]]
        rows.append(("copy: partitions that differ", self.expect("copy differs", inexact)))
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "kill9-copying", **QUICK})
        positions = consumer.committed([TopicPartition(NUMBERS, index) for index in range(PARTITIONS)], 30)
        consumer.close()
        behind = [str(one) for one in positions if copied[one.partition] and stored[one.partition][len(copied[one.partition]) - 1][0] + 1 != one.offset]
        rows.append(("copy: positions that do not fit", self.expect("position does not fit the copy", behind)))
        return rows

    def judge_transactions(self, name, worker, topic, rows):
        """Looks at what `Marked` wrote, by whichever client; returns how often each record is seen."""
        found = collections.Counter(value for of_one in self.read(topic).values() for _, value in of_one)
        sizes, fates = worker.sizes, worker.fates
        there = {one: sum(found[b"%d:%d" % (one, index)] > 0 for index in range(size)) for one, size in sizes.items()}
        summary = ", ".join(f"{fate} {count}" for fate, count in sorted(collections.Counter(fates.values()).items()))
        rows.append((f"transactions, {name}: {summary}", len(fates)))
        for what, fitting, wrong in (
            ("committed, not whole", ("committed",), lambda one: there[one] < sizes[one]),
            ("aborted or open, seen", ("aborted", "open"), lambda one: there[one] > 0),
            ("torn", ("unknown",), lambda one: there[one] not in (0, sizes[one])),
        ):
            bad = [one for one, fate in fates.items() if fate in fitting and wrong(one)]
            rows.append((f"transactions, {name}: {what}", self.expect(f"{name}, {what}", bad)))
        twice = [one for one, count in found.items() if count > 1]
        rows.append((f"transactions, {name}: records twice", self.expect(f"{name}, records twice", twice)))
        return found


def set_of(stored, index, known={}):
    """The records of one partition, to look things up in."""
    key = (id(stored), index)
    if key not in known:
        known[key] = set(stored[index])
    return known[key]


def run(server, cycles, seed, progress, java=False):
    """Runs a campaign on a server that is not started yet; returns its table and its findings."""
    server.start(f"127.0.0.1:{free_port()}")
    campaign = Campaign(server, seed, java)
    campaign.prepare()
    began = time.monotonic()
    for cycle in range(1, cycles + 1):
        campaign.cycle()
        progress(cycle, campaign, time.monotonic() - began)
        if campaign.findings:
            break
    campaign.stop()
    rows = [("kill -9 cycles", len(campaign.starts)), *campaign.judge()]
    for name, times in (("restart", campaign.starts), ("everybody at work again", campaign.recoveries)):
        times = sorted(times)
        rows.append((f"{name}: seconds, median and worst", f"{times[len(times) // 2]:.3f} {times[-1]:.3f}"))
    errors = sum((worker.errors for worker in campaign.workers), collections.Counter())
    rows.append(("errors that clients had to handle", ", ".join(f"{name} {count}" for name, count in errors.most_common(8))))
    return rows, campaign.findings


def show(cycle, cycles, campaign, seconds):
    done = ", ".join(f"{worker.name.lower()} {worker.done}" for worker in campaign.workers)
    left = seconds / cycle * (cycles - cycle)
    line = f"cycle {cycle}/{cycles}  {done}  {left / 60:.0f} min left"
    end = "\r" if sys.stdout.isatty() else "\n"
    if end == "\r" or cycle % 10 == 0 or cycle == cycles:
        print(line.ljust(110) if end == "\r" else line, end=end, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="of the moments and the load; shown when left out")
    parser.add_argument("--door", default=os.environ.get("PELTON_DOOR"), help="the broker's example `serve`, instead of PELTON_BIN")
    parser.add_argument("--directory", help="keep the data here")
    parser.add_argument("--without-java", action="store_true", help="librdkafka alone; Java takes part where there is one")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kill9-") as scratch:
        directory = arguments.directory or scratch
        server = Door(directory, arguments.door) if arguments.door else Server(directory)
        try:
            java = not jvm.missing() and not arguments.without_java
            progress = lambda cycle, campaign, seconds: show(cycle, arguments.cycles, campaign, seconds)
            rows, findings = run(server, arguments.cycles, seed, progress, java)
        finally:
            if server.process is not None:
                server.kill()
    print()
    for name, value in rows:
        print(f"{name:<60} {value}")
    for finding in findings:
        print(f"FINDING {finding}")
    print("sound" if not findings else f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
