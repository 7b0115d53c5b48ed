"""PySpark's smoke: `smoke.py sc://HOST:PORT`. What is printed, and what is answered, is what Spark 4 prints and answers."""

import contextlib
import datetime
import decimal
import io
import sys
import tempfile
import textwrap
import threading
import uuid
from pathlib import Path

from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    ParseException,
)
from pyspark.sql import Observation, Row, SparkSession
from pyspark.sql import functions as F

from tap import case, equal, finish, until

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
people = spark.createDataFrame([(1, "ann", 30.5), (2, "bob", None), (3, None, 12.0)], "id INT, name STRING, score DOUBLE")
sales = spark.createDataFrame(
    [("a", "x", 1), ("a", "y", 2), ("b", "x", 3), ("b", "x", 4), ("c", "y", 5)], ["shop", "item", "amount"]
)


def printed(deed):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        deed()
    return out.getvalue()


def table(text):
    return textwrap.dedent(text).lstrip("\n")


def rows(frame):
    return [tuple(row) for row in frame.collect()]


def refused(kind, condition, deed):
    try:
        deed()
    except kind as error:
        equal(error.getCondition(), condition)
        return error
    raise AssertionError(f"nothing was raised instead of {condition}")


@case("version and settings")
def _():
    equal(spark.version, "4.2.0")
    spark.conf.set("spark.sql.shuffle.partitions", "4")
    equal(spark.conf.get("spark.sql.shuffle.partitions"), "4")
    spark.conf.unset("spark.sql.shuffle.partitions")
    equal(spark.conf.get("spark.sql.shuffle.partitions"), "200")
    equal(spark.conf.get("no.such.key", "none"), "none")


@case("show prints as Spark does")
def _():
    equal(
        printed(people.show),
        table("""
            +---+----+-----+
            | id|name|score|
            +---+----+-----+
            |  1| ann| 30.5|
            |  2| bob| NULL|
            |  3|NULL| 12.0|
            +---+----+-----+

        """),
    )
    equal(
        printed(lambda: people.show(1, truncate=False)),
        table("""
            +---+----+-----+
            |id |name|score|
            +---+----+-----+
            |1  |ann |30.5 |
            +---+----+-----+
            only showing top 1 row

        """),
    )


@case("printSchema, dtypes, columns")
def _():
    equal(
        printed(people.printSchema),
        table("""
            root
             |-- id: integer (nullable = true)
             |-- name: string (nullable = true)
             |-- score: double (nullable = true)

        """),
    )
    equal(people.dtypes, [("id", "int"), ("name", "string"), ("score", "double")])
    nested = spark.sql("SELECT array(1, 2) AS a, named_struct('x', 1, 'y', 'z') AS s, map('k', CAST(1.5 AS DOUBLE)) AS m")
    equal(nested.dtypes, [("a", "array<int>"), ("s", "struct<x:int,y:string>"), ("m", "map<string,double>")])


@case("collect, first, take, count, isEmpty, tail")
def _():
    equal(people.collect()[0], Row(id=1, name="ann", score=30.5))
    equal(people.count(), 3)
    equal(people.first().name, "ann")
    equal([row.id for row in people.take(2)], [1, 2])
    equal([row.id for row in people.tail(2)], [2, 3])
    equal(people.filter("id > 5").isEmpty(), True)
    equal([row.id for row in people.toLocalIterator()], [1, 2, 3])


@case("toPandas, toArrow")
def _():
    equal(people.select("id").toPandas()["id"].tolist(), [1, 2, 3])
    equal(people.toArrow().column("name").to_pylist(), ["ann", "bob", None])


@case("types there and back")
def _():
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)
    values = (True, 7, 1.5, "text", bytearray(b"\x00\xff"), datetime.date(2024, 2, 29), moment, decimal.Decimal("1.25"))
    values += ([1, None], {"k": 2}, Row(x=1, y="z"))
    schema = "b BOOLEAN, n BIGINT, d DOUBLE, s STRING, y BINARY, day DATE, t TIMESTAMP_NTZ, m DECIMAL(10,2), "
    schema += "a ARRAY<INT>, p MAP<STRING, INT>, r STRUCT<x: INT, y: STRING>"
    found = spark.createDataFrame([values], schema).first()
    equal(tuple(found), values)


@case("select, expressions and their names")
def _():
    frame = people.select("id", F.col("id") + 1, F.col("id").cast("string"), F.upper("name").alias("big"), F.lit(2))
    equal(frame.columns, ["id", "(id + 1)", "id", "big", "2"])
    equal(rows(frame)[0], (1, 2, "1", "ANN", 2))
    equal(people.selectExpr("CAST(id AS STRING)", "id * 2 AS twice", "id / 2").columns, ["id", "twice", "(id / 2)"])
    equal(rows(people.selectExpr("id / 2")), [(0.5,), (1.0,), (1.5,)])
    equal(rows(people.select("ID", people.NAME))[0], (1, "ann"))


@case("filter, when, isin, between, like, null")
def _():
    equal(rows(people.where(people.name.isNotNull() & (people.id > 1)).select("id")), [(2,)])
    equal(rows(people.filter("name IS NULL OR name LIKE 'a%'").select("id")), [(1,), (3,)])
    equal(rows(people.filter(people.id.isin(1, 3)).select("id")), [(1,), (3,)])
    equal(rows(people.filter(people.id.between(2, 3)).select("id")), [(2,), (3,)])
    graded = people.select(F.when(people.score > 20, "high").when(people.score > 0, "low").otherwise("none").alias("g"))
    equal(rows(graded), [("high",), ("none",), ("low",)])


@case("withColumn, withColumnRenamed, drop, toDF, na")
def _():
    frame = people.withColumn("double", F.col("id") * 2).withColumn("id", F.lit(0)).drop("score")
    equal(frame.columns, ["id", "name", "double"])
    equal(rows(frame)[2], (0, None, 6))
    equal(people.withColumnRenamed("name", "who").columns, ["id", "who", "score"])
    equal(people.toDF("a", "b", "c").columns, ["a", "b", "c"])
    equal(rows(people.na.fill({"name": "?", "score": 0.0}))[1:], [(2, "bob", 0.0), (3, "?", 12.0)])
    equal(rows(people.dropna().select("id")), [(1,)])
    equal(rows(people.replace("ann", "eve").select("name"))[0], ("eve",))


@case("groupBy, agg, having by filter")
def _():
    counted = sales.groupBy("shop").count().orderBy("shop")
    equal(counted.columns, ["shop", "count"])
    equal(rows(counted), [("a", 2), ("b", 2), ("c", 1)])
    frame = sales.groupBy("shop").agg(F.sum("amount"), F.avg("amount").alias("mean"), F.countDistinct("item"))
    equal(frame.columns, ["shop", "sum(amount)", "mean", "count(DISTINCT item)"])
    equal(rows(frame.filter("mean > 2").orderBy("shop")), [("b", 7, 3.5, 1), ("c", 5, 5.0, 1)])
    equal(rows(sales.agg({"amount": "max"})), [(5,)])
    equal(rows(sales.select(F.count("*"), F.min("amount"))), [(5, 1)])
    lists = sales.groupBy("shop").agg(F.sort_array(F.collect_list("amount")).alias("all")).orderBy("shop")
    equal(rows(lists), [("a", [1, 2]), ("b", [3, 4]), ("c", [5])])


@case("pivot, rollup, cube")
def _():
    equal(rows(sales.groupBy("shop").pivot("item").sum("amount").orderBy("shop")), [("a", 1, 2), ("b", 7, None), ("c", None, 5)])
    rolled = sales.rollup("shop").sum("amount").orderBy(F.col("shop").asc_nulls_last())
    equal(rows(rolled), [("a", 3), ("b", 7), ("c", 5), (None, 15)])
    equal(sales.cube("shop", "item").count().count(), 4 + 3 + 2 + 1)


@case("orderBy, limit, offset, distinct, dropDuplicates")
def _():
    equal(rows(sales.orderBy(F.desc("amount")).limit(2).select("amount")), [(5,), (4,)])
    equal(rows(sales.orderBy("amount").offset(3).select("amount")), [(4,), (5,)])
    equal(sales.select("shop").distinct().count(), 3)
    equal(sales.dropDuplicates(["shop", "item"]).count(), 4)
    equal(rows(people.orderBy("name").select("name")), [(None,), ("ann",), ("bob",)])


@case("joins")
def _():
    other = spark.createDataFrame([(1, "x"), (4, "y")], ["id", "tag"])
    equal(rows(people.join(other, "id").select("id", "tag")), [(1, "x")])
    equal(people.join(other, people.id == other.id).columns, ["id", "name", "score", "id", "tag"])
    left = people.join(other, "id", "left").orderBy("id").select("id", "tag")
    equal(rows(left), [(1, "x"), (2, None), (3, None)])
    equal(sorted(row.id for row in people.join(other, "id", "outer").collect()), [1, 2, 3, 4])
    equal(people.join(other, "id", "left_anti").count(), 2)
    equal(people.crossJoin(other).count(), 6)
    a, b = people.alias("a"), people.alias("b")
    pairs = a.join(b, F.col("a.id") == F.col("b.id") - 1).select("a.id", F.col("b.id").alias("next"))
    equal(sorted(rows(pairs)), [(1, 2), (2, 3)])


@case("union, unionByName, intersect, subtract")
def _():
    equal(people.union(people).count(), 6)
    swapped = people.select("score", "name", "id")
    equal(rows(people.unionByName(swapped).groupBy().sum("id")), [(12,)])
    equal(people.intersect(people.filter("id = 1")).count(), 1)
    equal(people.subtract(people.filter("id = 1")).count(), 2)


@case("fields of what is null are null")
def _():
    frame = spark.createDataFrame([("x", [(1, 2), None])], "a STRING, l ARRAY<STRUCT<b INT, c INT>>")
    equal(rows(frame.select(F.inline("l"))), [(1, 2), (None, None)])
    equal(rows(frame.select(F.explode("l")).select("col.*")), [(1, 2), (None, None)])


@case("columns of the frame that has them")
def _():
    left, right = spark.createDataFrame([(1, "l")], "a INT, b STRING"), spark.createDataFrame([(1, "r")], "a INT, c STRING")
    other = left.withColumnsRenamed({"a": "x", "b": "y"})
    equal(left.join(other).select(left["*"]).columns, ["a", "b"])
    equal(left.join(other).select(other["*"]).columns, ["x", "y"])
    equal(left.join(right, "a").select(left["*"]).columns, ["a", "b"])
    equal(left.join(right, "a").select(right["*"]).columns, ["a", "c"])
    made = left.join(right, left["a"] == right["a"]).withColumn("b", F.upper(left["b"]))
    equal(made.drop(left["b"]).columns, ["a", "b", "a", "c"])
    equal(made.drop(right["a"]).columns, ["a", "b", "c"])


@case("names through casts")
def _():
    name = F.col("name").alias("n")
    equal(people.select(name.cast("string"), name.cast("string").cast("binary"), F.upper(name)).columns, ["n", "n", "upper(name AS n)"])


@case("times as numbers are seconds")
def _():
    told = spark.sql(
        "SELECT CAST(timestamp'2023-01-01' AS BIGINT), CAST(timestamp'2023-01-01 00:00:00.5' AS DOUBLE),"
        " CAST(CAST(CAST(5 AS BIGINT) AS TIMESTAMP) AS STRING), CAST(CAST(2.5D AS TIMESTAMP) AS STRING)"
    )
    equal(rows(told), [(1672531200, 1672531200.5, "1970-01-01 00:00:05", "1970-01-01 00:00:02.5")])
    instant = people.limit(1).select(F.lit("2023-01-01").cast("timestamp").alias("at"))
    equal(rows(instant.select(F.col("at").cast("long"), F.col("at").cast("long").cast("timestamp") == F.col("at"))), [(1672531200, True)])


@case("explode, split, arrays, maps, structs")
def _():
    lines = spark.createDataFrame([("a b a",), (None,)], ["line"])
    words = lines.select(F.explode(F.split("line", " ")).alias("word"))
    equal(sorted(rows(words.groupBy("word").count())), [("a", 2), ("b", 1)])
    frame = spark.sql("SELECT array(10, 20) AS a, map('k', 7) AS m, named_struct('x', 1) AS s")
    equal(rows(frame.select(frame.a[1], frame.m["k"], "s.x", F.size("a"))), [(20, 7, 1, 2)])
    equal(rows(frame.select(F.posexplode("a"))), [(0, 10), (1, 20)])
    equal(rows(frame.select(F.explode("m"))), [("k", 7)])
    equal(rows(frame.select(F.transform("a", lambda x: x + 1).alias("t"))), [([11, 21],)])
    equal(frame.select("s.*").columns, ["x"])


@case("spark.sql, its names and arguments")
def _():
    people.createOrReplaceTempView("people")
    frame = spark.sql("SELECT count(*), max(ID) AS top, upper(name) FROM people WHERE id < 3 GROUP BY name ORDER BY top DESC")
    equal(frame.columns, ["count(1)", "top", "upper(name)"])
    equal(rows(frame), [(1, 2, "BOB"), (1, 1, "ANN")])
    equal(rows(spark.sql("SELECT :a + 1 AS n", args={"a": 41})), [(42,)])
    equal(rows(spark.sql("SELECT id FROM {frame} WHERE id = 2", frame=people)), [(2,)])
    equal(rows(spark.sql("SELECT 1.5, 'x', 10000000000, 1e2, TRUE, NULL")), [(decimal.Decimal("1.5"), "x", 10000000000, 100.0, True, None)])
    equal(rows(spark.sql("WITH t AS (SELECT id % 2 AS odd FROM people) SELECT odd, count(*) FROM t GROUP BY odd ORDER BY 1")), [(0, 1), (1, 2)])
    equal(rows(spark.sql("SELECT p.id FROM people p JOIN (VALUES (1), (3)) AS v(id) ON p.id = v.id ORDER BY p.id")), [(1,), (3,)])
    equal(rows(spark.sql("SELECT id FROM people WHERE score = (SELECT max(score) FROM people)")), [(1,)])
    equal(rows(spark.sql("SELECT name FROM people ORDER BY id DESC LIMIT 1")), [(None,)])
    equal(rows(spark.sql("SELECT item FROM (SELECT array(1, 2) AS list) LATERAL VIEW explode(list) t AS item")), [(1,), (2,)])


@case("temp views and the catalog")
def _():
    spark.sql("CREATE OR REPLACE TEMP VIEW bobs AS SELECT * FROM people WHERE name = 'bob'")
    equal(spark.table("bobs").count(), 1)
    equal(spark.catalog.tableExists("bobs"), True)
    assert "bobs" in [table.name for table in spark.catalog.listTables()]
    spark.table("bobs").filter("id > 0").createOrReplaceTempView("bobs")
    equal(spark.table("bobs").count(), 1)
    equal(spark.catalog.dropTempView("bobs"), True)
    refused(AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", lambda: spark.table("bobs").count())


@case("range, a million rows, larger local data")
def _():
    equal(spark.range(1_000_000).groupBy().sum("id").first()[0], 499999500000)
    equal(rows(spark.range(5, 0, -2)), [(5,), (3,), (1,)])
    data = [(number, f"text {number}" * 5) for number in range(50_000)]
    frame = spark.createDataFrame(data, ["n", "t"])
    equal(frame.filter("n % 2 = 0").count(), 25_000)
    equal(len(frame.collect()), 50_000)


@case("describe, corr, sample, unpivot")
def _():
    equal(rows(sales.describe("amount"))[0], ("count", "5"))
    equal(rows(sales.describe("amount"))[1], ("mean", "3.0"))
    equal(round(sales.selectExpr("amount", "amount * 2 AS twice").corr("amount", "twice"), 6), 1.0)
    equal(0 < spark.range(1000).sample(0.5, seed=1).count() < 1000, True)
    long = people.unpivot("id", ["score"], "what", "value").orderBy("id")
    equal(rows(long)[0], (1, "score", 30.5))


@case("reading CSV and JSON")
def _():
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        (path / "a.csv").write_text("id,name\n1,ann\n2,bob\n")
        (path / "a.json").write_text('{"id": 1, "name": "ann"}\n{"id": 2, "name": "bob"}\n')
        equal(rows(spark.read.csv(str(path / "a.csv"), header=True)), [("1", "ann"), ("2", "bob")])
        typed = spark.read.schema("id INT, name STRING").option("header", True).csv(str(path / "a.csv"))
        equal(rows(typed.filter("id > 1")), [(2, "bob")])
        equal(rows(spark.read.json(str(path / "a.json")).orderBy("id")), [(1, "ann"), (2, "bob")])
        (path / "a.txt").write_text("one;two")
        equal(rows(spark.read.option("lineSep", ";").text(str(path / "a.txt"))), [("one",), ("two",)])
        (path / "events").mkdir()
        (path / "events" / "part-0").write_text('{"id": 3}\n')
        equal(rows(spark.read.schema("id INT").json(str(path / "events"))), [(3,)])
        people.select("id", "name").write.mode("overwrite").csv(str(path / "out"), header=True)
        equal(sorted(rows(spark.read.csv(str(path / "out"), header=True)))[:2], [("1", "ann"), ("2", "bob")])
        refused(AnalysisException, "PATH_ALREADY_EXISTS", lambda: people.write.csv(str(path / "out")))
        refused(AnalysisException, "PATH_NOT_FOUND", lambda: spark.read.json(str(path / "none")).count())


@case("errors by class, condition and SQLSTATE")
def _():
    error = refused(AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION", lambda: people.select("nme").collect())
    equal(error.getSqlState(), "42703")
    assert "`name`" in str(error), str(error)
    refused(AnalysisException, "UNRESOLVED_ROUTINE", lambda: spark.sql("SELECT no_such(1)"))
    refused(ParseException, "PARSE_SYNTAX_ERROR", lambda: spark.sql("SELECT (1"))
    refused(AnalysisException, "MISSING_AGGREGATION", lambda: spark.sql("SELECT id, count(*) FROM people GROUP BY name"))
    other = people.alias("o")
    refused(AnalysisException, "AMBIGUOUS_REFERENCE", lambda: people.crossJoin(other).select("id").collect())


@case("an operation is interrupted by its tag")
def _():
    failed = []

    def work():
        try:
            spark.range(10**15).selectExpr("sum(id % 7) AS s").collect()
        except Exception as error:
            failed.append(str(error))

    # Tags belong to a thread.
    thread = threading.Thread(target=lambda: (spark.addTag("slow"), work()))
    thread.start()
    until(lambda: spark.interruptTag("slow") or not thread.is_alive(), "the operation is there to be interrupted")
    thread.join(30)
    assert failed and "OPERATION_CANCELED" in failed[0], failed


@case("what does not fit is an error, as in Spark's ANSI mode")
def _():
    one = spark.range(1, 2)
    for condition, state, kind, value in [
        ("DIVIDE_BY_ZERO", "22012", ArithmeticException, F.col("id") / 0),
        ("DIVIDE_BY_ZERO", "22012", ArithmeticException, F.expr("id div 0")),
        ("ARITHMETIC_OVERFLOW", "22003", ArithmeticException, F.col("id") + 9223372036854775807),
        ("ARITHMETIC_OVERFLOW", "22003", ArithmeticException, F.col("id").cast("int") * F.lit(2147483647) * 2),
        ("CAST_OVERFLOW", "22003", ArithmeticException, (F.col("id") + 299).cast("tinyint")),
        ("CAST_INVALID_INPUT", "22018", NumberFormatException, F.concat(F.col("id"), F.lit("x")).cast("int")),
        ("CAST_INVALID_INPUT", "22018", DateTimeException, F.concat(F.col("id"), F.lit("x")).cast("date")),
        ("CAST_INVALID_INPUT", "22018", NumberFormatException, F.concat(F.col("id"), F.lit("x")) > 3),
    ]:
        error = refused(kind, condition, lambda value=value: one.select(value).collect())
        equal(error.getSqlState(), state)
    text = F.concat(F.col("id"), F.lit("x"))
    equal(rows(one.select(F.try_divide("id", F.lit(0)), text.try_cast("int"), F.expr("try_add(id, 1L)"))), [(None, None, 2)])
    reckoned = one.select(
        (F.lit(1) + 1).alias("i"), (F.lit(1) + F.col("id")).alias("l"), (F.lit(1) / 2).alias("d"), (F.lit(7) % 4).alias("m"),
        (F.lit(decimal.Decimal("1.5")) * 2).alias("x"), (F.lit("3") + 4).alias("s"), F.lit(7).cast("long").alias("c"),
    )
    equal([kind for _, kind in reckoned.dtypes][:4], ["int", "bigint", "double", "int"])
    equal(rows(reckoned), [(2, 2, 0.5, 3, decimal.Decimal("3.0"), 7, 7)])
    # What a condition leaves out is not reckoned.
    equal(rows(one.select(F.when(F.col("id") > 5, F.col("id") / 0).otherwise(0.0))), [(0.0,)])


@case("functions of functions, fields anew, and queries that look outside")
def _():
    lists = spark.createDataFrame([([3, 1, 2], {"a": 1}, (1, "x"))], "l ARRAY<INT>, m MAP<STRING, INT>, s STRUCT<i: INT, t: STRING>")
    made = lists.select(
        F.aggregate("l", F.lit(0), lambda sum, x: sum + x), F.transform("l", lambda x, i: x * i),
        F.zip_with("l", "l", lambda a, b: a + b), F.forall("l", lambda x: x > 0),
        F.map_filter("m", lambda k, v: v > 1), F.transform_values("m", lambda k, v: v + 1), F.map_keys(F.transform_keys("m", lambda k, v: F.upper(k))),
        F.array_sort("l", lambda a, b: b - a), F.filter("l", lambda x, i: i > 0),
    )
    equal(rows(made), [(6, [0, 1, 4], [6, 2, 4], True, {}, {"a": 2}, ["A"], [3, 2, 1], [1, 2])])
    fields = lists.select(F.col("s").withField("i", F.lit(5)).alias("a"), F.col("s").withField("n", F.lit(None)).dropFields("t").alias("b"))
    equal(rows(fields), [(Row(i=5, t="x"), Row(i=1, n=None))])
    people.createOrReplaceTempView("folks")
    best = "SELECT name FROM folks f WHERE score = (SELECT max(score) FROM folks g WHERE g.id = f.id) ORDER BY id"
    equal(rows(spark.sql(best)), [("ann",), (None,)])
    there = "SELECT id, EXISTS (SELECT 1 FROM folks g WHERE g.id = f.id + 1) AS more FROM folks f ORDER BY id"
    equal(rows(spark.sql(there)), [(1, True), (2, True), (3, False)])
    written = spark.sql("SELECT 1Y, 2S, 1.5D, 1.5BD, DATE'2020-01-31', X'1f', 'it\\'s', sum(col1) FILTER (WHERE col1 > 1) FROM VALUES 1, 2")
    equal(rows(written), [(1, 2, 1.5, decimal.Decimal("1.5"), datetime.date(2020, 1, 31), b"\x1f", "it's", 2)])
    table = sales.crosstab("shop", "item").orderBy("shop_item")
    equal((table.columns, rows(table)), (["shop_item", "x", "y"], [("a", 1, 1), ("b", 2, 0), ("c", 0, 1)]))
    equal(spark.range(100).sampleBy(F.col("id") % 2, {0: 1.0}).count(), 50)
    equal(spark.range(1, 101).approxQuantile("id", [0.0, 1.0], 0.0), [1.0, 100.0])


@case("what passes is observed once, whatever stands above")
def _():
    figures = [F.count(F.lit(1)).alias("rows"), F.max("score").alias("most"), (F.max("id") - F.min("id")).alias("span"), F.min("name")]
    wanted = {"rows": 3, "most": 30.5, "span": 2, "min(name)": "ann"}
    deeds = [
        lambda frame: frame.collect(), lambda frame: frame.count(), lambda frame: frame.where("id > 2").toPandas(),
        lambda frame: frame.groupBy("name").count().collect(), lambda frame: frame.select("id").orderBy("id").first(),
        lambda frame: frame.write.json(str(Path(tempfile.mkdtemp()) / "out")),
    ]
    for deed in deeds:
        observation = Observation()
        deed(people.observe(observation, *figures))
        equal(observation.get, wanted)
    below, above = Observation("below"), Observation("above")
    people.observe(below, F.count("*").alias("n")).where("score > 20").observe(above, F.count("*").alias("n")).collect()
    equal((below.get, above.get), ({"n": 3}, {"n": 1}))
    nothing = Observation()
    people.where("id > 9").observe(nothing, F.count("*").alias("n"), F.sum("id").alias("sum")).collect()
    equal(nothing.get, {"n": 0, "sum": None})
    many = Observation()
    spark.range(300000).observe(many, F.sum("id").alias("sum")).groupBy((F.col("id") % 7).alias("d")).count().collect()
    equal(many.get, {"sum": sum(range(300000))})
    alone = people.observe(Observation(), F.col("id"))
    refused(AnalysisException, "INVALID_OBSERVED_METRICS.NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE", alone.collect)


@case("frequent values; rows among rows of several columns")
def _():
    pairs = spark.createDataFrame([(1, 11), (1, 11), (3, 10), (4, 8), (4, 8)], ["a", "b"])
    equal([sorted(items) for items in pairs.freqItems(["a", "b"]).first()], [[1, 3, 4], [8, 10, 11]])
    equal(sorted(pairs.stat.freqItems(["a"], 0.5).first().a_freqItems), [1, 4])
    known = spark.createDataFrame([(1, 10), (4, 8)], ["a", "b"])
    equal(rows(pairs.where(F.struct("a", "b").isin(known))), [(4, 8), (4, 8)])
    equal(sorted(rows(pairs.where(~F.struct("a", "b").isin(known)))), [(1, 11), (1, 11), (3, 10)])


@case("two sessions do not see each other's views")
def _():
    other = SparkSession.builder.remote(f"{sys.argv[1]}/;session_id={uuid.uuid4()}").create()
    people.createOrReplaceTempView("mine")
    refused(AnalysisException, "TABLE_OR_VIEW_NOT_FOUND", lambda: other.table("mine").count())
    equal(other.range(3).count(), 3)
    other.stop()


spark.stop()
finish()
