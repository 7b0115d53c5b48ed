"""Spark's SQL files, given to a server: `statements.py sc://HOST:PORT JAR [word...]`; words choose files by name.

Spark's SQLQueryTestSuite keeps, for each file of statements, what each of them gives: the schema, the rows, or the
error. A statement passes when both are the same, or when it fails here and there. Prints a line of JSON for each.
"""

import csv
import io
import json
import re
import signal
import sys
import zipfile

import hive
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from tap import finish

SECONDS = 60
INPUTS, RESULTS = "sql-tests/inputs/", "sql-tests/results/"
SETTING = re.compile(r"^--\s*SET\s+(.*)$", re.MULTILINE)
CREATED = re.compile(r"^\s*CREATE\s+(?:EXTERNAL\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.`]+)", re.IGNORECASE)
CONDITION = re.compile(r'"(?:errorClass|condition)"\s*:\s*"([^"]+)"')
FAILURE = re.compile(r"^(?:org\.apache|java\.|scala\.)[\w.$]+(?:Exception|Error|Throwable)\b")

# Whole areas that are no part of an engine of streams, or that need what only Spark's own test has.
SKIPPED = {
    "the dialect of before ANSI": ["nonansi/", "datetime-legacy", "datetime-parsing-legacy", "datetime-formatting-legacy"],
    "other settings of the parser": ["cte-legacy", "cte-nonlegacy", "parse-query-correctness-old", "keywords-enforced",
                                     "double-quoted-identifiers-enabled"],
    "another type for TIMESTAMP": ["timestampNTZ/"],
    "functions that the test has in its JVM": ["udf/", "udaf/", "udtf/", "try_reflect"],
    "programs as a part of a query": ["transform."],
    "Spark's own plans as text": ["explain"],
    "ANALYZE TABLE": ["describe-part-after-analyze"],
    "collations": ["collations", "listagg-collations", "view-with-default-collation"],
    "the type VARIANT": ["variant/"],
}
WIDE = (
    "unique1 INT, unique2 INT, two INT, four INT, ten INT, twenty INT, hundred INT, thousand INT, twothousand INT, "
    "fivethous INT, tenthous INT, odd INT, even INT, stringu1 STRING, stringu2 STRING, string4 STRING"
)


def skipped(name):
    for reason, starts in SKIPPED.items():
        if name.startswith(tuple(starts)):
            return reason
    return None


def statements(text):
    """The file of results as (statement, schema, output)."""
    for block in re.split(r"^-- !query\n", text, flags=re.MULTILINE)[1:]:
        statement, _, rest = block.partition("\n-- !query schema\n")
        schema, _, output = rest.partition("\n-- !query output\n")
        yield statement, schema.strip(), output.rstrip()


class Tables:
    """The data that the files ask, made as the test makes it; views of each session."""

    def __init__(self, jar):
        self.rows = {name: list(self.read(jar, name)) for name in ("agg", "onek", "tenk")}

    @staticmethod
    def read(jar, name):
        text = jar.read(f"test-data/postgresql/{name}.data").decode()
        for row in csv.reader(io.StringIO(text), delimiter="\t"):
            yield tuple(float(v) if "." in v else int(v) if v.lstrip("-").isdigit() else v for v in row)

    def make(self, spark, asked):
        made = {
            "testdata": ([(i, str(i)) for i in range(1, 101)], "key INT, value STRING"),
            "arraydata": ([([1, 2, 3], [[1, 2, 3]]), ([2, 3, 4], [[2, 3, 4]])], "arraycol ARRAY<INT>, nestedarraycol ARRAY<ARRAY<INT>>"),
            "mapdata": ([({i: f"{letter}{number}" for i, letter in enumerate("abcde"[: 6 - number], 1)},) for number in range(1, 6)],
                        "mapcol MAP<INT, STRING>"),
            "aggtest": ([(a, float(b)) for a, b in self.rows["agg"]], "a INT, b FLOAT"),
            "onek": (self.rows["onek"], WIDE),
            "tenk1": (self.rows["tenk"], WIDE),
        }
        for name, (rows, schema) in made.items():
            if name in asked.lower():
                spark.createDataFrame(rows, schema).createOrReplaceTempView(name)


class Asked:
    """A session, and what it is asked."""

    def __init__(self, address):
        self.spark = SparkSession.builder.remote(address).create()
        self.spark.conf.set("spark.sql.session.timeZone", "America/Los_Angeles")

    def answer(self, statement):
        """The schema and the rows as Spark's suite writes them."""
        frame = self.spark.sql(statement)
        schema = frame.schema
        if not schema.fields:
            return "struct<>", []
        return schema.simpleString(), hive.lines(frame.toArrow(), schema, self.spark.conf.get("spark.sql.binaryOutputStyle", "UTF-8"))


def ordered(statement):
    """Whether the statement's outermost query says ORDER BY (or is no query: what it prints has an order)."""
    text = re.sub(r"--.*|/\*.*?\*/|'(?:[^'\\]|\\.)*'", "", statement, flags=re.DOTALL if "/*" in statement else 0)
    while re.search(r"\([^()]*\)", text):
        text = re.sub(r"\([^()]*\)", "", text)
    return bool(re.search(r"\b(ORDER|SORT)\s+BY\b", text, re.IGNORECASE))


def compare(asked, statement, schema, output):
    """(outcome, detail, whether the error has the same condition)."""
    failing = FAILURE.match(output)
    try:
        ours, rows = asked.answer(statement)
    except PySparkException as error:
        told = " ".join(str(error).split())[:300]
        condition = error.getCondition() if hasattr(error, "getCondition") else None
        if not failing:
            return "failed", f"refused: {told}", None
        theirs = CONDITION.search(output)
        return "passed", "", bool(theirs and condition and theirs[1] == condition)
    if failing:
        return "failed", f"answered, but Spark fails: {(CONDITION.search(output) or failing)[0]}", None
    if ours != schema:
        return "failed", f"schema: {ours} instead of {schema}", None
    # A row of one empty text is no line either.
    wanted = [line.rstrip() for line in output.split("\n")]
    found = [line.rstrip() for line in "\n".join(rows).rstrip().split("\n")]
    if not ordered(statement):
        wanted, found = sorted(wanted), sorted(found)
    if not hive.same(found, wanted):
        return "failed", f"rows: {found!r:.200} instead of {wanted!r:.200}", None
    return "passed", "", None


def run(address, name, text, settings, tables):
    asked = Asked(address)
    spark = asked.spark
    created = set()
    try:
        tables.make(spark, text)
        for setting in settings:
            for part in setting.split(","):
                key, _, value = part.partition("=")
                spark.conf.set(key.strip(), value.strip())
        for number, (statement, schema, output) in enumerate(statements(text), 1):
            signal.alarm(SECONDS)
            try:
                outcome, detail, condition = compare(asked, statement, schema, output)
            except Exception as error:  # The client gave up: that is this statement's failure.
                outcome, detail, condition = "failed", f"client: {type(error).__name__}: {error}"[:300], None
            found = CREATED.match(statement)
            if found and outcome == "passed":
                created.add(found[1])
            tell(name, number, outcome, detail, condition)
    finally:
        for table in created:
            try:
                spark.sql(f"DROP TABLE IF EXISTS {table}")
            except PySparkException:
                pass
        spark.stop()


def tell(name, number, outcome, detail, condition=None):
    line = {"file": name, "number": number, "outcome": outcome, "detail": detail, "condition": condition}
    print(json.dumps(line), flush=True)


def too_long(*_):
    raise TimeoutError(f"no answer within {SECONDS} seconds")


def main():
    signal.signal(signal.SIGALRM, too_long)
    address, path, *words = sys.argv[1:]
    jar = zipfile.ZipFile(path)
    tables = Tables(jar)
    stored = set(jar.namelist())
    for entry in sorted(name for name in stored if name.startswith(RESULTS) and name.endswith(".sql.out")):
        name = entry.removeprefix(RESULTS).removesuffix(".out")
        if words and not any(word in name for word in words):
            continue
        text = jar.read(entry).decode()
        reason = skipped(name)
        if reason:
            for number, _ in enumerate(statements(text), 1):
                tell(name, number, "skipped", reason)
            continue
        script = jar.read(INPUTS + name).decode() if INPUTS + name in stored else ""
        run(address, name, text, SETTING.findall(script), tables)


if __name__ == "__main__":
    main()
    finish()
