"""What was acknowledged is there after `kill -9`, once and in order."""

import threading
from contextlib import suppress

import kafka
import pytest

from clients import LIBRDKAFKA, MODERN, OLD, Record
from server import Server, until


@pytest.mark.parametrize("client", [MODERN, OLD], ids=str)
def test_acknowledged_records_survive_kill_9(own_server, topic, client):
    """The server is killed while a producer is at work; every record that was acknowledged is read again."""
    patience = {"request_timeout_ms": 2000, "delivery_timeout_ms": 3000, "max_block_ms": 3000}
    producer = client.producer(own_server, acks="all", retries=0, enable_idempotence=False, **patience)
    acknowledged, sent, stop = [], [], threading.Event()

    def produce():
        number = 0
        while not stop.is_set():
            value = b"%d" % number
            number += 1
            try:
                sent.append(value)
                metadata = producer.send(topic, value).get(5)
                acknowledged.append((metadata.offset, value))
            except kafka.errors.KafkaError:
                return

    thread = threading.Thread(target=produce)
    thread.start()
    until(lambda: len(acknowledged) >= 200, "200 acknowledged records")
    own_server.kill()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    with suppress(kafka.errors.KafkaTimeoutError):
        producer.close(1)
    own_server.start()
    read = MODERN.consume(own_server, topic, len(acknowledged))
    stored = [(record.offset, record.value) for record in read]
    assert stored[: len(acknowledged)] == acknowledged
    # At most the record that was on its way may be there unacknowledged.
    assert [value for _, value in stored] == sent[: len(stored)]


def test_an_idempotent_producer_goes_on_through_kill_9(own_server, topic):
    """It retries what it has no answer to; the server, back on its port, takes each record once."""
    options = {"enable.idempotence": True, "linger.ms": 1, "retry.backoff.ms": 50, "reconnect.backoff.max.ms": 200}
    producer = LIBRDKAFKA.producer(own_server, **options)
    delivered, errors = [], []

    def callback(error, message):
        (errors if error else delivered).append(error or message.value())

    total = 3000
    for number in range(total):
        producer.produce(topic, b"%d" % number, partition=0, on_delivery=callback)
        if number in (1000, 2000):
            until(lambda: producer.poll(0.01) is not None and len(delivered) > number // 2, "records are delivered")
            own_server.kill_and_restart(keep_port=True)
    assert producer.flush(30) == 0 and not errors
    values = [record.value for record in LIBRDKAFKA.consume(own_server, topic, total)]
    assert values == [b"%d" % number for number in range(total)]


def test_a_repeated_batch_is_stored_once(own_server, topic):
    """The sequences of a producer are known after a restart: kafka-python, idempotent by default."""
    producer = MODERN.producer(own_server, request_timeout_ms=5000, reconnect_backoff_max_ms=200)
    for number in range(50):
        producer.send(topic, b"%d" % number).get(10)
    own_server.kill_and_restart(keep_port=True)
    for number in range(50, 100):
        producer.send(topic, b"%d" % number).get(20)
    producer.close(5)
    values = [record.value for record in MODERN.consume(own_server, topic, 100)]
    assert values == [b"%d" % number for number in range(100)]


def test_many_segments_are_found_again(tmp_path, topic):
    server = Server(tmp_path, {"log.segment.bytes": 65_536}).start()
    try:
        records = [Record(b"%06d" % number + bytes(500)) for number in range(2000)]
        LIBRDKAFKA.produce(server, topic, records, **{"batch.size": 8192})
        segments = list(server.directory.rglob("*.log"))
        assert len([path for path in segments if topic in str(path)]) > 5
        server.kill_and_restart()
        read = LIBRDKAFKA.consume(server, topic, len(records))
        assert [record.value for record in read] == [record.value for record in records]
    finally:
        server.close()


def test_a_clean_stop_keeps_everything(own_server, topic):
    MODERN.produce(own_server, topic, [Record(b"kept")])
    assert own_server.stop() == 0
    own_server.start()
    assert [record.value for record in MODERN.consume(own_server, topic, 1)] == [b"kept"]


def test_a_data_directory_has_one_server(own_server, tmp_path):
    """A second one on the same directory says so and leaves the first alone."""
    second = Server(tmp_path / "second")
    (second.directory / "data").symlink_to(own_server.directory / "data")
    with pytest.raises(AssertionError, match="instead of opening"):
        second.start()
    assert "data" in second.log_tail()
    assert own_server.alive()
