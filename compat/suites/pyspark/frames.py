"""Names and places of columns: `frames.py sc://HOST:PORT KAFKA_HOST:PORT`.

`frames.py 'local[2]' none` asks real Spark instead: the wanted values are what it gives.
"""

import sys
import uuid

from pyspark import StorageLevel
from pyspark.errors import AnalysisException
from pyspark.sql import Observation, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType

from tap import case, equal, finish

ADDRESS = sys.argv[1]
builder = SparkSession.builder
spark = (builder.remote(ADDRESS) if ADDRESS.startswith("sc://") else builder.master(ADDRESS)).getOrCreate()
spark.conf.set("spark.pyspark.python", sys.executable) if ADDRESS.startswith("sc://") else None
spark.createDataFrame([(1, "a"), (2, "b")], "id INT, l STRING").createOrReplaceTempView("lefts")
spark.createDataFrame([(2, "x"), (3, "y")], "id INT, r STRING").createOrReplaceTempView("rights")
# Of each kind of join: the key, then the key of the left side and that of the right one.
KEYS = {
    "inner": [(2, 2, 2)],
    "left": [(1, 1, None), (2, 2, 2)],
    "right": [(2, 2, 2), (3, None, 3)],
    "full": [(1, 1, None), (2, 2, 2), (3, None, 3)],
}


def rows(frame):
    return sorted((tuple(row) for row in frame.collect()), key=str)


def refused(deed, condition):
    try:
        deed()
    except AnalysisException as error:
        assert condition in str(error), f"{condition} is not in {error}"
        return
    raise AssertionError("nothing was raised")


@case("the key of each side of a join by names, in SQL")
def _():
    for kind, wanted in KEYS.items():
        joined = f"FROM lefts {kind} JOIN rights USING (id)"
        equal(rows(spark.sql(f"SELECT id, lefts.id AS a, rights.id AS b {joined}")), wanted)
        equal(rows(spark.sql(f"SELECT lefts.*, rights.* {joined}").selectExpr("count(*)")), [(len(wanted),)])
        missing = [row for row in wanted if row[2] is None]
        equal(rows(spark.sql(f"SELECT id, lefts.id AS a, rights.id AS b {joined} WHERE rights.id IS NULL")), missing)
        equal(spark.sql(f"SELECT * {joined}").columns, ["id", "l", "r"])


@case("the key of each side of a join by names, of frames")
def _():
    left, right = spark.table("lefts"), spark.table("rights")
    for kind, wanted in KEYS.items():
        joined = left.join(right, ["id"], kind)
        equal(rows(joined.select("id", left.id, right.id)), wanted)
        later = joined.withColumn("more", F.lit(1)).filter("id > 0")
        equal(rows(later.select("id", left.id, right.id)), wanted)
        named = left.alias("p").join(right.alias("q"), "id", kind)
        equal(rows(named.select("id", "p.id", "q.id")), wanted)
        equal(joined.distinct().count(), len(wanted))


@case("fields find their places by order: in casts, and in rows that are added")
def _():
    equal(rows(spark.sql("SELECT CAST(struct(1 AS b, '7' AS a) AS STRUCT<a: INT, b: STRING>) AS s")), [(Row(a=1, b="7"),)])
    listed = spark.sql("SELECT CAST(map('k', array(struct(1, 2))) AS MAP<STRING, ARRAY<STRUCT<a: STRING, b: DOUBLE>>>) AS m")
    equal(rows(listed), [({"k": [Row(a="1", b=2.0)]},)])
    name = f"structs_{uuid.uuid4().hex[:8]}"
    spark.sql(f"CREATE TABLE {name} (id INT, s STRUCT<a: INT, bC: STRING>) USING parquet")
    equal(spark.table(name).schema.simpleString(), "struct<id:int,s:struct<a:int,bC:string>>")
    spark.sql(f"INSERT INTO {name} SELECT 1, struct(1, 'x')")
    spark.sql(f"INSERT INTO {name} SELECT 2, named_struct('bC', 5, 'a', 6)")
    spark.sql(f"INSERT INTO {name} VALUES (3, (4, 'w')), (4, NULL)")
    wanted = [(1, Row(a=1, bC="x")), (2, Row(a=5, bC="6")), (3, Row(a=4, bC="w")), (4, None)]
    equal(rows(spark.table(name)), wanted)
    spark.sql(f"DROP TABLE {name}")


@case("fields of fields, changed and dropped")
def _():
    frame = spark.createDataFrame([Row(a=Row(b=1, e=Row(f=4, g=5, h=6)))])
    equal(frame.select(frame.a.dropFields("e.g", "e.h").alias("a")).first().a, Row(b=1, e=Row(f=4)))
    equal(frame.select(frame.a.withField("e.k", F.lit(3)).dropFields("e.f").alias("a")).first().a, Row(b=1, e=Row(g=5, h=6, k=3)))
    refused(lambda: frame.select(frame.a.dropFields("b", "e")).collect(), "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS")


@case("names of a list that the list itself uses")
def _():
    found = spark.sql("SELECT id + 1 AS x, x + 1 AS y, y * 2 AS z FROM lefts")
    equal((found.columns, rows(found)), (["x", "y", "z"], [(2, 3, 6), (3, 4, 8)]))
    equal(rows(spark.table("lefts").select((F.col("id") + 1).alias("x"), (F.col("x") + 1).alias("y"))), [(2, 3), (3, 4)])
    found = spark.sql("SELECT count(*) AS n, n + 1 AS m FROM lefts")
    equal((found.columns, rows(found)), (["n", "m"], [(2, 3)]))


@case("texts of numbers, joined")
def _():
    joined = spark.range(3).coalesce(1).select(F.listagg("id"), F.listagg("id", F.lit(",")))
    equal((joined.columns, rows(joined)), (["listagg(id, NULL)", "listagg(id, ,)"], [("012", "0,1,2")]))


@case("arguments of Python functions by name")
def _():
    spark.udf.register("tens", F.udf(lambda a, b=7: a + 10 * b, "int"))
    spark.udf.register("by_names", F.udf(lambda **given: given["a"] + 10 * given["b"], "int"))
    sums = [(0,), (101,)]
    for call in ["tens(a => id, b => id * 10)", "tens(b => id * 10, a => id)", "tens(id, b => id * 10)", "by_names(b => id * 10, a => id)"]:
        equal(rows(spark.sql(f"SELECT {call} FROM range(2)")), sums)
    equal(rows(spark.sql("SELECT tens(a => id) FROM range(2)")), [(70,), (71,)])
    twice = "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE"
    refused(lambda: spark.sql("SELECT tens(a => id, a => 1) FROM range(2)").collect(), twice)
    refused(lambda: spark.sql("SELECT tens(a => id, 1) FROM range(2)").collect(), "UNEXPECTED_POSITIONAL_ARGUMENT")


@case("queries in expressions that ask the rows around them")
def _():
    left, right = spark.table("lefts").alias("p"), spark.table("rights").alias("q")
    same = right.where(F.col("q.id") == F.col("p.id").outer())
    equal(rows(left.where(same.exists()).select("id")), [(2,)])
    equal(rows(left.where(~same.exists()).select("id")), [(1,)])
    found = left.select("id", same.select(F.max("r")).scalar().alias("r"))
    equal(rows(found), [(1, None), (2, "x")])
    equal(rows(left.withColumn("n", same.select(F.count("r")).scalar()).select("id", "n")), [(1, 0), (2, 1)])
    equal(rows(left.where(F.col("id").isin(right.select("id"))).select("id")), [(2,)])


@case("numbers where texts are looked for in texts")
def _():
    equal(rows(spark.range(9, 12).where(F.col("id").contains(1) & F.col("id").endswith("0"))), [(10,)])


@case("observed figures that are lists, maps and structs")
def _():
    seen = Observation()
    first = F.first("id")
    figures = [F.array(first, F.lit(7)).alias("a"), F.create_map(F.lit("k"), first).alias("m"), F.struct(first.alias("f")).alias("s")]
    spark.range(1, 2).observe(seen, *figures).write.format("noop").mode("overwrite").save()
    equal(seen.get, {"a": [1, 7], "m": {"k": 1}, "s": Row(f=1)})


class Sums:
    def eval(self, a, b):
        yield a["id"] * 10, b


@case("a table as an argument by name")
def _():
    spark.udtf.register("sums", F.udtf(Sums, returnType="n: int, word: string"))
    wanted = [(0, "x"), (10, "x")]
    for call in ["a => TABLE(FROM range(2)), b => 'x'", "b => 'x', a => TABLE(SELECT id FROM range(2))"]:
        equal(rows(spark.sql(f"SELECT * FROM sums({call})")), wanted)


@case("samples of a seed, and the parts of a random split")
def _():
    numbers = spark.range(0, 20, 1, 1)
    found = [numbers.sample(False, 0.3, 42).collect() for _ in range(2)]
    equal([[row.id for row in sample] for sample in found], [[3, 7, 16, 18]] * 2)
    parts = [[row.id for row in part.collect()] for part in numbers.randomSplit([0.5, 0.3, 0.2], seed=7)]
    equal(parts, [[0, 1, 6, 8, 11, 13, 15, 17, 19], [2, 3, 4, 12], [5, 7, 9, 10, 14, 16, 18]])
    strata = numbers.withColumn("k", F.col("id") % 2).sampleBy("k", {0: 0.2, 1: 0.7}, seed=5)
    equal([row.id for row in strata.collect()], [0, 1, 3, 5, 9, 11, 15, 16, 19])
    again = numbers.sample(True, 0.5, 42)
    equal(again.collect(), again.collect())
    equal(again.columns, ["id"])


@case("where a frame is kept is told")
def _():
    frame = spark.createDataFrame([(2, 2), (3, 3)], "a INT, b INT")
    kept = lambda: (frame.storageLevel.useDisk, frame.storageLevel.useMemory, frame.storageLevel.replication)
    equal(kept(), (False, False, 1))
    frame.cache()
    equal(kept(), (True, True, 1))
    frame.unpersist()
    frame.persist(StorageLevel.DISK_ONLY)
    equal(kept(), (True, False, 1))
    frame.unpersist()
    equal(kept(), (False, False, 1))

@case("frames that ask the rows before them, one after the other and within each other")
def _():
    pairs, one = spark.sql("SELECT * FROM VALUES (0, 1), (1, 2) AS t(c1, c2)"), spark.range(1)
    first, second = F.col("c1").outer(), F.col("c2").outer()
    frame = pairs.lateralJoin(one.select((first + second).alias("a"))).lateralJoin(one.select((first - second).alias("b")))
    frame = frame.lateralJoin(one.select((F.col("a").outer() * F.col("b").outer()).alias("c")))
    equal(rows(frame), [(0, 1, 1, -1, -1), (1, 2, 3, -1, -3)])
    for name in "defghij":
        frame = frame.lateralJoin(one.select((F.col("a").outer() + 1).alias(name)))
    equal(rows(frame.select("j")), [(2,), (4,)])
    within = one.select((first + 1).alias("x")).lateralJoin(one.select((F.col("x").outer() + first).alias("y")))
    equal(rows(pairs.lateralJoin(within).select("c1", "x", "y")), [(0, 1, 1), (1, 2, 3)])
    sides = pairs.alias("t").lateralJoin(spark.table("lefts").select(F.col("t.*").outer(), F.col("l")))
    equal(rows(sides), [(0, 1, 0, 1, "a"), (0, 1, 0, 1, "b"), (1, 2, 1, 2, "a"), (1, 2, 1, 2, "b")])


@case("lateral joins on a condition keep each row of the left side")
def _():
    spark.sql("SELECT * FROM VALUES (0, ARRAY(0, 1)), (1, ARRAY(2)), (2, ARRAY()) AS t(k, l)").createOrReplaceTempView("lists")
    wanted = [(0, 0), (1, None), (2, None)]
    lists, items = spark.table("lists"), F.col("l").outer()
    equal(rows(lists.lateralJoin(spark.tvf.explode(items), F.col("k") == F.col("col"), "left").select("k", "col")), wanted)
    equal(rows(spark.sql("SELECT k, x FROM lists LEFT JOIN LATERAL explode(l) AS e(x) ON k = x")), wanted)
    equal(rows(lists.lateralJoin(spark.tvf.explode(items), F.col("k") == F.col("col")).select("k", "col")), wanted[:1])
    one = spark.range(1).select((F.col("k").outer() * 2).alias("x"))
    equal(rows(lists.lateralJoin(one, F.col("k") == F.col("x"), "left").select("k", "x")), wanted)
    equal(rows(spark.sql("SELECT k, x FROM lists LEFT JOIN LATERAL (SELECT k * 2 AS x) ON k = x")), wanted)
    equal(rows(spark.sql("SELECT k, id FROM lists, LATERAL range(2) WHERE k = 1")), [(1, 0), (1, 1)])
    equal(rows(spark.sql("SELECT * FROM explode((SELECT collect_list(k) FROM lists WHERE k = 1))")), [(1,)])


@case("structs among the rows of a query are compared place by place")
def _():
    pairs = spark.sql("SELECT * FROM VALUES (1, 2), (3, 4) AS t(a, b)")
    others = spark.sql("SELECT struct(c, d) AS s FROM VALUES (3, 4), (5, 6) AS u(c, d)")
    equal(rows(pairs.where(F.struct(F.struct("a", "b")).isin(others))), [(3, 4)])
    equal(rows(pairs.withColumn("s", F.struct("a", "b")).where(F.col("s").isin(others)).select("a")), [(3,)])


@case("a hundred conditions and selections in a row")
def _():
    frame = spark.range(3)
    for step in range(100):
        frame = frame.filter(F.col("id") >= step).select((F.col("id") + 1).alias("id"))
    equal(rows(frame), [(100,), (101,), (102,)])


@case("columns in the order and the types of a schema")
def _():
    frame = spark.createDataFrame([("a", 1)], "i STRING, j INT")
    texts = StructType([StructField("j", StringType()), StructField("i", StringType())])
    equal((frame.to(texts).schema, rows(frame.to(texts))), (texts, [("1", "a")]))
    nested = StructType([StructField("s", texts)])
    made = frame.select(F.struct("i", "j").alias("s")).to(nested)
    equal((made.schema["s"].dataType, made.collect()), (texts, [Row(s=Row(j="1", i="a"))]))
    for wanted, condition in [(StructField("j", LongType(), False), "NULLABLE_COLUMN_OR_FIELD"),
                              (StructField("i", LongType()), "INVALID_COLUMN_OR_FIELD_DATA_TYPE")]:
        try:
            frame.to(StructType([wanted])).count()
            raise AssertionError("nothing was raised")
        except AnalysisException as error:
            equal(error.getCondition(), condition)
    equal(rows(frame.to(StructType([StructField("j", LongType()), StructField("k", LongType())]))), [(1, None)])


@case("two fields of one name in a struct")
def _():
    twice = StructType([StructField("x", StringType()), StructField("x", LongType())])
    schema = StructType([StructField("s", twice), StructField("l", ArrayType(twice))])
    frame = spark.createDataFrame([(("a", 1), [("b", 2)])], schema)
    equal(frame.schema, schema)
    equal([tuple(map(list, row)) for row in frame.collect()], [(["a", 1], [("b", 2)])])


finish()
