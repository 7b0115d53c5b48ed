"""Data sources of Python (`spark.dataSource.register`): what PySpark's own modules say when a source is made, read,
written or committed. Each takes its task as a file and writes its answer into another."""

import importlib
import io
import json
import struct

INT = struct.Struct(">i")
# Rows of a batch that a reader's rows are put into.
ROWS = 10_000


def block(data):
    return INT.pack(len(data)) + data


def text(words):
    return block(words.encode())


def flag(value):
    return b"\1" if value else b"\0"


def options(task):
    parts = [INT.pack(len(task["options"]))]
    return parts + [text(word) for pair in task["options"].items() for word in pair]


def made(answer):
    """What `create_data_source` writes."""
    source, is_text = answer(), INT.unpack(answer(4))[0]
    return {"source": source.hex(), "is_text": bool(is_text), "schema": answer().decode()}


def read(answer):
    """What `plan_data_source_read` writes."""
    function = answer()
    return {"function": function.hex(), "partitions": [answer().hex() for _ in range(INT.unpack(answer(4))[0])]}


def written(answer):
    """What `write_into_data_source` writes."""
    return {"function": answer().hex(), "writer": answer().hex()}


def asked(task, code):
    """The module that is asked, what it reads, and how its answer is read."""
    partition = json.dumps({"type": "struct", "fields": [field("partition")]})
    match task["asks"]:
        case "make":
            schema = [flag(task["schema"])] + ([text(task["schema"])] if task["schema"] else [])
            return "create_data_source", [block(code), text(task["name"]), *schema, *options(task)], made
        case "read":
            parts = [block(code), text(partition), text(task["schema"]), INT.pack(ROWS)]
            parts += [flag(task["pushes"]), flag(False), flag(True)]
            return "plan_data_source_read", parts, read
        case "write":
            message = json.dumps({"type": "struct", "fields": [field("message")]})
            parts = [block(code), text(task["name"]), text(task["schema"]), text(message), *options(task)]
            return "write_into_data_source", [*parts, flag(task["overwrite"]), flag(False), flag(True)], written
        case "commit":
            messages = [block(bytes.fromhex(message)) for message in task["messages"]]
            parts = [block(code), INT.pack(len(messages)), *messages, flag(task["abort"])]
            return "commit_data_source_write", parts, lambda answer: {}


def field(name):
    return {"name": name, "type": "binary", "nullable": True, "metadata": {}}


def ask(task, code):
    """What the module says, as JSON."""
    name, parts, meaning = asked(task, code)
    module = importlib.import_module(f"pyspark.sql.worker.{name}")
    answer = io.BytesIO()
    module._main(io.BytesIO(b"".join(parts)), answer)
    answer.seek(0)

    def take(size=None):
        return answer.read(INT.unpack(answer.read(4))[0] if size is None else size)

    return json.dumps(meaning(take)).encode()
