"""What the queries read: rows of a key, a number and a time, and the events of Nexmark's auction house."""

import json
import os
import random
import re
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

import jvm

PARTITIONS = 4
SECONDS = 120
# The generator of the Nexmark suite, a program of the crate `nexmark`.
NEXMARK = "0.2.0"
KINDS = {"Person": 0, "Auction": 1, "Bid": 2}
EVENT = re.compile(r'\{"(Person|Auction|Bid)":(\{.*"date_time":(\d+).*\})\}')


def numbers(count, keys=1_000, seed=1):
    """`{"k", "v", "at"}`: keys evenly drawn, a millisecond of event time from row to row."""
    draw = random.Random(seed)
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for n in range(count):
        at = (start + timedelta(milliseconds=n)).isoformat(timespec="milliseconds")
        yield json.dumps({"k": draw.randrange(keys), "v": draw.randrange(1_000_000) / 100, "at": at})


def nexmark(count):
    """Persons, auctions and bids, 1 to 3 to 46, with the kind and the time beside, as Flink's Nexmark has them."""
    generator = subprocess.Popen(
        [generator_path(), "--number", str(count), "--no-wait"], stdout=subprocess.PIPE, text=True
    )
    for line in generator.stdout:
        kind, body, at = EVENT.match(line).groups()
        at = datetime.fromtimestamp(int(at) / 1000, timezone.utc).isoformat(timespec="milliseconds")
        yield f'{{"event_type":{KINDS[kind]},"dateTime":"{at}","{kind.lower()}":{body}}}'
    if generator.wait() != 0:
        raise RuntimeError(f"nexmark ended with code {generator.returncode}")


def generator_path():
    root = jvm.cache() / f"nexmark-{NEXMARK}"
    program = root / "bin" / "nexmark"
    if not program.exists():
        command = ["cargo", "install", "--quiet", "--root", root, "--features", "bin", f"nexmark@{NEXMARK}"]
        subprocess.run([*command, "--target-dir", root / "target"], check=True)
    return program


def create(address, topic, partitions=PARTITIONS):
    admin = AdminClient({"bootstrap.servers": address})
    for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        created.result(SECONDS)


def fill(address, topic, lines):
    """Writes each line as a record, in turn to the partitions; returns how many there were."""
    create(address, topic)
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "linger.ms": 50, "batch.size": 1 << 20})
    count = 0
    for line in lines:
        while True:
            try:
                producer.produce(topic, line, partition=count // 100 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if count % 1000 == 0:
            producer.poll(0)
    if producer.flush(SECONDS):
        raise RuntimeError(f"{topic}: not all of {count} records were acknowledged")
    return count


def cpu_seconds(pid):
    """The processor time of a process, children that it waited for left out."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
