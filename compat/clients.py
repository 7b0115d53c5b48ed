"""The same few deeds with each client, so that one test can be asked of all of them.

Nothing here works around a server: the clients are the published packages with ordinary settings.
"""

from dataclasses import dataclass, field

import confluent_kafka
import kafka

from server import until

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]


@dataclass(frozen=True)
class Record:
    value: bytes | None
    key: bytes | None = None
    headers: list = field(default_factory=list)
    timestamp: int | None = None
    offset: int | None = None
    partition: int = 0


class KafkaPython:
    """kafka-python; with an `api_version` it speaks that Kafka's protocol instead of asking."""

    def __init__(self, api_version=None):
        self.options = {"api_version": api_version} if api_version else {}
        self.keeps_headers = api_version is None or api_version >= (0, 11)
        self.codecs = CODECS if self.keeps_headers else [None, "gzip", "snappy", "lz4"]

    def __repr__(self):
        version = self.options.get("api_version")
        return "kafka-python" + ("-" + ".".join(map(str, version)) if version else "")

    def producer(self, server, **options):
        return kafka.KafkaProducer(bootstrap_servers=server.kafka, **self.options, **options)

    def consumer(self, server, *topics, **options):
        return kafka.KafkaConsumer(*topics, bootstrap_servers=server.kafka, **self.options, **options)

    def produce(self, server, topic, records, codec=None):
        """Returns the offset of each record."""
        producer = self.producer(server, compression_type=codec, linger_ms=50)
        try:
            sent = [
                producer.send(
                    topic,
                    value=record.value,
                    key=record.key,
                    headers=record.headers if self.keeps_headers else None,
                    timestamp_ms=record.timestamp,
                    partition=record.partition,
                )
                for record in records
            ]
            producer.flush(20)
            return [future.get(20).offset for future in sent]
        finally:
            producer.close(5)

    def consume(self, server, topic, count, partition=0, seconds=20):
        consumer = self.consumer(server, auto_offset_reset="earliest", enable_auto_commit=False)
        try:
            consumer.assign([kafka.TopicPartition(topic, partition)])
            read = []

            def enough():
                for messages in consumer.poll(timeout_ms=200).values():
                    read.extend(messages)
                return len(read) >= count

            until(enough, f"{count} records of {topic}", seconds)
            return [
                Record(m.value, m.key, list(m.headers or []), m.timestamp, m.offset, m.partition) for m in read
            ]
        finally:
            consumer.close()


class Confluent:
    """confluent-kafka, that is librdkafka."""

    keeps_headers = True
    codecs = CODECS

    def __repr__(self):
        return "librdkafka"

    def producer(self, server, **options):
        return confluent_kafka.Producer({"bootstrap.servers": server.kafka, **options})

    def consumer(self, server, **options):
        defaults = {"group.id": "unused", "auto.offset.reset": "earliest", "enable.auto.commit": False}
        return confluent_kafka.Consumer({"bootstrap.servers": server.kafka, **defaults, **options})

    def produce(self, server, topic, records, codec=None, **options):
        producer = self.producer(server, **{"compression.type": codec or "none", "linger.ms": 50, **options})
        offsets, errors = [None] * len(records), []

        def delivered(index):
            def callback(error, message):
                if error is not None:
                    errors.append(error)
                else:
                    offsets[index] = message.offset()

            return callback

        for index, record in enumerate(records):
            producer.produce(
                topic,
                value=record.value,
                key=record.key,
                headers=record.headers or None,
                timestamp=record.timestamp or 0,
                partition=record.partition,
                on_delivery=delivered(index),
            )
        left = producer.flush(20)
        assert not errors and left == 0, f"{left} records unsent, errors {errors}"
        return offsets

    def consume(self, server, topic, count, partition=0, seconds=20):
        consumer = self.consumer(server)
        try:
            consumer.assign([confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING)])
            read = []

            def enough():
                for message in consumer.consume(max(count - len(read), 1), timeout=0.2):
                    assert message.error() is None, message.error()
                    read.append(message)
                return len(read) >= count

            until(enough, f"{count} records of {topic}", seconds)
            return [
                Record(m.value(), m.key(), m.headers() or [], m.timestamp()[1], m.offset(), m.partition())
                for m in read
            ]
        finally:
            consumer.close()


MODERN = KafkaPython()
OLD = KafkaPython((0, 10))
LIBRDKAFKA = Confluent()
ALL = [MODERN, OLD, LIBRDKAFKA]
