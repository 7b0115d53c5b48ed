"""Rows for table functions that know nothing of Arrow.

Spark hands such a function pickled rows, and takes what it gives as values of the declared types: a number is cut to the
type's bits, anything becomes a text, and what does not fit is null. Here rows come as Arrow and go as Arrow, one batch for
each row that the function was given; in between they are what PySpark's worker expects.
"""

from pelton import types as kept
from pyspark.sql import types
from pyspark.sql.conversion import ArrowTableToRowsConversion
from pyspark.sql.pandas.serializers import ArrowStreamSerializer
from pyspark.sql.pandas.types import to_arrow_type

TIMES = (types.DateType, types.TimestampType, types.TimestampNTZType, types.DayTimeIntervalType)


class Rows:
    """Stands in the place of the serializer of pickled rows."""

    def __init__(self, given, made, binary_as_bytes):
        self.given = given
        self.made = made
        self.binary_as_bytes = binary_as_bytes

    def load_stream(self, stream):
        import pyarrow

        for batch in ArrowStreamSerializer().load_stream(stream):
            table = pyarrow.Table.from_batches([batch])
            rows = ArrowTableToRowsConversion.convert(table, self.given, binary_as_bytes=self.binary_as_bytes)
            yield from map(tuple, rows)

    def dump_stream(self, iterator, stream):
        import pyarrow

        kind = to_arrow_type(self.made, timezone="UTC")
        schema = pyarrow.schema([("_0", kind)])
        with pyarrow.ipc.new_stream(stream, schema) as writer:
            for rows in iterator:
                values = [told(self.made, row) for row in rows if row is not None]
                writer.write_batch(pyarrow.record_batch([pyarrow.array(values, type=kind)], schema=schema))


def java_text(value):
    """A value's text, as Java has it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{java_text(key)}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(java_text, value)) + "]"
    return str(value)


def told(kind, value):
    """A value that PySpark has made its own, as Spark takes it in this type."""
    if value is None:
        return None
    if isinstance(kind, types.UserDefinedType):
        return told(kind.sqlType(), value)
    if isinstance(kind, types.StructType):
        if isinstance(value, dict):
            value = [value.get(name) for name in kind.names]
        if not isinstance(value, (list, tuple)):
            return None
        # By place: two fields may have one name.
        return tuple(told(field.dataType, item) for field, item in zip(kind.fields, value))
    if isinstance(kind, types.ArrayType):
        return [told(kind.elementType, item) for item in value] if isinstance(value, (list, tuple)) else None
    if isinstance(kind, types.MapType):
        if not isinstance(value, dict):
            return None
        return [(told(kind.keyType, key), told(kind.valueType, item)) for key, item in value.items()]
    if isinstance(kind, types.StringType):
        return java_text(value)
    if isinstance(kind, TIMES):
        # Days and microseconds already.
        return value if isinstance(value, int) else None
    return kept.fitted(kind, value)
