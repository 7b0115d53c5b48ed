"""Consumer groups: sharing, handing over, remembering."""

import confluent_kafka
import kafka
import pytest

from clients import LIBRDKAFKA, MODERN, OLD, Record
from member import Member
from server import until

QUICK = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 300}
QUICK_LIBRDKAFKA = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300}
PYTHON = [MODERN, OLD]


def member(client, server, topic, group):
    return client.consumer(
        server, topic, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, **QUICK
    )


def partitions(consumer):
    return sorted(partition.partition for partition in consumer.assignment())


def read_more(consumer, read):
    """Appends what the next poll brings; says how much there is."""
    for messages in consumer.poll(10_000).values():
        read.extend(messages)
    return len(read)


def numbers(count, partition=0):
    return [Record(b"%d" % number, partition=partition) for number in range(count)]


@pytest.mark.parametrize("version", [None, (0, 10)], ids=["modern", "old"])
def test_two_members_share_and_hand_over(server, create, topic, group, version):
    create(topic, 4)
    with Member(server, topic, group, version) as first:
        until(lambda: first.partitions == [0, 1, 2, 3], "the only member has all partitions")
        with Member(server, topic, group, version) as second:
            until(lambda: halves(first, second), "two members have two partitions each")
            second.leave()
        until(lambda: first.partitions == [0, 1, 2, 3], "the one who stays gets all back")
        first.leave()


def test_a_member_that_dies_is_noticed(server, create, topic, group):
    """Its connection ends without a goodbye; after the session timeout its partitions go to the others."""
    create(topic, 4)
    with Member(server, topic, group) as first, Member(server, topic, group) as second:
        until(lambda: halves(first, second), "two members have two partitions each")
        first.die()
        until(lambda: second.partitions == [0, 1, 2, 3], "the survivor has all partitions")
        second.leave()


def halves(*members):
    assigned = [member.partitions or [] for member in members]
    return [len(partitions) for partitions in assigned] == [2, 2] and sorted(sum(assigned, [])) == [0, 1, 2, 3]


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_two_members_of_librdkafka(server, create, topic, group, strategy):
    create(topic, 4)
    options = {"group.id": group, "partition.assignment.strategy": strategy, **QUICK_LIBRDKAFKA}
    first, second = LIBRDKAFKA.consumer(server, **options), LIBRDKAFKA.consumer(server, **options)
    first.subscribe([topic])

    def polled(*consumers):
        for consumer in consumers:
            consumer.poll(0.05)
        return [partitions(consumer) for consumer in consumers]

    until(lambda: polled(first) == [[0, 1, 2, 3]], "the only member has all partitions")
    second.subscribe([topic])

    def shared():
        one, other = polled(first, second)
        return sorted(one + other) == [0, 1, 2, 3] and len(one) == len(other) == 2

    until(shared, "two members have two partitions each")
    first.close()
    until(lambda: polled(second) == [[0, 1, 2, 3]], "the one who stays gets all back")
    second.close()


@pytest.mark.parametrize("client", PYTHON, ids=str)
def test_committed_offsets_survive_kill_9(own_server, topic, group, client):
    client.produce(own_server, topic, numbers(20))
    consumer = member(client, own_server, topic, group)
    partition = kafka.TopicPartition(topic, 0)
    read = []
    until(lambda: read_more(consumer, read) >= 20, "20 records")
    consumer.commit({partition: kafka.OffsetAndMetadata(7, "half way", -1)})
    own_server.kill_and_restart(keep_port=True)
    consumer.close(autocommit=False)
    again = member(client, own_server, topic, group)
    assert again.committed(partition) == 7
    assert again.committed(partition, metadata=True).metadata == "half way"
    first = []
    until(lambda: read_more(again, first), "reading goes on")
    assert (first[0].offset, first[0].value) == (7, b"7")
    again.close()


def test_committed_offsets_of_librdkafka_survive_kill_9(own_server, topic, group):
    LIBRDKAFKA.produce(own_server, topic, numbers(20))
    options = {"group.id": group, **QUICK_LIBRDKAFKA}
    consumer = LIBRDKAFKA.consumer(own_server, **options)
    consumer.subscribe([topic])
    for expected in range(7):
        message = until(lambda: consumer.poll(0.2), "a record")
        assert message.error() is None and message.offset() == expected
    consumer.commit(asynchronous=False)
    own_server.kill_and_restart(keep_port=True)
    consumer.close()
    again = LIBRDKAFKA.consumer(own_server, **options)
    (committed,) = again.committed([confluent_kafka.TopicPartition(topic, 0)], timeout=20)
    assert committed.offset == 7
    again.subscribe([topic])
    message = until(lambda: again.poll(0.2), "reading goes on")
    assert (message.offset(), message.value()) == (7, b"7")
    again.close()


def test_a_group_that_never_committed_starts_as_told(server, topic, group):
    MODERN.produce(server, topic, numbers(3))
    consumer = member(MODERN, server, topic, group)
    assert consumer.committed(kafka.TopicPartition(topic, 0)) is None
    first = []
    until(lambda: read_more(consumer, first), "the earliest record")
    assert first[0].offset == 0
    consumer.close()
