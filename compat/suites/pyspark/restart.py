"""A query over a crash of the server: `restart.py first|second sc://HOST:PORT KAFKA_HOST:PORT DIRECTORY`.

`first` starts three queries over 5,000 records, 100 at a time, and prints `running` when they are in the middle: then
the server may be killed. `second` starts them again from their checkpoints and looks at what they have written.
"""

import sys
from collections import Counter

import pandas as pd
from kafka import KafkaConsumer, KafkaProducer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tap import case, equal, finish, until

PHASE, ADDRESS, KAFKA, DIRECTORY = sys.argv[1:]
RECORDS, KEYS = 5_000, 7
spark = SparkSession.builder.remote(ADDRESS).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)


def source():
    frame = spark.readStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("subscribe", "numbers")
    frame = frame.option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", 100).load()
    return frame.select(F.col("value").cast("string").cast("int").alias("n"))


def start(frame, topic, mode):
    writer = frame.writeStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("topic", topic)
    writer = writer.option("checkpointLocation", f"{DIRECTORY}/{topic}").outputMode(mode)
    return (writer.trigger(availableNow=True) if PHASE == "second" else writer).start()


def remember(key, frames, state):
    count, total = state.getOption or (0, 0)
    for frame in frames:
        count, total = count + len(frame), total + int(frame.n.sum())
    state.update((count, total))
    yield pd.DataFrame({"key": [str(key[0])], "value": [f"{count},{total}"]})


def queries():
    copied = source().select(F.col("n").cast("string").alias("value"))
    counted = source().groupBy((F.col("n") % KEYS).alias("k")).agg(F.count("*").alias("c"), F.sum("n").alias("s"))
    counted = counted.select(F.col("k").cast("string").alias("key"), F.concat_ws(",", "c", "s").alias("value"))
    groups = source().groupBy((F.col("n") % KEYS).alias("k"))
    remembered = groups.applyInPandasWithState(remember, "key STRING, value STRING", "c LONG, s LONG", "update", "NoTimeout")
    yield start(remembered, "remembered", "update")
    yield from [start(copied, "copies", "append"), start(counted, "counts", "update")]


def written(topic):
    consumer = KafkaConsumer(topic, bootstrap_servers=KAFKA, auto_offset_reset="earliest", consumer_timeout_ms=3000)
    return [(record.key, record.value.decode()) for record in consumer]


if PHASE == "first":
    producer = KafkaProducer(bootstrap_servers=KAFKA)
    for number in range(RECORDS):
        producer.send("numbers", str(number).encode())
    producer.flush()
    running = []
    for query in queries():
        running.append(query)
        # Python takes its time to begin; the others would be done by then.
        until(lambda: query.lastProgress, "a batch")
    until(lambda: all(query.lastProgress and query.lastProgress.batchId >= 3 for query in running), "some batches")
    print("running", flush=True)
    for query in running:
        query.awaitTermination()

else:
    started = list(queries())
    for query in started:
        query.awaitTermination()

    @case("after kill -9 the queries go on in the middle")
    def _():
        # A query that was done before has no batches now.
        first = [query.recentProgress[0].batchId for query in started if query.recentProgress]
        assert first and all(3 <= batch < RECORDS / 100 for batch in first), first

    @case("after kill -9 every record was copied, and none twice")
    def _():
        found = Counter(int(value) for _, value in written("copies"))
        equal([number for number in range(RECORDS) if found[number] != 1], [])

    @case("after kill -9 counts and sums are right")
    def _():
        wanted = {str(k).encode(): f"{len(range(k, RECORDS, KEYS))},{sum(range(k, RECORDS, KEYS))}" for k in range(KEYS)}
        equal(dict(written("counts")), wanted)

    @case("after kill -9 a function remembers what it knew")
    def _():
        wanted = {str(k).encode(): f"{len(range(k, RECORDS, KEYS))},{sum(range(k, RECORDS, KEYS))}" for k in range(KEYS)}
        equal(dict(written("remembered")), wanted)

    finish()
