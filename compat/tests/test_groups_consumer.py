"""Groups of the consumer protocol (KIP-848): the broker shares the partitions out."""

from contextlib import suppress

import confluent_kafka
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from clients import LIBRDKAFKA, Record
from server import until


def consumer(server, group, **options):
    return LIBRDKAFKA.consumer(server, **{"group.id": group, "group.protocol": "consumer", **options})


def partitions(consumer):
    return sorted((one.topic, one.partition) for one in consumer.assignment())


def polled(*consumers):
    for one in consumers:
        message = one.poll(0.05)
        assert message is None or message.error() is None, message.error()
    return [partitions(one) for one in consumers]


def all_of(topic, count):
    return [(topic, partition) for partition in range(count)]


def shares(topic, count, *consumers):
    """Everybody has a part, and together they have all, each partition once."""
    parts = polled(*consumers)
    return all(parts) and sorted(sum(parts, [])) == all_of(topic, count)


def describe(server, group):
    admin = AdminClient({"bootstrap.servers": server.kafka})
    return admin.describe_consumer_groups([group])[group].result(20)


@pytest.mark.parametrize("assignor", ["uniform", "range"])
def test_members_share_and_hand_over(server, create, topic, group, assignor):
    create(topic, 4)
    options = {"group.remote.assignor": assignor}
    first, second = consumer(server, group, **options), consumer(server, group, **options)
    first.subscribe([topic])
    until(lambda: polled(first) == [all_of(topic, 4)], "the only member has all partitions")
    second.subscribe([topic])
    until(lambda: shares(topic, 4, first, second), "two members share", 40)
    assert sorted(map(len, polled(first, second))) == [2, 2]
    described = describe(server, group)
    assert described.type == confluent_kafka.ConsumerGroupType.CONSUMER
    assert described.state == confluent_kafka.ConsumerGroupState.STABLE
    assert described.partition_assignor == assignor
    assert sorted(len(member.assignment.topic_partitions) for member in described.members) == [2, 2]
    first.close()
    until(lambda: polled(second) == [all_of(topic, 4)], "the one who stays gets all back", 40)
    second.close()
    assert describe(server, group).state == confluent_kafka.ConsumerGroupState.EMPTY


def test_a_restart_disturbs_nobody(own_server, topic, group):
    LIBRDKAFKA.produce(own_server, topic, [Record(b"%d" % number) for number in range(20)])
    revoked = []
    reader = consumer(own_server, group)
    reader.subscribe([topic], on_revoke=lambda _, parts: revoked.extend(parts))
    for expected in range(7):
        message = until(lambda: reader.poll(0.2), "a record")
        assert message.error() is None and message.offset() == expected
    reader.commit(asynchronous=False)
    epoch = reader.consumer_group_metadata()
    own_server.kill_and_restart(keep_port=True)
    for expected in range(7, 20):
        message = until(lambda: reader.poll(0.2), "reading goes on")
        assert message.error() is None and message.offset() == expected
    until(lambda: commits(reader), "the member is still one")
    assert revoked == [] and epoch is not None
    reader.close()
    again = consumer(own_server, group)
    (committed,) = again.committed([confluent_kafka.TopicPartition(topic, 0)], timeout=20)
    assert committed.offset == 20
    again.close()


def commits(reader):
    try:
        return reader.commit(asynchronous=False)
    except confluent_kafka.KafkaException:
        return None


def test_a_pattern_follows_the_topics(server, create, topic, group):
    create(f"{topic}-a", 2)
    reader = consumer(server, group, **{"topic.metadata.refresh.interval.ms": 1000})
    reader.subscribe([f"^{topic}-.*"])
    until(lambda: polled(reader) == [all_of(f"{topic}-a", 2)], "the topic that matches")
    create(f"{topic}-b", 1)
    both = all_of(f"{topic}-a", 2) + all_of(f"{topic}-b", 1)
    until(lambda: polled(reader) == [both], "the topic that came", 30)
    reader.close()


def test_new_partitions_are_given_out(server, create, topic, group):
    create(topic, 1)
    reader = consumer(server, group)
    reader.subscribe([topic])
    until(lambda: polled(reader) == [all_of(topic, 1)], "the partition")
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(20)
    until(lambda: polled(reader) == [all_of(topic, 3)], "the new ones", 30)
    reader.close()


def test_a_static_member_comes_back_to_its_partitions(server, create, topic, group):
    create(topic, 4)
    stays, goes = (consumer(server, group, **{"group.instance.id": name}) for name in ("one", "two"))
    stays.subscribe([topic])
    goes.subscribe([topic])
    until(lambda: shares(topic, 4, stays, goes), "two members share", 40)
    kept, gone = polled(stays, goes)
    goes.close()
    back = consumer(server, group, **{"group.instance.id": "two"})
    back.subscribe([topic])
    until(lambda: polled(stays, back) == [kept, gone], "everybody has what it had", 40)
    stays.close()
    back.close()


def test_an_empty_group_changes_its_protocol(server, topic, group):
    LIBRDKAFKA.produce(server, topic, [Record(b"%d" % number) for number in range(10)])
    for protocol, offset in (("classic", 3), ("consumer", 6), ("classic", 9)):
        reader = consumer(server, group, **{"group.protocol": protocol})
        reader.subscribe([topic])
        message = until(lambda: reader.poll(0.2), f"a record for the {protocol} member")
        assert message.error() is None and message.offset() == offset - 3
        for _ in range(2):
            message = until(lambda: reader.poll(0.2), "more records")
        reader.commit(message=message, asynchronous=False)
        reader.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_a_group_is_rolled_over_member_by_member_and_back(server, create, topic, group, strategy):
    create(topic, 6)
    sent = 0

    def member(protocol):
        options = {"group.protocol": protocol, "enable.auto.commit": False}
        if protocol == "classic":
            options |= {"partition.assignment.strategy": strategy, "session.timeout.ms": 6000}
        reader = consumer(server, group, **options)
        reader.subscribe([topic])
        return reader

    read = []

    def take(readers):
        """Reads and commits what there is, one record at a time. A commit of an epoch that is just over is refused; the
        record then comes again: to its next owner from what is committed, or to the same one, who steps back to it."""
        for reader in readers:
            message = reader.poll(0.05)
            if message is None or message.error() is not None:
                continue
            try:
                reader.commit(message=message, asynchronous=False)
            except confluent_kafka.KafkaException:
                with suppress(confluent_kafka.KafkaException):  # whoever has lost the partition cannot step back
                    reader.seek(TopicPartition(message.topic(), message.partition(), message.offset()))
                continue
            read.append(message.value())

    def settles(readers, kind):
        nonlocal sent
        until(lambda: take(readers) or shares(topic, 6, *readers), f"{len(readers)} members share, {kind}", 60)
        LIBRDKAFKA.produce(server, topic, [Record(b"%d" % (sent + number)) for number in range(60)])
        sent += 60
        everything = {b"%d" % number for number in range(sent)}
        until(lambda: take(readers) or set(read) == everything, "every record is read and committed", 60)
        assert describe(server, group).type == kind

    classic, new = confluent_kafka.ConsumerGroupType.CLASSIC, confluent_kafka.ConsumerGroupType.CONSUMER
    readers = [member("classic") for _ in range(2)]
    settles(readers, classic)
    steps = [("consumer", new), ("consumer", new), ("classic", new), ("classic", classic)]
    for place, (protocol, kind) in enumerate(steps):
        readers[place % 2].close()
        readers[place % 2] = member(protocol)
        settles(readers, kind)
    for reader in readers:
        reader.close()
