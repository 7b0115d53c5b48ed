"""Streaming tables over a real object store, which dies, refuses, and holds what is no good."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import botocore.exceptions
import pytest

import objects
import packages
from objects import Gate, ObjectStore
from outside import SECONDS, call, query, sql
from server import Server, until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(objects.missing() is not None, reason=objects.missing() or "there is a Go"),
]


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    store = ObjectStore(tmp_path_factory.mktemp("objects")).start()
    yield store
    store.close()


@pytest.fixture
def bucket(shared_store, request):
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    return shared_store.bucket(name)


@pytest.fixture
def pelton(tmp_path, shared_store):
    server = Server(tmp_path / "pelton", storage=shared_store.settings()).start()
    yield server
    server.close()


def lines(*numbers):
    return "".join(f'{{"n":{n}}}\n' for n in numbers)


def refused(server, text):
    with pytest.raises(AssertionError) as said:
        sql(server, text)
    return str(said.value)


def has_read(server, name, rows):
    until(lambda: query(server, name)["rows_total"] == rows, f"{name} has {rows} rows", SECONDS)


def failed(server, name):
    """Why a query has ended."""

    def error():
        (found,) = [query for query in call(server, "queries") if query["name"] == name]
        return found.get("error")

    return until(error, f"{name} fails", SECONDS)


def manifest(store, bucket, prefix):
    """What the manifest says; a list that is compacted while it is read is read again, as Spark does."""
    while True:
        keys = store.keys(bucket, f"{prefix}/_spark_metadata/")
        number = {int(key.rsplit("/", 1)[1].removesuffix(".compact")): key for key in keys}
        compact = max((n for n, key in number.items() if key.endswith(".compact")), default=-1)
        try:
            return [store.get(bucket, number[n]).decode() for n in sorted(n for n in number if n >= compact)]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise


def counted(store, bucket, prefix):
    """The numbers that a reader finds who goes by the manifest, as Spark does."""
    numbers = []
    for listed in manifest(store, bucket, prefix):
        version, *entries = listed.splitlines()
        assert version == "v1"
        for entry in map(json.loads, entries):
            assert entry["path"].startswith(f"s3://{bucket}/{prefix}/"), entry
            body = store.get(bucket, entry["path"].removeprefix(f"s3://{bucket}/"))
            assert len(body) == entry["size"], entry
            numbers += [json.loads(line)["n"] for line in body.splitlines()]
    return numbers


def test_every_object_is_read_once(shared_store, bucket, pelton):
    store = shared_store
    store.put(bucket, "in/day=2024-01-01/a.json", lines(1, 2))
    store.put(bucket, "in/day=2024-01-02/b 1.json", lines(3))
    store.put(bucket, "in/_hidden.json", lines(100))
    store.put(bucket, "in/c.json.gz", gzip.compress(lines(4).encode()))
    store.put(bucket, "in/d.csv", "5\n")
    store.put(bucket, "other/e.json", lines(200))
    sql(
        pelton,
        f"""CREATE STREAMING TABLE numbers (n BIGINT, day STRING) USING json
              OPTIONS (path 's3a://{bucket}/in', pathGlobFilter '*.json*', maxFilesPerTrigger 1);
            CREATE STREAMING TABLE copied USING memory AS SELECT n, day FROM STREAM numbers""",
    )
    has_read(pelton, "copied", 4)
    assert query(pelton, "copied")["batch_id"] == 3
    # Written later, read later, also after a crash; what was read is not read again.
    store.put(bucket, "in/day=2024-01-02/late.json", lines(6))
    has_read(pelton, "copied", 5)
    pelton.kill_and_restart()
    store.put(bucket, "in/day=2024-01-03/later.json", lines(7))
    has_read(pelton, "copied", 6)
    rows = sql(pelton, "SELECT n, day FROM numbers ORDER BY n")
    assert rows == [
        [1, "2024-01-01"], [2, "2024-01-01"], [3, "2024-01-02"], [4, None], [6, "2024-01-02"], [7, "2024-01-03"],
    ]  # fmt: skip
    sql(pelton, f"CREATE STREAMING TABLE some (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in/day=*-0[12]/?*.json')")
    assert sql(pelton, "SELECT sum(n) FROM some") == [[1 + 2 + 3 + 6]]


def test_formats_go_out_and_come_in(shared_store, bucket, pelton):
    shared_store.put(bucket, "in/a.json", lines(*range(1_000)))
    sql(pelton, f"CREATE STREAMING TABLE numbers (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in')")
    for format in ("json", "csv", "parquet", "text"):
        what = "CAST(n AS STRING) AS value" if format == "text" else "n, n % 3 AS k"
        by = "" if format == "text" else ", partitionBy 'k'"
        columns = "value STRING" if format == "text" else "n BIGINT, k BIGINT"
        sql(
            pelton,
            f"""CREATE STREAMING TABLE out_{format} USING {format}
                  OPTIONS (path 's3://{bucket}/{format}'{by}) AS SELECT {what} FROM STREAM numbers;
                CREATE STREAMING TABLE in_{format} ({columns}) USING {format} OPTIONS (path 's3://{bucket}/{format}')""",
        )
        has_read(pelton, f"out_{format}", 1_000)
        total = "sum(CAST(value AS BIGINT))" if format == "text" else "sum(n), sum(k)"
        expected = [sum(range(1_000))] if format == "text" else [sum(range(1_000)), sum(n % 3 for n in range(1_000))]
        assert sql(pelton, f"SELECT count(*), {total} FROM in_{format}") == [[1_000, *expected]], format


def test_read_objects_are_cleaned_up(shared_store, bucket, pelton):
    store = shared_store
    for number in range(4):
        store.put(bucket, f"in/{number}.json", lines(number))
        store.put(bucket, f"gone/{number}.json", lines(number))
    sql(
        pelton,
        f"""CREATE STREAMING TABLE kept (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in', maxFilesPerTrigger 1,
              cleanSource 'archive', sourceArchiveDir 's3://{bucket}/archive');
            CREATE STREAMING TABLE dropped (n BIGINT) USING json OPTIONS (path 's3://{bucket}/gone', maxFilesPerTrigger 1,
              cleanSource 'delete');
            CREATE STREAMING TABLE a USING noop AS SELECT n FROM STREAM kept;
            CREATE STREAMING TABLE b USING noop AS SELECT n FROM STREAM dropped""",
    )
    has_read(pelton, "a", 4)
    has_read(pelton, "b", 4)
    # As with directories, a batch that is committed cleans up what the one before has read.
    until(lambda: len(store.keys(bucket, "archive/in/")) >= 3, "objects are moved", SECONDS)
    until(lambda: len(store.keys(bucket, "gone/")) <= 1, "objects are deleted", SECONDS)
    assert len(store.keys(bucket, "in/") + store.keys(bucket, "archive/in/")) == 4
    elsewhere = f"OPTIONS (path 's3://{bucket}/in', cleanSource 'archive', sourceArchiveDir '/archive')"
    assert "only moved within a bucket" in refused(pelton, f"CREATE STREAMING TABLE c (n BIGINT) USING json {elsewhere}")


def test_nothing_is_lost_whoever_is_killed(tmp_path):
    store = ObjectStore(tmp_path / "objects").start()
    pelton = Server(tmp_path / "pelton", storage=store.settings()).start()
    try:
        bucket = store.bucket("numbers")
        sql(
            pelton,
            f"""CREATE STREAMING TABLE numbers (n BIGINT) USING json
                  OPTIONS (path 's3://{bucket}/in', maxFilesPerTrigger 1);
                CREATE STREAMING TABLE copied USING json OPTIONS (path 's3://{bucket}/out')
                  AS SELECT n FROM STREAM numbers""",
        )
        for number in range(60):
            store.put(bucket, f"in/{number:03}.json", lines(*range(10 * number, 10 * number + 10)))
            if number % 10 == 4:
                store.kill()
                # It finds that out, and waits.
                until(lambda: "does not answer; trying on" in pelton.log.read_text(), "it notices", SECONDS)
                store.start()
            if number % 10 == 9:
                pelton.kill_and_restart()
        until(lambda: len(counted(store, bucket, "out")) >= 600, "all numbers are out", SECONDS)
        assert sorted(counted(store, bucket, "out")) == list(range(600))
        assert query(pelton, "copied")["rows_total"] == 600
    finally:
        pelton.close()
        store.close()


def test_a_crash_between_rows_and_manifest_leaves_no_trace(shared_store, bucket, tmp_path):
    gate = Gate(shared_store)
    pelton = Server(tmp_path / "pelton", storage=shared_store.settings(**{"fs.s3a.endpoint": gate.endpoint})).start()
    try:
        sql(
            pelton,
            f"""CREATE STREAMING TABLE numbers (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in');
                CREATE STREAMING TABLE copied USING json OPTIONS (path 's3://{bucket}/out') AS SELECT n FROM STREAM numbers""",
        )
        shared_store.put(bucket, "in/a.json", lines(1))
        until(lambda: counted(shared_store, bucket, "out") == [1], "the first batch is out", SECONDS)
        gate.hold(rb"PUT /.*_spark_metadata")
        shared_store.put(bucket, "in/b.json", lines(2))
        assert gate.holding.wait(SECONDS)
        parts = [key for key in shared_store.keys(bucket, "out/") if "part-" in key]
        assert len(parts) == 2 and counted(shared_store, bucket, "out") == [1]
        pelton.kill()
        gate.hold(None)
        pelton.start()
        until(lambda: counted(shared_store, bucket, "out") == [1, 2], "the second batch is out", SECONDS)
        assert [key for key in shared_store.keys(bucket, "out/") if "part-" in key] == parts
    finally:
        pelton.close()
        gate.close()


def test_what_is_wrong_is_said(shared_store, bucket, pelton, tmp_path):
    def reading(path, format="json", **options):
        told = "".join(f", {name} '{value}'" for name, value in options.items())
        return f"CREATE OR REPLACE STREAMING TABLE t (n BIGINT) USING {format} OPTIONS (path '{path}'{told}); SELECT * FROM t"

    assert "there is no such bucket" in refused(pelton, reading("s3://nowhere/in"))
    stranger = {"fs.s3a.access.key": "stranger", "fs.s3a.secret.key": "wrong-secret"}
    assert "refuses the login; check fs.s3a.access.key" in refused(pelton, reading(f"s3://{bucket}/in", **stranger))
    thief = {"fs.s3a.access.key": shared_store.access_key, "fs.s3a.secret.key": "wrong-secret"}
    assert "refuses the login" in refused(pelton, reading(f"s3://{bucket}/in", **thief))
    away = {"fs.s3a.endpoint": "http://127.0.0.1:9"}
    assert "does not answer; check fs.s3a.endpoint" in refused(pelton, reading(f"s3://{bucket}/in", **away))
    assert "fs.s3a.endpiont is not known" in refused(pelton, reading(f"s3://{bucket}/in", **{"fs.s3a.endpiont": "x"}))
    assert "neither a directory" in refused(pelton, reading("gs://bucket/in"))
    writing = "CREATE STREAMING TABLE o USING json OPTIONS (path 's3://nowhere/out') AS SELECT 1 AS n FROM STREAM s"
    sql(pelton, f"CREATE STREAMING TABLE s (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in')")
    assert "there is no such bucket" in refused(pelton, writing)
    # An object that somebody has not written to its end.
    sql(
        pelton,
        f"""CREATE STREAMING TABLE whole USING parquet OPTIONS (path 's3://{bucket}/whole') AS SELECT n FROM STREAM s""",
    )
    shared_store.put(bucket, "in/a.json", lines(*range(100)))
    has_read(pelton, "whole", 100)
    (key,) = [key for key in shared_store.keys(bucket, "whole/") if key.endswith(".parquet")]
    shared_store.put(bucket, "torn/a.parquet", shared_store.get(bucket, key)[:-20])
    said = refused(pelton, reading(f"s3://{bucket}/torn", format="parquet"))
    assert f"s3://{bucket}/torn/a.parquet" in said and "cannot be read" in said
    shared_store.put(bucket, "short/a.json.gz", gzip.compress(lines(*range(1_000)).encode())[:-20])
    said = refused(pelton, reading(f"s3://{bucket}/short"))
    assert f"unpack s3://{bucket}/short/a.json.gz" in said


def test_secrets_are_not_shown(shared_store, bucket, tmp_path):
    pelton = Server(tmp_path / "pelton").start()
    try:
        told = ", ".join(f"{name} '{value}'" for name, value in shared_store.settings().items())
        shared_store.put(bucket, "in/a.json", lines(1))
        sql(
            pelton,
            f"""CREATE STREAMING TABLE numbers (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in', {told});
                CREATE STREAMING TABLE copied USING json OPTIONS (path 's3://{bucket}/out', {told})
                  AS SELECT n FROM STREAM numbers""",
        )
        has_read(pelton, "copied", 1)
        shown = json.dumps(call(pelton, "queries")) + pelton.log.read_text()
        for statement in ("SHOW TABLES", "SHOW QUERIES", "DESCRIBE numbers", "DESCRIBE copied", "EXPLAIN SELECT n FROM numbers"):
            try:
                shown += json.dumps(call(pelton, "sql", {"sql": statement}))
            except AssertionError as error:
                shown += str(error)
        assert "redacted" in shown and shared_store.endpoint in shown
        assert shared_store.secret_key not in shown and shared_store.access_key not in shown
        # After a restart they are known still.
        pelton.kill_and_restart()
        shared_store.put(bucket, "in/b.json", lines(2))
        until(lambda: sorted(counted(shared_store, bucket, "out")) == [1, 2], "it goes on", SECONDS)
        assert shared_store.secret_key not in pelton.log.read_text()
    finally:
        pelton.close()


def test_pyspark_reads_and_writes_objects(shared_store, bucket, tmp_path):
    python = packages.python("pyspark-client==4.2.0", "pandas<3", "kafka-python==2.3.3")
    pelton = Server(tmp_path / "pelton").start()
    try:
        login = [shared_store.endpoint, shared_store.access_key, shared_store.secret_key]
        script = Path(objects.__file__).with_name("pyspark_objects.py")
        command = [python, script, f"sc://{pelton.connect}", *login, bucket, tmp_path / "checkpoints"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
        assert shared_store.secret_key not in pelton.log.read_text()
    finally:
        pelton.close()


DISTINCT = """CREATE STREAMING TABLE numbers (n BIGINT) USING json OPTIONS (path 's3://{0}/in', maxFilesPerTrigger 1);
    CREATE STREAMING TABLE seen USING json
      OPTIONS (path 's3://{0}/out', checkpointLocation 's3://{0}/checkpoint')
      AS SELECT DISTINCT n FROM STREAM numbers"""


def test_a_checkpoint_moves_with_its_query(shared_store, bucket, tmp_path):
    """Servers are killed, and each next one begins with an empty data directory."""
    store, files = shared_store, 0
    for life in range(6):
        for _ in range(5):
            # Half of it was there before.
            store.put(bucket, f"in/{files:04}.json", lines(*range(files * 5, files * 5 + 10)))
            files += 1
        pelton = Server(tmp_path / f"pelton-{life}", storage=store.settings()).start()
        sql(pelton, DISTINCT.format(bucket))
        if life % 2:
            until(lambda: sorted(counted(store, bucket, "out")) == list(range(files * 5 + 5)), "all are there", SECONDS)
        else:
            # In the middle: what it has begun, the next one ends.
            until(lambda: query(pelton, "seen")["batch_id"] is not None, "it has begun", SECONDS)
        pelton.kill()
    assert f"checkpoint/journal/{1:020}" in store.keys(bucket, "checkpoint/journal/")


def test_of_two_servers_one_goes_on(shared_store, bucket, tmp_path):
    store = shared_store
    store.put(bucket, "in/a.json", lines(1))
    both = [Server(tmp_path / name, storage=store.settings()).start() for name in ("early", "late")]

    def ended():
        return [server for server in both if call(server, "queries")[0]["state"] == "failed"]

    try:
        sql(both[0], DISTINCT.format(bucket))
        until(lambda: counted(store, bucket, "out") == [1], "the first is there", SECONDS)
        sql(both[1], DISTINCT.format(bucket))
        # Both see the file; one of them finds that the other was faster.
        store.put(bucket, "in/b.json", lines(1, 3, 4))
        until(lambda: sorted(counted(store, bucket, "out")) == [1, 3, 4], "the others are there", SECONDS)
        until(ended, "one ends", SECONDS)
        (server,) = ended()
        assert "another program goes on from" in failed(server, "seen")
    finally:
        for server in both:
            server.close()


def test_the_environment_says_how(shared_store, bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", shared_store.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", shared_store.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", shared_store.secret_key)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    pelton = Server(tmp_path / "pelton").start()
    try:
        shared_store.put(bucket, "in/a.json", lines(1, 2))
        sql(pelton, f"CREATE STREAMING TABLE numbers (n BIGINT) USING json OPTIONS (path 's3://{bucket}/in')")
        assert sql(pelton, "SELECT sum(n) FROM numbers") == [[3]]
    finally:
        pelton.close()
