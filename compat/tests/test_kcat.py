"""kcat, from the Debian package."""

import json
import subprocess

from clients import LIBRDKAFKA, Record


def kcat(server, *arguments, stdin=b""):
    command = ["kcat", "-b", server.kafka, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def test_lines_in_lines_out(server, topic):
    lines = b"".join(b"key%d|line %d\n" % (number, number) for number in range(1000))
    kcat(server, "-P", "-t", topic, "-K", "|", "-z", "snappy", stdin=lines)
    assert kcat(server, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-K", "|") == lines


def test_headers_and_metadata(server, topic):
    kcat(server, "-P", "-t", topic, "-H", "a=1", "-H", "a=2", "-k", "key", stdin=b"value")
    read = json.loads(kcat(server, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J"))
    assert (read["key"], read["payload"], read["headers"]) == ("key", "value", ["a", "1", "a", "2"])
    listed = json.loads(kcat(server, "-L", "-J"))
    assert [broker["name"] for broker in listed["brokers"]] == [server.kafka]
    assert topic in [found["topic"] for found in listed["topics"]]


def test_offsets_by_timestamp(server, topic):
    LIBRDKAFKA.produce(server, topic, [Record(b"x", timestamp=1_700_000_000_000 + step) for step in range(5)])
    assert kcat(server, "-Q", "-t", f"{topic}:0:1700000000003").strip() == f"{topic} [0] offset 3".encode()


def test_a_group_reads_on_where_it_stopped(server, topic, group):
    kcat(server, "-P", "-t", topic, stdin=b"one\ntwo\nthree\n")
    options = ["-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "-q"]
    assert kcat(server, *options, "-c", "2", "-G", group, topic) == b"one\ntwo\n"
    assert kcat(server, *options, "-c", "1", "-G", group, topic) == b"three\n"
