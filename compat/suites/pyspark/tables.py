"""Tables, Parquet and directories by value: `tables.py sc://HOST:PORT KAFKA_HOST:PORT`.

`tables.py 'local[2]' KAFKA_HOST:PORT` asks real Spark instead.
"""

import datetime
import json
import sys
import tempfile
import uuid
from pathlib import Path

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tap import case, equal, finish

ADDRESS, KAFKA = sys.argv[1], sys.argv[2]
SERVED = ADDRESS.startswith("sc://")
builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", 2)
spark = (builder.remote(ADDRESS) if SERVED else builder.master(ADDRESS)).getOrCreate()
scratch = Path(tempfile.mkdtemp(prefix="tables-"))
SCHEMA = "day DATE, shop STRING, n INT"
DAYS = [("2024-01-01", "a", 1), ("2024-01-01", "b/c", 2), ("2024-01-02", None, 3)]


def fresh(name):
    return f"{name}_{uuid.uuid4().hex[:8]}"


def days():
    return spark.createDataFrame([(datetime.date.fromisoformat(day), shop, n) for day, shop, n in DAYS], SCHEMA)


def rows(frame):
    return sorted((tuple(str(cell) for cell in row) for row in frame.collect()))


WANTED = rows(days())


def inbox():
    directory = scratch / fresh("in")
    directory.mkdir()
    put(directory, "1", DAYS)
    return directory


def put(directory, name, lines):
    text = "".join(json.dumps(dict(zip(["day", "shop", "n"], line))) + "\n" for line in lines)
    (directory / f"{name}.json").write_text(text)


def stream(directory):
    return spark.readStream.schema(SCHEMA).json(str(directory))


def run(writer, deed):
    deed(writer.trigger(availableNow=True)).awaitTermination()


def refused(deed, kind, condition=None):
    try:
        deed()
    except kind as error:
        if condition:
            equal(error.getCondition(), condition)
        return
    raise AssertionError("nothing was raised")


@case("Parquet is written and read, with its columns")
def _():
    path = str(scratch / fresh("parquet"))
    every = days().select("*", F.lit(True).alias("b"), F.lit("1.50").cast("decimal(5,2)").alias("d"),
                          F.array(F.lit(1)).alias("l"), F.struct(F.lit("x").alias("s")).alias("o"),
                          F.lit("2024-01-01 01:02:03").cast("timestamp").alias("t"))
    every.write.parquet(path)
    back = spark.read.parquet(path)
    equal(back.dtypes, every.dtypes)
    equal(rows(back), rows(every))
    equal(rows(spark.read.load(path).select("n").where("n > 1")), [("2",), ("3",)])
    refused(lambda: every.write.parquet(path), AnalysisException, "PATH_ALREADY_EXISTS")
    every.write.mode("append").option("compression", "zstd").parquet(path)
    equal(spark.read.parquet(path).count(), 6)
    equal(spark.read.parquet(path, path).count(), 12)
    days().where("n > 9").write.mode("overwrite").parquet(path)
    equal((spark.read.parquet(path).dtypes, spark.read.parquet(path).count()), (days().dtypes, 0))


@case("partitionBy of a frame: the directories are columns again")
def _():
    path = scratch / fresh("by")
    days().write.partitionBy("day", "shop").parquet(str(path))
    names = sorted(str(file.parent.relative_to(path)) for file in path.rglob("*.parquet"))
    null = "__HIVE_DEFAULT_PARTITION__"
    equal(names, ["day=2024-01-01/shop=a", "day=2024-01-01/shop=b%2Fc", f"day=2024-01-02/shop={null}"])
    back = spark.read.parquet(str(path))
    equal(back.dtypes, [("n", "int"), ("day", "date"), ("shop", "string")])
    equal(rows(back.select("day", "shop", "n")), WANTED)
    for form in ["json", "csv"]:
        path = scratch / fresh(form)
        getattr(days().write.partitionBy("shop"), form)(str(path))
        equal(len(list(path.glob("shop=*"))), 3)
    refused(lambda: days().write.partitionBy("no").parquet(str(path) + "x"), AnalysisException)


@case("Parquet as a sink of a stream, by directories, each row once")
def _():
    source, path = inbox(), scratch / fresh("out")

    def once():
        writer = stream(source).writeStream.format("parquet").partitionBy("day")
        run(writer.option("checkpointLocation", str(path) + "-c"), lambda writer: writer.start(str(path)))
        return rows(spark.read.parquet(str(path)).select("day", "shop", "n"))

    equal(once(), WANTED)
    put(source, "2", [("2024-01-03", "z", 4)])
    equal(once(), sorted([*WANTED, ("2024-01-03", "z", "4")]))
    equal(sorted(each.name for each in path.glob("day=*"))[-1], "day=2024-01-03")
    # A file that the manifest does not name does not count.
    (path / "day=2024-01-03" / "left.parquet").write_bytes(b"half a file")
    equal(len(once()), 4)
    again = spark.readStream.schema("n INT, day DATE").parquet(str(path))
    name = fresh("back")
    run(again.writeStream.format("memory").queryName(name), lambda writer: writer.start())
    equal(rows(spark.table(name)), sorted((n, day) for day, _, n in once()))


@case("toTable makes a table, fills it, and goes on; it is read as it is and as a stream")
def _():
    source, name = inbox(), fresh("made")

    def once():
        writer = stream(source).writeStream.option("checkpointLocation", str(scratch / name))
        run(writer, lambda writer: writer.toTable(name))
        return rows(spark.read.table(name))

    equal(once(), WANTED)
    put(source, "2", [("2024-01-03", "z", 4)])
    equal(len(once()), 4)
    assert spark.catalog.tableExists(name)
    equal(spark.table(name).dtypes, days().dtypes)
    equal(spark.sql(f"SELECT sum(n) AS s FROM {name}").first().s, 10)
    counted, result = spark.readStream.table(name).groupBy("day").count(), fresh("counts")
    writer = counted.writeStream.format("memory").queryName(result).outputMode("complete")
    run(writer, lambda writer: writer.start())
    equal([each[1] for each in rows(spark.table(result))], ["2", "1", "1"])
    spark.sql(f"DROP TABLE {name}")
    refused(lambda: spark.table(name).collect(), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")


@case("toTable by directories, in another format, and its refusals")
def _():
    source, name = inbox(), fresh("made")
    writer = stream(source).writeStream.format("json").partitionBy("shop")
    run(writer.option("checkpointLocation", str(scratch / name)), lambda writer: writer.toTable(name))
    equal(spark.table(name).columns, ["day", "n", "shop"])
    equal(rows(spark.table(name).select("day", "shop", "n")), WANTED)
    writer = stream(source).writeStream
    refused(lambda: writer.toTable(fresh("x")), AnalysisException)
    writer = writer.option("checkpointLocation", str(scratch / fresh("c")))
    refused(lambda: writer.outputMode("update").toTable(name), AnalysisException)


@case("toTable of a table that stands on a topic")
def _():
    if not SERVED:
        return
    source, name = inbox(), fresh("topic")
    spark.sql(f"CREATE STREAMING TABLE {name} (n BIGINT, shop STRING) USING kafka OPTIONS (topic '{name}', format 'json')")
    writer = stream(source).select("shop", "n").writeStream.option("checkpointLocation", str(scratch / name))
    run(writer, lambda writer: writer.toTable(name))
    equal(rows(spark.table(name)), [("1", "a"), ("2", "b/c"), ("3", "None")])
    wrong = stream(source).writeStream.option("checkpointLocation", str(scratch / fresh("c")))
    refused(lambda: wrong.toTable(name), PySparkException)


@case("saveAsTable, insertInto, writeTo")
def _():
    name = fresh("saved")
    days().write.partitionBy("shop").saveAsTable(name)
    equal(spark.table(name).columns, ["day", "n", "shop"])
    refused(lambda: days().write.saveAsTable(name), AnalysisException, "TABLE_OR_VIEW_ALREADY_EXISTS")
    days().write.mode("ignore").saveAsTable(name)
    equal(rows(spark.table(name).select("day", "shop", "n")), WANTED)
    days().write.mode("append").partitionBy("shop").saveAsTable(name)
    equal(spark.table(name).count(), 6)
    spark.table(name).limit(2).write.mode("overwrite").saveAsTable(name)
    equal(spark.table(name).count(), 2)
    days().write.mode("overwrite").saveAsTable(name)
    days().write.insertInto(name)
    equal(spark.table(name).groupBy("n").count().where("count = 2").count(), 3)
    days().write.insertInto(name, overwrite=True)
    equal(rows(spark.table(name)), WANTED)
    refused(lambda: days().select("n").write.insertInto(name), AnalysisException)
    other = fresh("to")
    days().writeTo(other).using("parquet").create()
    days().writeTo(other).append()
    equal(spark.table(other).count(), 6)
    days().writeTo(other).createOrReplace()
    equal(spark.table(other).count(), 3)
    refused(lambda: days().writeTo(fresh("no")).append(), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")
    for table in [name, other]:
        spark.sql(f"DROP TABLE {table}")


@case("tables in SQL")
def _():
    name, other = fresh("sql"), fresh("sql")
    spark.sql(f"CREATE TABLE {name} (n INT NOT NULL, shop STRING COMMENT 'where') USING parquet")
    equal(spark.table(name).count(), 0)
    refused(lambda: spark.sql(f"CREATE TABLE {name} (n INT)"), AnalysisException, "TABLE_OR_VIEW_ALREADY_EXISTS")
    spark.sql(f"CREATE TABLE IF NOT EXISTS {name} (n INT)")
    spark.sql(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b')")
    spark.sql(f"INSERT INTO {name} (shop) SELECT 'c'")
    equal(sorted(map(str, spark.table(name).collect())), sorted(map(str, spark.createDataFrame(
        [(1, "a"), (2, "b"), (None, "c")], "n INT, shop STRING").collect())))
    spark.sql(f"CREATE TABLE {other} USING json AS SELECT shop, n + 1 AS more FROM {name} WHERE n = 1")
    equal([tuple(row) for row in spark.table(other).collect()], [("a", 2)])
    spark.sql(f"INSERT OVERWRITE {other} SELECT 'z', 9")
    equal([tuple(row) for row in spark.table(other).collect()], [("z", 9)])
    refused(lambda: spark.sql(f"INSERT INTO {other} SELECT 1"), AnalysisException)
    refused(lambda: spark.sql(f"INSERT INTO {fresh('no')} SELECT 1"), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")
    for table in [name, other]:
        spark.sql(f"DROP TABLE {table}")
    refused(lambda: spark.sql(f"DROP TABLE {name}"), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")
    spark.sql(f"DROP TABLE IF EXISTS {name}")


@case("only the partitions that rows come for are overwritten")
def _():
    name = fresh("parts")
    days().write.partitionBy("day").saveAsTable(name)
    fresh_rows = [(datetime.date(2024, 1, 1), "new", 9), (datetime.date(2024, 1, 3), "more", 8)]
    spark.createDataFrame(fresh_rows, SCHEMA).writeTo(name).overwritePartitions()
    found = spark.table(name).select("day", "shop", "n")
    equal(rows(found), [("2024-01-01", "new", "9"), ("2024-01-02", "None", "3"), ("2024-01-03", "more", "8")])
    columns = [(column.name, column.dataType, column.isPartition) for column in spark.catalog.listColumns(name)]
    equal(columns, [("shop", "string", False), ("n", "int", False), ("day", "date", True)])
    spark.sql(f"DROP TABLE {name}")


@case("what the catalog says of databases, tables, columns and functions")
def _():
    catalog, name, view = spark.catalog, fresh("known"), fresh("seen")
    equal((catalog.currentCatalog(), catalog.currentDatabase()), ("spark_catalog", "default"))
    equal([database.name for database in catalog.listDatabases("def*")], ["default"])
    equal((catalog.listDatabases("x*"), catalog.listCatalogs("x*")), ([], []))
    equal(catalog.getDatabase("spark_catalog.default").description, "default database")
    equal((catalog.databaseExists("default"), catalog.databaseExists("none")), (True, False))
    for ask in (catalog.getDatabase, catalog.setCurrentDatabase, catalog.listTables):
        refused(lambda: ask("none"), AnalysisException, "SCHEMA_NOT_FOUND")
    spark.sql(f"CREATE TABLE {name} (id INT, l ARRAY<INT>)")
    spark.range(3).createOrReplaceTempView(view)
    table, seen = catalog.getTable(f"default.{name}"), catalog.getTable(view)
    equal((table.namespace, table.tableType, table.isTemporary), (["default"], "MANAGED", False))
    equal((seen.namespace, seen.tableType, seen.isTemporary), ([], "TEMPORARY", True))
    equal([table.name for table in catalog.listTables(pattern=f"{name}|{view}")], sorted([name, view]))
    there = [catalog.tableExists(one) for one in (name, view, f"default.{name}", f"none.{name}", fresh("no"))]
    equal(there, [True, True, True, False, False])
    columns = [(column.name, column.dataType, column.nullable) for column in catalog.listColumns(name)]
    equal(columns, [("id", "int", True), ("l", "array<int>", True)])
    refused(lambda: catalog.listColumns(fresh("no")), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")
    spark.udf.register("mine", lambda n: n)
    known = [catalog.functionExists(one) for one in ("abs", "explode", "mine", "system.builtin.abs", "default.abs", "no")]
    equal(known, [True, True, True, True, False, False] if SERVED else known)
    equal([function.name for function in catalog.listFunctions(pattern="array_m*")], ["array_max", "array_min"])
    refused(lambda: catalog.getFunction("no"), AnalysisException, "UNRESOLVED_ROUTINE")
    cached = [catalog.isCached(view), catalog.cacheTable(view), catalog.isCached(view), catalog.uncacheTable(view), catalog.isCached(view)]
    equal(cached, [False, None, True, None, False])
    refused(lambda: catalog.cacheTable(fresh("no")), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")
    equal((catalog.dropTempView(view), catalog.dropTempView(view)), (True, False))
    if SERVED:
        made = fresh("made")
        equal(catalog.createTable(made, schema=spark.range(0).schema, source="parquet").columns, ["id"])
        spark.range(3).write.insertInto(made)
        catalog.truncateTable(made)
        equal(spark.table(made).count(), 0)
        catalog.dropTable(made)
        refused(lambda: catalog.dropTable(made), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND")
    spark.sql(f"DROP TABLE {name}")


finish()
