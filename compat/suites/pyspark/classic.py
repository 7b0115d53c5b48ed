"""A script as it was written for classic Spark: `pelton submit classic.py WORD`."""

import sys

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

from tap import case, equal, finish

spark = (
    SparkSession.builder.master("local[*]")
    .appName("classic")
    .config("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0")
    .config("spark.sql.shuffle.partitions", 3)
    .getOrCreate()
)
sc = spark.sparkContext
sc.setLogLevel("ERROR")


@case("the session and its context")
def _():
    equal((sc.appName, sc.master, sc.version), ("classic", "local[*]", spark.version))
    equal(spark.conf.get("spark.sql.shuffle.partitions"), "3")
    equal(SparkContext.getOrCreate() is sc, True)
    equal(SparkSession(sc) is spark, True)
    equal(SparkSession.builder.getOrCreate() is spark, True)
    equal(spark.newSession().range(3).count(), 3)
    equal(SparkConf().setAppName("x").setMaster("local").get("spark.app.name"), "x")


@case("what only a JVM has is refused by its name")
def _():
    from pyspark.streaming import StreamingContext

    for deed in (lambda: sc.parallelize([1]), lambda: sc.textFile("x"), lambda: StreamingContext(sc, 1)):
        try:
            deed()
        except NotImplementedError as error:
            assert "RDD" in str(error), error
        else:
            raise AssertionError("it was not refused")


@case("arguments, the main module, the script's directory")
def _():
    equal(sys.argv[1:], ["word"])
    equal((__name__, sys.argv[0]), ("__main__", __file__))


def shout(text):
    return text.upper()


@case("a function of the script, in the script's Python")
def _():
    factor = sc.broadcast(2)
    equal(spark.range(3).select(udf(lambda n: n * factor.value, "long")("id")).collect()[2][0], 4)
    equal(spark.sql("SELECT 'a' AS t").select(udf(shout)("t")).first()[0], "A")
    place = spark.range(1).select(udf(lambda n: sys.executable)("id")).first()[0]
    equal(place, sys.executable)


finish()
