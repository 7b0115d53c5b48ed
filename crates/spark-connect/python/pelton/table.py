"""Table functions (`udtf`): what PySpark's worker is told of a call, and what a call's `analyze` says."""

import io
import json
import struct

INT = struct.Struct(">i")


def text(words):
    data = words.encode()
    return INT.pack(len(data)) + data


def described(task, command):
    """The call as PySpark's worker reads it."""
    table = task["table"]
    parts = [INT.pack(len(task["arguments"]))]
    for offset, name in task["arguments"]:
        parts += [INT.pack(offset), b"\1" + text(name) if name else b"\0"]
    parts.append(INT.pack(len(table["partition"])))
    parts += [INT.pack(place) for place in table["partition"]]
    if table["analyzed"] is None:
        parts.append(b"\0")
    else:
        analyzed = bytes.fromhex(table["analyzed"])
        parts += [b"\1", INT.pack(len(analyzed)), analyzed]
    parts += [INT.pack(len(command)), command, text(table["schema"]), text(table["name"])]
    return io.BytesIO(b"".join(parts))


def values(task):
    """The arguments that are the same for every row, by their place."""
    import pyarrow as pa
    from pyspark.sql.conversion import ArrowTableToRowsConversion
    from pyspark.sql.pandas.types import from_arrow_schema

    table = pa.ipc.open_stream(io.BytesIO(bytes.fromhex(task["values"]))).read_all()
    if not table.num_columns:
        return {}
    (row,) = ArrowTableToRowsConversion.convert(table, from_arrow_schema(table.schema))
    return {int(name): value for name, value in zip(table.column_names, row)}


def analyze(task, command):
    """Asks the function's `analyze` about a call; its answer as JSON."""
    from pyspark.serializers import CPickleSerializer
    from pyspark.sql.types import _parse_datatype_json_string
    from pyspark.sql.worker import analyze_udtf

    pickles, known = CPickleSerializer(), values(task)
    parts = [text(task["name"]), INT.pack(len(command)), command, INT.pack(len(task["arguments"]))]
    for place, argument in enumerate(task["arguments"]):
        parts += [text(argument["type"]), b"\1" if place in known else b"\0"]
        if place in known:
            kind = _parse_datatype_json_string(argument["type"])
            value = kind.toInternal(known[place]) if kind.needConversion() else known[place]
            value = pickles.dumps(value)
            parts += [INT.pack(len(value)), value]
        parts.append(b"\1" if argument["table"] else b"\0")
        parts.append(b"\1" + text(argument["name"]) if argument["name"] else b"\0")
    answer = io.BytesIO()
    analyze_udtf._main(io.BytesIO(b"".join(parts)), answer)
    answer.seek(0)
    return json.dumps(read(answer)).encode()


def read(answer):
    """What `analyze_udtf` writes."""
    number = lambda: INT.unpack(answer.read(4))[0]  # noqa: E731
    data = lambda: answer.read(number())  # noqa: E731
    words = lambda: data().decode()  # noqa: E731
    about = {"schema": words(), "analyzed": data().hex(), "single": number() == 1}
    about["partition"] = [words() for _ in range(number())]
    about["order"] = [{"name": words(), "ascending": number() == 1, "nulls": number()} for _ in range(number())]
    about["select"] = [{"name": words(), "alias": words()} for _ in range(number())]
    return about
