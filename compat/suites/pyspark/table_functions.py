"""Table functions of Python: `table_functions.py sc://HOST:PORT`. What they give is what Spark 4 gives."""

import sys
from dataclasses import dataclass

import pyarrow as pa
from pyspark.errors import AnalysisException, PythonException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import arrow_udtf, udtf
from pyspark.sql.types import ArrayType, StringType, StructType
from pyspark.sql.udtf import (
    AnalyzeResult, OrderingColumn, PartitioningColumn, SelectedColumn, SkipRestOfInputTableException,
)

from tap import case, equal, finish

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable)
pairs = spark.createDataFrame([(1, 2), (4, 4), (5, 3)], "x INT, y INT")
table = spark.createDataFrame([("a", 1, 1.5), ("b", 2, 2.5), ("a", 3, 3.5), ("b", 4, 0.5), ("a", 2, 9.0)], "k STRING, n INT, v DOUBLE")
table.createOrReplaceTempView("t")


def rows(frame):
    return sorted((tuple(row) for row in frame.collect()), key=str)


def fails(kind, frame, *words):
    try:
        found = frame().collect()
    except kind as error:
        for word in words:
            assert word in str(error), f"{word!r} is not in {error}"
        return
    raise AssertionError(f"nothing was raised, but {found} found")


def both(name):
    """The case with rows as Spark pickles them and as Arrow."""

    def run(deed):
        for arrow in (False, True):
            case(f"{name}, useArrow={arrow}")(lambda: deed(arrow))

    return run


@both("a function of constants, in Python and by its name in SQL")
def _(arrow):
    @udtf(returnType="num: int, squared: int", useArrow=arrow)
    class Squares:
        def eval(self, start: int, end: int):
            for n in range(start, end + 1):
                yield (n, n * n)

    equal(rows(Squares(F.lit(1), F.lit(3))), [(1, 1), (2, 4), (3, 9)])
    equal(rows(Squares(end=F.lit(3), start=F.lit(2))), [(2, 4), (3, 9)])
    spark.udtf.register("squares", Squares)
    equal(rows(spark.sql("SELECT * FROM squares(1, 2)")), [(1, 1), (2, 4)])
    equal(rows(spark.sql("SELECT s.a, b FROM squares(end => 3, start => 2) AS s(a, b) WHERE b > 4")), [(3, 9)])
    fails(PythonException, lambda: Squares(F.lit(1)), "UDTF_EVAL_METHOD_ARGUMENTS_DO_NOT_MATCH_SIGNATURE", "'end'")


@both("beside the rows of another table")
def _(arrow):
    @udtf(returnType="n: int", useArrow=arrow)
    class Numbers:
        def eval(self, start, end):
            for n in range(start, end + 1):
                yield n,

    beside = [(1, 2, 1), (1, 2, 2), (4, 4, 4)]
    call = Numbers(F.col("x").outer(), F.col("y").outer())
    equal(rows(pairs.lateralJoin(call)), beside)
    equal(rows(pairs.lateralJoin(call, how="left")), [*beside, (5, 3, None)])
    equal(rows(pairs.lateralJoin(call.alias("s"), F.col("s.n") == F.col("x"))), [(1, 2, 1), (4, 4, 4)])
    spark.udtf.register("numbers", Numbers)
    pairs.createOrReplaceTempView("pairs")
    equal(rows(spark.sql("SELECT * FROM pairs, LATERAL numbers(x, y)")), beside)
    equal(rows(spark.sql("SELECT x, s.m FROM pairs JOIN LATERAL numbers(x, y) s(m) ON s.m = y")), [(1, 2), (4, 4)])


@both("terminate, rows of several kinds, exceptions")
def _(arrow):
    @udtf(returnType="w: string, n: int", useArrow=arrow)
    class Words:
        def __init__(self):
            self.n = 0

        def eval(self, text: str):
            for word in text.split():
                self.n += 1
                yield word, len(word)

        def terminate(self):
            yield "total", self.n

    equal(rows(Words(F.lit("a bb"))), [("a", 1), ("bb", 2), ("total", 2)])
    lines = spark.createDataFrame([("a bb",), ("",), ("c",)], "t STRING")
    found = lines.lateralJoin(Words(F.col("t").outer()))
    equal(rows(found), [("a bb", "a", 1), ("a bb", "bb", 2), ("c", "c", 1), ("c", "total", 3)])

    @udtf(returnType="x: int, s: string", useArrow=arrow)
    class Kinds:
        def eval(self, n):
            if n == 5:
                raise ValueError("five")
            yield [(0, "tuple"), [1, "list"], {"x": 2, "s": "dict"}, Row(x=3, s="row"), (4,)][n]

    for n, kind in enumerate(["tuple", "list", "dict", "row"]):
        equal(rows(Kinds(F.lit(n))), [(n, kind)])
    fails(PythonException, lambda: Kinds(F.lit(4)), "UDTF_RETURN_SCHEMA_MISMATCH")
    fails(PythonException, lambda: Kinds(F.lit(5)), "ValueError: five")


@both("a table as the argument, in partitions and in order")
def _(arrow):
    @udtf(returnType="k: string, ns: string", useArrow=arrow)
    class Groups:
        def __init__(self):
            self.ns = []

        def eval(self, row: Row):
            assert list(row.asDict()) == ["k", "n", "v"], row
            self.k = row.k
            self.ns.append(row.n)

        def terminate(self):
            yield self.k, ",".join(map(str, self.ns))

    by_key = [("a", "1,2,3"), ("b", "2,4")]
    equal(rows(Groups(table.asTable().partitionBy("k").orderBy("n"))), by_key)
    equal(rows(Groups(table.asTable().withSinglePartition().orderBy("v"))), [("a", "4,1,2,3,2")])
    equal(rows(Groups(table.asTable().partitionBy(F.col("n") % 2).orderBy("n")).select("ns")), [("1,3",), ("2,2,4",)])
    spark.udtf.register("groups", Groups)
    equal(rows(spark.sql("SELECT * FROM groups(TABLE(t) PARTITION BY k ORDER BY n)")), by_key)
    query = "SELECT * FROM groups(TABLE(SELECT * FROM t WHERE n < 4) PARTITION BY (k) ORDER BY (n DESC, v))"
    equal(rows(spark.sql(query)), [("a", "3,2,1"), ("b", "2")])
    equal(rows(spark.sql("SELECT ns FROM groups(row => TABLE(t) WITH SINGLE PARTITION ORDER BY v)")), [("4,1,2,3,2",)])
    equal(rows(Groups(table.where("n > 9").asTable().partitionBy("k"))), [])
    many = "SELECT * FROM groups(TABLE(t), TABLE(t))"
    fails(AnalysisException, lambda: spark.sql(many), "TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS")


@both("a partition of which the function has seen enough")
def _(arrow):
    @udtf(returnType="k: string, n: int", useArrow=arrow)
    class First:
        def __init__(self):
            self.seen = 0

        def eval(self, row: Row, most: int):
            self.seen += 1
            yield row.k, row.n
            if self.seen == most:
                raise SkipRestOfInputTableException("enough")

        def terminate(self):
            yield "seen", self.seen

    found = rows(First(table.asTable().partitionBy("k").orderBy("n"), F.lit(2)))
    equal(found, [("a", 1), ("a", 2), ("b", 2), ("b", 4), ("seen", 2), ("seen", 2)])


@both("columns that analyze says")
def _(arrow):
    @udtf(useArrow=arrow)
    class Named:
        @staticmethod
        def analyze(names, n):
            if not names.isConstantExpression:
                raise ValueError("names are the same for all rows")
            kind = StructType()
            for name in names.value.split(","):
                kind = kind.add(name, n.dataType)
            return AnalyzeResult(kind)

        def eval(self, names, n):
            yield tuple(n for _ in names.split(","))

    found = Named(F.upper(F.lit("a,b")), n=F.lit(1.5))
    equal((found.columns, rows(found)), (["A", "B"], [(1.5, 1.5)]))
    spark.udtf.register("named", Named)
    found = spark.sql("SELECT * FROM VALUES (1), (2) s(x), LATERAL named('p,q', x)")
    equal((found.columns, rows(found)), (["x", "p", "q"], [(1, 1, 1), (2, 2, 2)]))
    wrong = "SELECT * FROM VALUES ('a') s(x), LATERAL named(x, 1)"
    fails(AnalysisException, lambda: spark.sql(wrong), "FAILED_TO_ANALYZE_IN_PYTHON", "the same for all rows")


@dataclass
class Wanted(AnalyzeResult):
    unit: str = ""


@both("a table divided, ordered and chosen from as analyze says")
def _(arrow):
    @udtf(useArrow=arrow)
    class Listed:
        def __init__(self, wanted):
            self.unit, self.rows = wanted.unit, []

        @staticmethod
        def analyze(table, unit):
            assert table.isTable and table.dataType.names == ["k", "n", "v"], table
            divided = {"partitionBy": [PartitioningColumn("k")], "orderBy": [OrderingColumn("n", ascending=False)]}
            select = [SelectedColumn("k"), SelectedColumn("n + 1", "m")]
            return Wanted(StructType().add("all", StringType()), **divided, select=select, unit=unit.value)

        def eval(self, row, unit):
            self.rows.append(tuple(row.asDict().items()))

        def terminate(self):
            yield f"{self.unit} {self.rows}",

    wanted = [f"kg {[(('k', key), ('m', m)) for m in of]}" for key, of in (("a", [4, 3, 2]), ("b", [5, 3]))]
    equal(rows(Listed(table.asTable(), F.lit("kg"))), [(line,) for line in wanted])
    clash = lambda: Listed(table.asTable().partitionBy("n"), F.lit("kg"))  # noqa: E731
    fails(AnalysisException, clash, "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL")


@case("what does not fit a type is null, of functions without Arrow")
def _():
    class Gives:
        def eval(self):
            yield 1, "1", [0, 1.5, 2], {"a": 0, "b": "x"}, 300

    schema = "a BOOLEAN, b INT, c ARRAY<INT>, d MAP<STRING, INT>, e TINYINT"
    found = udtf(Gives, returnType=schema, useArrow=False)()
    equal(rows(found), [(None, None, [0, None, 2], {"a": 0, "b": None}, 44)])
    texts = udtf(Gives, returnType="a STRING, b STRING, c STRING, d STRING, e STRING", useArrow=False)()
    equal(texts.select("a", "b", "e").first(), Row(a="1", b="1", e="300"))


@both("nulls where the declared type has none")
def _(arrow):
    class Gives:
        def eval(self):
            yield [None],

    schema = StructType().add("a", ArrayType(StringType(), False))
    fails(PythonException, lambda: udtf(Gives, returnType=schema, useArrow=arrow)(), "PySparkRuntimeError")


@case("functions of Arrow's arrays and batches")
def _():
    @arrow_udtf(returnType="x long, y long")
    class Twice:
        def eval(self, a: pa.Array):
            yield pa.table({"x": a, "y": pa.compute.multiply(a, 2)})
            yield pa.table({"x": a, "y": pa.compute.multiply(a, 3)})

    found = spark.range(3).lateralJoin(Twice(F.col("id").outer()))
    equal(rows(found), [(n, n, by * n) for n in range(3) for by in (2, 3)])

    @arrow_udtf(returnType="k string, n long")
    class Sums:
        def __init__(self):
            self.n = 0

        def eval(self, t: pa.RecordBatch):
            self.k, self.n = t.column("k")[0].as_py(), self.n + pa.compute.sum(t.column("n")).as_py()
            return iter(())

        def terminate(self):
            yield pa.table({"k": pa.array([self.k]), "n": pa.array([self.n], pa.int64())})

    equal(rows(Sums(table.asTable().partitionBy("k"))), [("a", 6), ("b", 6)])


@case("in a stream, and more rows than are sent at a time")
def _():
    @udtf(returnType="w: string")
    class Words:
        def eval(self, text):
            for word in text.split():
                yield word,

    lines = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 3).load()
    lines = lines.select(F.concat(F.lit("w "), F.col("value").cast("string")).alias("t"))
    words = lines.lateralJoin(Words(F.col("t").outer())).groupBy("w").count()
    query = words.writeStream.format("memory").queryName("words_made").outputMode("complete").trigger(availableNow=True).start()
    query.awaitTermination()
    equal(rows(spark.table("words_made")), [("0", 1), ("1", 1), ("2", 1), ("w", 3)])
    many = spark.range(25000).lateralJoin(Words(F.concat(F.col("id").cast("string"), F.lit(" x")).outer()))
    equal(many.where("w = cast(id AS STRING)").count(), 25000)


@case("other tables that ask the rows before them")
def _():
    ends = spark.tvf.explode(F.array(F.col("x").outer(), F.col("y").outer())).toDF("e")
    equal(rows(pairs.lateralJoin(ends).select("x", "e")), [(1, 1), (1, 2), (4, 4), (4, 4), (5, 3), (5, 5)])
    below = spark.range(3).where(F.col("id") < F.col("x").outer()).select("id")
    equal(rows(pairs.lateralJoin(below).where("y < 4")), [(1, 2, 0), (5, 3, 0), (5, 3, 1), (5, 3, 2)])


spark.stop()
finish()
