"""Streaming tables over a real Apache Kafka, which is killed in the middle of a query."""

import subprocess

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions

import jvm
from apache_kafka import ApacheKafka, secured
from outside import SECONDS, behind, call, campaign, committed, create, options, produce, query, read_to, settings, sql
from server import Server, binary, until

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(jvm.missing() is not None, reason=jvm.missing() or "there is a Java"),
]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    broker = ApacheKafka(tmp_path_factory.mktemp("apache-kafka")).start()
    yield broker
    broker.close()


@pytest.fixture
def pelton(tmp_path):
    server = Server(tmp_path / "pelton").start()
    yield server
    server.close()


def counted(server, table):
    ((count, different, total),) = sql(server, f"SELECT count(*), count(DISTINCT n), sum(n) FROM {table}")
    return count, different, total


def refused(server, text):
    with pytest.raises(AssertionError) as said:
        sql(server, text)
    return str(said.value)


def test_every_committed_record_comes_once_whoever_is_killed(kafka, pelton):
    admin = create(kafka, "numbers")
    sql(
        pelton,
        f"""CREATE STREAMING TABLE numbers (n BIGINT) USING kafka
              OPTIONS ({options(kafka)}, subscribe 'numbers', maxOffsetsPerTrigger 500);
            CREATE STREAMING TABLE copied USING kafka OPTIONS (topic 'copied')
              AS SELECT n, CAST(_key AS STRING) AS k FROM STREAM numbers""",
    )
    produce(kafka, "numbers", range(2_000))
    produce(kafka, "numbers", range(2_000, 2_500), commit=True)
    produce(kafka, "numbers", range(900_000, 901_000), commit=False)
    read_to(pelton, "copied", 2_500)
    # The broker dies and comes back: the query waits for it and goes on.
    kafka.kill_and_restart()
    produce(kafka, "numbers", range(2_500, 4_000))
    read_to(pelton, "copied", 4_000)
    # The query dies and comes back: it goes on where its journal says.
    pelton.kill_and_restart()
    produce(kafka, "numbers", range(4_000, 5_000))
    read_to(pelton, "copied", 5_000)
    # A partition more is found.
    admin.create_partitions([NewPartitions("numbers", 4)])["numbers"].result(SECONDS)
    until(lambda: len(admin.list_topics("numbers").topics["numbers"].partitions) == 4, "the partition is there")
    produce(kafka, "numbers", range(5_000, 5_100), partition=3)
    read_to(pelton, "copied", 5_100)
    assert counted(pelton, "copied") == (5_100, 5_100, sum(range(5_100)))
    assert sql(pelton, "SELECT count(*) FROM copied WHERE k <> CAST(n AS STRING)") == [[0]]
    assert counted(pelton, "numbers") == (5_100, 5_100, sum(range(5_100)))
    # Records that were taken back are behind it, too.
    until(lambda: behind(pelton, "copied") == 0, "nothing is left to read", SECONDS)


def test_bounds_columns_and_dead_letters(kafka, pelton):
    create(kafka, "plain", 1)
    produce(kafka, "plain", range(100))
    server = options(kafka)
    sql(
        pelton,
        f"""CREATE STREAMING TABLE plain USING kafka OPTIONS ({server}, subscribe 'plain', includeHeaders true,
              startingOffsets '{{"plain":{{"0":10}}}}', endingOffsets '{{"plain":{{"0":90}}}}')""",
    )
    ((count, first, last, header),) = sql(
        pelton, "SELECT count(*), min(offset), max(offset), max(CAST(headers[0].value AS STRING)) FROM plain"
    )
    assert (count, first, last, header) == (80, 10, 89, "89")
    sql(
        pelton,
        f"""CREATE STREAMING TABLE bad (n INT) USING kafka OPTIONS ({server}, subscribe 'plain', format 'csv');
            CREATE STREAMING TABLE none USING kafka OPTIONS (topic 'none') AS SELECT n FROM STREAM bad""",
    )
    until(lambda: query(pelton, "none")["dead_letters"]["count"] == 100, "all records are refused", SECONDS)


def test_lost_records_end_a_query_unless_it_may_lose_them(kafka, pelton):
    admin = create(kafka, "short", 1)
    produce(kafka, "short", range(100))
    sql(
        pelton,
        f"""CREATE STREAMING TABLE strict (n BIGINT) USING kafka OPTIONS ({options(kafka)}, subscribe 'short');
            CREATE STREAMING TABLE lax (n BIGINT) USING kafka
              OPTIONS ({options(kafka)}, subscribe 'short', failOnDataLoss false);
            CREATE STREAMING TABLE s USING noop AS SELECT n FROM STREAM strict;
            CREATE STREAMING TABLE l USING noop AS SELECT n FROM STREAM lax""",
    )
    read_to(pelton, "s", 100)
    read_to(pelton, "l", 100)
    assert pelton.stop() == 0
    produce(kafka, "short", range(100, 300))
    (deleted,) = admin.delete_records([TopicPartition("short", 0, 250)]).values()
    deleted.result(SECONDS)
    pelton.start()
    read_to(pelton, "l", 150)

    def failed():
        (found,) = [query for query in call(pelton, "queries") if query["name"] == "s"]
        return found.get("error")

    error = until(failed, "the strict query fails", SECONDS)
    assert "does not hold" in error and "failOnDataLoss" in error, error


def forget_the_last_done(server):
    """Cuts a byte from every journal: the last batch was written outside, and the query does not know."""
    journals = list((server.directory / "data" / "engine" / "queries").glob("*/journal"))
    assert journals
    for journal in journals:
        with open(journal, "r+b") as file:
            file.truncate(file.seek(0, 2) - 1)


def test_every_row_leaves_once_whoever_is_killed(kafka, pelton):
    sql(
        pelton,
        f"""CREATE STREAMING TABLE numbers (n BIGINT) USING kafka OPTIONS (topic 'numbers', maxOffsetsPerTrigger 50);
            CREATE STREAMING TABLE doubled USING kafka OPTIONS ({options(kafka)}, topic 'out', partitions 3, key 'n')
              AS SELECT n, 2 * n AS twice FROM STREAM numbers""",
    )
    produce(pelton, "numbers", range(1_000))
    read_to(pelton, "doubled", 1_000)
    assert pelton.stop() == 0
    forget_the_last_done(pelton)
    pelton.start()
    read_to(pelton, "doubled", 1_000)
    for begin in (1_000, 2_000, 3_000):
        produce(pelton, "numbers", range(begin, begin + 500))
        pelton.kill_and_restart()
        produce(pelton, "numbers", range(begin + 500, begin + 1_000))
    read_to(pelton, "doubled", 4_000)
    # Apache Kafka can take minutes to end a transaction that it was killed in: the campaign has time for that.
    committed(kafka, "out", 4_000)
    kafka.kill_and_restart()
    produce(pelton, "numbers", range(4_000, 5_000))
    read_to(pelton, "doubled", 5_000)
    found = committed(kafka, "out", 5_000)
    assert sorted(value["n"] for _, value in found) == list(range(5_000))
    assert all(int(key) == value["n"] and value["twice"] == 2 * value["n"] for key, value in found)
    assert counted(pelton, "doubled") == (5_000, 5_000, sum(range(5_000)))


def test_the_campaign_short(tmp_path):
    """`python compat/outside.py --kills 60` is the long one."""
    assert campaign(tmp_path, kills=4, seed=3) > 0


def test_by_tls_and_with_a_password(pelton, tmp_path):
    kafka = secured(tmp_path / "apache-kafka").start()
    try:
        create(kafka, "safe", 1)
        produce(kafka, "safe", range(100))

        def table(**changed):
            return f"""CREATE OR REPLACE STREAMING TABLE safe (n BIGINT) USING kafka
                         OPTIONS ({options(kafka, **changed)}, subscribe 'safe')"""

        query = "CREATE STREAMING TABLE back USING kafka OPTIONS ({}, topic 'back') AS SELECT n FROM STREAM safe"
        query = query.format(options(kafka))
        sql(pelton, table(**{"sasl.password": "wrong"}))
        said = refused(pelton, query)
        assert "it refuses the login; check kafka.security.protocol" in said and "wrong" not in said, said
        sql(pelton, table(**{"ssl.ca.location": "probe"}))
        assert "TLS does not come about; check" in refused(pelton, query)
        sql(pelton, table())
        sql(pelton, query)
        read_to(pelton, "back", 100)
        assert sorted(value["n"] for _, value in committed(kafka, "back", 100)) == list(range(100))
    finally:
        kafka.close()


def test_what_is_not_there_is_said(kafka, pelton):
    over = "CREATE OR REPLACE STREAMING TABLE far (n BIGINT) USING kafka OPTIONS ({}, subscribe 'nowhere')"
    read = "CREATE STREAMING TABLE none USING noop AS SELECT n FROM STREAM far"
    sql(pelton, over.format(options(kafka)))
    assert "the topic does not exist; create it there" in refused(pelton, read)
    sql(pelton, over.format("kafka.bootstrap.servers '127.0.0.1:1'"))
    assert "no broker answers; check kafka.bootstrap.servers" in refused(pelton, read)


def test_a_whole_pipeline_over_it(kafka, tmp_path):
    """`pelton run --bootstrap-servers`: every topic of the pipeline is there."""
    create(kafka, "orders", 2)
    produce(kafka, "orders", range(200))
    (tmp_path / "p.sql").write_text(
        """CREATE STREAMING TABLE IF NOT EXISTS orders (n BIGINT) USING kafka OPTIONS (topic 'orders');
           CREATE STREAMING TABLE IF NOT EXISTS even USING kafka OPTIONS (topic 'even', key 'n')
             AS SELECT n FROM STREAM orders WHERE n % 2 = 0;
           CREATE STREAMING TABLE IF NOT EXISTS fourth USING kafka OPTIONS (topic 'fourth', key 'n')
             AS SELECT n FROM STREAM even WHERE n % 4 = 0;"""
    )
    (tmp_path / "client.properties").write_text("# How to get there.\nsecurity.protocol=PLAINTEXT\n")
    command = [binary(), "run", "p.sql", "--available-now", "--bootstrap-servers", kafka.kafka]
    command += ["--command-config", "client.properties"]
    for numbers in (range(0), range(200, 300)):
        produce(kafka, "orders", numbers)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr
    found = committed(kafka, "fourth", 75)
    assert sorted(value["n"] for _, value in found) == list(range(0, 300, 4))
    assert settings(kafka)["bootstrap.servers"] == kafka.kafka
