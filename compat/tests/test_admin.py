"""Topics, their settings and their offsets."""

import confluent_kafka
import kafka
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from kafka.errors import InvalidTopicError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from clients import ALL, LIBRDKAFKA, MODERN, KafkaPython, Record
from server import Server, until


@pytest.fixture
def librdkafka_admin(server):
    return AdminClient({"bootstrap.servers": server.kafka})


@pytest.mark.parametrize("client", ALL, ids=str)
def test_a_topic_is_created_by_writing_to_it(server, admin, topic, client):
    assert topic not in admin.list_topics()
    client.produce(server, topic, [Record(b"first")])
    assert topic in admin.list_topics()


def test_create_and_delete(server, admin, create, topic):
    create(topic, 3)
    (described,) = admin.describe_topics([topic])
    assert len(described["partitions"]) == 3
    with pytest.raises(TopicAlreadyExistsError):
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.delete_topics([topic])
    until(lambda: topic not in admin.list_topics(), "the topic is gone")
    with pytest.raises(UnknownTopicOrPartitionError):
        admin.delete_topics([topic])


def test_a_deleted_topic_comes_back_empty(server, admin, create, topic):
    create(topic)
    MODERN.produce(server, topic, [Record(b"old")] * 10)
    admin.delete_topics([topic])
    until(lambda: topic not in admin.list_topics(), "the topic is gone")
    create(topic)
    assert MODERN.produce(server, topic, [Record(b"new")]) == [0]
    assert [record.value for record in MODERN.consume(server, topic, 1)] == [b"new"]


@pytest.mark.parametrize("name", ["", "a/b", "..", "x" * 250, "sp ace"])
def test_impossible_names_are_refused(admin, name):
    with pytest.raises(InvalidTopicError):
        admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})


def test_librdkafka_creates_describes_and_deletes(librdkafka_admin, topic):
    librdkafka_admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(20)
    found = until(lambda: librdkafka_admin.list_topics(topic=topic, timeout=10).topics.get(topic), "the topic")
    assert sorted(found.partitions) == [0, 1]
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        librdkafka_admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(20)
    assert refused.value.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS
    librdkafka_admin.delete_topics([topic])[topic].result(20)
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        librdkafka_admin.delete_topics([topic])[topic].result(20)
    assert refused.value.args[0].code() == confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART


def test_settings_of_a_topic(librdkafka_admin, create, topic):
    create(topic, configs={"max.message.bytes": "2000000"})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    entries = librdkafka_admin.describe_configs([resource])[resource].result(20)
    assert entries["max.message.bytes"].value == "2000000"
    assert entries["cleanup.policy"].value == "delete"
    assert int(entries["segment.bytes"].value) > 0


def test_settings_of_a_topic_that_is_not_there(librdkafka_admin, topic):
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        librdkafka_admin.describe_configs([resource])[resource].result(20)
    assert refused.value.args[0].code() == confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART


def test_settings_of_the_broker(librdkafka_admin):
    broker = next(iter(librdkafka_admin.list_topics(timeout=10).brokers))
    resource = ConfigResource(ConfigResource.Type.BROKER, str(broker))
    entries = librdkafka_admin.describe_configs([resource])[resource].result(20)
    assert entries["auto.create.topics.enable"].value == "true"


# Kafka 0.10.0 could not look up times; kafka-python asks from 0.10.1 on.
@pytest.mark.parametrize("client", [MODERN, KafkaPython((0, 10, 1))], ids=str)
def test_offsets_by_timestamp(server, topic, client):
    """Each record in a batch of its own and all in one: the first at or after the time asked for."""
    times = [1_700_000_000_000 + 1000 * step for step in range(10)]
    records = [Record(b"%d" % time, timestamp=time) for time in times]
    for record in records:
        MODERN.produce(server, topic, [record])
    MODERN.produce(server, topic, records)
    consumer = client.consumer(server)
    partition = kafka.TopicPartition(topic, 0)
    for asked, offset in [(times[0] - 1, 0), (times[3], 3), (times[3] + 1, 4), (times[9], 9)]:
        found = consumer.offsets_for_times({partition: asked})[partition]
        assert (found.offset, found.timestamp) == (offset, times[offset]), asked
    assert consumer.offsets_for_times({partition: times[9] + 1})[partition] is None
    assert consumer.beginning_offsets([partition]) == {partition: 0}
    assert consumer.end_offsets([partition]) == {partition: 20}
    consumer.close()


def test_offsets_by_timestamp_with_librdkafka(server, topic):
    records = [Record(b"x", timestamp=1_700_000_000_000 + 1000 * step) for step in range(10)]
    LIBRDKAFKA.produce(server, topic, records)
    consumer = LIBRDKAFKA.consumer(server)
    asked = [confluent_kafka.TopicPartition(topic, 0, 1_700_000_004_500)]
    assert consumer.offsets_for_times(asked, timeout=20)[0].offset == 5
    assert consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), timeout=20) == (0, 10)
    consumer.close()


def test_reading_a_topic_that_is_not_there(server, admin, topic):
    """Clients that do not ask for creation are told, and nothing is created."""
    consumer = LIBRDKAFKA.consumer(server, **{"allow.auto.create.topics": False})
    consumer.subscribe([topic])
    message = until(lambda: consumer.poll(0.2), "an answer")
    assert message.error().code() == confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART
    consumer.close()
    assert topic not in admin.list_topics()


def test_auto_creation_can_be_switched_off(tmp_path, topic):
    server = Server(tmp_path, {"auto.create.topics.enable": False}).start()
    try:
        producer = LIBRDKAFKA.producer(server, **{"message.timeout.ms": 3000, "topic.metadata.propagation.max.ms": 0})
        errors = []
        producer.produce(topic, b"lost", on_delivery=lambda error, _: errors.append(error))
        producer.flush(20)
        unknown = (confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART, confluent_kafka.KafkaError._UNKNOWN_TOPIC)
        assert len(errors) == 1 and errors[0].code() in unknown
        producer = MODERN.producer(server, max_block_ms=2000)
        with pytest.raises(kafka.errors.KafkaError):
            producer.send(topic, b"lost").get(5)
        producer.close(1)
        assert topic not in kafka.KafkaAdminClient(bootstrap_servers=server.kafka).list_topics()
    finally:
        server.close()


def test_too_large_a_record_is_refused_as_such(server, topic):
    """The client is told the reason, keeps its connection, and its next record arrives."""
    import os

    large = os.urandom(2_000_000)
    producer = LIBRDKAFKA.producer(server, **{"message.max.bytes": 10_000_000})
    errors = []
    producer.produce(topic, large, on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert [error and error.code() for error in errors] == [confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE]
    producer = MODERN.producer(server, max_request_size=10_000_000, enable_idempotence=False, retries=0)
    with pytest.raises(kafka.errors.MessageSizeTooLargeError):
        producer.send(topic, large).get(20)
    assert producer.send(topic, b"small").get(20).offset == 0
    producer.close(5)


def test_a_topic_may_allow_larger_records(server, create, topic):
    create(topic, configs={"max.message.bytes": "5000000"})
    large = bytes(2_000_000)
    producer = LIBRDKAFKA.producer(server, **{"message.max.bytes": 10_000_000})
    errors = []
    producer.produce(topic, large, on_delivery=lambda error, _: errors.append(error))
    producer.flush(20)
    assert errors == [None]
    assert [record.value for record in LIBRDKAFKA.consume(server, topic, 1)] == [large]
