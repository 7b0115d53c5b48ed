"""Runs Python functions for the server: `python -m pelton.worker`, with a socket as standard input.

PySpark's own worker does the work: it reads the functions, turns Arrow into what they take and what they give into
Arrow. This file puts another conversation around it, one that never has both sides talking. A message is a kind, a
length and bytes. The server sends a task (`T`), then data (`D`) each time that it is asked, then the end (`E`). The
worker sends data (`D`), asks for more (`W`), tells what it measured (`P`), and says at last that it has finished (`F`) or failed (`X`, with the
traceback). So the server knows which rows were made of which, and neither waits for the other for ever.
"""

import faulthandler
import importlib
import io
import json
import os
import socket
import struct
import sys
import threading
import time
import traceback

HEAD = struct.Struct(">cI")
INT = struct.Struct(">i")
# A worker that nobody needs for so long ends.
IDLE_SECONDS = 60
FLUSH_BYTES = 1 << 20
# PySpark's number for table functions that know nothing of Arrow.
PICKLED_TABLE = 300


class Connection:
    """Messages over the socket."""

    def __init__(self, file):
        self.file = file

    def send(self, kind, *parts):
        self.file.write(HEAD.pack(kind, sum(map(len, parts))))
        for part in parts:
            self.file.write(part)
        self.file.flush()

    def receive(self):
        head = self.file.read(HEAD.size)
        if len(head) < HEAD.size:
            raise EOFError("the server has gone")
        kind, length = HEAD.unpack(head)
        return kind, self.file.read(length)


class Output(io.RawIOBase):
    """What PySpark writes, collected until somebody waits for it."""

    def __init__(self, connection):
        self.connection = connection
        self.parts = []
        self.bytes = 0

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self.parts.append(data)
        self.bytes += len(data)
        if self.bytes >= FLUSH_BYTES:
            self.flush()
        return len(data)

    def flush(self):
        if self.parts:
            parts, self.parts, self.bytes = self.parts, [], 0
            self.connection.send(b"D", *parts)


class Input(io.RawIOBase):
    """What PySpark reads: the bytes of the server's data, each asked for when the last are used up."""

    def __init__(self, connection, output):
        self.connection = connection
        self.output = output
        self.data = memoryview(b"")
        self.ended = False

    def readable(self):
        return True

    def more(self):
        self.output.flush()
        self.connection.send(b"W")
        kind, data = self.connection.receive()
        self.ended = kind == b"E"
        self.data = memoryview(data)

    def read(self, size=-1):
        parts = []
        while size != 0 and not (self.ended and not self.data):
            if not self.data:
                self.more()
                continue
            part = self.data[:size] if size > 0 else self.data
            self.data = self.data[len(part) :]
            parts.append(part)
            size = size - len(part) if size > 0 else size
        return parts[0].tobytes() if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer):
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def described(task, command):
    """The functions as PySpark's worker reads them: arguments, the chain of pickled functions, a number."""
    header = io.BytesIO()
    header.write(INT.pack(1))
    header.write(INT.pack(len(task["arguments"])))
    for offset, name in task["arguments"]:
        header.write(INT.pack(offset))
        header.write(b"\1" if name else b"\0")
        if name:
            header.write(INT.pack(len(name.encode())) + name.encode())
    header.write(INT.pack(1) + INT.pack(len(command)) + command + struct.pack(">q", task["profile"]))
    header.seek(0)
    return header


def version(task):
    """Refuses functions of another Python, as Spark does, and a PySpark that is driven otherwise."""
    import pyspark
    from pyspark.errors import PySparkRuntimeError

    mine = "%d.%d" % sys.version_info[:2]
    if task["python"] != mine:
        parameters = {"worker_version": mine, "driver_version": task["python"]}
        raise PySparkRuntimeError(errorClass="PYTHON_VERSION_MISMATCH", messageParameters=parameters)
    if not pyspark.__version__.startswith("4.2."):
        text = f"Python functions need PySpark 4.2; {sys.executable} has {pyspark.__version__}"
        raise RuntimeError(f"{text}. Install it: {sys.executable} -m pip install 'pyspark-client==4.2.0'")


def paths(task):
    """The session's uploaded modules, in front of what is installed; its files where PySpark looks for them."""
    for path in task["paths"]:
        if path not in sys.path:
            sys.path.insert(1, path)
    if task["paths"]:
        importlib.invalidate_caches()
    if task["files"]:
        # `SparkFiles` is not a part of `pyspark-client`: functions open the files by their names.
        os.chdir(task["files"])


class States:
    """What is remembered of a key, as the server keeps it. PySpark writes the values as Spark's own store holds them, and
    reads them as Python has them: in between is what Spark's side does, and here nobody else."""

    def __init__(self, pickles, schema):
        self.pickles = pickles
        self.schema = schema

    def dumps(self, values):
        return self.pickles.dumps(values)

    def loads(self, data):
        return self.schema.fromInternal(self.pickles.loads(data))


def conditions(task, worker):
    """What PySpark is told of the call."""

    class Evaluation(worker.EvalConf):
        # PySpark would read it in small letters, which are not those of its own names.
        @property
        def state_value_schema(self):
            from pyspark.sql.types import StructType

            return StructType.fromJson(json.loads(task["state_schema"]))

    return Evaluation()


def processor_states(task, worker):
    """What a `transformWithState` remembers of the keys of a batch."""
    if task["eval_type"] not in (211, 212, 213, 214):
        return None
    from pelton import processor

    return processor.answered_here(worker)


def functions(task, command, runner, evaluation):
    """What PySpark's worker makes of the functions."""
    from pyspark import worker

    kind = task["eval_type"]
    if task["table"] is None:
        return worker.read_udfs(worker.pickleSer, described(task, command), kind, runner, evaluation)
    from pelton import table

    evaluation._conf["table_arg_offsets"] = task["table"]["offsets"]
    call, *others = worker.read_udtf(worker.pickleSer, table.described(task, command), kind, runner, evaluation)
    if kind != PICKLED_TABLE:
        return call, *others
    from pelton import rows
    from pyspark.sql.types import _parse_datatype_json_string as parsed

    made = parsed(task["table"]["schema"])
    exchange = rows.Rows(evaluation.input_type, made, runner.binary_as_bytes)
    return call, None, exchange, exchange


def measured(connection):
    """Tells what PySpark measured of the functions, if it did."""
    from pyspark import accumulators as kept

    figures = kept._accumulatorRegistry.get(kept.SpecialAccumulatorIds.SQL_UDF_PROFIER_V2)
    if figures is not None and figures._value:
        connection.send(b"P", kept.pickleSer.dumps((figures.aid, figures._value)))


def analyze(task, command, connection):
    """What a table function says of a call before it runs."""
    version(task)
    paths(task)
    from pelton import table

    return table.analyze(task, command)


def source(task, command, connection):
    """What a data source says of itself, of its parts, or of rows written to it."""
    version(task)
    paths(task)
    from pelton import source

    return source.ask(task, command)


def run(task, command, connection):
    """One task: the functions over all batches that come."""
    version(task)
    paths(task)
    from pyspark import worker
    from pyspark.taskcontext import TaskContext

    about = {"isBarrier": False, "stageId": 0, "partitionId": task["partition"], "attemptNumber": 0}
    about |= {"taskAttemptId": 0, "cpus": task["cpus"], "resources": {}, "localProperties": {}}
    TaskContext._setTaskContext(TaskContext.from_json(about))
    runner, evaluation = worker.RunnerConf(), conditions(task, worker)
    runner._conf.update(task["settings"])
    if task["settings"].get("spark.sql.execution.pyspark.udf.faulthandler.enabled") == "true":
        # Where it was goes to the server's own errors.
        faulthandler.enable()
    if task["window"] is not None:
        runner._conf["window_bound_types"] = task["window"]
    if task["input_type"] is not None:
        evaluation._conf["input_type"] = task["input_type"]
    states = processor_states(task, worker)
    if states is not None:
        # Nobody listens there: the states are here.
        evaluation._conf["state_server_socket_port"] = "0"
    worker._accumulatorRegistry.clear()
    call, _, deserializer, serializer = functions(task, command, runner, evaluation)
    if task["state_schema"] is not None:
        deserializer.pickleSer = States(deserializer.pickleSer, evaluation.state_value_schema)
    output = Output(connection)
    data = Input(connection, output)
    if states is not None:
        states.load(data)
    rows = call(task["partition"], deserializer.load_stream(data))
    try:
        serializer.dump_stream(rows, output)
    finally:
        if hasattr(rows, "close"):
            rows.close()
    output.flush()
    TaskContext._setTaskContext(None)
    measured(connection)
    return b"" if states is None else states.dump()


def batches(task, command, connection):
    """The function of a streaming query."""
    version(task)
    paths(task)
    from pelton import batches

    batches.run(task, command, connection)


def alone(parent):
    """Ends with the server, even out of an endless loop."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def first_to_go():
    """When memory runs out, the system shall take this process and not the server."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass


def main():
    sock = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    first_to_go()
    threading.Thread(target=alone, args=(os.getppid(),), daemon=True).start()
    connection = Connection(sock.makefile("rwb", 1 << 16))
    while True:
        sock.settimeout(IDLE_SECONDS)
        try:
            kind, data = connection.receive()
        except (EOFError, OSError):
            return
        sock.settimeout(None)
        if kind != b"T":
            continue
        (length,) = INT.unpack_from(data)
        task = json.loads(data[4 : 4 + length])
        try:
            work = {"function": run, "analyze": analyze, "source": source}.get(task["kind"], batches)
            last = work(task, data[4 + length :], connection)
            sys.stdout.flush()
            connection.send(b"F", last or b"")
        except EOFError:
            return
        except BaseException:
            sys.stdout.flush()
            connection.send(b"X", traceback.format_exc().encode())


if __name__ == "__main__":
    main()
