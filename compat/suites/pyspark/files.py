"""Files of text, JSON and separated values as Spark's readers read them: `files.py sc://HOST:PORT KAFKA_HOST:PORT`.

`files.py 'local[2]' -` asks real Spark instead: what is wanted here is what it gave.
"""

import datetime
import sys
import tempfile
import uuid
from decimal import Decimal
from pathlib import Path

from pyspark.sql import SparkSession

from tap import case, equal, finish

ADDRESS = sys.argv[1]
SERVED = ADDRESS.startswith("sc://")
builder = SparkSession.builder.config("spark.sql.session.timeZone", "UTC")
spark = (builder.remote(ADDRESS) if SERVED else builder.master(ADDRESS)).getOrCreate()
scratch = Path(tempfile.mkdtemp(prefix="files-"))
DAY, TIME = datetime.date, datetime.datetime


def put(text, name=None):
    path = scratch / (name or f"{uuid.uuid4().hex[:8]}/file")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def plain(value):
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def reads(name, kind, text, types, rows, schema=None, **options):
    """A file of this text: the columns' types, and the rows in their order."""

    @case(f"{kind}: {name}")
    def _():
        path = text if isinstance(text, list) else [put(text)]
        frame = spark.read.format(kind).options(**options)
        frame = (frame.schema(schema) if schema else frame).load(path)
        equal(frame.schema.simpleString(), f"struct<{types}>")
        found = [plain(tuple(row)) for row in frame.collect()]
        # Which of several files comes first is not said.
        equal(sorted(found, key=str) if isinstance(text, list) else found, rows)
        if "mode" not in options:
            equal(frame.count(), len(rows))


def refuses(name, kind, text, *words, schema=None, **options):
    @case(f"{kind}: {name} is refused")
    def _():
        frame = spark.read.format(kind).options(**options)
        try:
            (frame.schema(schema) if schema else frame).load(put(text)).collect()
        except Exception as error:
            for word in words:
                assert word in str(error), f"{word!r} is not in {error}"
            return
        raise AssertionError("nothing was raised")


BAD = """{"a":1,"b":"x"}
nonsense
{"a":"two","b":"y"}

{'a':3}
[{"a":4},{"a":5}]
null
7
{"a":1.5,"b":[1, 2.50]}
{"b":{"z":1}} trailing
{"a":
"""
reads("what cannot be read stands in a column of its own", "json", BAD, "_corrupt_record:string,a:string,b:string", [
    (None, "1", "x"), ("nonsense", None, None), (None, "two", "y"), (None, "3", None), (None, "4", None),
    (None, "5", None), ("null", None, None), ("7", None, None), (None, "1.5", "[1,2.5]" if SERVED else "[1, 2.50]"),
    (None, None, '{"z":1}'), ('{"a":', None, None)])
reads("nulls where a value does not fit", "json", BAD, "a:int,b:string", [
    (1, "x"), (None, None), (None, "y"), (3, None), (4, None), (5, None), (None, None), (None, None),
    (None, "[1,2.5]" if SERVED else "[1, 2.50]"), (None, '{"z":1}'), (None, None)], schema="a int, b string")
reads("DROPMALFORMED", "json", BAD, "a:int,b:string", [(1, "x"), (3, None), (4, None), (5, None), (None, '{"z":1}')],
      schema="a int, b string", mode="DROPMALFORMED")
reads("columnNameOfCorruptRecord", "json", '{"a":"two","b":"y"}\nno\n{"a":1}\n', "a:int,bad:string,b:string", [
    (None, '{"a":"two","b":"y"}', "y"), (None, "no", None), (1, None, None)],
    schema="a int, bad string, b string", columnNameOfCorruptRecord="bad")
refuses("what cannot be read, in FAILFAST", "json", BAD, "Malformed records are detected", schema="a int", mode="FAILFAST")
refuses("what cannot be read, in FAILFAST without a schema", "json", BAD, mode="FAILFAST")
refuses("one name of two columns", "json", '{"a":1,"A":2}\n', "COLUMN_ALREADY_EXISTS")

TYPES = """{"i":12345678901234567890,"d":1.5,"n":null,"l":[1,null,"x"],"s":{"q":1},"e":{},"m":[],"z":[{"a":1},{"b":2}]}
{"i":1,"d":2,"s":{"r":true}}
"""
reads("types are found in all records", "json", TYPES,
      "d:double,i:decimal(20,0),l:array<string>,m:array<string>,n:string,s:struct<q:bigint,r:boolean>,"
      "z:array<struct<a:bigint,b:bigint>>",
      [(1.5, Decimal("12345678901234567890"), ["1", None, "x"], [], None, (1, None), [(1, None), (None, 2)]),
       (2.0, Decimal(1), None, None, None, (None, True), None)])
reads("primitivesAsString", "json", '{"a":1,"b":[true]}\n', "a:string,b:array<string>", [("1", ["true"])], primitivesAsString=True)
reads("prefersDecimal", "json", '{"a":1.5}\n{"a":2}\n', "a:decimal(21,1)", [(Decimal("1.5"),), (Decimal(2),)], prefersDecimal=True)
reads("dropFieldIfAllNull", "json", '{"a":null,"b":1,"c":[],"d":[null]}\n', "b:bigint", [(1,)], dropFieldIfAllNull=True)
reads("the types of a schema", "json", TYPES, "i:decimal(30,0),d:float,s:map<string,string>,l:array<string>", [
    (Decimal("12345678901234567890"), 1.5, {"q": "1"}, ["1", None, "x"]), (Decimal(1), 2.0, {"r": "true"}, None)],
    schema="i decimal(30,0), d float, s map<string,string>, l array<string>")
reads("dates in a pattern", "json", '{"a":"03/02/2024","b":"2024 01 02"}\n', "a:date,b:timestamp",
      [(DAY(2024, 2, 3), TIME(2024, 1, 2))], schema="a date, b timestamp", dateFormat="dd/MM/yyyy", timestampFormat="yyyy MM dd")
reads("names in other letters are other names", "json", '{"a":1}\n', "A:int", [(None,)], schema="A int")
reads("a list over several lines", "json", '[{"a":1,\n"b":2},\n {"a":2}]', "a:bigint,b:bigint", [(1, 2), (2, None)], multiLine=True)
reads("the first of two objects of a file", "json", '{"a":1,\n"b":2}\n{"a":9}', "a:bigint,b:bigint", [(1, 2)], multiLine=True)
reads("any line break", "json", '{"a":1}\r\n{"a":2}\r{"a":3}', "a:bigint", [(1,), (2,), (3,)])
reads("lineSep", "json", '{"a":1}!!{"a":2}', "a:bigint", [(1,), (2,)], lineSep="!!")
reads("another encoding", "json", '{"a":"é"}\n{"a":"b"}\n'.encode("utf-16le"), "a:string", [("é",), ("b",)],
      encoding="UTF-16LE", lineSep="\n")
reads("an empty file", "json", "", "", [])

TEXT = '{"a":1}\r\n{"a":2}\r{"a":3}'
reads("a path as often as it is named", "text", [put("x\ny\n", "twice")] * 2, "value:string", [("x",), ("x",), ("y",), ("y",)])
reads("any line break", "text", TEXT, "value:string", [('{"a":1}',), ('{"a":2}',), ('{"a":3}',)])
reads("lineSep", "text", TEXT, "value:string", [('{"a":1',), ('\r\n{"a":2',), ('\r{"a":3',)], lineSep="}")
reads("wholetext", "text", TEXT, "value:string", [(TEXT,)], wholetext=True)

TABLE = '''id,name,when,x,ok
1,Ann,2024-01-02,1.5,true
2,"B, ""b""",2024-01-03,,false
3,  sp ,2024-01-04,2,TRUE
4,short
5,long,2024-01-05,1,true,extra

'''
NAMED = "id int, name string, when date, x double, ok boolean"
SEEN = "id:int,name:string,when:date,x:double,ok:boolean"
ROWS = [(1, "Ann", DAY(2024, 1, 2), 1.5, True), (2, '"B, ""b"""', DAY(2024, 1, 3), None, False),
        (3, "  sp ", DAY(2024, 1, 4), 2.0, True), (4, "short", None, None, None), (5, "long", DAY(2024, 1, 5), 1.0, True)]
reads("without a header", "csv", TABLE, ",".join(f"_c{n}:string" for n in range(5)), [
    ("id", "name", "when", "x", "ok"), ("1", "Ann", "2024-01-02", "1.5", "true"), ("2", '"B, ""b"""', "2024-01-03", None, "false"),
    ("3", "  sp ", "2024-01-04", "2", "TRUE"), ("4", "short", None, None, None), ("5", "long", "2024-01-05", "1", "true")])
reads("types are found", "csv", TABLE, SEEN, ROWS, header=True, inferSchema=True)
reads("a schema", "csv", TABLE, SEEN, ROWS, schema=NAMED, header=True)
reads("what does not fit a schema", "csv", TABLE, "id:int,name:int,when:date,x:double,ok:boolean,_corrupt_record:string", [
    (row[0], None, *row[2:], line) for row, line in zip(ROWS, TABLE.splitlines()[1:])],
    schema=NAMED.replace("name string", "name int") + ", _corrupt_record string", header=True)
reads("DROPMALFORMED", "csv", TABLE, SEEN, ROWS[:3], schema=NAMED, header=True, mode="DROPMALFORMED")
reads("fewer columns than there are", "csv", TABLE, "id:int,name:string", [(None, "name"), *(row[:2] for row in ROWS)],
      schema="id int, name string")
refuses("what does not fit, in FAILFAST", "csv", TABLE, "Malformed records", schema=NAMED, header=True, mode="FAILFAST")
refuses("another header than the schema's", "csv", TABLE, "CSV header does not conform to the schema",
        schema=NAMED.replace("name", "nom"), header=True, enforceSchema=False)
QUOTED = "a\tb\n'x\ty'\tNA\n# note\n\\'z\t-\n  pad  \t\"\"\n"
reads("sep, quote, nullValue, comment", "csv", QUOTED, "a:string,b:string", [("x\ty", None), ("\\'z", "-"), ("  pad  ", '""')],
      sep="\t", quote="'", nullValue="NA", comment="#", header=True)
reads("white space", "csv", QUOTED, "a:string,b:string", [("x\ty", "NA"), ("\\'z", None), ("pad", '""')], sep="\t", quote="'",
      nullValue="-", comment="#", header=True, ignoreLeadingWhiteSpace=True, ignoreTrailingWhiteSpace=True)
EMPTY = 'a,b\n"",\n,""\nx,y\n'
reads("nothing is null", "csv", EMPTY, "a:string,b:string", [(None, None), (None, None), ("x", "y")], header=True)
reads("emptyValue", "csv", EMPTY, "a:string,b:string", [("E", None), (None, "E"), ("x", "y")], header=True, emptyValue="E", nullValue="N")
LINES = 'a,b\n1,"two\nlines"\n2,x\n'
reads("a line break in quotes", "csv", LINES, "a:string,b:string", [("1", "two"), ('lines"', None), ("2", "x")], header=True)
reads("multiLine", "csv", LINES, "a:string,b:string", [("1", "two\nlines"), ("2", "x")], header=True, multiLine=True)
reads("the narrowest types", "csv", "i,l,d,b,dt,ts,s,n,m,big\n1,3000000000,1.5,true,2024-01-01,2024-01-01 10:00:00,x,,1,"
      "123456789012345678901234567890\n-2,2,1e3,false,2024-02-01,2024-01-01T11:00:00Z,y,,1.5,2\n,,,,,,,,,\n",
      "i:int,l:bigint,d:double,b:boolean,dt:date,ts:timestamp,s:string,n:string,m:double,big:decimal(30,0)", [
          (1, 3000000000, 1.5, True, DAY(2024, 1, 1), TIME(2024, 1, 1, 10), "x", None, 1.0, Decimal("123456789012345678901234567890")),
          (-2, 2, 1000.0, False, DAY(2024, 2, 1), TIME(2024, 1, 1, 11), "y", None, 1.5, Decimal(2)), (None,) * 10],
      header=True, inferSchema=True)
reads("names that come twice or not at all", "csv", "a,A,,a\n1,2,3,4\n", "a0:string,A1:string,_c2:string,a3:string",
      [("1", "2", "3", "4")], header=True)
reads("a separator of two characters", "csv", "a||b\n1||2\n", "a:string,b:string", [("1", "2")], sep="||", header=True)
ESCAPED = 'a,b\n"x\\"y",1\n"x""y",2\n"a\\\\b",3\n'
reads("an escaped quote", "csv", ESCAPED, "a:string,b:string", [('x"y', "1"), ('"x""y"', "2"), ("a\\b", "3")], header=True)
reads("a quote that escapes", "csv", ESCAPED, "a:string,b:string", [('"x\\"y"', "1"), ('x"y', "2"), ("a\\\\b", "3")], header=True, escape='"')
reads("quotes that are open", "csv", 'a,b\nx"y,1\n"x"y,2\n"open,3\n4,5\n', "a:string,b:string",
      [('x"y', "1"), ('"x"y', "2"), ("open,3", None), ("4", "5")], header=True)
reads("numbers", "csv", "Inf\n-Inf\nNA\n1,000\n", "a:double", [(float("inf"),), (float("-inf"),), (None,), (1.0,)], schema="a double")
reads("truths", "csv", "t\n1\nTRUE\nFalse\n", "a:boolean", [(None,), (None,), (True,), (False,)], schema="a boolean")
reads("decimals", "csv", "1.25\n3\nx\n", "a:decimal(10,1)", [(Decimal("1.3"),), (Decimal(3),), (None,)], schema="a decimal(10,1)")
reads("times in a pattern", "csv", "02/03/2024\n", "a:timestamp", [(TIME(2024, 3, 2),)], schema="a timestamp", timestampFormat="dd/MM/yyyy")
reads("lineSep", "csv", "a;b;c,d;", "_c0:string", [("a",), ("b",), ("c",)], lineSep=";")
reads("another encoding", "csv", "é,1\n".encode("latin1"), "_c0:string,_c1:string", [("é", "1")], encoding="ISO-8859-1")
reads("an empty file", "csv", "", "", [], header=True)

put('{"a":1}\n', "part/day=2024-01-02/n=3/x.json"), put('{"a":2}\n', "part/day=2024-01-03/n=4/x.json"), put("", "part/_SUCCESS")
PART, OF = [str(scratch / "part")], [(1, DAY(2024, 1, 2), 3), (2, DAY(2024, 1, 3), 4)]
reads("directories say columns", "json", PART, "a:bigint,day:date,n:int", OF)
reads("directories say columns of a schema", "json", PART, "a:int,day:date,n:string", [(a, day, str(n)) for a, day, n in OF],
      schema="a int, n string")
reads("directories say columns", "text", PART, "value:string,day:date,n:int", [(f'{{"a":{a}}}', day, n) for a, day, n in OF])

finish()
