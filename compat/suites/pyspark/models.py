"""Models through PySpark's own words: `models.py sc://HOST:PORT KAFKA_HOST:PORT`."""

import json
import sys
import tempfile
import uuid
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tap import case, equal, finish

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
scratch = Path(tempfile.mkdtemp(prefix="models-"))


def fresh(name):
    return f"{name}_{uuid.uuid4().hex[:8]}"


def put(directory, name, rows):
    directory.mkdir(exist_ok=True)
    (directory / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


def mails(first, last):
    return [{"words": float(n % 90), "spam": n % 90 < 45} for n in range(first, last)]


def stream(directory, schema):
    return spark.readStream.schema(schema).json(str(directory))


def run(writer, start):
    start(writer.trigger(availableNow=True)).awaitTermination()


def refused(deed, words):
    try:
        deed()
    except PySparkException as error:
        assert words in str(error), f"{words!r} is not in {error}"
        return
    raise AssertionError("nothing was raised")


def versions(name):
    return spark.read.format("model").load(name).orderBy("version").collect()


@case("a stream trains a clusterer, expr asks it, its versions are rows")
def _():
    inbox, name = scratch / fresh("points"), fresh("segments")
    put(inbox, "1", [{"x": x, "y": y} for x, y in [(0.0, 0.1), (9.0, 9.1), (0.2, 0.0), (9.1, 9.0)]])
    features = stream(inbox, "x DOUBLE, y DOUBLE").select(F.array("x", "y").alias("features"))
    writer = features.writeStream.format("model").option("algorithm", "streaming_kmeans")
    writer = writer.option("k", 2).option("seed", 7).option("init_rows", 4).option("dim", 2)
    run(writer, lambda writer: writer.toTable(name))
    equal(versions(name)[-1].rows_learned, 4)
    asked = spark.createDataFrame([(0.1, 0.1), (8.9, 9.0), (0.0, 0.3)], "x DOUBLE, y DOUBLE")
    groups = [row.g for row in asked.select(F.expr(f"predict('{name}', array(x, y))").alias("g")).collect()]
    assert groups[0] == groups[2] != groups[1], groups


@case("a stream trains a classifier, goes on from its checkpoint, and is judged")
def _():
    inbox, name = scratch / fresh("mails"), fresh("filter")
    checkpoint = str(scratch / fresh("c"))

    def train():
        writer = stream(inbox, "words DOUBLE, spam BOOLEAN").writeStream.format("model")
        writer = writer.option("algorithm", "naive_bayes").option("label", "spam")
        run(writer.option("checkpointLocation", checkpoint), lambda writer: writer.toTable(name))

    put(inbox, "1", mails(0, 200))
    train()
    put(inbox, "2", mails(200, 300))
    train()
    last = versions(name)[-1]
    equal((last.rows_learned, last.answers), (300, True))
    assert last.recent > 0.8, last
    metrics = spark.read.format("model").option("show", "metrics").load(name)
    figures = {(row.over, row.metric): row.value for row in metrics.collect()}
    equal(figures["overall", "rows"], 300.0)
    assert figures["window", "accuracy"] > 0.8, figures
    asked = stream(inbox, "words DOUBLE").select("words", F.expr(f"predict('{name}', words)").alias("spam"))
    result = fresh("asked")
    run(asked.writeStream.format("memory").queryName(result), lambda writer: writer.start())
    found = spark.table(result).groupBy().agg(F.avg((F.col("spam") == (F.col("words") < 45)).cast("int")).alias("right"))
    assert found.first().right > 0.8, found.first()
    known = {row.name: row for row in spark.read.format("model").load().collect()}
    equal((known[name].algorithm, known[name].label, known[name].rows_learned), ("naive_bayes", "spam", 300))


@case("processAllAvailable waits until the model has learned")
def _():
    inbox, name = scratch / fresh("mails"), fresh("waiting")
    put(inbox, "1", mails(0, 50))
    writer = stream(inbox, "words DOUBLE, spam BOOLEAN").writeStream.format("model").queryName(name)
    query = writer.option("algorithm", "naive_bayes").option("label", "spam").start()
    query.processAllAvailable()
    equal(versions(name)[-1].rows_learned, 50)
    put(inbox, "2", mails(50, 60))
    query.processAllAvailable()
    equal(versions(name)[-1].rows_learned, 60)
    query.stop()
    spark.sql(f"DROP MODEL {name}")
    refused(lambda: versions(name), name)


@case("what is wrong is said")
def _():
    inbox, name = scratch / fresh("mails"), fresh("wrong")
    put(inbox, "1", mails(0, 5))
    writer = stream(inbox, "words DOUBLE, spam BOOLEAN").writeStream.format("model")
    refused(lambda: writer.start(), "name")
    refused(lambda: writer.toTable(name), "algorithm")
    refused(lambda: writer.option("algorithm", "magic").toTable(name), "magic")
    assert not spark.catalog.tableExists(f"{name}_rows")
    right = stream(inbox, "words DOUBLE, spam BOOLEAN").writeStream.format("model").option("label", "spam")
    run(right.option("algorithm", "naive_bayes"), lambda writer: writer.toTable(name))
    other = stream(inbox, "words DOUBLE, spam BOOLEAN").writeStream.format("model").option("label", "spam")
    refused(lambda: other.option("algorithm", "logistic_regression").toTable(name), "another algorithm")


finish()
