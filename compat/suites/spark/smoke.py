"""Spark's Kafka source and sink: `smoke.py ADDRESS DIRECTORY JARS`."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from tap import case, equal, finish

ADDRESS, DIRECTORY, JARS = sys.argv[1:]
SERVERS = {"kafka.bootstrap.servers": ADDRESS}
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", JARS)
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", 2)
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.memory", "1g")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")


def table(first, last):
    rows = spark.range(first, last)
    return rows.select(f.col("id").cast("string").alias("key"), f.concat(f.lit("value-"), f.col("id")).alias("value"))


def write(rows, topic, **options):
    rows.write.format("kafka").options(**SERVERS, topic=topic, **options).save()


def batch(topic, **options):
    options = {**SERVERS, "subscribe": topic, **options}
    return spark.read.format("kafka").options(**options).load()


def stream(topic, **options):
    options = {**SERVERS, "subscribe": topic, "startingOffsets": "earliest", **options}
    return spark.readStream.format("kafka").options(**options).load()


def run(query):
    query.awaitTermination(120)
    assert query.exception() is None, query.exception()


@case("a table is written and read back")
def write_and_read():
    write(table(0, 1000), "written")
    rows = batch("written").select(f.col("key").cast("string"), f.col("value").cast("string"), "offset", "timestamp")
    equal({(row.key, row.value) for row in rows.collect()}, {(str(n), f"value-{n}") for n in range(1000)})
    equal(rows.where("timestamp > now() - interval 1 hour").count(), 1000)


@case("a batch between two offsets, and from a time on")
def ranges():
    span = {"startingOffsets": '{"written":{"0":10}}', "endingOffsets": '{"written":{"0":25}}'}
    equal(batch("written", **span).count(), 15)
    equal(batch("written", startingTimestamp="1000").count(), 1000)
    equal(batch("written", minPartitions="4").count(), 1000)


@case("headers")
def headers():
    with_headers = table(0, 3).withColumn("headers", f.expr("array(named_struct('key', 'h', 'value', cast('v' as binary)))"))
    write(with_headers, "headed")
    row = batch("headed", includeHeaders="true").first()
    equal((row.headers[0].key, bytes(row.headers[0].value)), ("h", b"v"))


@case("a stream with availableNow, started again, reads each record once")
def available_now():
    def counted():
        out = f"{DIRECTORY}/stream-out"
        query = stream("written").selectExpr("cast(value as string) value").writeStream.format("parquet")
        query = query.option("checkpointLocation", f"{DIRECTORY}/stream-checkpoint").option("path", out)
        run(query.trigger(availableNow=True).start())
        return sorted(row.value for row in spark.read.parquet(out).collect())

    equal(counted(), sorted(f"value-{n}" for n in range(1000)))
    write(table(1000, 1500), "written")
    equal(counted(), sorted(f"value-{n}" for n in range(1500)))


@case("a windowed count from topic to topic, in small batches")
def topic_to_topic():
    counts = stream("written", maxOffsetsPerTrigger="400").withWatermark("timestamp", "1 minute")
    counts = counts.groupBy(f.window("timestamp", "1 day")).count()
    rows = counts.select(f.col("window.start").cast("string").alias("key"), f.col("count").cast("string").alias("value"))
    query = rows.writeStream.format("kafka").options(**SERVERS, topic="counted").outputMode("update")
    run(query.option("checkpointLocation", f"{DIRECTORY}/counts-checkpoint").trigger(availableNow=True).start())
    latest = {}
    for row in batch("counted").orderBy("offset").collect():
        latest[bytes(row.key)] = int(bytes(row.value))
    equal(sum(latest.values()), 1500)


@case("topics by pattern, read_committed")
def pattern():
    options = {**SERVERS, "subscribePattern": "writ.*", "kafka.isolation.level": "read_committed"}
    equal(spark.read.format("kafka").options(**options).load().count(), 1500)


spark.stop()
finish()
