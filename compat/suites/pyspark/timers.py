"""Timers that are reached: `timers.py sc://HOST:PORT KAFKA_HOST:PORT`. What they give is what Spark 4 gives."""

import json
import sys
import uuid

from kafka import KafkaProducer
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StatefulProcessor

from tap import case, equal, finish

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").remote(ADDRESS).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)
producer = KafkaProducer(bootstrap_servers=KAFKA)


def fresh(name):
    return f"{name}_{uuid.uuid4().hex[:8]}"


def send(topic, row):
    producer.send(topic, json.dumps(row).encode())
    producer.flush()


def stream(topic):
    source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("subscribe", topic)
    values = source.option("startingOffsets", "earliest").load()
    return values.select(F.from_json(F.col("value").cast("string"), "k STRING, n INT, at TIMESTAMP").alias("o")).select("o.*")


def start(frame):
    name = fresh("out")
    return frame.writeStream.format("memory").queryName(name).outputMode("update").start(), name


def rows(name):
    return sorted(tuple(row) for row in spark.table(name).collect())


class Reached(StatefulProcessor):
    """A timer that its batch reaches, for keys that have rows in it too."""

    def __init__(self, clock):
        self.clock = clock

    def init(self, handle):
        self.handle = handle

    def handleInputRows(self, key, rows, timerValues):
        now = timerValues.getCurrentProcessingTimeInMs() if self.clock else timerValues.getCurrentWatermarkInMs()
        self.handle.registerTimer(now)
        yield Row(k=key[0], n=sum(row["n"] for row in rows), at=-1 if self.clock else now)

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        at = -1 if self.clock else expiredTimerInfo.getExpiryTimeInMs()
        yield Row(k=key[0], n=len(list(self.handle.listTimers())), at=at)


@case("transformWithState: a timer is reached in the batch that registers it")
def _():
    for clock, mode in [(True, "processingTime"), (False, "eventTime")]:
        topic = fresh("clicks")
        marked = stream(topic).withWatermark("at", "10 seconds").groupBy("k")
        query, name = start(marked.transformWithState(Reached(clock), "k STRING, n INT, at LONG", "update", mode))
        found = []
        # The second row is older than the watermark, but came in the batch after the one that moved it.
        for n, second in [(10, 20), (20, 4), (30, 2)]:
            send(topic, {"k": "a", "n": n, "at": f"1970-01-01T00:00:{second:02}Z"})
            query.processAllAvailable()
            found.append(len(rows(name)))
        query.stop()
        wanted = [("a", 1, 0), ("a", 1, 10_000), ("a", 10, 0), ("a", 20, 10_000)]
        everything = [("a", 1, -1)] * 3 + [("a", n, -1) for n in [10, 20, 30]]
        equal((found, rows(name)), ([2, 4, 6], everything) if clock else ([2, 4, 4], wanted))

finish()
