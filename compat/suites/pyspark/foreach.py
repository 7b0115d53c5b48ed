"""Python functions of streaming queries: `foreach.py sc://HOST:PORT`. What they give is what Spark 4 gives."""

import json
import sys
import tempfile
import threading
from pathlib import Path

import pandas as pd
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf, udf

from tap import case, equal, finish, until

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)
place = tempfile.TemporaryDirectory()
home = Path(place.name)


def stream(name, rows):
    """A stream of files; `rows` are its first one."""
    directory = home / name
    directory.mkdir()
    more(name, "0", rows)
    return spark.readStream.schema("shop STRING, amount BIGINT").json(str(directory))


def more(name, file, rows):
    text = "".join(json.dumps({"shop": shop, "amount": amount}) + "\n" for shop, amount in rows)
    (home / f"{name}-{file}").write_text(text)
    (home / f"{name}-{file}").rename(home / name / f"{file}.json")


def noted(file):
    path = home / file
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ended(query):
    until(lambda: not query.isActive, "the query has ended")
    return query


SALES = [("a", 1), ("a", 2), ("b", 3)]


@case("udf and pandas_udf in a stream")
def _():
    @pandas_udf("long")
    def doubled(values: pd.Series) -> pd.Series:
        return values * 2

    shout = udf(lambda text: text.upper())
    frame = stream("plain", SALES).where(udf(lambda n: n > 1, "boolean")("amount")).select(shout("shop").alias("s"), doubled("amount").alias("n"))
    query = frame.writeStream.format("memory").queryName("plain").start()
    query.processAllAvailable()
    more("plain", "1", [("c", 4)])
    query.processAllAvailable()
    equal(sorted(map(tuple, spark.table("plain").collect())), [("A", 4), ("B", 6), ("C", 8)])
    query.stop()


@case("a udf below an aggregation")
def _():
    first = udf(lambda text: text[0].upper())
    frame = stream("grouped", SALES).groupBy(first("shop").alias("s")).agg(F.sum("amount").alias("n"))
    query = frame.writeStream.format("memory").queryName("grouped").outputMode("complete").start()
    query.processAllAvailable()
    equal(sorted(map(tuple, spark.table("grouped").collect())), [("A", 3), ("B", 3)])
    query.stop()


@case("foreachBatch: frames of the script's session, batch by batch")
def _():
    file = str(home / "batches")

    def each(frame, batch):
        total = frame.groupBy("shop").agg(F.sum("amount").alias("n")).orderBy("shop").collect()
        frame.createOrReplaceTempView("sales_now")
        count = frame.sparkSession.sql("SELECT count(*) FROM sales_now").first()[0]
        with open(file, "a") as out:
            out.write(json.dumps([batch, count, [list(row) for row in total]]) + "\n")

    query = stream("batches-in", SALES).writeStream.foreachBatch(each).start()
    query.processAllAvailable()
    more("batches-in", "1", [("c", 5)])
    query.processAllAvailable()
    equal(noted("batches"), [[0, 3, [["a", 3], ["b", 3]]], [1, 1, [["c", 5]]]])
    equal(query.lastProgress["sink"]["description"], "ForeachBatchSink")
    query.stop()


@case("foreachBatch: a session's own names, functions and writing")
def _():
    out = str(home / "written")
    spark.udf.register("plus_one", lambda n: n + 1, "long")

    def each(frame, batch):
        frame.selectExpr("plus_one(amount) AS m").write.mode("append").json(out)

    query = stream("writing", SALES).writeStream.foreachBatch(each).trigger(availableNow=True).start()
    ended(query)
    equal(query.exception(), None)
    equal(sorted(row.m for row in spark.read.schema("m BIGINT").json(out).collect()), [2, 3, 4])


@case("foreachBatch: a function brings its session and a frame of it along, each of two sessions its own")
def _():
    def counted(session, name):
        numbers = session.range(4)

        def each(frame, batch):
            session.createDataFrame([(numbers.count() + frame.count(),)], "n BIGINT").createOrReplaceTempView(name)

        source = session.readStream.schema("shop STRING, amount BIGINT").json(str(home / "along"))
        equal(ended(source.writeStream.foreachBatch(each).trigger(availableNow=True).start()).exception(), None)
        return [row.n for row in session.table(name).collect()]

    stream("along", SALES)
    other = SparkSession.builder.remote(sys.argv[1]).create()
    other.conf.set("spark.pyspark.python", sys.executable)
    equal(counted(spark, "along"), [7])
    # By the same worker, which has been in the first session until now.
    equal(counted(other, "along"), [7])
    equal(other.catalog.dropTempView("along"), True)
    equal([row.n for row in spark.table("along").collect()], [7])


@case("foreachBatch: an exception ends the query with its traceback")
def _():
    def risky(frame, batch):
        raise ValueError("the batch is no good")

    query = stream("risky", SALES).writeStream.foreachBatch(risky).start()
    try:
        query.awaitTermination()
    except StreamingQueryException as error:
        assert "the batch is no good" in str(error) and "in risky" in str(error), error
        assert "[FOREACH_BATCH_USER_FUNCTION_ERROR]" in str(error), error
    else:
        raise AssertionError("nothing was raised")
    equal(spark.range(2).count(), 2)


@case("a udf's exception ends the query with its traceback")
def _():
    bad = udf(lambda n: 1 // (n - 2), "long")
    query = stream("bad", SALES).select(bad("amount")).writeStream.format("noop").start()
    try:
        query.awaitTermination()
    except StreamingQueryException as error:
        assert "ZeroDivisionError" in str(error), error
    else:
        raise AssertionError("nothing was raised")


@case("foreach: a function of each row")
def _():
    file = str(home / "rows")

    def each(row):
        with open(file, "a") as out:
            out.write(json.dumps([row.shop, row["amount"]]) + "\n")

    ended(stream("rows-in", SALES).writeStream.foreach(each).trigger(availableNow=True).start())
    equal(sorted(noted("rows")), [["a", 1], ["a", 2], ["b", 3]])


@case("foreach: open, process, close")
def _():
    file = str(home / "writer")

    class Writer:
        def open(self, partition, epoch):
            self.seen = [partition, epoch]
            return True

        def process(self, row):
            self.seen.append(row.amount)

        def close(self, error):
            with open(file, "a") as out:
                out.write(json.dumps([*self.seen, str(error)]) + "\n")

    ended(stream("writer-in", SALES).writeStream.foreach(Writer()).trigger(availableNow=True).start())
    equal(noted("writer"), [[0, 0, 1, 2, 3, "None"]])


@case("foreach: an exception ends the query under its name")
def _():
    def picky(row):
        raise ValueError(f"not {row.shop}")

    query = ended(stream("picky", SALES).writeStream.foreach(picky).start())
    said = str(query.exception())
    assert "[FOREACH_USER_FUNCTION_ERROR]" in said and "ValueError: not a" in said, said


@case("a query whose function never returns can be stopped")
def _():
    begun = home / "begun"

    def endless(frame, batch):
        begun.touch()
        while True:
            pass

    query = stream("endless", SALES).writeStream.foreachBatch(endless).start()
    until(begun.exists, "the function runs")
    stopping = threading.Thread(target=query.stop)
    stopping.start()
    stopping.join(30)
    assert not stopping.is_alive(), "the query does not stop"
    equal(query.isActive, False)
    equal(spark.range(3).select(udf(lambda n: n, "long")("id")).count(), 3)


finish()
