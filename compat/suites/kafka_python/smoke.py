"""kafka-python's smoke: `smoke.py ADDRESS [API_VERSION]`. Serves 2.x and 3.x; their admin clients differ in shape."""

import sys
import threading
import time

import kafka
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic

from tap import case, equal, finish, until

ADDRESS = sys.argv[1]
VERSION = tuple(map(int, sys.argv[2].split("."))) if len(sys.argv) > 2 else None
COMMON = {"bootstrap_servers": ADDRESS, **({"api_version": VERSION} if VERSION else {})}
THREE = kafka.__version__.startswith("3.")
OLD = f"not in Kafka {sys.argv[2]}" if VERSION else None
TYPE = ConfigResourceType.TOPIC
START = int(time.time() * 1000)

admin = KafkaAdminClient(bootstrap_servers=ADDRESS)


def create(name, partitions=1, configs=None):
    admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs or {})])
    seen = lambda: [t for t in admin.describe_topics([name]) if not t["error_code"] and len(t["partitions"]) == partitions]
    until(seen, f"{name} is there")
    return name


def send(topic, count, partition=0, first=START, **options):
    producer = kafka.KafkaProducer(**COMMON, linger_ms=20, **options)
    sent = [
        producer.send(topic, b"value-%d" % n, b"key-%d" % (n % 10), partition=partition, timestamp_ms=first + n)
        for n in range(count)
    ]
    producer.flush(20)
    offsets = [future.get(20).offset for future in sent]
    producer.close(5)
    return offsets


def read(topic, count, partition=0, **options):
    consumer = kafka.KafkaConsumer(**COMMON, auto_offset_reset="earliest", enable_auto_commit=False, **options)
    at = kafka.TopicPartition(topic, partition)
    consumer.assign([at])
    found = []

    def enough():
        for records in consumer.poll(200).values():
            found.extend(records)
        return len(found) >= count

    try:
        until(enough, f"{count} records of {topic}, got {len(found)}")
        return found
    finally:
        consumer.close()


for codec in [None, "gzip", "snappy", "lz4", "zstd"]:

    @case(f"round trip {codec or 'uncompressed'}", unless=OLD if codec == "zstd" else None)
    def round_trip():
        topic = create(f"round-{codec}")
        headers = None if VERSION else [("a", b"1"), ("a", b"2"), ("empty", b"")]
        producer = kafka.KafkaProducer(**COMMON, compression_type=codec, linger_ms=20)
        for n in range(500):
            producer.send(topic, b"v%d" % n * 20, b"k%d" % n, headers=headers, timestamp_ms=START + n)
        producer.send(topic, None, b"tombstone")
        producer.close(20)
        found = read(topic, 501)
        equal([r.offset for r in found], list(range(501)))
        equal(found[-1].value, None)
        for n, record in enumerate(found[:500]):
            equal((record.key, record.value, record.timestamp), (b"k%d" % n, b"v%d" % n * 20, START + n))
            equal(list(record.headers), headers or [])


@case("a group shares, commits and resumes")
def group():
    topic = create("shared", 4)
    for partition in range(4):
        send(topic, 50, partition)
    seen, assigned, stop = {}, {}, threading.Event()

    def member(name):
        options = {"group_id": "sharers", "auto_offset_reset": "earliest", "enable_auto_commit": False}
        consumer = kafka.KafkaConsumer(topic, **COMMON, **options, session_timeout_ms=10000, heartbeat_interval_ms=300)
        while not stop.is_set():
            for records in consumer.poll(2000).values():
                for record in records:
                    seen.setdefault((record.partition, record.offset), name)
            assigned[name] = len(consumer.assignment())
            consumer.commit()
        consumer.close()

    threads = [threading.Thread(target=member, args=(name,)) for name in "ab"]
    [thread.start() for thread in threads]
    try:
        until(lambda: len(seen) == 200 and sorted(assigned.values()) == [2, 2], "200 records between two members", 40)
    finally:
        stop.set()
        [thread.join() for thread in threads]
    consumer = kafka.KafkaConsumer(**COMMON, group_id="sharers")
    equal([consumer.committed(kafka.TopicPartition(topic, p)) for p in range(4)], [50] * 4)
    consumer.close()


@case("offsets by time")
def by_time():
    topic = create("timed")
    send(topic, 100)
    consumer = kafka.KafkaConsumer(**COMMON)
    at = kafka.TopicPartition(topic, 0)
    equal(consumer.beginning_offsets([at])[at], 0)
    equal(consumer.end_offsets([at])[at], 100)
    if not VERSION or VERSION > (0, 10, 0):
        equal(consumer.offsets_for_times({at: START + 40})[at].offset, 40)
        equal(consumer.offsets_for_times({at: START + 5000})[at], None)
    consumer.close()


@case("topics and settings")
def topics():
    topic = create("configured", 2, {"retention.ms": "12345"})
    assert topic in admin.list_topics()

    def settings():
        answer = admin.describe_configs([ConfigResource(TYPE, topic)])
        if THREE:
            of_topic = next(iter(answer.values()))[topic]
            return {name: entry["value"] for name, entry in of_topic.items()}
        return {entry[0]: entry[1] for entry in answer[0].resources[0][4]}

    equal(settings()["retention.ms"], "12345")
    admin.alter_configs([ConfigResource(TYPE, topic, configs={"retention.ms": "54321"})])
    until(lambda: settings()["retention.ms"] == "54321", "the new setting")
    admin.create_partitions({topic: kafka.admin.NewPartitions(3)})
    until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 3, "three partitions")
    send(topic, 10, 2)
    admin.delete_topics([topic])
    until(lambda: topic not in admin.list_topics(), "the topic is gone")


@case("records are deleted up to an offset")
def delete_records():
    topic = create("shortened")
    send(topic, 20)
    at = kafka.TopicPartition(topic, 0)
    admin.delete_records({at: 7})
    consumer = kafka.KafkaConsumer(**COMMON)
    equal(consumer.beginning_offsets([at])[at], 7)
    consumer.close()
    equal(read(topic, 13)[0].offset, 7)


@case("groups are listed, described, reset and deleted")
def group_admin():
    topic = create("grouped")
    send(topic, 10)
    consumer = kafka.KafkaConsumer(topic, **COMMON, group_id="described", auto_offset_reset="earliest")
    # A rejoin that outlasts the timeout of `poll` can lose its assignment (3.0.12).
    until(lambda: consumer.poll(10_000), "a record")
    if THREE:
        described = admin.describe_groups(["described"])["described"]
        state, listed = described["group_state"], [g["group_id"] for g in admin.list_groups()]
    else:
        described = admin.describe_consumer_groups(["described"])[0]
        state, listed = described.state, [g[0] for g in admin.list_consumer_groups()]
    equal(state, "Stable")
    assert "described" in listed
    consumer.commit()
    consumer.close()
    (admin.delete_groups if THREE else admin.delete_consumer_groups)(["described"])


@case("the cluster and its directories are described")
def cluster():
    assert admin.describe_cluster()["brokers"]
    assert admin.describe_log_dirs()


@case("an idempotent producer", unless=OLD)
def idempotent():
    topic = create("idempotent")
    equal(send(topic, 1000, enable_idempotence=True, acks="all"), list(range(1000)))


@case("transactions: committed is seen, aborted is not", unless=OLD)
def transactions():
    topic, source = create("transacted"), create("source")
    send(source, 10)
    producer = kafka.KafkaProducer(**COMMON, transactional_id="t1")
    producer.init_transactions()
    for n in range(6):
        producer.begin_transaction()
        for m in range(10):
            producer.send(topic, b"%d-%d" % (n, m))
        producer.flush()
        if n % 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    producer.begin_transaction()
    at = kafka.TopicPartition(source, 0)
    data = kafka.structs.OffsetAndMetadata(5, "", -1)
    producer.send_offsets_to_transaction({at: data}, "transacting")
    producer.commit_transaction()
    producer.close(5)
    found = read(topic, 30, isolation_level="read_committed")
    equal([r.value for r in found], [b"%d-%d" % (n, m) for n in (0, 2, 4) for m in range(10)])
    equal(len(read(topic, 60)), 60)
    consumer = kafka.KafkaConsumer(**COMMON, group_id="transacting")
    equal(consumer.committed(at), 5)
    consumer.close()


@case("a second producer with the same id fences the first", unless=OLD)
def fencing():
    topic = create("fenced")
    first, second = (kafka.KafkaProducer(**COMMON, transactional_id="t2") for _ in range(2))
    first.init_transactions()
    first.begin_transaction()
    first.send(topic, b"never").get(10)
    second.init_transactions()
    second.begin_transaction()
    second.send(topic, b"seen").get(10)
    second.commit_transaction()
    try:
        first.commit_transaction()
        raise AssertionError("the fenced producer committed")
    except kafka.errors.KafkaError:
        pass
    equal([r.value for r in read(topic, 1, isolation_level="read_committed")], [b"seen"])
    first.close(1)
    second.close(1)


@case("compaction keeps the last value of each key")
def compaction():
    configs = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    topic = create("compacted", 1, configs)

    def compacted():
        # An append after segment.ms, by the records' own time, closes the segment that the cleaner may then take.
        send(topic, 10, first=int(time.time() * 1000))
        return read(topic, 10)[0].offset >= 100

    send(topic, 200)
    until(compacted, "the first records are cleaned away", 40)
    equal({r.key for r in read(topic, 10)}, {b"key-%d" % n for n in range(10)})


admin.close()
finish()
