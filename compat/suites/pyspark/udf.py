"""Python functions over Spark Connect: `udf.py sc://HOST:PORT`. What they give is what Spark 4 gives."""

import contextlib
import ctypes
import datetime
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Iterator

import pandas as pd
import pyarrow as pa
from pyspark import TaskContext
from pyspark.errors import PySparkException, PythonException
from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import Row, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udf, pandas_udf, udf
from pyspark.sql.types import BooleanType, IntegerType, LongType, StringType

from tap import case, equal, finish, until

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)
sales = spark.createDataFrame([("a", 1), ("a", 2), ("b", 3), ("b", 5), ("c", None)], "shop STRING, amount BIGINT")


def rows(frame):
    return [tuple(row) for row in frame.collect()]


@contextlib.contextmanager
def raises(kind, *words):
    try:
        yield
    except kind as error:
        for word in words:
            assert word in str(error), f"{word!r} is not in {error}"
        return
    raise AssertionError("nothing was raised")


def settled(name="after"):
    """The server answers and runs Python: nothing that went before took it along."""
    equal(rows(spark.range(2).select(udf(lambda n: n + 1, LongType())("id").alias(name))), [(1,), (2,)])


@case("udf of a value, a null, several arguments, none")
def _():
    twice = udf(lambda n: None if n is None else n * 2, LongType())
    equal(rows(sales.select(twice("amount"))), [(2,), (4,), (6,), (10,), (None,)])
    join = udf(lambda shop, amount: f"{shop}:{amount}")
    equal(rows(sales.limit(1).select(join("shop", F.col("amount") + 1))), [("a:2",)])
    equal(rows(spark.range(2).select(udf(lambda: 7, IntegerType())())), [(7,), (7,)])
    equal(rows(sales.limit(1).select(join(amount=F.lit(1), shop=F.lit("x")))), [("x:1",)])


@case("the decorator, the name, in filter, withColumn, orderBy, groupBy")
def _():
    @udf("int")
    def length(text):
        return len(text)

    frame = spark.createDataFrame([("aa",), ("b",), ("cccc",)], ["w"])
    equal(frame.select(length("w")).columns, ["length(w)"])
    equal(rows(frame.where(length("w") > 1).orderBy(length("w"))), [("aa",), ("cccc",)])
    equal(rows(frame.withColumn("n", length("w")).orderBy("n").select("n")), [(1,), (2,), (4,)])
    equal(sorted(rows(frame.groupBy((length("w") % 2).alias("odd")).count())), [(0, 2), (1, 1)])


@case("types there and back")
def _():
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)
    values = [(True, 1.5, "text", bytearray(b"\x00"), datetime.date(2024, 2, 29), [1, None], {"k": 2}, Row(x=1, y="z"))]
    schema = "b BOOLEAN, d DOUBLE, s STRING, y BINARY, day DATE, a ARRAY<INT>, m MAP<STRING, INT>, r STRUCT<x: INT, y: STRING>"
    frame = spark.createDataFrame(values, schema)
    found = frame.select([udf(lambda v: v, frame.schema[name].dataType)(name).alias(name) for name in frame.columns])
    equal(found.schema.simpleString(), frame.schema.simpleString())
    equal(rows(found), rows(frame))
    kind = udf(lambda r: f"{type(r).__name__} {r.x} {r.y}")
    equal(rows(frame.select(kind("r"))), [("Row 1 z",)])
    nested = udf(lambda t: {"words": t.split(), "n": len(t)}, "words ARRAY<STRING>, n INT")
    equal(rows(frame.select(nested("s").alias("o")).select("o.words", "o.n")), [(["text"], 4)])
    at = spark.createDataFrame([(moment,)], "t TIMESTAMP_NTZ")
    equal(rows(at.select(udf(lambda t: t.microsecond, IntegerType())("t"))), [(123456,)])


@case("a type that the value is not of")
def _():
    equal(rows(spark.range(1).select(udf(lambda n: "12", IntegerType())("id"))), [(12,)])
    with raises(PythonException, "Arrow"):
        spark.range(1).select(udf(lambda n: "no number", IntegerType())("id")).collect()
    settled()


@case("pickled and Arrow-optimised rows give the same")
def _():
    for arrow in (False, True):
        shout = udf(lambda t: t.upper(), StringType(), useArrow=arrow)
        equal(rows(sales.select(shout("shop")).distinct().orderBy(F.col("<lambda>(shop)"))), [("A",), ("B",), ("C",)])


@case("profiles say how often a function was called")
def _():
    add = udf(lambda n: n + 1, LongType())

    def calls():
        return sorted(found.total_calls for found in spark._profiler_collector._perf_profile_results.values())

    frame = spark.range(7).select(add("id").alias("a"), add("id").alias("b"), add(F.col("id") + 1).alias("c"))
    equal(rows(frame.limit(1)), [(1, 1, 2)])
    equal(calls(), [])
    spark.conf.set("spark.sql.pyspark.udf.profiler", "perf")
    try:
        equal(len(rows(frame)), 7)
        once = calls()
        assert len(once) == 2 and min(once) >= 7, once
        frame.count(), frame.collect()
        equal(calls(), [2 * count for count in once])
        spark.range(3).select(add("id")).collect()
        equal(len(calls()), 3)

        @pandas_udf("double")
        def total(amount: pd.Series) -> float:
            return amount.sum()

        equal(len(rows(sales.groupBy("shop").agg(total("amount")))), 3)
        equal(len(calls()), 4)
    finally:
        spark.conf.unset("spark.sql.pyspark.udf.profiler")
        spark.profile.clear()
    equal(calls(), [])


@case("a resource profile says how many processors a task has")
def _():
    def cpus(batches):
        for batch in batches:
            yield pa.RecordBatch.from_arrays([pa.array([TaskContext.get().cpus()] * len(batch))], ["cpus"])

    three = ResourceProfileBuilder().require(TaskResourceRequests().cpus(3)).build
    equal(rows(spark.range(2).mapInArrow(cpus, "cpus LONG", False, three)), [(3,), (3,)])
    equal(rows(spark.range(1).mapInArrow(cpus, "cpus LONG")), [(1,)])


@case("pandas_udf of series, of a struct, of an iterator")
def _():
    @pandas_udf("double")
    def mean_of(a: pd.Series, b: pd.Series) -> pd.Series:
        return (a + b) / 2

    frame = spark.createDataFrame([(1.0, 3.0), (2.0, 6.0)], ["a", "b"])
    equal(rows(frame.select(mean_of("a", "b"))), [(2.0,), (4.0,)])

    @pandas_udf("x DOUBLE, y DOUBLE")
    def swapped(s: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"x": s["b"], "y": s["a"]})

    equal(rows(frame.select(swapped(F.struct("a", "b")).alias("s")).select("s.*")), [(3.0, 1.0), (6.0, 2.0)])

    @pandas_udf("long")
    def counted(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for seen, batch in enumerate(batches):
            yield batch + 100 * (seen >= 0)

    equal([row[0] for row in spark.range(25000).select(counted("id")).collect()], [n + 100 for n in range(25000)])

    @pandas_udf("long")
    def ahead(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        yield from list(batches)

    equal(spark.range(30000).select(F.sum(ahead("id"))).first()[0], sum(range(30000)))


@case("arrow_udf")
def _():
    @arrow_udf("long")
    def doubled(values: pa.Array) -> pa.Array:
        return pa.compute.multiply(values, 2)

    equal(rows(spark.range(3).select(doubled("id"))), [(0,), (2,), (4,)])


@case("a pandas aggregate, with groups and without")
def _():
    @pandas_udf("double")
    def middle(values: pd.Series) -> float:
        return values.median()

    equal(rows(sales.groupBy("shop").agg(middle("amount").alias("m"), F.count("*")).where("shop < 'c'").orderBy("shop")),
          [("a", 1.5, 2), ("b", 4.0, 2)])
    equal(rows(sales.agg(middle(sales.amount))), [(2.5,)])


@case("a pandas aggregate over windows: whole partitions, and frames of rows and of values")
def _():
    @pandas_udf("double")
    def mean(v: pd.Series) -> float:
        return v.mean()

    @pandas_udf("double")
    def weighed(v: pd.Series, t: pd.Series) -> float:
        return float((v * t).sum())

    times = [("a", 1, 1.0), ("a", 2, 4.0), ("a", 2, 5.0), ("a", 9, None), ("b", 3, 7.0), ("b", 5, 1.0), (None, 1, 2.0)]
    frame = spark.createDataFrame(times, "k STRING, t INT, v DOUBLE")
    by_key = Window.partitionBy("k")
    in_order = by_key.orderBy("t", "v")

    def over(window, call=None):
        found = frame.select("k", "t", (mean("v") if call is None else call).over(window).alias("m")).orderBy("k", "t", "m")
        return [None if row.m is None or row.m != row.m else round(row.m, 3) for row in found.collect()]

    equal(over(by_key), [2.0, 3.333, 3.333, 3.333, 3.333, 4.0, 4.0])
    equal(over(by_key.orderBy("t")), [2.0, 1.0, 3.333, 3.333, 3.333, 7.0, 4.0])
    equal(over(by_key.orderBy(F.desc("t"))), [2.0, 3.333, 4.5, 4.5, None, 4.0, 1.0])
    equal(over(in_order.rowsBetween(-1, 1)), [2.0, 2.5, 3.333, 4.5, 5.0, 4.0, 4.0])
    equal(over(in_order.rowsBetween(1, 2)), [None, 4.5, None, 5.0, None, 1.0, None])
    equal(over(by_key.orderBy("t").rangeBetween(1, 5)), [None, 4.5, None, None, None, 1.0, None])
    equal(over(by_key.orderBy(F.desc("t")).rangeBetween(-3, 0)), [2.0, 3.333, 4.5, 4.5, None, 4.0, 1.0])
    running = weighed(t=F.col("t"), v=F.col("v"))
    equal(over(in_order.rowsBetween(Window.unboundedPreceding, 0), running), [2.0, 1.0, 9.0, 19.0, 19.0, 21.0, 26.0])
    equal(frame.select(mean("v").over(by_key)).columns,
          ["mean(v) OVER (PARTITION BY k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"])
    spark.udf.register("mean_of", mean)
    frame.createOrReplaceTempView("times")
    query = "SELECT mean_of(v) OVER (PARTITION BY k ORDER BY t ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM times"
    equal(sorted(rows(spark.sql(f"{query} WHERE k = 'b'"))), [(4.0,), (7.0,)])

    @arrow_udf("double")
    def arrow_mean(v: pa.Array) -> float:
        return pa.compute.mean(v)

    equal(over(in_order.rowsBetween(-1, 0), arrow_mean("v")), [2.0, 1.0, 2.5, 4.5, 5.0, 7.0, 4.0])
    groups = spark.range(20000).select((F.col("id") % 500).alias("k"), F.col("id").cast("double").alias("v"))
    equal(groups.select(mean("v").over(by_key).alias("m")).agg(F.sum("m")).first()[0], float(sum(range(20000))))
    plus = pandas_udf(lambda v: v + 1, "double")
    with raises(PySparkException, "UNSUPPORTED_EXPR_FOR_WINDOW"):
        frame.select(plus("v").over(by_key)).collect()


@case("mapInPandas, mapInArrow")
def _():
    def large(batches):
        for batch in batches:
            yield batch[batch.amount > 1][["amount"]]

    equal(sorted(rows(sales.mapInPandas(large, "amount LONG"))), [(2,), (3,), (5,)])

    def twice(batches):
        for batch in batches:
            yield batch
            yield batch

    equal(sales.mapInArrow(twice, sales.schema).count(), 10)
    equal(sales.mapInArrow(twice, sales.schema).columns, ["shop", "amount"])
    equal(spark.range(20000).mapInPandas(lambda batches: batches, "id LONG").agg(F.sum("id")).first()[0], sum(range(20000)))


@case("applyInPandas with and without the key, applyInArrow")
def _():
    def centred(frame):
        return frame.assign(amount=frame.amount - frame.amount.mean())

    found = sales.dropna().groupBy("shop").applyInPandas(centred, "shop STRING, amount DOUBLE")
    equal(sorted(rows(found)), [("a", -0.5), ("a", 0.5), ("b", -1.0), ("b", 1.0)])

    def summed(key, frame):
        return pd.DataFrame([(key[0], int(key[1]), len(frame))], columns=["shop", "odd", "n"])

    found = sales.dropna().groupBy("shop", (F.col("amount") % 2).alias("odd"))
    equal(sorted(rows(found.applyInPandas(summed, "shop STRING, odd INT, n LONG"))),
          [("a", 0, 1), ("a", 1, 1), ("b", 1, 2)])

    def first(table):
        return table.slice(0, 1)

    equal(sorted(rows(sales.dropna().groupBy("shop").applyInArrow(first, sales.schema))), [("a", 1), ("b", 3)])


@case("cogroup")
def _():
    names = spark.createDataFrame([("a", "Anna"), ("d", "Dora")], "shop STRING, name STRING")

    def both(key, left, right):
        return pd.DataFrame([(key[0], len(left), len(right))], columns=["shop", "sales", "names"])

    found = sales.groupBy("shop").cogroup(names.groupBy("shop")).applyInPandas(both, "shop STRING, sales LONG, names LONG")
    equal(sorted(rows(found)), [("a", 2, 1), ("b", 2, 0), ("c", 1, 0), ("d", 0, 1)])


@case("spark.udf.register, in SQL")
def _():
    spark.udf.register("plus_one", lambda n: None if n is None else n + 1, "long")
    sales.createOrReplaceTempView("sales")
    equal(rows(spark.sql("SELECT plus_one(amount) AS m FROM sales WHERE PLUS_ONE(amount) > 3")), [(4,), (6,)])
    equal(rows(sales.selectExpr("plus_one(amount + 1) AS m").where("m IS NOT NULL").limit(1)), [(3,)])
    spark.udf.register("weigh", lambda a, b: a * 100 + b, "long")
    equal(rows(spark.sql("SELECT weigh(b => id, a => id + 1) AS w FROM range(2)")), [(100,), (201,)])
    shout = spark.udf.register("shout", udf(lambda t: t.upper() + "!"))
    equal(rows(sales.select(shout("shop")).limit(1)), [("A!",)])


@case("functions of classes, closures, modules")
def _():
    class Scale:
        def __init__(self, by):
            self.by = by

        def __call__(self, n):
            return n * self.by

    offset = {"by": 10}
    equal(rows(spark.range(2).select(udf(Scale(3), LongType())("id"))), [(0,), (3,)])
    equal(rows(spark.range(2).select(udf(lambda n: n + offset["by"], LongType())("id"))), [(10,), (11,)])


@case("modules and files that the session uploads")
def _():
    with tempfile.TemporaryDirectory() as place:
        module, text = Path(place, "pelton_words.py"), Path(place, "pelton_list.txt")
        module.write_text("def shout(text):\n    return text.upper()\n")
        text.write_text("one\ntwo\n")
        spark.addArtifact(str(module), pyfile=True)
        spark.addArtifact(str(text), file=True)

        @udf
        def loud(value):
            import pelton_words

            return pelton_words.shout(value) + str(len(open("pelton_list.txt").readlines()))

        equal(rows(sales.select(loud("shop")).limit(1)), [("A2",)])


@case("an exception comes with its traceback")
def _():
    def risky(n):
        return 1 // (n - 1)

    with raises(PythonException, "ZeroDivisionError", "in risky"):
        spark.range(3).select(udf(risky, LongType())("id")).collect()
    settled()


@case("a worker that ends does not take the server along")
def _():
    with raises(PySparkException, "exited unexpectedly", "exit status: 3"):
        spark.range(3).select(udf(lambda n: os._exit(3), LongType())("id")).collect()
    settled()


@case("a crash is told as Python tells it, and silence has an end if it shall")
def _():
    with raises(PySparkException, "Segmentation fault"):
        spark.range(1).select(udf(lambda n: ctypes.string_at(0), LongType())("id")).collect()
    spark.conf.set("spark.sql.execution.pyspark.udf.idleTimeoutSeconds", "1s")
    spark.conf.set("spark.sql.execution.pyspark.udf.killOnIdleTimeout", "true")
    try:
        with raises(PySparkException, "terminated due to idle timeout (timeout: 1 seconds)"):
            spark.range(1).select(udf(lambda n: threading.Event().wait(), LongType())("id")).collect()
    finally:
        spark.conf.unset("spark.sql.execution.pyspark.udf.idleTimeoutSeconds")
        spark.conf.unset("spark.sql.execution.pyspark.udf.killOnIdleTimeout")
    settled()


@case("functions that Spark lets into no aggregate, and into no condition of an outer join")
def _():
    random = udf(lambda: 4, LongType()).asNondeterministic()
    with raises(PySparkException, "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION"):
        spark.range(2).agg(F.sum(random())).collect()
    same = udf(lambda a, b: a == b, BooleanType())
    left, right = spark.range(2), spark.range(2).toDF("n")
    equal(left.join(right, same("id", "n")).count(), 2)
    for kind in ["left", "right", "full", "leftsemi", "leftanti"]:
        with raises(PySparkException, "PYTHON_UDF_IN_ON_CLAUSE"):
            left.join(right, same("id", "n"), kind).collect()


@case("an endless loop can be interrupted")
def _():
    def endless(n):
        while True:
            n += 1

    caught = []

    def ask():
        try:
            spark.range(1).select(udf(endless, LongType())("id")).collect()
        except Exception as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: spark.interruptAll() or not asking.is_alive(), "the loop runs")
    asking.join(20)
    assert not asking.is_alive() and "OPERATION_CANCELED" in str(caught[0]), caught
    settled()


@case("as many values as rows")
def _():
    @pandas_udf("long")
    def short(values: pd.Series) -> pd.Series:
        return values[:1]

    with raises(PythonException):
        spark.range(3).select(short("id")).collect()
    with raises(PythonException, "ValueError"):
        spark.range(1).mapInPandas(lambda batches: (_ for _ in ()).throw(ValueError("no")), "id LONG").collect()
    settled()


finish()
