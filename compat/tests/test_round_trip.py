"""What goes in comes out, with every client writing and every client reading."""

import time

import pytest

from clients import ALL, CODECS, LIBRDKAFKA, MODERN, OLD, Record

NOW = int(time.time() * 1000)

RECORDS = [
    Record(b"plain"),
    Record(b"", key=b""),
    Record(b"with a key", key=b"key"),
    Record(None, key=b"deleted"),
    Record(b"dated", timestamp=NOW - 86_400_000),
    Record(bytes(range(256)) * 40, key=bytes(range(256))),
    Record(b"headed", headers=[("a", b"1"), ("b", b""), ("a", b"2"), ("\u00fc", bytes([0, 255]))]),
    Record("text: \u00e4\u4e16\u754c".encode(), key="\u00e4".encode(), timestamp=NOW),
]


def check(read, sent, offsets, headers):
    assert [record.offset for record in read] == offsets == list(range(len(sent)))
    for got, meant in zip(read, sent, strict=True):
        assert (got.value, got.key) == (meant.value, meant.key)
        assert got.headers == (meant.headers if headers else [])
        if meant.timestamp:
            assert got.timestamp == meant.timestamp
        else:
            assert abs(got.timestamp - NOW) < 600_000


# zstd is younger than the protocol of the old clients, which cannot read it.
PAIRS = [
    (writer, reader, codec) for writer in ALL for reader in ALL for codec in writer.codecs if codec in reader.codecs
]


@pytest.mark.parametrize(("writer", "reader", "codec"), PAIRS, ids=lambda value: str(value or "none"))
def test_records_survive(server, topic, writer, reader, codec):
    offsets = writer.produce(server, topic, RECORDS, codec)
    read = reader.consume(server, topic, len(RECORDS))
    check(read, RECORDS, offsets, writer.keeps_headers and reader.keeps_headers)


@pytest.mark.parametrize("codec", CODECS[1:])
def test_compressed_batches_stay_compressed(own_server, topic, codec):
    """The log keeps the producer's batch: a megabyte of nothing takes far less than that on disk."""
    LIBRDKAFKA.produce(own_server, topic, [Record(b"x" * 1000)] * 1000, codec, acks="all")
    stored = sum(path.stat().st_blocks * 512 for path in own_server.directory.rglob(f"*{topic}*/**/*.log"))
    assert 0 < stored < 200_000


@pytest.mark.parametrize("client", ALL, ids=str)
def test_ten_thousand_records_in_order(server, topic, client):
    sent = [Record(b"%d" % number, key=b"%d" % (number % 7)) for number in range(10_000)]
    client.produce(server, topic, sent, "gzip")
    read = client.consume(server, topic, len(sent))
    assert [record.value for record in read] == [record.value for record in sent]
    assert [record.offset for record in read] == list(range(len(sent)))


@pytest.mark.parametrize("client", [MODERN, OLD], ids=str)
def test_reading_from_the_middle(server, topic, client):
    """A fetch inside a batch starts at the record asked for."""
    import kafka

    MODERN.produce(server, topic, [Record(b"%d" % number) for number in range(100)], "lz4")
    consumer = client.consumer(server)
    partition = kafka.TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, 42)
    assert next(consumer).value == b"42"
    consumer.close()


def test_waiting_for_what_is_not_there_yet(server, create, topic):
    """A consumer at the end is woken by the next record, not by its next poll."""
    create(topic)
    consumer = LIBRDKAFKA.consumer(server, **{"fetch.wait.max.ms": 30_000})
    import confluent_kafka

    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    assert consumer.poll(0.3) is None
    start = time.monotonic()
    LIBRDKAFKA.produce(server, topic, [Record(b"now")])
    message = consumer.poll(15)
    waited = time.monotonic() - start
    consumer.close()
    assert message is not None and message.value() == b"now"
    assert waited < 10, f"woken only after {waited:.1f} s"
