"""Structured Streaming of PySpark: `streaming.py sc://HOST:PORT KAFKA_HOST:PORT`. What comes out is what Spark 4 gives.

`streaming.py 'local[2]' KAFKA_HOST:PORT` asks real Spark instead, with its Kafka package in PYSPARK_SUBMIT_ARGS.
"""

import json
import sys
import tempfile
import threading
import uuid
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer
from pyspark.errors import AnalysisException, IllegalArgumentException, PySparkException, StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQueryListener

from tap import case, equal, finish, until

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
SERVED = ADDRESS.startswith("sc://")
builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", 2)
spark = (builder.remote(ADDRESS) if SERVED else builder.master(ADDRESS)).getOrCreate()
producer = KafkaProducer(bootstrap_servers=KAFKA)
scratch = Path(tempfile.mkdtemp(prefix="streaming-"))


def fresh(name):
    return f"{name}_{uuid.uuid4().hex[:8]}"


def send(topic, *values):
    for value in values:
        producer.send(topic, value if isinstance(value, bytes) else value.encode())
    producer.flush()


def topic_of(name, *values):
    topic = fresh(name)
    send(topic, *values)
    return topic


def kafka(topic, start="earliest", **options):
    source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("subscribe", topic)
    return source.option("startingOffsets", start).options(**options).load()


def text(topic):
    return kafka(topic).select(F.col("value").cast("string").alias("line"))


def into_memory(frame, mode="append", now=True):
    """The query's rows, in a table of a name of its own."""
    name = fresh("out")
    writer = frame.writeStream.format("memory").queryName(name).outputMode(mode)
    query = (writer.trigger(availableNow=True) if now else writer).start()
    if now:
        query.awaitTermination()
    return query, name


def rows(name, order=None):
    frame = spark.table(name)
    return [tuple(row) for row in (frame.orderBy(order) if order else frame).collect()]


def result(frame, mode="append"):
    return sorted(rows(into_memory(frame, mode)[1]))


def json_of(topic, schema):
    return kafka(topic).select(F.from_json(F.col("value").cast("string"), schema).alias("o")).select("o.*")


def refused(deed, kind, condition=None, words=""):
    try:
        deed()
    except kind as error:
        if condition:
            equal(error.getCondition(), condition)
        assert words in str(error), f"{words!r} is not in {error}"
        return
    raise AssertionError("nothing was raised")


@case("word count from Kafka: complete, memory, SQL over it")
def _():
    topic = topic_of("words", "to be or not to be", "that is the question", "to be")
    words = text(topic).select(F.explode(F.split("line", " ")).alias("word"))
    query, name = into_memory(words.groupBy("word").count(), "complete", now=False)
    query.processAllAvailable()
    found = spark.sql(f"SELECT word, count FROM {name} ORDER BY count DESC, word LIMIT 3").collect()
    equal([tuple(row) for row in found], [("be", 3), ("to", 3), ("is", 1)])
    send(topic, "to do")
    query.processAllAvailable()
    equal(dict(rows(name))["to"], 4)
    assert query.isActive and query.name == name
    query.stop()
    assert not query.isActive and query.exception() is None
    equal(dict(rows(name))["to"], 4)


@case("word count: update mode writes what has changed")
def _():
    topic = topic_of("words", "a b a")
    words = text(topic).select(F.explode(F.split("line", " ")).alias("word"))
    query, name = into_memory(words.groupBy("word").count(), "update", now=False)
    query.processAllAvailable()
    send(topic, "b c")
    query.processAllAvailable()
    query.stop()
    equal(sorted(rows(name)), [("a", 2), ("b", 1), ("b", 2), ("c", 1)])


@case("what is observed of a batch stands in its progress")
def _():
    numbers = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 4).load()
    numbers = numbers.observe("all", F.count("*").alias("n"), F.max("value").alias("most"), F.min(F.lit("x")).alias("x"))
    query, _ = into_memory(numbers.where("value % 4 > 0").observe("some", F.sum("value").alias("sum")), now=False)
    until(lambda: query.lastProgress and query.lastProgress.batchId > 1, "three batches have come")
    query.stop()
    for batch, progress in enumerate(query.recentProgress[:3]):
        found = progress.observedMetrics
        equal((found["all"].n, found["all"].most, found["all"].x), (4, 4 * batch + 3, "x"))
        equal(found["some"].sum, 12 * batch + 6)


@case("a limit counts the rows of all batches, over a restart too")
def _():
    topic, checkpoint = topic_of("lines", "a", "b"), str(scratch / fresh("c"))
    found = []
    for more in [[], ["c", "d", "e"], ["f"]]:
        send(topic, *more)
        name = fresh("out")
        writer = text(topic).limit(4).where("line <> 'b'").writeStream.format("memory").queryName(name)
        writer.option("checkpointLocation", checkpoint).trigger(availableNow=True).start().awaitTermination()
        found.append(sorted(row.line for row in spark.table(name).collect())[-2:])
    equal(found, [["a"], ["c", "d"], ["c", "d"]])
    words = text(topic).limit(3).groupBy("line").count()
    equal(sum(count for _, count in result(words, "complete")), 3)


@case("hashtags: ordered and limited in complete mode")
def _():
    topic = topic_of("tags", *(json.dumps({"user": "u", "text": line}) for line in ["#A x", "#b #a", "#B #c", "#a"]))
    tags = json_of(topic, "user STRING, text STRING").select(F.explode(F.split(F.lower("text"), " ")).alias("tag"))
    counted = tags.where("tag LIKE '#%'").groupBy("tag").count().orderBy(F.desc("count"), "tag").limit(2)
    equal(rows(into_memory(counted, "complete")[1], "tag"), [("#a", 3), ("#b", 2)])


@case("the schema of Kafka; isStreaming; printSchema")
def _():
    frame = kafka("nobody_writes_this", "latest", includeHeaders="true")
    assert frame.isStreaming and not spark.range(1).isStreaming
    equal([kind for _, kind in frame.dtypes[:7]], ["binary", "binary", "string", "int", "bigint", "timestamp", "int"])
    equal(frame.columns, ["key", "value", "topic", "partition", "offset", "timestamp", "timestampType", "headers"])


EVENTS = [
    {"at": "2024-01-01T00:00:05Z", "k": "a", "n": 1},
    {"at": "2024-01-01T00:00:07Z", "k": "b", "n": 2},
    {"at": "2024-01-01T00:00:12Z", "k": "a", "n": 3},
    {"at": "2024-01-01T00:00:31Z", "k": "a", "n": 4},
    {"at": "2024-01-01T00:01:00Z", "k": "b", "n": 5},
]
SCHEMA = "at TIMESTAMP, k STRING, n INT"


def events(*more):
    return json_of(topic_of("events", *(json.dumps(event) for event in [*EVENTS, *more])), SCHEMA)


def start_of(window):
    return F.date_format(f"{window}.start", "mm:ss").alias("since")


@case("from_json, watermark, tumbling windows in append mode")
def _():
    counted = events().withWatermark("at", "10 seconds").groupBy(F.window("at", "10 seconds"), "k").agg(F.sum("n").alias("n"))
    # The window of 01:00 is still open.
    found = result(counted.select(start_of("window"), "k", "n"))
    equal(found, [("00:00", "a", 1), ("00:00", "b", 2), ("00:10", "a", 3), ("00:30", "a", 4)])


@case("a row that comes too late is left out")
def _():
    topic = topic_of("events", *(json.dumps(event) for event in EVENTS))
    counted = json_of(topic, SCHEMA).withWatermark("at", "10 seconds").groupBy(F.window("at", "10 seconds")).count()
    query, name = into_memory(counted.select(start_of("window"), "count"), now=False)
    query.processAllAvailable()
    send(topic, json.dumps({"at": "2024-01-01T00:00:06Z", "k": "late", "n": 9}), json.dumps({"at": "2024-01-01T00:02:00Z", "k": "a", "n": 1}))
    query.processAllAvailable()
    recent = query.recentProgress
    query.stop()
    equal(sorted(rows(name)), [("00:00", 2), ("00:10", 1), ("00:30", 1), ("01:00", 1)])
    equal(sum(batch.stateOperators[0].numRowsDroppedByWatermark for batch in recent), 1)
    equal(recent[-1].eventTime["watermark"], "2024-01-01T00:01:50.000Z")


@case("sliding and session windows")
def _():
    marked = events().withWatermark("at", "10 seconds")
    slid = marked.groupBy(F.window("at", "20 seconds", "10 seconds")).count()
    equal(result(slid.select(start_of("window"), "count")), [("00:00", 3), ("00:10", 1), ("00:20", 1), ("00:30", 1), ("59:50", 2)])
    sessions = marked.groupBy(F.session_window("at", "10 seconds"), "k").count()
    found = result(sessions.select(start_of("session_window"), "k", "count"))
    equal(found, [("00:05", "a", 2), ("00:07", "b", 1), ("00:31", "a", 1)])


@case("dropDuplicates, and within the watermark")
def _():
    twice = {"at": "2024-01-01T00:00:06Z", "k": "a", "n": 7}
    equal(result(events(twice).dropDuplicates(["k"]).select("k", "n")), [("a", 1), ("b", 2)])
    equal(len(result(events(EVENTS[0]).dropDuplicates())), 5)
    marked = events(twice).withWatermark("at", "1 hour").dropDuplicatesWithinWatermark(["k"])
    equal(result(marked.select("k", "n")), [("a", 1), ("b", 2)])
    # Without the time among the keys a watermark forgets nothing.
    equal(result(events(twice).withWatermark("at", "1 second").dropDuplicates(["k"]).select("k", "n")), [("a", 1), ("b", 2)])
    equal(result(events().select("k").distinct()), [("a",), ("b",)])


@case("joins with a frame that ends: inner, left outer, semi")
def _():
    names = spark.createDataFrame([("a", "Ann"), ("c", "Carl")], "k STRING, name STRING")
    equal(result(events().join(names, "k").select("n", "name")), [(1, "Ann"), (3, "Ann"), (4, "Ann")])
    outer = events().join(names, "k", "left_outer").select("n", F.coalesce("name", F.lit("-")))
    equal(result(outer), [(1, "Ann"), (2, "-"), (3, "Ann"), (4, "Ann"), (5, "-")])
    equal(result(events().join(names, "k", "left_semi").select("n")), [(1,), (3,), (4,)])


@case("joins of two streams: inner, and left outer by time")
def _():
    shown = topic_of("shown", *(json.dumps({"ad": ad, "at": f"2024-01-01T00:00:{at:02}Z"}) for ad, at in [(1, 1), (2, 5), (3, 50)]))
    clicked = topic_of("clicked", *(json.dumps({"of": ad, "when": f"2024-01-01T00:00:{at:02}Z"}) for ad, at in [(1, 3), (9, 4), (3, 55)]))
    left = json_of(shown, "ad INT, at TIMESTAMP").withWatermark("at", "5 seconds")
    right = json_of(clicked, "of INT, when TIMESTAMP").withWatermark("when", "5 seconds")
    on = F.expr("ad = of AND when >= at AND when <= at + INTERVAL 10 SECONDS")
    equal(result(left.join(right, on).select("ad", "of")), [(1, 1), (3, 3)])
    outer = left.join(right, on, "left_outer").select("ad", F.coalesce("of", F.lit(-1)))
    equal(result(outer), [(1, 1), (2, -1), (3, 3)])


@case("a union of streams has one watermark, the slowest's")
def _():
    both = events().withWatermark("at", "10 seconds").union(events().withWatermark("at", "10 seconds"))
    equal(result(both.groupBy(F.window("at", "1 minute")).count().select("count")), [])
    equal(result(both.groupBy(F.window("at", "30 seconds")).count().select(start_of("window"), "count")), [("00:00", 6)])


@case("views over streams, asked in SQL")
def _():
    events().createOrReplaceTempView("moments")
    frame = spark.sql("SELECT k, count(*) AS times FROM moments WHERE n > 1 GROUP BY k")
    assert frame.isStreaming
    equal(result(frame, "complete"), [("a", 2), ("b", 2)])
    assert spark.readStream.table("moments").isStreaming


@case("rate and rate-micro-batch")
def _():
    micro = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 5).load()
    equal(micro.dtypes, [("timestamp", "timestamp"), ("value", "bigint")])
    query, name = into_memory(micro, now=False)
    until(lambda: len(rows(name)) >= 10, "two batches")
    query.stop()
    equal([value for _, value in rows(name, "value")][:10], list(range(10)))
    rate = spark.readStream.format("rate").option("rowsPerSecond", 100).load()
    query, name = into_memory(rate, now=False)
    until(lambda: len(rows(name)) > 3, "rows of a second")
    query.stop()


@case("files come in and go out, each once")
def _():
    inbox, outbox = scratch / fresh("in"), scratch / fresh("out")
    inbox.mkdir()
    (inbox / "1.json").write_text('{"n": 1, "s": "x"}\n{"n": 2, "s": "y"}\n')

    def run():
        frame = spark.readStream.schema("n INT, s STRING").json(str(inbox))
        writer = frame.writeStream.format("csv").option("header", True).option("checkpointLocation", str(outbox) + "-c")
        writer.trigger(availableNow=True).start(str(outbox)).awaitTermination()
        return sorted(line for file in outbox.glob("*.csv") for line in file.read_text().split()[1:])

    equal(run(), ["1,x", "2,y"])
    (inbox / "2.json").write_text('{"n": 3, "s": "z"}\n')
    equal(run(), ["1,x", "2,y", "3,z"])
    lines = spark.readStream.text(str(inbox))
    equal(result(lines.select(F.length("value"))), [(18,), (18,), (18,)])


@case("into Kafka, and on from the checkpoint")
def _():
    source, sink, checkpoint = topic_of("a", "one", "two"), fresh("b"), str(scratch / fresh("c"))

    def run():
        frame = text(source).select(F.upper("line").alias("value"), F.lit("k").alias("key"))
        writer = frame.writeStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("topic", sink)
        query = writer.option("checkpointLocation", checkpoint).trigger(availableNow=True).start()
        query.awaitTermination()
        return query.id

    first = run()
    send(source, "three")
    equal(run(), first)
    consumer = KafkaConsumer(sink, bootstrap_servers=KAFKA, auto_offset_reset="earliest", consumer_timeout_ms=2000)
    found = [(record.key, record.value) for record in consumer]
    equal(found, [(b"k", b"ONE"), (b"k", b"TWO"), (b"k", b"THREE")])


@case("status, progress, explain")
def _():
    topic = topic_of("words", "x y")
    query, _ = into_memory(text(topic), now=False)
    query.processAllAvailable()
    until(lambda: query.status["message"] == "Waiting for data to arrive", "the query waits")
    equal(query.status["isTriggerActive"], False)
    progress = query.lastProgress
    equal((progress.id, progress.runId), (uuid.UUID(str(query.id)), uuid.UUID(str(query.runId))))
    equal((progress.batchId, progress.numInputRows, progress.sources[0].numInputRows), (0, 1, 1))
    equal(json.loads(progress.sources[0].endOffset)[topic], {"0": 1})
    equal(len(query.recentProgress), 1)
    query.explain()
    query.stop()


@case("spark.streams: active, get, awaitAnyTermination, resetTerminated")
def _():
    for query in spark.streams.active:
        query.stop()
    spark.streams.resetTerminated()
    equal(spark.streams.awaitAnyTermination(0.2), False)
    query, name = into_memory(text(topic_of("words", "x")), now=False)
    equal([each.id for each in spark.streams.active], [query.id])
    equal(spark.streams.get(query.id).name, name)
    equal(query.awaitTermination(0.2), False)
    threading.Timer(0.3, query.stop).start()
    spark.streams.awaitAnyTermination()
    equal((spark.streams.active, spark.streams.get(query.id)), ([], None))
    equal(spark.streams.awaitAnyTermination(1), True)


@case("listeners are told of the beginning, of batches and of the end")
def _():
    told = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            told.append(("started", str(event.id), event.name))

        def onQueryProgress(self, event):
            told.append(("progress", str(event.progress.id), event.progress.numInputRows))

        def onQueryTerminated(self, event):
            told.append(("terminated", str(event.id), event.exception))

    listener = Listener()
    spark.streams.addListener(listener)
    query, name = into_memory(text(topic_of("words", "x", "y")))
    until(lambda: len(told) == 3, "three events")
    spark.streams.removeListener(listener)
    # Of the beginning the client tells itself, when start() returns; of the rest another thread of it.
    began = ("started", query.id, name)
    assert began in told, told
    equal([event for event in told if event != began], [("progress", query.id, 2), ("terminated", query.id, None)])


@case("interruptAll ends queries, and listeners hear of it")
def _():
    ended = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            pass

        def onQueryProgress(self, event):
            pass

        def onQueryTerminated(self, event):
            ended.append(str(event.id))

    listener = Listener()
    spark.streams.addListener(listener)
    query = spark.readStream.format("rate").load().writeStream.format("noop").start()
    until(lambda: query.lastProgress, "the query runs")
    spark.interruptAll()
    until(lambda: not query.isActive, "the query ends")
    until(lambda: ended == [query.id], "the listener hears of it")
    spark.streams.removeListener(listener)


@case("a query that fails says so")
def _():
    frame = text(topic_of("words", "x")).select(F.lit(None).cast("string").alias("topic"), F.col("line").alias("value"))
    writer = frame.writeStream.format("kafka").option("kafka.bootstrap.servers", KAFKA)
    query = writer.option("checkpointLocation", str(scratch / fresh("c"))).start()
    refused(query.awaitTermination, StreamingQueryException, "STREAM_FAILED", "topic")
    assert not query.isActive and "topic" in str(query.exception())
    assert query.status["message"].startswith("Terminated with exception")


@case("triggers: once, processingTime")
def _():
    topic = topic_of("words", "x", "y")
    name = fresh("out")
    query = text(topic).writeStream.format("memory").queryName(name).trigger(once=True).start()
    query.awaitTermination()
    equal(len(rows(name)), 2)
    query = text(topic).writeStream.format("memory").queryName(fresh("out")).trigger(processingTime="100 milliseconds").start()
    query.processAllAvailable()
    query.stop()


@case("console and noop")
def _():
    for sink in ["console", "noop"]:
        query = text(topic_of("words", "x")).writeStream.format(sink).option("truncate", False).trigger(availableNow=True).start()
        query.awaitTermination()
        equal(query.lastProgress.sink.numOutputRows, 1)


def rate():
    return spark.readStream.format("rate").load()


def start(frame, sink="noop", mode=None, **options):
    writer = frame.writeStream.format(sink).options(**options)
    return (writer.outputMode(mode) if mode else writer).start()


@case("Spark's refusals: frames")
def _():
    words = "Queries with streaming sources must be executed with writeStream.start()"
    for deed in [rate().show, rate().collect, rate().count, lambda: rate().tail(1)]:
        refused(deed, AnalysisException, "_LEGACY_ERROR_TEMP_3102", words)
    refused(lambda: start(spark.range(3)), AnalysisException, "WRITE_STREAM_NOT_ALLOWED")
    refused(lambda: rate().write.json(str(scratch / "x")), AnalysisException, "CALL_ON_STREAMING_DATASET_UNSUPPORTED")
    refused(lambda: rate().withWatermark("no", "1 second").schema, AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION")
    refused(lambda: rate().withWatermark("timestamp", "soon").schema, AnalysisException, "CANNOT_PARSE_INTERVAL")
    refused(lambda: rate().withWatermark("value", "1 second").schema, AnalysisException, "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE")
    refused(lambda: spark.readStream.format("json").load("/tmp").schema, IllegalArgumentException, None, "Schema must be specified")
    source = spark.readStream.format("kafka").option("subscribe", "a")
    refused(lambda: source.load().schema, IllegalArgumentException, None, "'kafka.bootstrap.servers' must be specified")


@case("Spark's refusals: output modes")
def _():
    grouped, mode = rate().groupBy("value").count(), "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"
    refused(lambda: start(grouped), AnalysisException, mode, "streaming aggregations without watermark")
    refused(lambda: start(rate(), mode="complete"), AnalysisException, mode, "no streaming aggregations")
    refused(lambda: start(rate(), mode="always"), IllegalArgumentException, "STREAMING_OUTPUT_MODE.INVALID")
    refused(lambda: start(rate().orderBy("value")), AnalysisException, None, "Sorting is not supported")
    refused(lambda: start(rate().limit(1), mode="update"), AnalysisException, None, "Limits are not supported")
    other = rate().withColumnRenamed("timestamp", "t")
    refused(lambda: start(rate().join(other, "value"), mode="update"), AnalysisException, None, "only in Append output mode")
    refused(lambda: start(rate().join(other, "value", "left_outer")), AnalysisException, None, "without a watermark")
    ends = spark.range(3).withColumnRenamed("id", "value")
    mixed = rate().select("value").union(ends)
    refused(lambda: start(mixed), AnalysisException, None, "Union between streaming and batch")
    refused(lambda: start(rate().join(ends, "value", "right_outer")), AnalysisException, None, "RightOuter join")
    within = rate().dropDuplicatesWithinWatermark
    refused(lambda: within(["value"]).schema, AnalysisException, None, "without watermark")


@case("Spark's refusals: sinks")
def _():
    path = str(scratch / "refused")
    refused(lambda: start(rate(), "memory"), AnalysisException, None, "queryName must be specified")
    refused(lambda: start(rate(), "json", path=path), AnalysisException, None, "checkpointLocation must be specified")
    update = "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE"
    refused(lambda: start(rate(), "json", "update", path=path, checkpointLocation=path), AnalysisException, update)
    refused(lambda: start(rate(), "nosuch"), AnalysisException, "DATA_SOURCE_NOT_FOUND")
    refused(lambda: start(rate().withColumn("VALUE2", F.lit(1)).toDF("a", "b", "a")), AnalysisException, "COLUMN_ALREADY_EXISTS")
    query = rate().writeStream.format("noop").queryName("only").start()
    again = rate().writeStream.format("noop").queryName("only")
    refused(again.start, IllegalArgumentException, None, "already active")
    query.stop()
    refused(lambda: start(rate(), "orc", path=path, checkpointLocation=path), PySparkException, "UNSUPPORTED_FEATURE")


for query in spark.streams.active:
    query.stop()
finish()
