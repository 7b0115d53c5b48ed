"""Rows sent at a steady pace, and when what they became can be read: `latency.py send|receive ADDRESS TOPIC ...`.

Two processes, so that neither waits for the other. The sender keeps to its schedule whatever happens, and a row carries
the time that the schedule had for it: a stall counts for all rows that it holds up.
"""

import json
import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

PARTITIONS = 4


def send(address, topic, rate, seconds, first):
    producer = Producer({"bootstrap.servers": address, "linger.ms": 0, "acks": "all"})
    begun = time.time_ns()
    for n in range(int(rate * seconds)):
        due = begun + int(n * 1e9 / rate)
        while time.time_ns() < due:
            producer.poll(max(0.0, min(0.0005, (due - time.time_ns()) / 1e9)))
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(due // 10**9)) + f".{due // 10**6 % 1000:03d}Z"
        row = {"k": n * 7919 % 1000, "id": first + n, "t": due, "at": at}
        producer.produce(topic, json.dumps(row), partition=n % PARTITIONS)
    producer.flush(60)


def receive(address, topic, since, idle):
    """Latencies in milliseconds of the rows that were due at `since` or later, until none comes for `idle` seconds."""
    partitions = AdminClient({"bootstrap.servers": address}).list_topics(topic, 30).topics[topic].partitions
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "latency",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 500,
            "fetch.min.bytes": 1,
        }
    )
    consumer.assign([TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING) for partition in partitions])
    found, heard = [], time.monotonic()
    print("ready", flush=True)
    while time.monotonic() - heard < idle or not found:
        # One by one: `consume` would wait until it has many.
        message = consumer.poll(0.05)
        if message is None:
            continue
        now = time.time_ns()
        if message.error():
            raise RuntimeError(message.error())
        row = json.loads(message.value())
        heard = time.monotonic()
        if row["t"] >= since:
            found.append((now - row["t"]) / 1e6)
    print(json.dumps(found))


if __name__ == "__main__":
    what, address, topic, *numbers = sys.argv[1:]
    numbers = [float(number) for number in numbers]
    if what == "send":
        send(address, topic, numbers[0], numbers[1], int(numbers[2]))
    else:
        receive(address, topic, numbers[0], numbers[1])
