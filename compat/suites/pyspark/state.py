"""Functions that remember: `state.py sc://HOST:PORT KAFKA_HOST:PORT`.

`state.py 'local[2]' KAFKA_HOST:PORT` asks real Spark instead, with its Kafka package in PYSPARK_SUBMIT_ARGS.
"""

import json
import sys
import tempfile
import uuid
from pathlib import Path

import pandas as pd
from kafka import KafkaProducer
from pyspark.errors import AnalysisException, PySparkException, StreamingQueryException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StatefulProcessor
from pyspark.sql.streaming.state import GroupStateTimeout

from tap import case, equal, finish, until

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
SERVED = ADDRESS.startswith("sc://")
builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", 2)
spark = (builder.remote(ADDRESS) if SERVED else builder.master(ADDRESS)).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable) if SERVED else None
producer = KafkaProducer(bootstrap_servers=KAFKA)
scratch = Path(tempfile.mkdtemp(prefix="state-"))


def fresh(name):
    return f"{name}_{uuid.uuid4().hex[:8]}"


def send(topic, *rows):
    for row in rows:
        producer.send(topic, json.dumps(row).encode())
    producer.flush()


def stream(topic, schema="k STRING, n INT, at TIMESTAMP"):
    source = spark.readStream.format("kafka").option("kafka.bootstrap.servers", KAFKA).option("subscribe", topic)
    values = source.option("startingOffsets", "earliest").load()
    return values.select(F.from_json(F.col("value").cast("string"), schema).alias("o")).select("o.*")


def count(key, frames, state):
    seen, total = state.getOption or (0, 0)
    for frame in frames:
        seen, total = seen + len(frame), total + int(frame.n.sum())
    state.update((seen, total))
    yield pd.DataFrame({"k": [key[0]], "seen": [seen], "total": [total]})


def counted(frame, by="k"):
    return frame.groupBy(by).applyInPandasWithState(
        count, "k STRING, seen LONG, total LONG", "seen LONG, total LONG", "update", GroupStateTimeout.NoTimeout
    )


def start(frame, mode="update", **options):
    name = fresh("out")
    return frame.writeStream.format("memory").queryName(name).outputMode(mode).options(**options).start(), name


def rows(name):
    return sorted(tuple(row) for row in spark.table(name).collect())


def refused(deed, kind, words=""):
    try:
        deed()
    except kind as error:
        assert words in str(error), f"{words!r} is not in {error}"
        return
    raise AssertionError("nothing was raised")


@case("what a key has is remembered from batch to batch")
def _():
    topic = fresh("numbers")
    send(topic, {"k": "a", "n": 1}, {"k": "b", "n": 2}, {"k": "a", "n": 3})
    query, name = start(counted(stream(topic)))
    query.processAllAvailable()
    equal(rows(name), [("a", 2, 4), ("b", 1, 2)])
    send(topic, {"k": "a", "n": 10}, {"k": None, "n": 5})
    query.processAllAvailable()
    equal([row for row in spark.table(name).where("k = 'a'").orderBy("seen").collect()][-1].total, 14)
    equal(spark.table(name).where("k IS NULL").first().total, 5)
    equal(query.lastProgress.stateOperators[0].numRowsTotal, 3)
    query.stop()


@case("keys that are computed, and a state of every type")
def _():
    topic = fresh("numbers")
    schema = "d DATE, t TIMESTAMP, s STRING, l ARRAY<INT>, b BOOLEAN, x DOUBLE"

    def keep(key, frames, state):
        before = state.getOption
        frame = pd.concat(frames)
        state.update((frame["at"].iloc[0].date(), frame["at"].iloc[0].to_pydatetime(), "ä", [1, 2], True, 0.5))
        yield pd.DataFrame({"k": [int(key[0])], "before": [None if before is None else str(before)]})

    frame = stream(topic).groupBy((F.col("n") % 2).alias("odd"))
    made = frame.applyInPandasWithState(keep, "k INT, before STRING", schema, "append", GroupStateTimeout.NoTimeout)
    query, name = start(made, "append")
    for n in [1, 3]:
        send(topic, {"k": "a", "n": n, "at": "2024-01-02T03:04:05Z"})
        query.processAllAvailable()
    query.stop()
    wanted = "(datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, 4, 5), 'ä', [1, 2], True, 0.5)"
    found = [tuple(row) for row in spark.table(name).collect()]
    equal(sorted(found, key=str), sorted([(1, None), (1, wanted)], key=str))


@case("removed states are gone")
def _():
    topic = fresh("numbers")

    def forget(key, frames, state):
        had = state.exists
        if sum(int(frame.n.sum()) for frame in frames) < 0:
            state.remove()
        else:
            state.update((1,))
        yield pd.DataFrame({"had": [had]})

    made = stream(topic).groupBy("k").applyInPandasWithState(forget, "had BOOLEAN", "n INT", "append", "NoTimeout")
    query, name = start(made, "append")
    for n in [1, 1, -1, 1]:
        send(topic, {"k": "a", "n": n})
        query.processAllAvailable()
    equal(rows(name), [(False,), (False,), (True,), (True,)])
    query.stop()


def sessions(key, frames, state):
    if state.hasTimedOut:
        (seen,) = state.get
        state.remove()
        yield pd.DataFrame({"k": [key[0]], "seen": [seen], "late": [state.getCurrentWatermarkMs()]})
    else:
        seen, end = (state.getOption or (0,))[0], 0
        for frame in frames:
            seen, end = seen + len(frame), max(end, int(frame["at"].max().timestamp() * 1000))
        state.update((seen,))
        state.setTimeoutTimestamp(end + 10_000)


@case("event time ends sessions")
def _():
    topic = fresh("clicks")
    marked = stream(topic).withWatermark("at", "5 seconds").groupBy("k")
    ended = marked.applyInPandasWithState(
        sessions, "k STRING, seen INT, late LONG", "seen INT", "append", GroupStateTimeout.EventTimeTimeout
    )
    query, name = start(ended, "append")
    send(topic, *({"k": k, "n": 1, "at": f"2024-01-01T00:00:{at:02}Z"} for k, at in [("a", 1), ("b", 2), ("a", 4)]))
    query.processAllAvailable()
    equal(rows(name), [])
    send(topic, {"k": "c", "n": 1, "at": "2024-01-01T00:00:30Z"})
    query.processAllAvailable()
    until(lambda: len(rows(name)) == 2, "two sessions have ended")
    equal(rows(name), [("a", 2, 1704067225000), ("b", 1, 1704067225000)])
    send(topic, {"k": "a", "n": 1, "at": "2024-01-01T00:00:10Z"}, {"k": "a", "n": 1, "at": "2024-01-01T00:01:00Z"})
    query.processAllAvailable()
    until(lambda: len(rows(name)) == 3, "another one has ended")
    query.stop()
    # The row that came too late does not count.
    equal(rows(name)[-1][:2], ("c", 1))


@case("the clock ends keys, without any rows")
def _():
    topic = fresh("clicks")

    def wait(key, frames, state):
        if state.hasTimedOut:
            state.remove()
            yield pd.DataFrame({"k": [key[0]], "what": ["timed out"]})
        else:
            state.update((sum(len(frame) for frame in frames),))
            state.setTimeoutDuration(200)
            yield pd.DataFrame({"k": [key[0]], "what": ["came"]})

    made = stream(topic).groupBy("k").applyInPandasWithState(
        wait, "k STRING, what STRING", "n INT", "append", GroupStateTimeout.ProcessingTimeTimeout
    )
    query, name = start(made, "append")
    send(topic, {"k": "a", "n": 1})
    until(lambda: rows(name) == [("a", "came"), ("a", "timed out")], "the key has timed out")
    query.stop()


class Counter(StatefulProcessor):
    """Counts rows and keeps the last ones, and each number with how often it came."""

    def init(self, handle):
        self.handle = handle
        self.count = handle.getValueState("count", "n LONG")
        self.last = handle.getListState("last", "n LONG")
        self.seen = handle.getMapState("seen", "n LONG", "times LONG")

    def handleInputRows(self, key, rows, timerValues):
        numbers = [int(n) for frame in rows for n in frame.n]
        before = self.count.get()[0] if self.count.exists() else 0
        self.count.update((before + len(numbers),))
        for n in numbers:
            self.last.appendValue((n,))
            times = self.seen.getValue((n,))[0] if self.seen.containsKey((n,)) else 0
            self.seen.updateValue((n,), (times + 1,))
        if len(list(self.last.get())) > 3:
            self.last.put([(n[0],) for n in list(self.last.get())[-3:]])
        if 99 in numbers:
            self.count.clear()
            self.last.clear()
            self.seen.removeKey((99,))
        seen = ",".join(f"{n[0]}:{times[0]}" for n, times in sorted(self.seen.iterator()))
        last = ",".join(str(n[0]) for n in self.last.get())
        yield pd.DataFrame({"k": [key[0]], "count": [before + len(numbers)], "last": [last], "seen": [seen]})


@case("transformWithStateInPandas: values, lists and maps of each key")
def _():
    topic = fresh("numbers")
    made = stream(topic).groupBy("k").transformWithStateInPandas(
        Counter(), "k STRING, count LONG, last STRING, seen STRING", "append", "none"
    )
    checkpoint = str(scratch / fresh("c"))
    found = []
    for numbers in [[1, 2], [2, 3], [99], [4]]:
        send(topic, *({"k": "a", "n": n} for n in numbers), {"k": "b", "n": 0})
        query, name = start(made, "append", checkpointLocation=checkpoint)
        query.processAllAvailable()
        query.stop()
        found.append([tuple(row) for row in spark.table(name).where("k = 'a'").select("count", "last", "seen").collect()][-1])
    wanted = [(2, "1,2", "1:1,2:1"), (4, "2,2,3", "1:1,2:2,3:1"), (5, "", "1:1,2:2,3:1"), (1, "4", "1:1,2:2,3:1,4:1")]
    equal(found, wanted)


class Session(StatefulProcessor):
    """Rows of a key until none has come for ten seconds of event time."""

    def init(self, handle):
        self.handle = handle
        self.count = handle.getValueState("count", "n LONG")

    def handleInputRows(self, key, rows, timerValues):
        rows = list(rows)
        before = self.count.get()[0] if self.count.exists() else 0
        self.count.update((before + len(rows),))
        for timer in list(self.handle.listTimers()):
            self.handle.deleteTimer(timer)
        self.handle.registerTimer(int(max(row["at"] for row in rows).timestamp() * 1000) + 10_000)
        return iter([])

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        count = self.count.get()[0]
        self.count.clear()
        yield Row(k=key[0], count=count, ended=expiredTimerInfo.getExpiryTimeInMs())


@case("transformWithState: rows, and timers of event time")
def _():
    topic = fresh("clicks")
    marked = stream(topic).withWatermark("at", "5 seconds").groupBy("k")
    query, name = start(marked.transformWithState(Session(), "k STRING, count LONG, ended LONG", "append", "eventTime"), "append")
    send(topic, *({"k": k, "n": 1, "at": f"2024-01-01T00:00:{at:02}Z"} for k, at in [("a", 1), ("b", 2), ("a", 4)]))
    query.processAllAvailable()
    equal(rows(name), [])
    send(topic, {"k": "c", "n": 1, "at": "2024-01-01T00:00:30Z"})
    query.processAllAvailable()
    until(lambda: len(rows(name)) == 2, "two sessions have ended")
    equal(rows(name), [("a", 2, 1704067214000), ("b", 1, 1704067212000)])
    query.stop()


class Waiting(StatefulProcessor):
    def init(self, handle):
        self.handle = handle

    def handleInputRows(self, key, rows, timerValues):
        list(rows)
        self.handle.registerTimer(timerValues.getCurrentProcessingTimeInMs() + 200)
        yield Row(k=key[0], what="came")

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        yield Row(k=key[0], what="ended")


@case("transformWithState: timers of the clock, without any rows")
def _():
    topic = fresh("clicks")
    made = stream(topic).groupBy("k").transformWithState(Waiting(), "k STRING, what STRING", "append", "processingTime")
    query, name = start(made, "append")
    send(topic, {"k": "a", "n": 1})
    until(lambda: rows(name) == [("a", "came"), ("a", "ended")], "the timer has ended")
    query.stop()



class Begun(StatefulProcessor):
    """A count that begins with what another frame says."""

    def init(self, handle):
        self.count = handle.getValueState("count", "n LONG")

    def handleInitialState(self, key, initialState, timerValues):
        first = initialState["start"]
        self.count.update((int(first.iloc[0] if hasattr(first, "iloc") else first),))

    def handleInputRows(self, key, rows, timerValues):
        found = list(rows)
        of_pandas = all(isinstance(part, pd.DataFrame) for part in found)
        number = sum(map(len, found)) if of_pandas else len(found)
        count = (self.count.get()[0] if self.count.exists() else 0) + number
        self.count.update((count,))
        if of_pandas:
            yield pd.DataFrame({"k": [key[0]], "count": [count]})
        else:
            yield Row(k=key[0], count=count)


@case("transformWithState with an initial state: with the first batch, and not again")
def _():
    begin = spark.createDataFrame([("a", 10), ("c", 30)], "k STRING, start LONG").groupBy("k")
    for call in ("transformWithStateInPandas", "transformWithState"):
        topic, checkpoint, found = fresh("numbers"), str(scratch / fresh("c")), []
        made = getattr(stream(topic).groupBy("k"), call)(Begun(), "k STRING, count LONG", "append", "none", begin)
        for keys in ["ab", "ac", "a"]:
            send(topic, *({"k": key, "n": 1} for key in keys))
            query, name = start(made, "append", checkpointLocation=checkpoint)
            query.processAllAvailable()
            query.stop()
            found.append(rows(name))
        first, second = [("a", 11), ("b", 1)], [("a", 12), ("c", 31)]
        equal(found, [first, sorted(first + second), sorted([*first, *second, ("a", 13)])])


class Kept(StatefulProcessor):
    def __init__(self, schema, value):
        self.schema, self.value = schema, value

    def init(self, handle):
        self.state = handle.getValueState("state", self.schema)

    def handleInputRows(self, key, rows, timerValues):
        list(rows)
        self.state.update(self.value)
        yield pd.DataFrame({"kept": [repr(self.state.get())]})


@case("a state's values are in the types that it declares, as in Spark")
def _():
    topic = fresh("numbers")
    send(topic, {"k": "a", "n": 1})

    def kept(schema, value):
        made = stream(topic).groupBy("k").transformWithStateInPandas(Kept(schema, value), "kept STRING", "append", "none")
        query, name = start(made, "append")
        try:
            query.processAllAvailable()
            return rows(name)[0][0]
        finally:
            query.stop()

    equal(kept("a INT, b STRING", (1, 7)), "(1, '7')")
    equal(kept("a DOUBLE, b INT, c INT", (1, 1.5, "7")), "(None, None, None)")
    equal(kept("a INT, b SHORT", (2**40, 70000)), "(0, 4464)")
    equal(kept("a ARRAY<INT>, `b c` MAP<STRING, INT> NOT NULL", ([1, None], {"k": 1})), "([1, None], {'k': 1})")
    refused(lambda: kept("a INT, b INT", (1,)), StreamingQueryException, "2 fields are required while 1 values are provided")


class Short(StatefulProcessor):
    def init(self, handle):
        self.state = handle.getValueState("state", "n LONG", 300)

    def handleInputRows(self, key, rows, timerValues):
        list(rows)
        self.state.update((1,))
        yield Row(k=key[0])


@case("a state with a time to live is freed when that has ended, without any rows")
def _():
    topic = fresh("numbers")
    made = stream(topic).groupBy("k").transformWithState(Short(), "k STRING", "append", "processingTime")
    query, name = start(made, "append")
    send(topic, *({"k": k, "n": 1} for k in "abc"))
    until(lambda: len(rows(name)) == 3, "the rows have come")
    kept = lambda: [state.numRowsTotal for state in query.lastProgress.stateOperators]  # noqa: E731
    until(lambda: query.lastProgress and kept() == [0], "the states have gone")
    query.stop()


@case("a query that is started again remembers")
def _():
    topic, checkpoint = fresh("numbers"), str(scratch / fresh("c"))
    for n in [1, 2, 3]:
        send(topic, {"k": "a", "n": n})
        query, name = start(counted(stream(topic)), checkpointLocation=checkpoint)
        query.processAllAvailable()
        query.stop()
    equal(rows(name)[-1], ("a", 3, 6))


@case("a frame that ends is one batch, in which nothing is known yet")
def _():
    numbers = spark.createDataFrame([("a", 1), ("b", 2), ("a", 3), (None, 5)], "k STRING, n INT")
    found = sorted((tuple(row) for row in counted(numbers).collect()), key=str)
    equal(found, [("a", 2, 4), ("b", 1, 2), (None, 1, 5)])
    equal(counted(numbers).groupBy().agg(F.sum("total")).first()[0], 11)
    if SERVED:  # Spark's local mode asks a state store of RocksDB for this one.
        made = numbers.groupBy("k").transformWithStateInPandas(
            Counter(), "k STRING, count LONG, last STRING, seen STRING", "append", "none"
        )
        equal(made.where("k = 'a'").first().seen, "1:1,3:1")


class Deleting(StatefulProcessor):
    def init(self, handle):
        self.kept, self.gone = handle.getValueState("kept", "n LONG"), handle.getListState("gone", "n LONG")
        handle.deleteIfExists("gone")

    def handleInputRows(self, key, rows, timers):
        try:
            said = str(self.gone.exists())
        except PySparkException as error:
            said = str(error).split(":")[0]
        self.kept.update((len(list(rows)),))
        yield Row(k=key[0], said=said, kept=self.kept.get()[0])

    def close(self):
        pass


@case("a state that is deleted is there no more")
def _():
    if not SERVED:  # Spark's local mode asks a state store of RocksDB for this one.
        return
    rows = spark.createDataFrame([("a", 1), ("b", 2), ("a", 3)], "k STRING, n INT")
    made = rows.groupBy("k").transformWithState(Deleting(), "k STRING, said STRING, kept LONG", "append", "none")
    said = "Error checking value state exists"
    equal(sorted(tuple(row) for row in made.collect()), [("a", said, 2), ("b", said, 1)])


@case("rows that are there now are grouped by sessions")
def _():
    at = [("a", 1), ("a", 8), ("b", 9), ("a", 18), ("b", 20)]
    clicks = spark.createDataFrame([(k, f"2026-01-01 00:00:{second:02}") for k, second in at], "k STRING, at STRING")
    clicks = clicks.withColumn("at", F.col("at").cast("timestamp"))
    found = clicks.groupBy("k", F.session_window("at", "10 seconds").alias("s")).agg(F.count("*").alias("n"))
    found = found.selectExpr("k", "second(s.start)", "second(s.end)", "n")
    equal(sorted(tuple(row) for row in found.collect()), [("a", 1, 28, 3), ("b", 9, 19, 1), ("b", 20, 30, 1)])


@case("what Spark refuses, and failures")
def _():
    topic = fresh("numbers")
    refused(lambda: start(counted(stream(topic)), "append"), AnalysisException, "update mode is not supported with Append")
    send(topic, {"k": "a", "n": 1})

    def fail(key, frames, state):
        raise ValueError("I do not like a")

    made = stream(topic).groupBy("k").applyInPandasWithState(fail, "k STRING", "n INT", "append", "NoTimeout")
    query, _ = start(made, "append")
    refused(query.awaitTermination, StreamingQueryException, "I do not like a")
    timeless = stream(topic).groupBy("k").applyInPandasWithState(
        sessions, "k STRING, seen INT, late LONG", "seen INT", "append", GroupStateTimeout.EventTimeTimeout
    )
    refused(lambda: start(timeless, "append")[0].awaitTermination(), PySparkException, "atermark")


finish()
