"""Hands the batches of a streaming query to its function: `foreachBatch` and `foreach`.

The task lives as long as the query. Each message of data is a batch: a length, a description in JSON, and for `foreach`
the rows. The wish for the next one says that the function has done with it.
"""

import io
import json
import os
import struct


def run(task, command, connection):
    """Serves batches until the query ends."""
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    from pyspark.serializers import CPickleSerializer

    function = CPickleSerializer().loads(command)
    each = frames(task, function) if task["kind"] == "foreachBatch" else rows(task, function[0])
    while True:
        connection.send(b"W")
        kind, data = connection.receive()
        if kind != b"D":
            return
        (length,) = struct.unpack_from(">i", data)
        each(json.loads(data[4 : 4 + length]), data[4 + length :])


def frames(task, function):
    """`foreachBatch`: a frame of the script's own session."""
    from pyspark.sql.connect.session import SparkSession

    spark = SparkSession.builder.remote(f"sc://{task['connect']}/;session_id={task['session']}").getOrCreate()
    return lambda about, _: function(spark._create_remote_dataframe(about["frame"]), about["batch"])


def rows(task, function):
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
