"""Whatever arrives on one connection, the server and everybody else's connections go on."""

import os
import socket
import struct
from pathlib import Path

import pytest

from clients import LIBRDKAFKA, MODERN, Record

METADATA, PRODUCE, FETCH, API_VERSIONS = 3, 0, 1, 18


def connect(server):
    host, port = server.kafka.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.settimeout(10)
    return connection


def frame(body):
    return struct.pack(">i", len(body)) + body


def header(api, version, correlation=1):
    return struct.pack(">hhih", api, version, correlation, 4) + b"evil"


def answer(connection):
    """A whole frame, or None if the server hung up."""
    size = exactly(connection, 4)
    return size and exactly(connection, struct.unpack(">i", size)[0])


def exactly(connection, count):
    read = b""
    while len(read) < count:
        try:
            piece = connection.recv(count - len(read))
        except ConnectionResetError:
            return None
        if not piece:
            return None
        read += piece
    return read


def hung_up(connection):
    """The server closes a connection it cannot make sense of; no answer is invented."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def resident_bytes(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


@pytest.fixture
def neighbour(own_server):
    """A well-behaved client, connected before the trouble and asked again after it."""
    producer = LIBRDKAFKA.producer(own_server, **{"linger.ms": 0, "message.timeout.ms": 10_000})
    errors = []

    def works():
        producer.produce("neighbour", b"still here", on_delivery=lambda error, _: errors.append(error))
        assert producer.flush(15) == 0 and errors.pop() is None

    works()
    yield works
    works()
    # A newcomer is served, too.
    assert MODERN.produce(own_server, "newcomer", [Record(b"hello")]) == [0]
    assert own_server.alive()


NONSENSE = {
    "two gigabytes": struct.pack(">i", 2**31 - 1) + header(METADATA, 1),
    "negative length": struct.pack(">i", -1) + b"x" * 100,
    "zero length": struct.pack(">i", 0),
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": bytes.fromhex("1603010200010001fc0303") + bytes(200),
    "half a header": frame(struct.pack(">hh", METADATA, 1)),
    "unknown api": frame(header(999, 0)),
    "negative api": frame(header(-1, 0)),
    "cut body": frame(header(METADATA, 1) + struct.pack(">i", 3) + b"\0"),
    "a billion topics": frame(header(METADATA, 1) + struct.pack(">i", 10**9)),
    "a billion topics, compact": frame(header(METADATA, 12) + b"\0" + b"\xff\xff\xff\xff\x07"),
    "endless varint": frame(header(METADATA, 12) + b"\0" + b"\xff" * 64),
    "string past the end": frame(header(METADATA, 1) + struct.pack(">i", 1) + struct.pack(">h", 32_000) + b"x"),
}


@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_only_its_own_connection(own_server, neighbour, sent):
    before = resident_bytes(own_server)
    with connect(own_server) as connection:
        connection.sendall(sent)
        assert hung_up(connection)
    neighbour()
    assert resident_bytes(own_server) - before < 64 << 20


def test_half_a_frame_and_gone(own_server, neighbour):
    for cut in (1, 3, 4, 9, 20):
        with connect(own_server) as connection:
            connection.sendall(frame(header(METADATA, 1) + struct.pack(">i", -1))[:cut])
    neighbour()


def test_half_a_frame_and_waiting(own_server, neighbour):
    """Two hundred clients that never finish their sentence cost nobody else anything."""
    waiting = [connect(own_server) for _ in range(200)]
    for connection in waiting:
        connection.sendall(struct.pack(">i", 90 << 20) + header(PRODUCE, 3)[:5])
    before = resident_bytes(own_server)
    neighbour()
    assert resident_bytes(own_server) < before + (64 << 20)
    for connection in waiting:
        connection.close()


def test_garbage_of_every_length(own_server, neighbour):
    """Random bytes, as bare streams and in frames of the right length."""
    import random

    dice = random.Random(11)
    for round_ in range(200):
        body = dice.randbytes(dice.choice([1, 7, 8, 40, 400, 4000]))
        if round_ % 2:
            body = header(dice.choice([*range(0, 70), 999]), dice.randrange(0, 14)) + body
        with connect(own_server) as connection:
            connection.sendall(frame(body))
            connection.shutdown(socket.SHUT_WR)
            while answer(connection):
                pass
    neighbour()


def produce_v3(topic, records):
    partition = struct.pack(">ii", 0, len(records)) + records
    topics = struct.pack(">i", 1) + string(topic) + struct.pack(">i", 1) + partition
    return frame(header(PRODUCE, 3) + struct.pack(">hhi", -1, -1, 5000) + topics)


def error_of(reply):
    """The error code of the only partition in a Produce v3 reply."""
    (name_len,) = struct.unpack_from(">h", reply, 8)
    _, _, error = struct.unpack_from(">iih", reply, 10 + name_len)
    return error


def batch(magic=2, crc=None, length=None, count=1, payload=None):
    """A record batch of one record, or something that looks like it."""
    record = b"\x0e\x00\x00\x00\x01\x02v\x00" if payload is None else payload
    after_crc = struct.pack(">hiqqqhii", 0, count - 1, 0, 0, -1, -1, -1, count) + record
    crc = crc32c(after_crc) if crc is None else crc
    rest = struct.pack(">ibI", 0, magic, crc) + after_crc
    return struct.pack(">qi", 0, len(rest) if length is None else length) + rest


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


CORRUPT, INVALID_RECORD = 2, 87
BAD_BATCHES = {
    "wrong crc": batch(crc=1),
    "wrong magic": batch(magic=9),
    "length past the end": batch(length=10_000),
    "negative length": batch(length=-5),
    "tiny length": batch(length=1),
    "count without records": batch(count=50),
    "a billion records": batch(count=10**9),
    "record past its end": batch(payload=b"\x7e\x00\x00\x00\x01\x02v\x00"),
    "garbage": os.urandom(200),
    "cut header": batch()[:20],
}


@pytest.mark.parametrize("records", BAD_BATCHES.values(), ids=BAD_BATCHES.keys())
def test_a_bad_batch_is_refused_and_nothing_is_stored(own_server, neighbour, records):
    """On the same connection a good one is taken right after it."""
    with connect(own_server) as connection:
        connection.sendall(produce_v3("neighbour", records))
        reply = answer(connection)
        assert reply is not None and error_of(reply) in (CORRUPT, INVALID_RECORD)
        connection.sendall(produce_v3("neighbour", batch()))
        assert error_of(answer(connection)) == 0
    read = LIBRDKAFKA.consume(own_server, "neighbour", 2)
    assert [record.value for record in read] == [b"still here", b"v"]


def test_versions_nobody_has_are_answered_as_kafka_does(own_server):
    """ApiVersions 99 is answered with version 0 and the list, so that the client can step down."""
    with connect(own_server) as connection:
        flexible = b"\0" + b"\x05evil" + b"\x021" + b"\0"
        connection.sendall(frame(header(API_VERSIONS, 99) + flexible))
        reply = answer(connection)
        correlation, error, count = struct.unpack_from(">ihi", reply)
        assert (correlation, error) == (1, 35) and count > 10
        keys = struct.iter_unpack(">hhh", reply[10 : 10 + 6 * count])
        listed = {key: (low, high) for key, low, high in keys}
        assert listed[FETCH][0] == 0 and listed[PRODUCE][0] == 0


def test_requests_in_one_write_are_answered_in_order(own_server):
    with connect(own_server) as connection:
        connection.sendall(b"".join(frame(header(API_VERSIONS, 0, number)) for number in range(50)))
        assert [struct.unpack_from(">i", answer(connection))[0] for _ in range(50)] == list(range(50))


def test_a_frame_byte_by_byte(own_server):
    with connect(own_server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(header(API_VERSIONS, 0, 77)):
            connection.sendall(bytes([byte]))
        assert struct.unpack_from(">i", answer(connection))[0] == 77
