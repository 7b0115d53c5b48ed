"""Rows as text as Hive printed them, which is how Spark's SQL tests keep what they expect."""

import base64
import datetime
import math
import re
from zoneinfo import ZoneInfo

import pyarrow
from pyspark.sql import types

ZONE = ZoneInfo("America/Los_Angeles")
EPOCH = datetime.datetime(1970, 1, 1)
STYLES = {
    "UTF-8": lambda value: value.decode("utf-8", errors="replace"),
    "BASE64": lambda value: base64.b64encode(value).decode().rstrip("="),
    "BASIC": lambda value: str(list(value)),
    "HEX": lambda value: value.hex().upper(),
    "HEX_DISCRETE": lambda value: "[" + " ".join(f"{byte:02X}" for byte in value) + "]",
}
binary = STYLES["UTF-8"]
NUMBER = re.compile(r"-?\d+\.\d+(?:E-?\d+)?")


def lines(table, schema, style="UTF-8"):
    """Each row as a line; `style` is how bytes are written."""
    global binary
    binary = STYLES[style.upper()]
    columns = []
    for number, field in enumerate(schema.fields):
        columns.append([text(value, field.dataType) for value in values(table.column(number), field.dataType)])
    return ["\t".join(row) for row in zip(*columns)] if columns else []


def values(column, kind):
    """Times as numbers, since those of Python end with the year 9999."""
    if isinstance(kind, types.DateType):
        return column.cast(pyarrow.int32()).to_pylist()
    if isinstance(kind, (types.TimestampType, types.TimestampNTZType)):
        return column.cast(pyarrow.timestamp("us", column.type.tz)).cast(pyarrow.int64()).to_pylist()
    return column.to_pylist()


def text(value, kind, nested=False):
    if value is None:
        return "null" if nested else "NULL"
    if isinstance(kind, types.BooleanType):
        return "true" if value else "false"
    if isinstance(kind, (types.FloatType, types.DoubleType)):
        return real(value, isinstance(kind, types.FloatType))
    if isinstance(kind, types.DecimalType):
        return format(value, "f")
    if isinstance(kind, types.BinaryType):
        return binary(value)
    if isinstance(kind, types.DateType):
        return date(value)
    if isinstance(kind, (types.TimestampType, types.TimestampNTZType)):
        return timestamp(value, isinstance(kind, types.TimestampType))
    if isinstance(kind, types.DayTimeIntervalType):
        return day_time(value)
    if isinstance(kind, types.ArrayType):
        return "[" + ",".join(text(entry, kind.elementType, True) for entry in value) + "]"
    if isinstance(kind, types.MapType):
        pairs = value.items() if isinstance(value, dict) else value
        shown = (f"{text(k, kind.keyType, True)}:{text(v, kind.valueType, True)}" for k, v in pairs)
        return "{" + ",".join(sorted(shown)) + "}"
    if isinstance(kind, types.StructType):
        entries = value.values() if isinstance(value, dict) else value
        shown = (f'"{f.name}":{text(entry, f.dataType, True)}' for f, entry in zip(kind.fields, entries))
        return "{" + ",".join(shown) + "}"
    if nested and isinstance(kind, types.StringType):
        return f'"{value}"'
    return str(value)


def real(value, single):
    """As Java writes it: plain between 10^-3 and 10^7, otherwise with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    shown = shortest(value) if single else repr(value)
    sign, digits, exponent = decimal_parts(shown)
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
        whole, rest = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
        return f"{sign}{whole}.{rest or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def shortest(value):
    """The fewest digits that tell this FLOAT from its neighbours."""
    single = pyarrow.scalar(value, pyarrow.float32())
    for precision in range(1, 10):
        shown = f"{value:.{precision}g}"
        if pyarrow.scalar(float(shown), pyarrow.float32()).equals(single):
            return shown
    return repr(value)


def decimal_parts(shown):
    """Sign, digits without zeros at either end, and the power of ten of the first digit."""
    sign = "-" if shown.startswith("-") else ""
    mantissa, _, power = shown.lstrip("-").partition("e")
    whole, _, rest = mantissa.partition(".")
    digits = whole + rest
    leading = len(digits) - len(digits.lstrip("0"))
    return sign, digits.strip("0") or "0", int(power or 0) + len(whole) - 1 - leading


def civil(days):
    """The year, month and day of a count of days since 1970, of any size."""
    eras, rest = divmod(days + 719468, 146097)
    of_era = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    day = rest - (365 * of_era + of_era // 4 - of_era // 100)
    month = (5 * day + 2) // 153
    year = of_era + eras * 400 + (month >= 10)
    return year, month + 3 if month < 10 else month - 9, day - (153 * month + 2) // 5 + 1


def date(value):
    days = value if isinstance(value, int) else (value - EPOCH.date()).days
    year, month, day = civil(days)
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04}-{month:02}-{day:02}"


def timestamp(value, zoned):
    if isinstance(value, datetime.datetime):
        value = micros(value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value)
    if zoned:
        value += micros_of_offset(value)
    days, rest = divmod(value, 86_400_000_000)
    seconds, fraction = divmod(rest, 1_000_000)
    shown = f"{date(days)} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return shown + (f".{fraction:06}".rstrip("0") if fraction else "")


def micros(moment):
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def micros_of_offset(value):
    try:
        moment = datetime.datetime.fromtimestamp(value // 1_000_000, ZONE)
    except (OverflowError, ValueError, OSError):
        return 0
    return moment.utcoffset() // datetime.timedelta(microseconds=1)


def day_time(value):
    """`1 02:03:04.000000000`."""
    total = value if isinstance(value, int) else value // datetime.timedelta(microseconds=1)
    sign, total = ("-" if total < 0 else ""), abs(total)
    seconds, fraction = divmod(total, 1_000_000)
    days, seconds = divmod(seconds, 86400)
    return f"{sign}{days} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction * 1000:09}"


def same(found, wanted):
    """Equal but for the last bits of fractions, where libraries of mathematics differ."""
    if found == wanted:
        return True
    if len(found) != len(wanted):
        return False
    return all(ours == theirs or nearly(ours, theirs) for ours, theirs in zip(found, wanted))


def nearly(ours, theirs):
    if NUMBER.sub("#", ours) != NUMBER.sub("#", theirs):
        return False
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs))
    return all(math.isclose(float(a), float(b), rel_tol=4 * 2.0**-52) for a, b in pairs)
