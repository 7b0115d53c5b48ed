"""Groups in the hands of an administrator: listed, described, moved, deleted."""

import kafka
import pytest
from confluent_kafka import ConsumerGroupState, ConsumerGroupType, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka.structs import OffsetAndMetadata

from clients import LIBRDKAFKA, Record
from server import until


@pytest.fixture
def librdkafka(server):
    return AdminClient({"bootstrap.servers": server.kafka})


def reading(server, topic, group, protocol):
    """A member that has read and committed a record."""
    LIBRDKAFKA.produce(server, topic, [Record(b"%d" % number) for number in range(10)])
    reader = LIBRDKAFKA.consumer(server, **{"group.id": group, "group.protocol": protocol})
    reader.subscribe([topic])
    message = until(lambda: reader.poll(0.2), "a record")
    assert message.error() is None
    reader.commit(message=message, asynchronous=False)
    return reader


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_groups_are_listed_by_type_and_state(server, librdkafka, topic, group, protocol):
    reader = reading(server, topic, group, protocol)
    kind = ConsumerGroupType.CLASSIC if protocol == "classic" else ConsumerGroupType.CONSUMER

    def listed(**filters):
        found = librdkafka.list_consumer_groups(**filters).result(20).valid
        return [(one.state, one.type) for one in found if one.group_id == group]

    assert listed() == [(ConsumerGroupState.STABLE, kind)]
    assert listed(types={kind}, states={ConsumerGroupState.STABLE}) == [(ConsumerGroupState.STABLE, kind)]
    assert listed(states={ConsumerGroupState.EMPTY}) == []
    described = librdkafka.describe_consumer_groups([group])[group].result(20)
    assert described.type == kind and len(described.members) == 1
    assert described.members[0].assignment.topic_partitions == [TopicPartition(topic, 0)]
    reader.close()
    assert listed(states={ConsumerGroupState.EMPTY}) == [(ConsumerGroupState.EMPTY, kind)]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_offsets_are_moved_and_deleted(server, admin, topic, group, protocol):
    partition = kafka.TopicPartition(topic, 0)
    reader = reading(server, topic, group, protocol)

    def committed():
        return admin.list_group_offsets(group)[group].get(partition)

    assert committed().offset == 1
    refused = admin.delete_group_offsets(group, [partition])
    assert refused[partition] is kafka.errors.GroupSubscribedToTopicError
    reader.close()
    admin.alter_group_offsets(group, {partition: OffsetAndMetadata(7, "moved by hand", -1)})
    assert (committed().offset, committed().metadata) == (7, "moved by hand")
    admin.delete_group_offsets(group, [partition])
    assert committed() is None
    admin.delete_groups([group])
    assert group not in str(admin.list_groups())
