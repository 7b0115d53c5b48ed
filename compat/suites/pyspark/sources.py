"""Data sources of Python, and plans that are deep: `sources.py sc://HOST:PORT KAFKA_HOST:PORT`.

`sources.py 'local[2]' -` asks real Spark instead.
"""

import json
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyspark.errors import AnalysisException, PythonException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader, DataSourceWriter, InputPartition, WriterCommitMessage

from tap import case, equal, finish

ADDRESS = sys.argv[1]
SERVED = ADDRESS.startswith("sc://")
builder = SparkSession.builder
spark = (builder.remote(ADDRESS) if SERVED else builder.master(ADDRESS)).getOrCreate()
if SERVED:
    spark.conf.set("spark.pyspark.python", sys.executable)
scratch = Path(tempfile.mkdtemp(prefix="sources-"))


def rows(frame):
    return sorted(tuple(row) for row in frame.collect())


def fails(kind, deed, *words):
    try:
        deed()
    except kind as error:
        for word in words:
            assert word in str(error), f"{word!r} is not in {error}"
        return
    raise AssertionError("nothing was raised")


class Squares(DataSource):
    """Numbers and their squares, in as many parts as the option says."""

    @classmethod
    def name(cls):
        return "squares"

    def schema(self):
        return "n INT, square BIGINT, part STRING"

    def reader(self, schema):
        options = self.options

        class Reader(DataSourceReader):
            def partitions(self):
                return [InputPartition(part) for part in range(int(options.get("parts", 2)))]

            def read(self, partition):
                for n in range(partition.value * 2, partition.value * 2 + 2):
                    yield n, n * n, f"part {partition.value}"

        return Reader()


spark.dataSource.register(Squares)


@case("a source is read by its parts")
def _():
    frame = spark.read.format("squares").load()
    equal(frame.schema.simpleString(), "struct<n:int,square:bigint,part:string>")
    equal(rows(frame), [(0, 0, "part 0"), (1, 1, "part 0"), (2, 4, "part 1"), (3, 9, "part 1")])
    frame = spark.read.format("squares").option("PARTS", 30).load()
    equal((frame.count(), rows(frame.where("n > 57").select("square"))), (60, [(3364,), (3481,)]))
    equal(rows(frame.groupBy("part").agg(F.sum("n")).where("part = 'part 3'")), [("part 3", 13)])


@case("a source gives rows by name, and batches of Arrow, in the columns of a schema")
def _():
    class Kinds(Squares):
        @classmethod
        def name(cls):
            return "kinds"

        def reader(self, schema):
            arrow = self.options.get("arrow") == "yes"

            class Reader(DataSourceReader):
                def read(self, partition):
                    if arrow:
                        yield pa.RecordBatch.from_pydict({"a": pa.array([1], pa.int32()), "b": ["x"]})
                    else:
                        yield Row(b="y", a=2)
                        yield [3, None]

            return Reader()

    spark.dataSource.register(Kinds)
    read = spark.read.format("kinds").schema("a INT, b STRING")
    equal([tuple(row) for row in read.load().collect()], [(2, "y"), (3, None)])
    equal(rows(read.option("arrow", "yes").load()), [(1, "x")])
    fails(PythonException, lambda: spark.read.format("kinds").schema("a INT").load().collect(), "SCHEMA_MISMATCH")


@case("what a source raises is told")
def _():
    class Broken(DataSource):
        def schema(self):
            raise ValueError("no columns today")

    spark.dataSource.register(Broken)
    fails(AnalysisException, lambda: spark.read.format("broken").load().collect(), "no columns today")
    fails(AnalysisException, lambda: spark.read.format("nowhere").load().collect(), "DATA_SOURCE_NOT_FOUND")


@dataclass
class Written(WriterCommitMessage):
    rows: int


@case("rows are written, and count when all of them are there")
def _():
    class Store(DataSource):
        @classmethod
        def name(cls):
            return "store"

        def writer(self, schema, overwrite):
            path, names = Path(self.options["path"]), schema.names

            class Writer(DataSourceWriter):
                def write(self, iterator):
                    lines = [json.dumps({name: row[name] for name in names}) for row in iterator]
                    (path / f"{uuid.uuid4().hex}.part").write_text("".join(line + "\n" for line in lines))
                    return Written(len(lines))

                def commit(self, messages):
                    count = sum(message.rows for message in messages)
                    (path / "done").write_text(f"{count} {overwrite}")

                def abort(self, messages):
                    (path / "aborted").write_text("")

            return Writer()

    spark.dataSource.register(Store)
    frame = spark.range(5).select("id", F.concat(F.lit("n"), F.col("id").cast("string")).alias("name"))
    for mode, overwrite in (("append", False), ("overwrite", True)):
        path = scratch / mode
        path.mkdir()
        frame.write.format("store").mode(mode).save(str(path))
        equal((path / "done").read_text(), f"5 {overwrite}")
        found = [json.loads(line) for part in path.glob("*.part") for line in part.read_text().splitlines()]
        equal(sorted(row["id"] for row in found), list(range(5)))
        equal(next(row["name"] for row in found if row["id"] == 3), "n3")
    fails(AnalysisException, lambda: frame.write.format("store").save(str(scratch)), "UNSUPPORTED_DATA_SOURCE_SAVE_MODE")
    path = scratch / "failed"
    path.mkdir()
    broken = frame.select(F.raise_error(F.lit("no row")).cast("string").alias("x"))
    fails(Exception, lambda: broken.write.format("store").mode("append").save(str(path)), "no row")
    equal((path / "done").exists(), False)
    equal((path / "aborted").exists(), True)


@case("groups are sorted by what they are grouped by, and by another aggregate")
def _():
    frame = spark.range(5)
    counted = frame.groupBy(F.col("id") % 2).count()
    equal([tuple(row) for row in counted.sort(F.col("id") % 2).collect()], [(0, 3), (1, 2)])
    summed = frame.groupBy((F.col("id") % 2).alias("k")).agg(F.sum("id").alias("n"))
    equal([tuple(row) for row in summed.sort(F.max("id")).collect()], [(1, 4), (0, 6)])


@case("columns are added in a loop, hundreds of times")
def _():
    frame = spark.range(1)
    for n in range(200):
        frame = frame.withColumn(f"c{n}", F.lit(n))
    row = frame.collect()[0]
    equal((len(row), row["c0"], row["c199"]), (201, 0, 199))
    frame = spark.range(2)
    for _ in range(150):
        frame = frame.withColumn("id", F.col("id") + 1)
    equal(rows(frame), [(150,), (151,)])
    equal(rows(spark.range(2).select(sum((F.col("id") for _ in range(40)), F.lit(0)))), [(0,), (40,)])


finish()
