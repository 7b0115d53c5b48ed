"""Values of states in the types that a processor declares for them.

Spark's side takes what Python gave as its own row of that type: a number is cut to the type's bits, anything becomes a text,
and what does not fit is null. A row of another length is refused, and what should be a time and is none. That is done here.
"""

import decimal
import re

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import types

BITS = {types.ByteType: 8, types.ShortType: 16, types.IntegerType: 32, types.LongType: 64}
NAMES = {
    "boolean": types.BooleanType, "tinyint": types.ByteType, "byte": types.ByteType, "smallint": types.ShortType,
    "short": types.ShortType, "int": types.IntegerType, "integer": types.IntegerType, "bigint": types.LongType,
    "long": types.LongType, "float": types.FloatType, "real": types.FloatType, "double": types.DoubleType,
    "string": types.StringType, "binary": types.BinaryType, "date": types.DateType, "timestamp": types.TimestampType,
    "timestamp_ltz": types.TimestampType, "timestamp_ntz": types.TimestampNTZType, "void": types.NullType,
}
WORDS = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|[\w.]+|\S")


class Words:
    """A schema as text: `a INT NOT NULL, b STRUCT<x: ARRAY<STRING>>`."""

    def __init__(self, text):
        self.words = WORDS.findall(text)

    def peek(self):
        return self.words[0].lower() if self.words else None

    def take(self, wanted=None):
        if not self.words or (wanted is not None and self.peek() != wanted):
            raise ValueError(f"expected {wanted or 'more'} at {' '.join(self.words) or 'the end'}")
        return self.words.pop(0)

    def has(self, wanted):
        return self.peek() == wanted and self.take() is not None

    def fields(self):
        found = [self.field()]
        while self.has(","):
            found.append(self.field())
        return types.StructType(found)

    def field(self):
        name = self.take()
        name = name[1:-1].replace("``", "`") if name.startswith("`") else name
        self.has(":")
        kind, nullable = self.kind(), True
        if self.has("not"):
            self.take("null")
            nullable = False
        if self.has("comment"):
            self.take()
        return types.StructField(name, kind, nullable)

    def kind(self):
        word = self.take().lower()
        if word == "array":
            return self.within(lambda: types.ArrayType(self.kind()))
        if word == "map":
            return self.within(lambda: types.MapType(self.kind(), self.take(",") and self.kind()))
        if word == "struct":
            return self.within(self.fields)
        if word in ("decimal", "dec", "numeric"):
            numbers = self.numbers() or [10, 0]
            return types.DecimalType(numbers[0], numbers[1] if len(numbers) > 1 else 0)
        if word in ("varchar", "char"):
            self.numbers()
            return types.StringType()
        if word not in NAMES:
            raise ValueError(f"unknown type {word}")
        return NAMES[word]()

    def within(self, inside):
        self.take("<")
        found = inside()
        self.take(">")
        return found

    def numbers(self):
        found = []
        if self.has("("):
            found.append(int(self.take()))
            while self.has(","):
                found.append(int(self.take()))
            self.take(")")
        return found


def row(schema):
    """The type of a row, which may be given as text."""
    if not isinstance(schema, str):
        return schema
    words = Words(schema)
    found = words.fields()
    if words.words:
        raise ValueError(f"the schema {schema} goes on with {' '.join(words.words)}")
    return found


def fitted_row(schema, values):
    """A row as Spark would keep it."""
    if len(values) != len(schema.fields):
        raise PySparkRuntimeError(
            "Input row doesn't have expected number of values required by the schema. "
            f"{len(schema.fields)} fields are required while {len(values)} values are provided."
        )
    return tuple(fitted(field.dataType, value) for field, value in zip(schema.fields, values))


def fitted(kind, value):
    """A value as Spark would keep it."""
    if value is None:
        return None
    if type(kind) in BITS:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        half = 1 << (BITS[type(kind)] - 1)
        return (value + half) % (2 * half) - half
    if isinstance(kind, types.StringType):
        return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(kind, types.BinaryType):
        return value.encode() if isinstance(value, str) else value if isinstance(value, (bytes, bytearray)) else None
    if isinstance(kind, types.DecimalType):
        return exact(kind, value)
    if isinstance(kind, (types.ArrayType, types.MapType, types.StructType)):
        return nested(kind, value)
    if isinstance(kind, (types.DateType, types.TimestampType, types.TimestampNTZType)):
        # What is no time raises here, as it does there.
        return kind.fromInternal(kind.toInternal(value))
    plain = {types.BooleanType: bool, types.FloatType: float, types.DoubleType: float}.get(type(kind), object)
    return value if isinstance(value, plain) else None


def exact(kind, value):
    if not isinstance(value, decimal.Decimal):
        return None
    rounded = value.quantize(decimal.Decimal(1).scaleb(-kind.scale), rounding=decimal.ROUND_HALF_UP)
    return rounded if len(rounded.as_tuple().digits) <= kind.precision else None


def nested(kind, value):
    if isinstance(kind, types.ArrayType):
        return [fitted(kind.elementType, item) for item in value] if isinstance(value, (list, tuple)) else None
    if isinstance(kind, types.MapType):
        if not isinstance(value, dict):
            return None
        return {fitted(kind.keyType, key): fitted(kind.valueType, item) for key, item in value.items()}
    if isinstance(value, dict):
        value = [value.get(name) for name in kind.names]
    return types._create_row(kind.names, fitted_row(kind, value)) if isinstance(value, (list, tuple)) else None
