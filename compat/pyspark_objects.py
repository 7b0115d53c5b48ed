"""PySpark over an object store: `pyspark_objects.py sc://HOST:PORT ENDPOINT ACCESS_KEY SECRET_KEY BUCKET DIRECTORY`.

`test_objects.py` starts both servers. DIRECTORY is for what queries remember.
"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tap import case, equal, finish

ADDRESS, ENDPOINT, ACCESS_KEY, SECRET_KEY, BUCKET, DIRECTORY = sys.argv[1:]
ROOT = f"s3a://{BUCKET}"
spark = SparkSession.builder.remote(ADDRESS).getOrCreate()
# The address for the session, the login with what needs it: both ways are known.
spark.conf.set("spark.hadoop.fs.s3a.endpoint", ENDPOINT)
spark.conf.set("spark.hadoop.fs.s3a.path.style.access", "true")
LOGIN = {"fs.s3a.access.key": ACCESS_KEY, "fs.s3a.secret.key": SECRET_KEY}
numbers = spark.range(1_000).select("id", (F.col("id") % 3).alias("k"))


def said(deed):
    try:
        deed()
    except Exception as error:
        return str(error)
    raise AssertionError("it was not refused")


@case("batches go out and come in")
def batches():
    for form in ("parquet", "json", "csv"):
        path = f"{ROOT}/batch/{form}"
        numbers.write.format(form).options(**LOGIN).option("header", True).save(path) if form == "csv" else (
            numbers.write.format(form).options(**LOGIN).save(path)
        )
        read = spark.read.format(form).options(**LOGIN).schema("id BIGINT, k BIGINT")
        read = read.option("header", True) if form == "csv" else read
        back = read.load(path)
        equal(back.agg(F.count("*"), F.sum("id"), F.sum("k")).collect()[0][:], (1_000, 499_500, 999))
        assert "already exists" in said(lambda: numbers.write.format(form).options(**LOGIN).save(path))
        numbers.limit(10).write.format(form).options(**LOGIN).mode("overwrite").save(path)
        equal(spark.read.format(form).options(**LOGIN).schema("id BIGINT, k BIGINT").load(path).agg(F.max("id")).first()[0], 9)


@case("directories say columns")
def partitions():
    numbers.write.options(**LOGIN).partitionBy("k").parquet(f"{ROOT}/by")
    back = spark.read.options(**LOGIN).parquet(f"{ROOT}/by")
    equal(back.groupBy("k").count().orderBy("k").collect(), [(0, 334), (1, 333), (2, 333)])


@case("streams read and write, each row once, and go on where they were")
def streams():
    def run():
        rows = spark.readStream.schema("id BIGINT, k BIGINT").options(**LOGIN).json(f"{ROOT}/in")
        writer = rows.writeStream.format("parquet").options(**LOGIN).option("checkpointLocation", f"{DIRECTORY}/stream")
        query = writer.trigger(availableNow=True).start(f"{ROOT}/out")
        assert query.awaitTermination(60) and query.exception() is None, query.exception()

    numbers.write.options(**LOGIN).json(f"{ROOT}/in")
    run()
    numbers.select((F.col("id") + 1_000).alias("id"), "k").write.options(**LOGIN).mode("append").json(f"{ROOT}/in")
    run()
    run()
    back = spark.read.options(**LOGIN).parquet(f"{ROOT}/out")
    equal(back.agg(F.count("*"), F.countDistinct("id"), F.max("id")).first()[:], (2_000, 2_000, 1_999))


@case("a checkpoint in a bucket is gone on with")
def remembered():
    def total():
        lines = spark.readStream.schema("id BIGINT, k BIGINT").options(**LOGIN).json(f"{ROOT}/counted")
        writer = lines.groupBy("k").count().writeStream.outputMode("complete").format("memory").queryName("counted")
        query = writer.options(**LOGIN).option("checkpointLocation", f"{ROOT}/checkpoint").trigger(availableNow=True).start()
        assert query.awaitTermination(60) and query.exception() is None, query.exception()
        return query.id, sorted(tuple(row) for row in spark.table("counted").collect())

    numbers.write.options(**LOGIN).json(f"{ROOT}/counted")
    first, rows = total()
    equal(rows, [(0, 334), (1, 333), (2, 333)])
    numbers.limit(1).write.options(**LOGIN).mode("append").json(f"{ROOT}/counted")
    again, rows = total()
    equal(sum(count for _, count in rows), 1_001)
    equal(first, again)


@case("a stranger stays out")
def refused():
    stranger = {"fs.s3a.access.key": "stranger", "fs.s3a.secret.key": "wrong"}
    text = said(lambda: spark.read.options(**stranger).parquet(f"{ROOT}/by").count())
    assert "refuses the login" in text and SECRET_KEY not in text, text
    assert "does not exist" in said(lambda: spark.read.options(**LOGIN).json(f"{ROOT}/nowhere").count())


finish()
