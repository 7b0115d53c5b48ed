"""Hands the batches of a streaming query to its function: `foreachBatch` and `foreach`.

The task lives as long as the query. Each message of data is a batch: a length, a description in JSON, and for `foreach`
the rows. The wish for the next one says that the function has done with it.
"""

import io
import json
import os
import struct


class UserFunctionError(Exception):
    """What a query's function raised, under the name that Spark has for it."""

    def __init__(self, kind, error):
        name, sink = ("FOREACH_BATCH", "foreach batch") if kind == "foreachBatch" else ("FOREACH", "foreach")
        reason = f"{type(error).__name__}: {error}"
        super().__init__(f"[{name}_USER_FUNCTION_ERROR] The function of the {sink} sink failed: {reason} SQLSTATE: 39000")


def run(task, command, connection):
    """Serves batches until the query ends."""
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    from pyspark.serializers import CPickleSerializer

    kind = task["kind"]
    # The session first: a function may bring it along, or frames of it.
    spark = session(task) if kind == "foreachBatch" else None
    function = CPickleSerializer().loads(command)
    each = rows(function[0]) if spark is None else frames(spark, function)
    while True:
        connection.send(b"W")
        told, data = connection.receive()
        if told != b"D":
            return
        (length,) = struct.unpack_from(">i", data)
        try:
            each(json.loads(data[4 : 4 + length]), data[4 + length :])
        except Exception as error:
            raise UserFunctionError(kind, error) from error


def session(task):
    """The script's own session, as the one that this process is in: it may have been in another's before."""
    from pyspark.sql.connect.session import SparkSession

    spark = SparkSession.builder.remote(f"sc://{task['connect']}/;session_id={task['session']}").create()
    SparkSession._default_session = SparkSession._active_session.session = spark
    return spark


def frames(spark, function):
    """`foreachBatch`: a frame of the script's session."""
    return lambda about, _: function(spark._create_remote_dataframe(about["frame"]), about["batch"])


def rows(function):
    """`foreach`: the rows, one by one; PySpark has put open, process and close into one function."""
    import pyarrow as pa
    from pyspark.sql.conversion import ArrowTableToRowsConversion
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.taskcontext import TaskContext

    def each(about, data):
        context = {"isBarrier": False, "stageId": 0, "partitionId": 0, "attemptNumber": 0, "taskAttemptId": 0}
        context |= {"cpus": 1, "resources": {}, "localProperties": {"streaming.sql.batchId": str(about["batch"])}}
        TaskContext._setTaskContext(TaskContext.from_json(context))
        table = pa.ipc.open_stream(io.BytesIO(data)).read_all()
        found = ArrowTableToRowsConversion.convert(table, from_arrow_schema(table.schema))
        for _ in function(0, iter(found)):
            pass
        TaskContext._setTaskContext(None)

    return each
