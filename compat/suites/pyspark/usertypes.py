"""Types of a script's own by value: `usertypes.py sc://HOST:PORT KAFKA_HOST:PORT`.

`usertypes.py 'local[2]' -` asks real Spark instead.
"""

import sys
import tempfile
import uuid
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DoubleType, IntegerType, LongType, MapType, StringType, StructField, StructType

from points import Named, NamedType, Point, PointType
from tap import case, equal, finish

ADDRESS = sys.argv[1]
MODULE = str(Path(__file__).with_name("points.py"))
scratch = Path(tempfile.mkdtemp(prefix="usertypes-"))
served = ADDRESS.startswith("sc://")
spark = (SparkSession.builder.remote(ADDRESS) if served else SparkSession.builder.master(ADDRESS)).getOrCreate()
if served:
    spark.conf.set("spark.pyspark.python", sys.executable)
spark.addArtifacts(MODULE, pyfile=True) if served else spark.sparkContext.addPyFile(MODULE)
SCHEMA = StructType([StructField("id", LongType()), StructField("at", PointType()), StructField("who", NamedType())])
ROWS = [(1, Point(1.0, 2.0), Named("a", 1)), (2, Point(3.0, 4.0), None), (3, None, Named("c", 3))]


def frame():
    return spark.createDataFrame(ROWS, SCHEMA)


def rows(found):
    return sorted((tuple(row) for row in found.collect()), key=lambda row: row[0])


@case("values come back as the script's own, and so does the schema")
def _():
    equal(frame().schema, SCHEMA)
    equal(rows(frame()), ROWS)
    inferred = spark.createDataFrame([Row(label=1.0, point=Point(1.0, 2.0))])
    equal([type(field.dataType) for field in inferred.schema], [DoubleType, PointType])
    equal(inferred.head().point, Point(1.0, 2.0))
    equal(list(frame().orderBy("id").toPandas()["at"]), [Point(1.0, 2.0), Point(3.0, 4.0), None])


@case("they stay what they are in lists, maps and structs")
def _():
    schema = StructType([
        StructField("id", LongType()), StructField("list", ArrayType(PointType())),
        StructField("map", MapType(StringType(), PointType())), StructField("row", StructType([StructField("p", PointType())])),
    ])
    made = [(1, [Point(1.0, 2.0), None], {"a": Point(5.0, 6.0)}, Row(p=Point(7.0, 8.0)))]
    nested = spark.createDataFrame(made, schema)
    equal(nested.schema, schema)
    equal(rows(nested), made)
    equal(nested.select(nested.row.p).head()[0], Point(7.0, 8.0))


@case("filters, aliases, joins, unions, sorting and views keep them")
def _():
    renamed = frame().filter("id < 3").select("id", F.col("at").alias("point"))
    equal(renamed.schema["point"].dataType, PointType())
    equal(rows(renamed), [(1, Point(1.0, 2.0)), (2, Point(3.0, 4.0))])
    equal(rows(frame().union(frame()).distinct().select("id", "at")), [row[:2] for row in ROWS])
    joined = frame().join(spark.createDataFrame([(1, "x")], "id BIGINT, t STRING"), "id")
    equal(rows(joined), [(1, Point(1.0, 2.0), Named("a", 1), "x")])
    view = f"v_{uuid.uuid4().hex[:8]}"
    frame().createOrReplaceTempView(view)
    equal(spark.sql(f"SELECT at FROM {view} ORDER BY id LIMIT 1").head()[0], Point(1.0, 2.0))
    equal(frame().select(F.first("at")).schema[0].dataType, PointType())
    equal(frame().groupBy("at").count().schema["at"].dataType, PointType())


@case("functions take them and give them")
def _():
    for arrow in (False, True):
        y = F.udf(lambda point: None if point is None else point.y, DoubleType(), useArrow=arrow)
        equal(rows(frame().select("id", y("at"))), [(1, 2.0), (2, 4.0), (3, None)])
        moved = F.udf(lambda point: point and Point(point.x + 1, point.y), PointType(), useArrow=arrow)
        found = frame().select("id", moved("at").alias("at"))
        equal(found.schema["at"].dataType, PointType())
        equal(rows(found), [(1, Point(2.0, 2.0)), (2, Point(4.0, 4.0)), (3, None)])
        name = F.udf(lambda who: who and who.name, StringType(), useArrow=arrow)
        equal(rows(frame().select("id", name("who"))), [(1, "a"), (2, None), (3, "c")])
        made = F.udf(lambda n: Named("n", n) if n > 1 else None, NamedType(), useArrow=arrow)
        equal(rows(frame().select("id", made(F.col("id").cast("int")))), [(1, None), (2, Named("n", 2)), (3, Named("n", 3))])
        pair = F.udf(lambda point: [point, point], ArrayType(PointType()), useArrow=arrow)
        equal(frame().filter("id = 1").select(pair("at")).head()[0], [Point(1.0, 2.0)] * 2)


@case("lists of a group hold them")
def _():
    listed = frame().filter("at IS NOT NULL").groupBy(F.lit(1).alias("k")).agg(F.collect_list("at").alias("all"))
    equal(listed.schema["all"].dataType.elementType, PointType())
    equal(sorted(listed.head()["all"], key=lambda point: point.x), [Point(1.0, 2.0), Point(3.0, 4.0)])
    count = F.udf(lambda points: sum(point.x for point in points), DoubleType())
    equal(listed.select(count("all")).head()[0], 4.0)


@case("as a text they are what they are made of, and they become no other type")
def _():
    equal(frame().filter("id = 1").select(F.col("at").cast("string")).head()[0], "[1.0, 2.0]")
    try:
        frame().select(F.col("at").cast(NamedType())).collect()
        raise AssertionError("nothing was raised")
    except AnalysisException:
        pass
    equal(frame().filter("id = 1").select(F.col("at").cast(PointType())).head()[0], Point(1.0, 2.0))


@case("Parquet keeps them")
def _():
    path = str(scratch / "parquet")
    frame().write.parquet(path)
    back = spark.read.parquet(path)
    equal(back.schema, SCHEMA)
    equal(rows(back), ROWS)


@case("a column's notes go with it")
def _():
    noted = frame().select(F.col("id").alias("n", metadata={"max": 99}), F.col("id"))
    equal(noted.schema["n"].metadata, {"max": 99})
    equal(noted.schema["id"].metadata, {})
    equal(noted.filter("n > 1").select("n").schema["n"].metadata, {"max": 99})
    schema = StructType([StructField("a", IntegerType(), metadata={"unit": "m"})])
    equal(spark.createDataFrame([(1,)], schema).schema["a"].metadata, {"unit": "m"})
    equal(frame().withMetadata("id", {"k": [1]}).schema["id"].metadata, {"k": [1]})


finish()
