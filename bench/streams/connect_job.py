"""What `connect.py` lets a server of Spark Connect do: `connect_job.py DEED JOB`, JOB being JSON.

An unmodified PySpark script, the same for each server. It says `{"prepared": true}` when all is imported, waits for a
line with the server's address, and from then on answers each line with one of JSON. So what Python takes to start is
nobody's, and the bench can read clocks before and after.
"""

import json
import sys
import time

import pandas as pd
import pyspark.sql.connect.session  # noqa: F401  What the first session would load.
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from pyspark.sql.functions import pandas_udf, udf

JOB = json.loads(sys.argv[2])
ROW = "k BIGINT, v DOUBLE, at TIMESTAMP"


def answer(**figures):
    print(json.dumps(figures), flush=True)


def session(spark, began):
    """The first answer of the server; a stream of the clock of the machine, so that the bench can compare."""
    answer(rows=spark.range(3).count(), seconds=time.monotonic() - began)


def grouped(spark, _):
    """Rows of JSON in a file, counted and summed by key."""
    for _ in sys.stdin:
        began = time.monotonic()
        rows = spark.read.schema(ROW).json(JOB["path"]).groupBy("k").agg(f.count("*").alias("n"), f.sum("v").alias("v"))
        found = rows.agg(f.count("*"), f.sum("n"), f.round(f.sum("v"), 2)).first()
        answer(found=list(found), rows=found[1], seconds=time.monotonic() - began)


def functions():
    @pandas_udf("bigint")
    def by_pandas(values: pd.Series) -> pd.Series:
        return values * 2 + 1

    plain = lambda value: value * 2 + 1  # noqa: E731
    return {
        "udf": udf(plain, "bigint", useArrow=False),
        "udf, Arrow": udf(plain, "bigint", useArrow=True),
        "pandas_udf": by_pandas,
    }


def called(spark, _):
    """A Python function of each of so many numbers; the sum says that it was called for all."""
    function = functions()[JOB["function"]]
    for _ in sys.stdin:
        began = time.monotonic()
        (found,) = spark.range(JOB["rows"]).select(function("id").alias("n")).agg(f.sum("n")).first()
        answer(found=found, rows=JOB["rows"], seconds=time.monotonic() - began)


def words(spark, topic, **options):
    """The lines of a topic, cut into words, counted; `t` is when the newest line behind a count was due."""
    options = {"kafka.bootstrap.servers": JOB["kafka"], "subscribe": topic, **options}
    records = spark.readStream.format("kafka").options(**options).load()
    lines = records.select(f.from_json(f.col("value").cast("string"), "k BIGINT, t BIGINT").alias("row")).select("row.*")
    text = f.concat_ws(" ", f.lit("a line of"), f.col("k"))
    each = lines.select("t", f.explode(f.split(text, " ")).alias("word"))
    return each.groupBy("word").agg(f.count("*").alias("n"), f.max("t").alias("t"))


def drained(spark, _):
    """A backlog of lines, in batches; a new query each time."""
    for number, _ in enumerate(sys.stdin):
        began = time.monotonic()
        options = {"startingOffsets": "earliest", "maxOffsetsPerTrigger": JOB["rows_per_batch"]}
        writer = words(spark, JOB["topic"], **options).writeStream.format("noop").outputMode("update")
        writer = writer.option("checkpointLocation", f"{JOB['checkpoint']}-{number}")
        query = writer.trigger(availableNow=True).start()
        query.awaitTermination()
        if query.exception() is not None:
            raise query.exception()
        answer(rows=JOB["rows"], seconds=time.monotonic() - began)


def live(spark, _):
    """From topic to topic until the input ends."""
    values = words(spark, JOB["topic"], startingOffsets="earliest").select(f.to_json(f.struct("*")).alias("value"))
    writer = values.writeStream.format("kafka").outputMode("update").option("checkpointLocation", JOB["checkpoint"])
    writer = writer.option("kafka.bootstrap.servers", JOB["kafka"]).option("topic", JOB["sink"])
    began = time.monotonic()
    query = writer.start()
    answer(seconds=time.monotonic() - began)
    sys.stdin.read()
    if query.exception() is not None:
        raise query.exception()
    query.stop()


def main():
    answer(prepared=True)
    address = sys.stdin.readline().strip()
    began = time.monotonic()
    spark = SparkSession.builder.remote(address).create()
    if sys.argv[1] != "session":
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    deeds = {deed.__name__: deed for deed in (session, grouped, called, drained, live)}
    deeds[sys.argv[1]](spark, began)
    spark.stop()


main()
