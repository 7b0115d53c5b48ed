"""The command line of Pelton against a real Apache Kafka: the same commands, the other broker."""

import json
import os
import subprocess

import pytest

import jvm
from apache_kafka import ApacheKafka
from server import binary


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    reason = jvm.missing()
    if reason:
        pytest.skip(reason)
    broker = ApacheKafka(tmp_path_factory.mktemp("apache-kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def pelton(kafka):
    environment = dict(os.environ, PELTON_KAFKA=kafka.kafka)

    def run(*arguments, stdin=b"", code=0):
        command = [binary(), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False, env=environment)
        assert done.returncode == code, done.stderr.decode(errors="replace")
        return (done.stderr if code else done.stdout).decode()

    return run


def test_topics(pelton):
    pelton("topic", "create", "orders", "-p", "3", "--config", "retention.ms=100000")
    assert "exists already" in pelton("topic", "create", "orders", code=1)
    assert "Unknown topic config name" in pelton("topic", "create", "bad", "--config", "nonsense=1", code=1)
    pelton("topic", "alter", "orders", "--partitions", "6", "--delete-config", "retention.ms")
    (described,) = json.loads(pelton("topic", "describe", "orders", "--json"))
    assert len(described["partitions"]) == 6
    assert described["configs"] == {}
    assert "did you mean orders?" in pelton("topic", "describe", "oders", code=1)
    pelton("topic", "delete", "orders", "--yes")


def test_a_million_lines_in_and_out(pelton):
    lines = b"".join(b"%d\n" % number for number in range(1_000_000))
    assert pelton("produce", "million", "-z", "lz4", stdin=lines) == "1000000 records acknowledged by million\n"
    assert pelton("consume", "million", "-e").encode() == lines


def test_transactions(pelton):
    pelton("produce", "money", "--transactional-id", "t", stdin=b"1\n2\n")
    assert "no record counts" in pelton("produce", "money", "--json", "--transactional-id", "t", stdin=b"x\n", code=1)
    assert pelton("consume", "money", "-e", "--read-committed") == "1\n2\n"


def test_groups(pelton):
    pelton("produce", "read", stdin=b"1\n2\n3\n")
    assert pelton("consume", "read", "-G", "readers", "-n", "2", "-q") == "1\n2\n"
    (described,) = json.loads(pelton("group", "describe", "readers", "--json"))
    assert described["lag"] == 1
    pelton("group", "reset-offsets", "readers", "--all-topics", "--to-earliest", "--execute")
    assert pelton("consume", "read", "-G", "readers", "-e", "-q") == "1\n2\n3\n"
    pelton("group", "delete-offsets", "readers", "--topic", "read", "--yes")
    pelton("group", "delete", "readers", "--yes")
    assert json.loads(pelton("group", "list", "--json")) == []
