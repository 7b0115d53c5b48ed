"""Structured Streaming over another Kafka than the server's own: `elsewhere.py sc://HOST:PORT KAFKA_HOST:PORT`."""

import json
import sys
import tempfile

from kafka import KafkaConsumer, KafkaProducer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tap import case, equal, finish

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
spark = SparkSession.builder.remote(ADDRESS).getOrCreate()
producer = KafkaProducer(bootstrap_servers=KAFKA)


def send(*values):
    for value in values:
        producer.send("lines", value.encode())
    producer.flush()


def lines():
    source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", KAFKA)
    return source.option("subscribe", "lines").option("startingOffsets", "earliest").load()


def committed(topic):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=KAFKA,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=3000,
    )
    return [json.loads(record.value) for record in consumer]


@case("its records are read")
def _():
    send("to be", "or not to be")
    counts = lines().select(F.explode(F.split(F.col("value").cast("string"), " ")).alias("word")).groupBy("word").count()
    query = counts.writeStream.format("memory").queryName("words").outputMode("complete").trigger(availableNow=True)
    query.start().awaitTermination()
    found = {row.word: row["count"] for row in spark.table("words").collect()}
    equal(found, {"to": 2, "be": 2, "or": 1, "not": 1})


@case("records are written there, each once over two runs of a query")
def _():
    rows = lines().select(F.to_json(F.struct(F.col("offset"), F.length("value").alias("long"))).alias("value"))
    writer = rows.writeStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("topic", "lengths")
    writer = writer.option("checkpointLocation", tempfile.mkdtemp(prefix="elsewhere-")).trigger(availableNow=True)
    writer.start().awaitTermination()
    send("that is the question")
    writer.start().awaitTermination()
    equal(committed("lengths"), [{"offset": 0, "long": 5}, {"offset": 1, "long": 12}, {"offset": 2, "long": 20}])


finish()
