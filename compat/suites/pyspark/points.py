"""Types of a script's own, in a module that client and workers import: Spark makes them anew from their names."""

from pyspark.sql.types import ArrayType, DoubleType, IntegerType, StringType, StructField, StructType, UserDefinedType


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    def __repr__(self):
        return f"Point({self.x}, {self.y})"


class PointType(UserDefinedType):
    """A point as two numbers."""

    @classmethod
    def sqlType(cls):
        return ArrayType(DoubleType(), False)

    @classmethod
    def module(cls):
        return "points"

    def serialize(self, point):
        return [point.x, point.y]

    def deserialize(self, numbers):
        return Point(*numbers)


class Named:
    def __init__(self, name, number):
        self.name, self.number = name, number

    def __eq__(self, other):
        return isinstance(other, Named) and (self.name, self.number) == (other.name, other.number)


class NamedType(UserDefinedType):
    """A name and a number as a struct."""

    @classmethod
    def sqlType(cls):
        return StructType([StructField("name", StringType()), StructField("number", IntegerType())])

    @classmethod
    def module(cls):
        return "points"

    def serialize(self, named):
        return (named.name, named.number)

    def deserialize(self, row):
        return Named(row[0], row[1])


Point.__UDT__ = PointType()
Named.__UDT__ = NamedType()
