"""The session's time zone: `zones.py sc://HOST:PORT KAFKA_HOST:PORT`.

`zones.py 'local[2]' -` asks real Spark instead: what is wanted here is what it gave.
"""

import datetime
import os
import sys
import tempfile
import time
from pathlib import Path

# Rows are collected in the zone of this process.
os.environ["TZ"] = "UTC"
time.tzset()

import pandas as pd  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

from tap import case, equal, finish  # noqa: E402

ADDRESS = sys.argv[1]
SERVED = ADDRESS.startswith("sc://")
ZONE = "spark.sql.session.timeZone"
builder = SparkSession.builder.config(ZONE, "UTC").config("spark.sql.shuffle.partitions", 2)
spark = (builder.remote(ADDRESS) if SERVED else builder.master(ADDRESS)).getOrCreate()
if SERVED:
    spark.conf.set("spark.pyspark.python", sys.executable)
scratch = Path(tempfile.mkdtemp(prefix="zones-"))
NOON = datetime.datetime(2024, 3, 10, 12)


def one(query, session=spark):
    return session.sql(query).collect()[0][0]


def zoned(zone, name):
    """A case in a zone; the session is in UTC behind it."""

    def decorate(body):
        @case(name)
        def _():
            spark.conf.set(ZONE, zone)
            try:
                body()
            finally:
                spark.conf.set(ZONE, "UTC")

    return decorate


@case("a setting counts for the queries behind it")
def _():
    query = "SELECT CAST(TIMESTAMP'2024-03-10 12:00:00Z' AS STRING)"
    found = []
    for zone in ["America/Los_Angeles", "+05:30", "Europe/Berlin", "UTC"]:
        spark.conf.set(ZONE, zone)
        found.append(one(query))
    equal(found, ["2024-03-10 05:00:00", "2024-03-10 17:30:00", "2024-03-10 13:00:00", "2024-03-10 12:00:00"])


@case("SET TIME ZONE")
def _():
    found = []
    for zone in ["'Asia/Tokyo'", "'-03:00'", "INTERVAL 10 HOURS", "'UTC'"]:
        spark.sql(f"SET TIME ZONE {zone}")
        found.append((one("SELECT current_timezone()"), one("SELECT hour(TIMESTAMP'2024-03-10 12:00:00Z')")))
    equal(found, [("Asia/Tokyo", 21), ("-03:00", 9), ("+10:00", 22), ("UTC", 12)])


@case("what is no zone is refused, and changes nothing")
def _():
    for refused in [lambda: spark.conf.set(ZONE, "Mars/Base"), lambda: spark.sql("SET TIME ZONE 'Mars/Base'")]:
        try:
            refused()
        except Exception as error:
            assert "INVALID_CONF_VALUE.TIME_ZONE" in str(error), error
        else:
            raise AssertionError("nothing was raised")
    equal(one("SELECT current_timezone()"), "UTC")


@case("another session has another zone")
def _():
    other = SparkSession.builder.remote(ADDRESS).create() if SERVED else spark.newSession()
    try:
        other.conf.set(ZONE, "Asia/Tokyo")
        spark.conf.set(ZONE, "America/Los_Angeles")
        query = "SELECT unix_timestamp('2024-07-01 00:00:00')"
        equal([one(query), one(query, other)], [1719817200, 1719759600])
    finally:
        spark.conf.set(ZONE, "UTC")


@zoned("America/Los_Angeles", "what is shown, collected and handed to pandas")
def _():
    frame = spark.createDataFrame([(NOON,)], "t timestamp")
    equal(frame.collect()[0].t, NOON)
    equal(frame.toPandas().t.tolist(), [pd.Timestamp("2024-03-10 05:00:00")])
    nested = frame.select(F.array("t").alias("a")).toPandas().a[0]
    equal(list(nested), [pd.Timestamp("2024-03-10 05:00:00")])
    equal(frame.select(F.coalesce("t", F.lit(datetime.date(2024, 1, 1)))).schema[0].dataType.typeName(), "timestamp")


@zoned("America/Los_Angeles", "texts and dates beside timestamps")
def _():
    frame = spark.createDataFrame([(NOON, datetime.date(2024, 3, 10))], "t timestamp, d date")
    wanted = ["t > '2024-03-10 04:59:59'", "t = '2024-03-10 05:00:00'", "t >= d", "to_date(t) = d"]
    equal([frame.where(text).count() for text in wanted], [1, 1, 1, 1])
    equal(frame.where("t > '2024-03-10 05:00:00'").count(), 0)
    both = frame.select("t").union(frame.select("d"))
    equal(sorted(row[0] for row in both.collect()), [datetime.datetime(2024, 3, 10, 8), NOON])


@zoned("America/Los_Angeles", "functions of Python are given the zone's times")
def _():
    @F.pandas_udf("string")
    def shown(times: pd.Series) -> pd.Series:
        return times.astype(str)

    @F.pandas_udf("timestamp")
    def same(times: pd.Series) -> pd.Series:
        return times

    def types(batches):
        import pyarrow as pa

        for batch in batches:
            yield pa.RecordBatch.from_pydict({"a": [str(batch.schema.field(0).type)]})

    frame = spark.createDataFrame([(NOON, 1)], "t timestamp, k int")
    equal(frame.select(shown("t")).collect()[0][0], "2024-03-10 05:00:00")
    equal(frame.select(same("t")).collect()[0][0], NOON)
    equal(frame.mapInArrow(types, "a string").collect()[0].a, "timestamp[us, tz=America/Los_Angeles]")
    group = frame.groupBy("k").applyInPandas(lambda rows: pd.DataFrame({"a": rows.t.astype(str)}), "a string")
    equal(group.collect()[0].a, "2024-03-10 05:00:00")


@zoned("America/Los_Angeles", "files: times without a zone, another zone as an option, directories")
def _():
    (scratch / "a.json").write_text('{"t":"2024-07-01 10:00:00"}\n')
    (scratch / "a.csv").write_text("2024-07-01 10:00:00\n")
    read = lambda kind, **options: spark.read.schema("t timestamp").options(**options).format(kind)  # noqa: E731
    seconds = lambda frame: frame.select(F.col("t").cast("long")).collect()[0][0]  # noqa: E731
    for kind in ["json", "csv"]:
        path = str(scratch / f"a.{kind}")
        found = [seconds(read(kind).load(path)), seconds(read(kind, timeZone="Asia/Tokyo").load(path))]
        equal(found, [1719853200, 1719795600])
    frame = spark.createDataFrame([(NOON, 1)], "t timestamp, x int")
    directory = scratch / "parts"
    frame.write.partitionBy("t").json(str(directory))
    equal([entry.name for entry in directory.iterdir() if entry.is_dir()], ["t=2024-03-10 05%3A00%3A00"])
    equal(spark.read.schema("x int, t timestamp").json(str(directory)).collect()[0].t, NOON)


def days(checkpoint):
    """A query over files that come: on which day a time is."""
    (scratch / "days").mkdir(exist_ok=True)
    frame = spark.readStream.schema("t timestamp").json(str(scratch / "days"))
    frame = frame.select(F.date_trunc("day", "t").alias("day"), F.col("t").cast("string").alias("text"))
    stream = frame.writeStream.format("parquet").option("checkpointLocation", str(checkpoint))
    return stream.start(str(scratch / "days-out"))


def come(name):
    (scratch / "days" / f".{name}").write_text('{"t":"2024-03-10T04:00:00Z"}\n')
    (scratch / "days" / f".{name}").rename(scratch / "days" / f"{name}.json")


@zoned("America/Los_Angeles", "a stream keeps the zone that it was started with, until it is started again")
def _():
    query = days(scratch / "days-checkpoint")
    come("first")
    query.processAllAvailable()
    spark.conf.set(ZONE, "Asia/Tokyo")
    come("second")
    query.processAllAvailable()
    query.stop()
    come("third")
    query = days(scratch / "days-checkpoint")
    query.processAllAvailable()
    query.stop()
    rows = spark.read.parquet(str(scratch / "days-out")).collect()
    there = (datetime.datetime(2024, 3, 9, 8), "2024-03-09 20:00:00")
    equal(sorted(tuple(row) for row in rows), [there, there, (datetime.datetime(2024, 3, 9, 15), "2024-03-10 13:00:00")])


@zoned("America/Los_Angeles", "groups of days, and windows, which are those of UTC")
def _():
    times = [(NOON - datetime.timedelta(hours=hours),) for hours in (0, 3, 6, 24)]
    frame = spark.createDataFrame(times, "t timestamp")
    found = frame.groupBy(F.date_trunc("day", "t").alias("d")).count().selectExpr("CAST(d AS STRING)", "count")
    equal(sorted(tuple(row) for row in found.collect()), [("2024-03-09 00:00:00", 2), ("2024-03-10 00:00:00", 2)])
    windows = frame.groupBy(F.window("t", "1 day")).count().select(F.col("window.start"), "count")
    wanted = [(datetime.datetime(2024, 3, 9), 1), (datetime.datetime(2024, 3, 10), 3)]
    equal(sorted(tuple(row) for row in windows.collect()), wanted)


finish()
