"""Databases and `spark.catalog` by value: `catalog.py sc://HOST:PORT KAFKA_HOST:PORT`.

`catalog.py 'local[2]' -` asks real Spark instead.
"""

import sys
import tempfile
import uuid
from pathlib import Path

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import SparkSession

from tap import case, equal, finish

ADDRESS = sys.argv[1]
builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC")
scratch = Path(tempfile.mkdtemp(prefix="catalog-"))
if not ADDRESS.startswith("sc://"):
    builder = builder.config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
spark = (builder.remote(ADDRESS) if ADDRESS.startswith("sc://") else builder.master(ADDRESS)).getOrCreate()
catalog = spark.catalog


def another():
    """A session beside the first."""
    return SparkSession.builder.remote(ADDRESS).create() if ADDRESS.startswith("sc://") else spark.newSession()


def fresh(name):
    return f"{name}_{uuid.uuid4().hex[:8]}"


def rows(frame):
    return [tuple(row) for row in frame.collect()]


def sql(text):
    return rows(spark.sql(text))


def refused(deed, condition):
    try:
        done = deed()
        if hasattr(done, "collect"):
            done.collect()
    except AnalysisException as error:
        equal(error.getCondition(), condition)
        return str(error)
    raise AssertionError("nothing was raised")


def tables(database, pattern=None):
    return [table.name for table in catalog.listTables(database, pattern) if not table.isTemporary]


@case("a database is made, described, changed and dropped")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name} COMMENT 'first' WITH DBPROPERTIES (a = 'b')")
    refused(lambda: spark.sql(f"CREATE SCHEMA {name}"), "SCHEMA_ALREADY_EXISTS")
    sql(f"CREATE SCHEMA IF NOT EXISTS {name}")
    told = dict(sql(f"DESCRIBE DATABASE EXTENDED {name}"))
    equal((told["Catalog Name"], told["Namespace Name"], told["Comment"]), ("spark_catalog", name, "first"))
    equal(told["Properties"], "((a,b))")
    sql(f"COMMENT ON DATABASE {name} IS 'second'")
    equal(dict(sql(f"DESC SCHEMA {name}"))["Comment"], "second")
    equal(sql(f"SHOW DATABASES LIKE '{name}|nothing'"), [(name,)])
    sql(f"DROP DATABASE {name}")
    equal(sql(f"SHOW SCHEMAS LIKE '{name}'"), [])
    refused(lambda: spark.sql(f"DROP DATABASE {name}"), "SCHEMA_NOT_FOUND")
    sql(f"DROP DATABASE IF EXISTS {name}")
    refused(lambda: spark.sql("DROP DATABASE default"), "UNSUPPORTED_FEATURE.DROP_DATABASE")


@case("a database with tables goes only with CASCADE, and its tables go with it")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name}")
    sql(f"CREATE TABLE {name}.t (a INT, b STRING) USING parquet")
    sql(f"INSERT INTO {name}.t VALUES (1, 'x'), (2, 'y')")
    refused(lambda: spark.sql(f"DROP DATABASE {name}"), "SCHEMA_NOT_EMPTY")
    refused(lambda: spark.sql(f"DROP DATABASE {name} RESTRICT"), "SCHEMA_NOT_EMPTY")
    equal(sql(f"SELECT sum(a) FROM spark_catalog.{name}.t"), [(3,)])
    sql(f"DROP DATABASE {name} CASCADE")
    refused(lambda: spark.table(f"{name}.t"), "TABLE_OR_VIEW_NOT_FOUND")
    sql(f"CREATE DATABASE {name}")
    sql(f"CREATE TABLE {name}.t (a INT) USING parquet")
    equal(sql(f"SELECT * FROM {name}.t"), [])
    sql(f"DROP DATABASE {name} CASCADE")


@case("names without a database mean the current one, of each session")
def _():
    name, table = fresh("d"), fresh("t")
    sql(f"CREATE DATABASE {name}")
    try:
        sql(f"CREATE TABLE {table} USING parquet AS SELECT 'default' AS at")
        sql(f"USE {name}")
        equal(sql("SELECT current_database(), current_schema(), current_catalog()"), [(name, name, "spark_catalog")])
        refused(lambda: spark.table(table), "TABLE_OR_VIEW_NOT_FOUND")
        sql(f"CREATE TABLE {table} USING parquet AS SELECT 'other' AS at")
        equal(sql(f"SELECT at FROM {table}"), [("other",)])
        equal(sql(f"SELECT {table}.at, {name}.{table}.at FROM {name}.{table}"), [("other", "other")])
        equal(sql(f"SELECT at FROM default.{table}"), [("default",)])
        equal(sql("SHOW CURRENT NAMESPACE"), [("spark_catalog", name)])
        equal(another().catalog.currentDatabase(), "default")
        refused(lambda: spark.sql("USE nowhere"), "SCHEMA_NOT_FOUND")
        equal(catalog.currentDatabase(), name)
    finally:
        sql("USE default")
        sql(f"DROP DATABASE {name} CASCADE")
        sql(f"DROP TABLE {table}")
    equal(catalog.currentDatabase(), "default")


@case("frames are written into tables of databases")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name}")
    frame = spark.createDataFrame([(1, "a")], "i INT, s STRING")
    frame.write.saveAsTable(f"{name}.t")
    refused(lambda: frame.write.saveAsTable(f"{name}.t"), "TABLE_OR_VIEW_ALREADY_EXISTS")
    frame.write.mode("append").saveAsTable(f"spark_catalog.{name}.t")
    frame.write.insertInto(f"{name}.t")
    equal(spark.table(f"{name}.t").count(), 3)
    frame.write.mode("overwrite").saveAsTable(f"{name}.t")
    equal(rows(spark.read.table(f"{name}.t")), [(1, "a")])
    frame.writeTo(f"{name}.w").create()
    equal(spark.table(f"{name}.w").count(), 1)
    equal(sorted(tables(name)), ["t", "w"])
    refused(lambda: frame.writeTo(f"{name}.x").append(), "TABLE_OR_VIEW_NOT_FOUND")
    refused(lambda: frame.write.insertInto(f"{name}.x"), "TABLE_OR_VIEW_NOT_FOUND")
    refused(lambda: frame.write.saveAsTable("nowhere.t"), "SCHEMA_NOT_FOUND")
    refused(lambda: spark.sql("CREATE TABLE nowhere.t (a INT) USING parquet"), "SCHEMA_NOT_FOUND")
    refused(lambda: spark.sql("DROP TABLE nowhere.t"), "TABLE_OR_VIEW_NOT_FOUND")
    refused(lambda: spark.sql("CREATE TABLE a.b.c (a INT) USING parquet"), "REQUIRES_SINGLE_PART_NAMESPACE")
    sql("DROP TABLE IF EXISTS nowhere.t")
    sql(f"DROP DATABASE {name} CASCADE")


@case("a table that a stream writes lies in its database")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name}")
    source = scratch / fresh("in")
    source.mkdir()
    (source / "1.json").write_text('{"n": 1}\n{"n": 2}\n')
    stream = spark.readStream.schema("n INT").json(str(source)).writeStream.format("parquet")
    stream = stream.option("checkpointLocation", str(scratch / fresh("checkpoint"))).trigger(availableNow=True)
    stream.toTable(f"{name}.s").awaitTermination()
    equal(sorted(rows(spark.table(f"{name}.s"))), [(1,), (2,)])
    equal(tables(name), ["s"])
    equal(catalog.tableExists("s"), False)
    sql(f"DROP DATABASE {name} CASCADE")


@case("a database may have a place of its own")
def _():
    name, place = fresh("d"), scratch / fresh("place")
    sql(f"CREATE DATABASE {name} LOCATION '{place}'")
    sql(f"CREATE TABLE {name}.t USING parquet AS SELECT 1 AS a")
    equal((place / "t").is_dir(), True)
    equal(catalog.getDatabase(name).locationUri.removeprefix("file:"), str(place))
    sql(f"DROP TABLE {name}.t")
    equal((place / "t").exists(), False)
    sql(f"DROP DATABASE {name}")


@case("what there is in a database is listed")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name}")
    sql(f"CREATE TABLE {name}.tab (a INT, p STRING) USING parquet PARTITIONED BY (p)")
    sql(f"INSERT INTO {name}.tab VALUES (1, 'x')")
    sql(f"CREATE TABLE {name}.other USING parquet COMMENT 'so' AS SELECT 1 AS a")
    spark.range(1).createOrReplaceTempView("temp_tab")
    equal(sql(f"SHOW TABLES IN {name} LIKE 'tab*'"), [(name, "tab", False)])
    found = [tuple(table) for table in catalog.listTables(name)]
    equal(found, [
        ("other", "spark_catalog", [name], "so", "MANAGED", False),
        ("tab", "spark_catalog", [name], None, "MANAGED", False),
        ("temp_tab", None, [], None, "TEMPORARY", True),
    ])
    equal(tables(name, "ta*"), ["tab"])
    equal([catalog.tableExists(*asked) for asked in [("tab", name), (f"{name}.tab",), ("tab",), ("temp_tab",),
           ("temp_tab", name), (f"spark_catalog.{name}.tab",), ("tab", "nowhere")]],
          [True, True, False, True, False, True, False])
    equal([tuple(column)[:5] for column in catalog.listColumns("tab", name)],
          [("a", None, "int", True, False), ("p", None, "string", True, True)])
    equal(catalog.getTable(f"{name}.tab").namespace, [name])
    equal([catalog.databaseExists(asked) for asked in (name, name.upper(), f"spark_catalog.{name}", "nowhere")],
          [True, True, True, False])
    equal([database.name for database in catalog.listDatabases(f"{name}*")], [name])
    refused(lambda: catalog.listTables("nowhere"), "SCHEMA_NOT_FOUND")
    refused(lambda: catalog.getDatabase("nowhere"), "SCHEMA_NOT_FOUND")
    refused(lambda: catalog.setCurrentDatabase("nowhere"), "SCHEMA_NOT_FOUND")
    refused(lambda: catalog.listFunctions("nowhere"), "SCHEMA_NOT_FOUND")
    refused(lambda: catalog.getTable(f"{name}.nothing"), "TABLE_OR_VIEW_NOT_FOUND")
    refused(lambda: catalog.listColumns("tab", "nowhere"), "TABLE_OR_VIEW_NOT_FOUND")
    refused(lambda: catalog.getFunction(f"{name}.abs"), "UNRESOLVED_ROUTINE")
    catalog.dropTempView("temp_tab")
    sql(f"DROP DATABASE {name} CASCADE")


@case("tables are cached and made by the catalog in any database")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name}")
    schema = spark.range(1).schema
    catalog.createTable(f"{name}.made", schema=schema, description="by hand")
    equal(catalog.getTable(f"{name}.made").description, "by hand")
    refused(lambda: catalog.createTable(f"{name}.made", schema=schema), "TABLE_OR_VIEW_ALREADY_EXISTS")
    names = [f"{name}.made", f"spark_catalog.{name}.made"]
    for cached in (True, False):
        (catalog.cacheTable if cached else catalog.uncacheTable)(names[1])
        equal([catalog.isCached(asked) for asked in names], [cached] * 2)
    catalog.setCurrentDatabase(name)
    catalog.cacheTable("made")
    catalog.setCurrentDatabase("default")
    equal(catalog.isCached(names[0]), True)
    catalog.clearCache()
    refused(lambda: catalog.isCached("made"), "TABLE_OR_VIEW_NOT_FOUND")
    refused(lambda: catalog.recoverPartitions(names[0]), "NOT_A_PARTITIONED_TABLE")
    sql(f"DROP DATABASE {name} CASCADE")


@case("statements for what the catalog does")
def _():
    name = fresh("d")
    sql(f"CREATE DATABASE {name}")
    sql(f"CREATE TABLE {name}.t USING parquet AS SELECT 1 AS a")
    sql(f"CACHE TABLE {name}.t")
    equal(catalog.isCached(f"{name}.t"), True)
    sql(f"UNCACHE TABLE {name}.t")
    equal(catalog.isCached(f"{name}.t"), False)
    sql("UNCACHE TABLE IF EXISTS nothing")
    refused(lambda: spark.sql("UNCACHE TABLE nothing"), "TABLE_OR_VIEW_NOT_FOUND")
    sql(f"REFRESH TABLE {name}.t")
    refused(lambda: spark.sql("REFRESH TABLE nothing"), "TABLE_OR_VIEW_NOT_FOUND")
    sql(f"ANALYZE TABLE {name}.t COMPUTE STATISTICS")
    refused(lambda: spark.sql(f"MSCK REPAIR TABLE {name}.t"), "NOT_A_PARTITIONED_TABLE")
    sql("CLEAR CACHE")
    sql(f"TRUNCATE TABLE {name}.t")
    equal(sql(f"SELECT count(*) FROM {name}.t"), [(0,)])
    refused(lambda: spark.sql("CREATE TABLE `x.y` (a INT) USING parquet"), "INVALID_SCHEMA_OR_RELATION_NAME")
    sql(f"DROP DATABASE {name} CASCADE")


@case("views of all sessions lie in global_temp, others in the session or in a database")
def _():
    name, view = fresh("d"), fresh("v")
    sql(f"CREATE DATABASE {name}")
    spark.range(3).createOrReplaceGlobalTempView(view)
    equal(another().table(f"global_temp.{view}").count(), 3)
    refused(lambda: spark.table(view), "TABLE_OR_VIEW_NOT_FOUND")
    equal([tuple(table) for table in catalog.listTables("global_temp", view)],
          [(view, None, ["global_temp"], None, "TEMPORARY", True)])
    equal([catalog.dropGlobalTempView(view), catalog.dropGlobalTempView(view)], [True, False])
    sql(f"CREATE GLOBAL TEMP VIEW {view} AS SELECT 1 AS a")
    equal(sql(f"SELECT a FROM global_temp.{view}"), [(1,)])
    sql(f"DROP VIEW global_temp.{view}")
    try:
        spark.sql(f"CREATE TEMP VIEW {name}.{view} AS SELECT 1")
        raise AssertionError("nothing was raised")
    except ParseException:
        pass
    sql(f"CREATE VIEW {name}.{view} AS SELECT 2 AS b")
    equal(sql(f"SELECT b FROM {name}.{view}"), [(2,)])
    equal(sql(f"SHOW VIEWS IN {name}"), [(name, view, False)])
    refused(lambda: spark.table(view), "TABLE_OR_VIEW_NOT_FOUND")
    sql(f"DROP VIEW {name}.{view}")
    equal(catalog.tableExists(f"{name}.{view}"), False)
    sql(f"DROP DATABASE {name}")


finish()
