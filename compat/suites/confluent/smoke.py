"""librdkafka's smoke, through confluent-kafka: `smoke.py ADDRESS`."""

import sys
import time

import confluent_kafka as ck
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from tap import case, equal, finish, until

ADDRESS = sys.argv[1]
COMMON = {"bootstrap.servers": ADDRESS}
START = int(time.time() * 1000)
admin = AdminClient(COMMON)


def create(name, partitions=1, config=None):
    admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(20)
    seen = lambda: name in (topics := admin.list_topics(timeout=5).topics) and len(topics[name].partitions) == partitions
    until(seen, f"{name} is there")
    return name


def send(topic, count, partition=0, key=None, **options):
    producer = ck.Producer({**COMMON, "linger.ms": 20, **options})
    offsets = []

    def delivered(error, message):
        assert error is None, error
        offsets.append(message.offset())

    for n in range(count):
        producer.produce(
            topic, b"value-%d" % n, key or b"key-%d" % n, partition, timestamp=START + n, headers=[("h", b"%d" % n)],
            on_delivery=delivered,
        )
    equal(producer.flush(20), 0)
    return offsets


def read(topic, count, partition=0, seconds=20, **options):
    consumer = ck.Consumer({**COMMON, "group.id": "unused", "enable.auto.commit": False, **options})
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    found = []

    def enough():
        for message in consumer.consume(500, timeout=0.2):
            assert message.error() is None, message.error()
            found.append(message)
        return len(found) >= count

    try:
        until(enough, f"{count} records of {topic}", seconds)
        return found
    finally:
        consumer.close()


for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:

    @case(f"round trip {codec}")
    def round_trip():
        topic = create(f"round-{codec}")
        equal(send(topic, 1000, **{"compression.type": codec}), list(range(1000)))
        for n, message in enumerate(read(topic, 1000)):
            equal((message.offset(), message.key(), message.value()), (n, b"key-%d" % n, b"value-%d" % n))
            equal((message.timestamp(), message.headers()), ((ck.TIMESTAMP_CREATE_TIME, START + n), [("h", b"%d" % n)]))


@case("acks 0, 1 and all")
def acks():
    topic = create("acks")
    for level in (0, 1, -1):
        send(topic, 10, acks=level)
    equal(len(read(topic, 30)), 30)


def share(protocol, group):
    """Two members share four partitions, one leaves, the offsets stay."""
    topic = create(f"shared-{group}", 4)
    for partition in range(4):
        send(topic, 50, partition)
    own = {} if protocol == "consumer" else {"session.timeout.ms": 10000, "heartbeat.interval.ms": 300}
    options = {**COMMON, **own, "group.id": group, "auto.offset.reset": "earliest", "group.protocol": protocol}
    options["enable.auto.commit"] = False
    members = [ck.Consumer(options) for _ in range(2)]
    seen = set()

    def poll():
        for member in members:
            for message in member.consume(100, timeout=0.1):
                assert message.error() is None, message.error()
                seen.add((message.partition(), message.offset()))
        return sorted(len(member.assignment()) for member in members)

    [member.subscribe([topic]) for member in members]
    until(lambda: poll() == [2, 2] and len(seen) == 200, "200 records between two members", 40)
    for member in members:
        at = [TopicPartition(topic, assigned.partition, 50) for assigned in member.assignment()]
        member.commit(offsets=at, asynchronous=False)
    members.pop().close()
    until(lambda: poll() == [4], "one member has all", 40)
    committed = members[0].committed([TopicPartition(topic, p) for p in range(4)], timeout=10)
    equal([p.offset for p in committed], [50] * 4)
    members.pop().close()


@case("a classic group shares, commits and hands over")
def classic():
    share("classic", "classic")


@case("a consumer group of the new protocol (KIP-848) shares, commits and hands over")
def consumer_protocol():
    share("consumer", "modern")


@case("a cooperative group hands over without stopping")
def cooperative():
    topic = create("cooperative", 4)
    options = {**COMMON, "group.id": "cooperative", "partition.assignment.strategy": "cooperative-sticky"}
    options["heartbeat.interval.ms"] = 300
    members = [ck.Consumer(options) for _ in range(2)]
    lost = []
    members[0].subscribe([topic], on_revoke=lambda _, partitions: lost.extend(partitions))
    until(lambda: members[0].poll(0.1) is None and len(members[0].assignment()) == 4, "the first has all")
    members[1].subscribe([topic])

    def settled():
        [member.poll(0.1) for member in members]
        return [len(member.assignment()) for member in members] == [2, 2]

    until(settled, "two each", 30)
    equal(len(lost), 2)
    [member.close() for member in members]


@case("a static member comes back without a rebalance")
def static():
    topic = create("static", 2)
    options = {**COMMON, "group.id": "static", "group.instance.id": "one", "heartbeat.interval.ms": 300}

    def join():
        member = ck.Consumer(options)
        member.subscribe([topic])
        until(lambda: member.poll(0.1) is None and len(member.assignment()) == 2, "assigned", 30)
        return member, member.memberid()

    first, _ = join()
    first.close()
    second, _ = join()
    described = admin.describe_consumer_groups(["static"])["static"].result(10)
    equal([m.group_instance_id for m in described.members], ["one"])
    second.close()


@case("offsets by time")
def by_time():
    topic = create("timed")
    send(topic, 100)
    at = TopicPartition(topic, 0)
    specs = {
        "earliest": (OffsetSpec.earliest(), 0),
        "latest": (OffsetSpec.latest(), 100),
        "time": (OffsetSpec.for_timestamp(START + 40), 40),
        "max": (OffsetSpec.max_timestamp(), 99),
    }
    for name, (spec, wanted) in specs.items():
        found = admin.list_offsets({at: spec})[at].result(10).offset
        assert found == wanted, f"{name}: {found} instead of {wanted}"


@case("topics and settings")
def topics():
    topic = create("configured", 2, {"retention.ms": "12345"})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    settings = lambda: {k: v.value for k, v in admin.describe_configs([resource])[resource].result(10).items()}
    equal(settings()["retention.ms"], "12345")
    change = ConfigEntry("retention.ms", "54321", incremental_operation=AlterConfigOpType.SET)
    altered = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[change])
    admin.incremental_alter_configs([altered])[altered].result(10)
    until(lambda: settings()["retention.ms"] == "54321", "the new setting")
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(10)
    until(lambda: len(admin.list_topics(topic, 5).topics[topic].partitions) == 3, "three partitions")
    described = admin.describe_topics(ck.TopicCollection([topic]))[topic].result(10)
    equal(len(described.partitions), 3)
    send(topic, 5, 2)
    admin.delete_topics([topic])[topic].result(10)
    until(lambda: topic not in admin.list_topics(timeout=5).topics, "the topic is gone")


@case("broker settings and the cluster are described")
def cluster():
    node = admin.describe_cluster().result(10).nodes[0].id
    resource = ConfigResource(ConfigResource.Type.BROKER, str(node))
    settings = admin.describe_configs([resource])[resource].result(10)
    assert {"log.retention.hours", "message.max.bytes", "num.partitions"} <= settings.keys(), sorted(settings)


@case("records are deleted up to an offset")
def delete_records():
    topic = create("shortened")
    send(topic, 20)
    at = TopicPartition(topic, 0, 7)
    equal(admin.delete_records([at])[at].result(10).low_watermark, 7)
    equal(read(topic, 13)[0].offset(), 7)


@case("groups are listed, described, reset and deleted")
def group_admin():
    topic = create("grouped")
    send(topic, 10)
    consumer = ck.Consumer({**COMMON, "group.id": "described", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    until(lambda: consumer.poll(0.2), "a record")
    described = admin.describe_consumer_groups(["described"])["described"].result(10)
    equal((described.state.name, len(described.members)), ("STABLE", 1))
    equal([p.topic for p in described.members[0].assignment.topic_partitions], [topic])
    assert "described" in [g.group_id for g in admin.list_consumer_groups().result(10).valid]
    consumer.commit(offsets=[TopicPartition(topic, 0, 4)], asynchronous=False)
    consumer.close()
    of = lambda offset=None: ck.ConsumerGroupTopicPartitions("described", [TopicPartition(topic, 0, offset)] if offset is not None else None)
    admin.alter_consumer_group_offsets([of(2)])["described"].result(10)
    equal(admin.list_consumer_group_offsets([of()])["described"].result(10).topic_partitions[0].offset, 2)
    admin.delete_consumer_groups(["described"])["described"].result(10)
    assert "described" not in [g.group_id for g in admin.list_consumer_groups().result(10).valid]


@case("an idempotent producer")
def idempotent():
    equal(send(create("idempotent"), 5000, **{"enable.idempotence": True}), list(range(5000)))


@case("transactions: committed is seen, aborted is not")
def transactions():
    topic = create("transacted")
    producer = ck.Producer({**COMMON, "transactional.id": "c1"})
    producer.init_transactions(20)
    for n in range(6):
        producer.begin_transaction()
        for m in range(10):
            producer.produce(topic, b"%d-%d" % (n, m))
        producer.flush(10)
        (producer.abort_transaction if n % 2 else producer.commit_transaction)(20)
    wanted = [b"%d-%d" % (n, m) for n in (0, 2, 4) for m in range(10)]
    equal([m.value() for m in read(topic, 30)], wanted)
    equal(len(read(topic, 60, **{"isolation.level": "read_uncommitted"})), 60)


@case("read, transform, write: offsets and records in one transaction")
def transform():
    source, sink = create("transform-in"), create("transform-out")
    send(source, 20)
    options = {"group.id": "transform", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = ck.Consumer({**COMMON, **options})
    consumer.subscribe([source])
    producer = ck.Producer({**COMMON, "transactional.id": "c2"})
    producer.init_transactions(20)
    found = []

    def twenty():
        found.extend(consumer.consume(20 - len(found), timeout=0.2))
        return len(found) == 20

    until(twenty, "20 records")
    for last, commit in ((10, False), (10, True)):
        producer.begin_transaction()
        for message in found[:last]:
            producer.produce(sink, message.value())
        at = [TopicPartition(source, 0, last)]
        producer.send_offsets_to_transaction(at, consumer.consumer_group_metadata(), 20)
        (producer.commit_transaction if commit else producer.abort_transaction)(20)
        committed = consumer.committed([TopicPartition(source, 0)], timeout=10)[0].offset
        equal(committed, last if commit else ck.OFFSET_INVALID)
    equal(len(read(sink, 10)), 10)
    consumer.close()


@case("a second producer with the same id fences the first")
def fencing():
    topic = create("fenced")
    first, second = (ck.Producer({**COMMON, "transactional.id": "c3"}) for _ in range(2))
    first.init_transactions(20)
    first.begin_transaction()
    first.produce(topic, b"never")
    first.flush(10)
    second.init_transactions(20)
    second.begin_transaction()
    second.produce(topic, b"seen")
    second.commit_transaction(20)
    try:
        first.commit_transaction(20)
        raise AssertionError("the fenced producer committed")
    except ck.KafkaException as error:
        assert error.args[0].fatal(), error
    equal([m.value() for m in read(topic, 1)], [b"seen"])


finish()
