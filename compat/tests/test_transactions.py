"""Transactions: what was committed is seen, whole and once; what was not is never seen, also through `kill -9`."""

import threading

import confluent_kafka
import kafka
import pytest

import kill9
from clients import LIBRDKAFKA, MODERN, Record
from server import Server, until

QUICK = {"reconnect.backoff.max.ms": 200, "retry.backoff.ms": 50, "metadata.recovery.strategy": "none"}


def transactional(server, name):
    producer = LIBRDKAFKA.producer(server, **{"transactional.id": name, **QUICK})
    producer.init_transactions(20)
    return producer


def read_committed(server, topic, count):
    """Everything that a reader of committed records sees, up to the end."""
    options = {"isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = LIBRDKAFKA.consumer(server, **options)
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    values = []

    def at_the_end():
        for message in consumer.consume(count + 1, timeout=0.2):
            if message.error() is None:
                values.append(message.value())
            elif len(values) >= count:
                return True
        return False

    until(at_the_end, f"{count} committed records of {topic}")
    consumer.close()
    return values


def test_committed_is_seen_and_aborted_is_not(server, create, topic):
    create(topic)
    producer = transactional(server, topic)
    for number in range(6):
        producer.begin_transaction()
        producer.produce(topic, b"%d" % number, partition=0)
        (producer.abort_transaction if number % 2 else producer.commit_transaction)(20)
    assert read_committed(server, topic, 3) == [b"0", b"2", b"4"]


def test_kafka_python_writes_and_reads_transactions(server, create, topic):
    create(topic)
    producer = MODERN.producer(server, transactional_id=topic)
    producer.init_transactions()
    for number in range(4):
        producer.begin_transaction()
        producer.send(topic, b"%d" % number, partition=0).get(20)
        (producer.abort_transaction if number % 2 else producer.commit_transaction)()
    producer.close(5)
    assert read_committed(server, topic, 2) == [b"0", b"2"]
    consumer = MODERN.consumer(server, auto_offset_reset="earliest", isolation_level="read_committed")
    consumer.assign([kafka.TopicPartition(topic, 0)])
    values = []

    def enough():
        for messages in consumer.poll(timeout_ms=200).values():
            values.extend(message.value for message in messages)
        return len(values) >= 2

    until(enough, "both committed records")
    consumer.close()
    assert values == [b"0", b"2"]


@pytest.mark.parametrize("commit", [True, False])
def test_offsets_and_records_count_together(server, create, topic, group, commit):
    source, target = create(f"{topic}-source"), create(topic)
    LIBRDKAFKA.produce(server, source, [Record(b"a"), Record(b"b")])
    consumer = LIBRDKAFKA.consumer(server, **{"group.id": group})
    consumer.subscribe([source])
    read = []
    until(lambda: read.extend(consumer.consume(2, timeout=0.2)) or len(read) == 2, "both records are read")
    producer = transactional(server, topic)
    producer.begin_transaction()
    for message in read:
        producer.produce(target, message.value(), partition=0)
    positions = [confluent_kafka.TopicPartition(source, 0, 2)]
    producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), 20)
    (producer.commit_transaction if commit else producer.abort_transaction)(20)
    [committed] = consumer.committed([confluent_kafka.TopicPartition(source, 0)], 20)
    consumer.close()
    assert committed.offset == (2 if commit else confluent_kafka.OFFSET_INVALID)
    assert read_committed(server, target, 2 if commit else 0) == ([b"a", b"b"] if commit else [])


def test_a_newer_producer_fences_an_older_one(server, create, topic):
    create(topic)
    older = transactional(server, topic)
    older.begin_transaction()
    older.produce(topic, b"left open", partition=0)
    older.flush(20)
    newer = transactional(server, topic)
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        older.commit_transaction(20)
    assert refused.value.args[0].fatal()
    newer.begin_transaction()
    newer.produce(topic, b"new", partition=0)
    newer.commit_transaction(20)
    assert read_committed(server, topic, 1) == [b"new"]


def test_a_transaction_goes_on_through_kill_9(own_server, topic):
    """The server dies in the middle and comes back on its port: the producer commits what it began before."""
    producer = transactional(own_server, topic)
    for number in range(3):
        producer.begin_transaction()
        producer.produce(topic, b"%d before" % number, partition=0)
        producer.flush(20)
        own_server.kill_and_restart(keep_port=True)
        producer.produce(topic, b"%d after" % number, partition=0)
        if number == 1:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    assert read_committed(own_server, topic, 4) == [b"0 before", b"0 after", b"2 before", b"2 after"]


def test_a_commit_that_was_asked_for_while_the_server_died(own_server, topic):
    """Nobody knows whether it happened; asking again says so, and it is whole either way."""
    producer = transactional(own_server, topic)
    for number in range(5):
        producer.begin_transaction()
        producer.produce(topic, b"%d" % number, partition=0)
        producer.flush(20)
        killer = threading.Timer(0.001 * number, own_server.kill_and_restart, kwargs={"keep_port": True})
        killer.start()
        producer.commit_transaction(30)
        killer.join()
    assert read_committed(own_server, topic, 5) == [b"%d" % number for number in range(5)]


def test_every_promise_holds_through_five_kills(tmp_path):
    """The campaign of kill9.py, short."""
    server = Server(tmp_path)
    try:
        rows, findings = kill9.run(server, cycles=5, seed=7, progress=lambda *_: None)
    finally:
        server.close()
    assert findings == [], dict(rows)
