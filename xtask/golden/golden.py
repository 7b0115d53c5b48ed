"""Asks real Spark what its functions answer: `cargo xtask golden` runs this in a private environment.

Each line of `tests/golden/*.sql` is one expression over the table beside it, or one query that begins with
SELECT. SET TIME ZONE is said for the lines that follow it in a file, which begins with UTC. Beside each file a
`.json` is written: a line per expression with its type and its values, row by row, or with the condition under which
Spark refuses it; and with the zone, if one was set.
"""

import base64
import datetime
import decimal
import json
import logging
import math
import pathlib
import sys

from pyspark.sql import Row, SparkSession
from pyspark.sql.types import TimestampType


def plain(value):
    """As the engine writes a value into JSON."""
    if isinstance(value, float):
        return None if math.isnan(value) or math.isinf(value) else value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, datetime.datetime):
        text = value.replace(tzinfo=None).isoformat(timespec="seconds")
        if value.microsecond:
            text += f".{value.microsecond:06d}".removesuffix("000")
        return text + ("Z" if value.tzinfo else "")
    if isinstance(value, (datetime.date, datetime.timedelta)):
        return str(value)
    if isinstance(value, Row):
        return {name: plain(item) for name, item in zip(value.__fields__, value)}
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def instants(data_type, value):
    """Python's Spark gives instants as local times without a zone; here the zone is UTC."""
    kind = data_type.typeName()
    if value is None:
        return None
    if isinstance(data_type, TimestampType):
        return value.replace(tzinfo=datetime.timezone.utc)
    if kind == "array":
        return [instants(data_type.elementType, item) for item in value]
    if kind == "map":
        return {key: instants(data_type.valueType, item) for key, item in value.items()}
    if kind == "struct":
        items = [instants(field.dataType, item) for field, item in zip(data_type, value)]
        return {field.name: plain(item) for field, item in zip(data_type, items)}
    return value


def reason(error):
    error = getattr(error, "java_exception", error)
    try:
        return error.getCondition() or type(error).__name__
    except Exception:  # Not one of Spark's own: only that it is an error counts.
        return "error"


def ask(spark, line, aggregates):
    query = line
    if not line.upper().startswith("SELECT"):
        query = f"SELECT {line} AS v FROM t" + ("" if aggregates else " ORDER BY id")
        if not aggregates:
            query = f"SELECT v FROM (SELECT id, {line} AS v FROM t) ORDER BY id"
    answer = {"sql": line}
    try:
        frame = spark.sql(query)
        rows = frame.collect()
    except Exception as error:  # Spark has many kinds of refusals; each is an answer.
        return answer | {"error": reason(error)}
    types = [field.dataType for field in frame.schema.fields]
    cells = [[plain(instants(kind, cell)) for kind, cell in zip(types, row)] for row in rows]
    if line is query:
        return answer | {
            "columns": frame.columns,
            "types": [kind.simpleString() for kind in types],
            "rows": sorted(cells, key=json.dumps),
        }
    return answer | {"type": types[0].simpleString(), "values": [row[0] for row in cells]}


def asked(spark, path):
    """The answers to the lines of a file."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    zone = {}
    for line in path.read_text().splitlines():
        if line.startswith("SET TIME ZONE "):
            spark.sql(line)
            zone = {"zone": line.removeprefix("SET TIME ZONE ").strip("'")}
        elif line.strip() and not line.startswith("--"):
            yield zone | ask(spark, line, path.stem == "aggregates")


def functions(spark):
    """Every function that Spark knows by a word, with the group that it puts it in."""
    known = spark._jvm.org.apache.spark.sql.catalyst.analysis.FunctionRegistry.expressions().iterator()
    while known.hasNext():
        entry = known.next()
        if entry._1().isidentifier():
            yield f"{entry._2()._1().getGroup().removesuffix('_funcs')} {entry._1()}\n"


def main(folder):
    # Each refusal would be printed with all of its stack.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "OFF")
        .getOrCreate()
    )
    ddl = (folder / "table.ddl").read_text().strip()
    lines = []
    for line in (folder / "table.jsonl").read_text().splitlines():
        row = json.loads(line)
        # Spark reads binary from base64, the engine from hexadecimal.
        if row["bin"] is not None:
            row["bin"] = base64.b64encode(bytes.fromhex(row["bin"])).decode()
        lines.append(json.dumps(row))
    table = spark.read.schema(ddl).json(spark.sparkContext.parallelize(lines, 1))
    table.coalesce(1).cache().createOrReplaceTempView("t")
    for path in sorted(folder.glob("*.sql")):
        answers = list(asked(spark, path))
        text = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
        path.with_suffix(".json").write_text(text)
        print(f"{path.name}: {len(answers)} lines", flush=True)
    (folder / "functions.txt").write_text("".join(sorted(functions(spark))))
    print(f"Spark {spark.version}")
    spark.stop()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
