"""Queries over a real Apache Kafka: what the tests and the campaign share, and the campaign.

    python compat/outside.py --kills 60 --seed 7

A program writes numbers into the outside Kafka, in transactions of which some are taken back. A query reads them there
and writes them there again. At random moments Pelton is killed (`kill -9`), or Apache Kafka, or both, and started again
on the same data. In the end whoever reads with read_committed must find every committed number, each once.

Apache Kafka dies while no transaction is being committed. Version 4.3.1, killed between promising a commit and marking
it in the topics, can note after its start that it is complete without a mark in any partition: what was committed is
never seen, and all that follows in such a partition is held back.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import confluent_kafka
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from apache_kafka import ApacheKafka
from server import Server, until

SECONDS = 120
PARTITIONS = 3


def call(server, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{server.http}/api/{path}", data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode(errors="replace")) from None


def sql(server, text):
    return call(server, "sql", {"sql": text})["answers"][-1]["rows"]


def query(server, name):
    (found,) = [query for query in call(server, "queries") if query["name"] == name]
    assert not found.get("error"), found
    return found


def behind(server, name):
    """How many offsets of its topics a query has not taken yet."""
    logs = query(server, name)["source"].values()
    return sum(at["end"] - at["offset"] for partitions in logs for at in partitions.values())


def settings(kafka, **more):
    return {"bootstrap.servers": kafka.kafka, **getattr(kafka, "clients", {}), **more}


def options(kafka, **changed):
    """The options of a table over this Kafka."""
    told = {**settings(kafka), **changed}
    return ", ".join(f"kafka.{name} '{value}'" for name, value in told.items())


def create(kafka, topic, partitions=PARTITIONS):
    admin = AdminClient(settings(kafka))
    for created in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        created.result(SECONDS)
    return admin


def produce(kafka, topic, numbers, partition=None, commit=None):
    """Acknowledged by the broker when this returns; in a transaction if `commit` says how it ends."""
    told = settings(kafka, **{"acks": "all", "enable.idempotence": True})
    if commit is not None:
        told["transactional.id"] = f"{topic}-{commit}"
    producer = confluent_kafka.Producer(told)
    if commit is not None:
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
    for n in numbers:
        at = {} if partition is None else {"partition": partition}
        producer.produce(topic, key=str(n), value=json.dumps({"n": n}), headers={"n": str(n)}, **at)
        producer.poll(0)
    assert producer.flush(SECONDS) == 0
    if commit:
        producer.commit_transaction(SECONDS)
    elif commit is not None:
        producer.abort_transaction(SECONDS)
    if commit is not None:
        settled(kafka, f"{topic}-{commit}")


def read_to(server, name, rows):
    def there():
        found = query(server, name)["rows_total"]
        assert found <= rows, f"{name} has read {found} rows, {rows} are there"
        return found == rows

    until(there, f"{name} has read {rows} rows", SECONDS)


def committed(kafka, topic, rows=0):
    """All keys and values that a careful reader sees, as soon as there are so many: transactions end a moment later."""
    return until(lambda: (len(found := seen(kafka, topic)) >= rows) and (found,), f"{rows} rows in {topic}", 4 * SECONDS)[0]


def seen(kafka, topic):
    told = {"group.id": "reader", "isolation.level": "read_committed", "enable.auto.commit": False}
    consumer = confluent_kafka.Consumer(settings(kafka, **told, **{"enable.partition.eof": True}))
    partitions = consumer.list_topics(topic, SECONDS).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    values, ended = [], set()
    while len(ended) < len(partitions):
        message = consumer.poll(SECONDS)
        assert message is not None, "no answer"
        if message.error() is None:
            values.append(((message.key() or b"").decode(), json.loads(message.value())))
        elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
            ended.add(message.partition())
        else:
            assert message.error().retriable(), message.error()
    consumer.close()
    return values


class Numbers(threading.Thread):
    """Writes numbers in transactions, whatever happens to the broker, and notes which were committed for sure."""

    def __init__(self, kafka, topic, seed):
        super().__init__(daemon=True)
        self.kafka, self.topic, self.random = kafka, topic, random.Random(seed)
        self.committed, self.doubtful = [], set()
        self.turn = threading.Lock()
        self.stopping = False
        self.next = 0
        self.broken = None

    def run(self):
        try:
            while not self.stopping:
                self.session()
        except BaseException as error:  # noqa: BLE001 - shown by whoever looks
            self.broken = error

    def session(self):
        """As long as one producer lives."""
        producer = confluent_kafka.Producer(
            settings(self.kafka, **{"transactional.id": "numbers", "transaction.timeout.ms": 60_000})
        )
        try:
            producer.init_transactions(SECONDS)
            while not self.stopping:
                with self.turn:
                    self.transaction(producer)
                time.sleep(self.random.uniform(0, 0.02))
        except confluent_kafka.KafkaException as error:
            if error.args[0].fatal() or error.args[0].txn_requires_abort() or error.args[0].retriable():
                return
            raise

    def transaction(self, producer):
        numbers = range(self.next, self.next + self.random.randint(1, 40))
        self.next = numbers.stop
        producer.begin_transaction()
        for n in numbers:
            producer.produce(self.topic, key=str(n), value=json.dumps({"n": n}))
        if self.random.random() < 0.2:
            producer.abort_transaction(SECONDS)
            return
        # Until the answer is there nobody can tell.
        self.doubtful.update(numbers)
        producer.commit_transaction(SECONDS)
        self.doubtful.difference_update(numbers)
        self.committed.extend(numbers)


PIPELINE = """
    CREATE STREAMING TABLE numbers (n BIGINT) USING kafka OPTIONS ({outside}, subscribe 'numbers');
    CREATE STREAMING TABLE copied USING kafka OPTIONS ({outside}, topic 'copied', key 'n')
      AS SELECT n, 2 * n AS twice FROM STREAM numbers;
    CREATE STREAMING TABLE counted USING kafka OPTIONS ({outside}, topic 'counted', key 'digit', outputMode 'update')
      AS SELECT n % 10 AS digit, count(*) AS c, sum(n) AS s FROM STREAM numbers GROUP BY n % 10"""


def campaign(directory, kills, seed, tell=lambda text: None):
    """Kills, restarts, and compares; says how many numbers went through."""
    chance = random.Random(seed)
    kafka = ApacheKafka(Path(directory) / "apache-kafka").start()
    pelton = Server(Path(directory) / "pelton").start()
    create(kafka, "numbers")
    create(kafka, "copied")
    sql(pelton, PIPELINE.format(outside=options(kafka)))
    numbers = Numbers(kafka, "numbers", seed)
    numbers.start()
    try:
        for kill in range(1, kills + 1):
            write_on(pelton)
            seen = next(query["rows_total"] for query in call(pelton, "queries") if query["name"] == "copied")
            until(lambda seen=seen: come(numbers, pelton, seen), "rows come", 4 * SECONDS)
            time.sleep(chance.uniform(0, 0.5))
            victims = chance.choices([(pelton,), (kafka,), (kafka, pelton)], [8, 1, 1])[0]
            with numbers.turn if kafka in victims else nullcontext():
                if kafka in victims:
                    until(lambda: calm(kafka, pelton), "all transactions have ended", 4 * SECONDS)
                for victim in victims:
                    victim.kill()
                for victim in victims:
                    victim.start(keep_port=True) if victim is kafka else victim.start()
            tell(f"{kill} of {kills}: {' and '.join(type(victim).__name__ for victim in victims)}, {numbers.next} numbers")
        numbers.stopping = True
        numbers.join(SECONDS)
        assert numbers.broken is None, numbers.broken
        settled(kafka, "numbers")
        there = [value["n"] for _, value in committed(kafka, "numbers")]
        check_input(numbers, there)
        for name in ("copied", "counted"):
            until(lambda name=name: come(numbers, pelton, len(there) - 1, name), f"{name} has all", 4 * SECONDS)
            read_to(pelton, name, len(there))
        check_output(kafka, there)
        return len(there)
    finally:
        numbers.stopping = True
        for each in (pelton, kafka):
            each.close()


def calm(kafka, pelton):
    """Whether no transaction is open: the queries have all, and a careful reader sees each partition to its end."""
    write_on(pelton)
    if any(behind(pelton, query["name"]) for query in call(pelton, "queries")):
        return False
    admin = AdminClient(settings(kafka))
    topics = [topic for name, topic in admin.list_topics(timeout=SECONDS).topics.items() if not name.startswith("__")]
    asked = {TopicPartition(topic.topic, number): OffsetSpec.latest() for topic in topics for number in topic.partitions}

    def ends(isolation):
        found = admin.list_offsets(asked, isolation_level=isolation, request_timeout=SECONDS)
        return {(at.topic, at.partition): end.result(SECONDS).offset for at, end in found.items()}

    return ends(IsolationLevel.READ_COMMITTED) == ends(IsolationLevel.READ_UNCOMMITTED)


def settled(kafka, name):
    """Waits until the last transaction of this name has ended everywhere: committing only promises that it will.

    A broker that is killed in between may take minutes, and holds back everything behind it meanwhile."""
    deadline = time.monotonic() + 4 * SECONDS
    while True:
        producer = confluent_kafka.Producer(settings(kafka, **{"transactional.id": name}))
        try:
            return producer.init_transactions(SECONDS)
        except confluent_kafka.KafkaException:
            assert time.monotonic() < deadline, "the last transaction does not end"


def come(numbers, pelton, seen, name="copied"):
    assert numbers.broken is None, numbers.broken
    write_on(pelton)
    (found,) = [query for query in call(pelton, "queries") if query["name"] == name]
    return found["rows_total"] > seen


def write_on(pelton):
    """A query ends when Kafka takes no batch for two minutes, and goes on where it was when somebody says so."""
    for query in call(pelton, "queries"):
        if query.get("error"):
            assert "write to topic" in query["error"], query
            call(pelton, f"queries/{query['name']}/start", {})


def check_input(numbers, there):
    """What the comparison stands on: the source itself holds what was committed."""
    extra = set(there) - set(numbers.committed) - numbers.doubtful
    missing = set(numbers.committed) - set(there)
    assert len(there) == len(set(there)) and not extra and not missing, (extra, missing)


def check_output(kafka, there):
    copied = committed(kafka, "copied", len(there))
    found = Counter(value["n"] for _, value in copied)
    twice = [n for n, times in found.items() if times > 1]
    missing = set(there) - set(found)
    assert not twice and not missing and len(found) == len(there), f"twice {twice[:20]}, missing {sorted(missing)[:20]}"
    assert all(int(key) == value["n"] and value["twice"] == 2 * value["n"] for key, value in copied)
    last = {}
    for _, value in committed(kafka, "counted"):
        last[value["digit"]] = max(last.get(value["digit"], (0, 0)), (value["c"], value["s"]))
    expected = {digit: [n for n in there if n % 10 == digit] for digit in {n % 10 for n in there}}
    assert last == {digit: (len(all_), sum(all_)) for digit, all_ in expected.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="outside-") as directory:
        there = campaign(directory, arguments.kills, arguments.seed, lambda text: print(text, flush=True))
    took = time.monotonic() - began
    print(f"{arguments.kills} kills, {there} numbers in and out, each once; {took:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
