"""Window functions: `windows.py sc://HOST:PORT`. What they give is what Spark 4.2 gives."""

import sys

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from tap import case, equal, finish

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
sales = spark.createDataFrame(
    [("a", "x", 1), ("a", "y", 2), ("b", "x", 3), ("b", "x", 4), ("c", "y", 5)], ["shop", "item", "amount"]
)
# Six rows, one apart in every type that a window may be ordered by.
six = spark.range(6).selectExpr(
    "id", "CAST(id AS TINYINT) AS t", "CAST(id AS INT) AS i", "CAST(id AS FLOAT) AS f", "CAST(id AS DOUBLE) AS d",
    "CAST(id AS DECIMAL(9, 2)) AS dec", "timestamp_seconds(id) AS at", "date_add(DATE'2020-01-01', CAST(id AS INT)) AS day",
)
six.createOrReplaceTempView("six")


def rows(frame):
    return [tuple(row) for row in frame.collect()]


def counts(over):
    """How many rows each of the six sees."""
    return [n for _, n in rows(six.select("id", F.count("id").over(over)).orderBy("id"))]


def counted(by, frame):
    text = f"SELECT id, count(id) OVER (ORDER BY {by} RANGE BETWEEN {frame}) FROM six ORDER BY id"
    return [n for _, n in rows(spark.sql(text))]


def refused(condition, deed):
    try:
        deed()
    except AnalysisException as error:
        equal(error.getCondition(), condition)
        return
    raise AssertionError(f"nothing was raised instead of {condition}")


@case("window functions")
def _():
    by_shop = Window.partitionBy("shop").orderBy("amount")
    frame = sales.select("shop", "amount", F.row_number().over(by_shop).alias("n"), F.lag("amount").over(by_shop).alias("before"))
    equal(rows(frame.orderBy("amount")), [("a", 1, 1, None), ("a", 2, 2, 1), ("b", 3, 1, None), ("b", 4, 2, 3), ("c", 5, 1, None)])
    equal(frame.dtypes[2], ("n", "int"))
    total = sales.select(F.sum("amount").over(Window.partitionBy("shop")).alias("t")).distinct()
    equal(sorted(rows(total)), [(3,), (5,), (7,)])


@case("frames of numbers, whatever their type")
def _():
    for column in ("id", "t", "i", "f", "d", "dec"):
        up, down = Window.orderBy(column), Window.orderBy(F.desc(column))
        equal(counts(up.rangeBetween(-1, 2)), [3, 4, 4, 4, 3, 2])
        equal(counts(down.rangeBetween(-1, 2)), [2, 3, 4, 4, 4, 3])
        equal(counts(up.rangeBetween(Window.unboundedPreceding, 2)), [3, 4, 5, 6, 6, 6])
        equal(counts(down.rangeBetween(Window.unboundedPreceding, 2)), [6, 6, 6, 5, 4, 3])
        equal(counts(up.rangeBetween(-1, Window.unboundedFollowing)), [6, 6, 5, 4, 3, 2])
        equal(counts(up.rangeBetween(1, 2)), [2, 2, 2, 2, 1, 0])
        equal(counts(up.rangeBetween(Window.currentRow, Window.unboundedFollowing)), [6, 5, 4, 3, 2, 1])
        equal(counted(column, "1 PRECEDING AND 2 FOLLOWING"), [3, 4, 4, 4, 3, 2])
    equal(counted("d", "0.5 PRECEDING AND 1.5 FOLLOWING"), [2, 2, 2, 2, 2, 1])


@case("frames of time")
def _():
    equal(counted("at", "INTERVAL 1 SECOND PRECEDING AND INTERVAL 2 SECONDS FOLLOWING"), [3, 4, 4, 4, 3, 2])
    equal(counted("at", "INTERVAL '1500' MILLISECOND PRECEDING AND CURRENT ROW"), [1, 2, 2, 2, 2, 2])
    equal(counted("day", "INTERVAL 1 DAY PRECEDING AND INTERVAL 2 DAYS FOLLOWING"), [3, 4, 4, 4, 3, 2])
    equal(counted("day", "1 PRECEDING AND 2 FOLLOWING"), [3, 4, 4, 4, 3, 2])


@case("frames that make no sense")
def _():
    wrong = "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE"
    refused(wrong, lambda: counts(Window.orderBy("day").rangeBetween(-1, 2)))
    refused(wrong, lambda: counted("at", "1 PRECEDING AND CURRENT ROW"))
    refused("DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", lambda: counts(Window.orderBy("i", "d").rangeBetween(-1, 2)))
    refused("DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", lambda: counts(Window.partitionBy("i").rangeBetween(-1, 2)))


spark.stop()
finish()
