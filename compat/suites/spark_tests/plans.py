"""Plans that Spark's Scala client made, given to a server: `plans.py sc://HOST:PORT JAR analyse|run`.

Spark's own test asks of its server that it analyses each of them to what stands beside it. Here the names and the
number of the columns are compared (`analyse`), and each plan is carried out (`run`).
"""

import io
import sys
import tempfile
import uuid
import zipfile
from pathlib import Path

import explained
import grpc
import pyarrow
from google.protobuf.json_format import MessageToJson, Parse
from pyspark.sql.connect import proto
from pyspark.sql.connect.proto import base_pb2_grpc
from tap import finish, note

QUERIES, ANSWERS = "query-tests/queries/", "query-tests/explain-results/"
# Where the plans look for their files.
FILES = "../common/src/test/resources/query-tests/test-data/"
SECONDS = 30

SKIPPED = {
    "a plug-in of the test's own server": ["expression_extension", "relation_extension"],
    "a database that the test starts in its JVM": ["read_jdbc"],
    "a table of the test's own catalog": ["read_table", "table", "table_API_with_options", "streaming_table_API"],
    "a class of the JVM, called by its name": ["function_java_method", "function_reflect", "function_try_reflect"],
    "a function compiled for the JVM": ["select_typed", "function_udf", "filter_udf"],
    "a class that Protobuf's compiler made for the JVM": ["to_protobuf_messageClassName", "from_protobuf_messageClassName"],
    "Spark refuses it too: there is no plan beside it": ["transpose_index_column", "transpose_no_index"],
}


def skipped(plan):
    for reason, names in SKIPPED.items():
        if any(plan == name or name != "table" and plan.startswith(name) for name in names):
            return reason
    return None


class Door:
    """The calls of Spark Connect that are asked here, in one session."""

    def __init__(self, address):
        options = [("grpc.max_receive_message_length", 1 << 27)]
        self.stub = base_pb2_grpc.SparkConnectServiceStub(grpc.insecure_channel(address.removeprefix("sc://"), options))
        self.session = str(uuid.uuid4())
        self.user = proto.UserContext(user_id="tests")

    def names(self, plan):
        request = proto.AnalyzePlanRequest(session_id=self.session, user_context=self.user, client_type="tests")
        request.schema.plan.CopyFrom(plan)
        answer = self.stub.AnalyzePlan(request, timeout=SECONDS)
        return [field.name for field in answer.schema.schema.struct.fields]

    def rows(self, plan):
        """How many rows came; what came is read."""
        request = proto.ExecutePlanRequest(session_id=self.session, user_context=self.user, client_type="tests")
        request.plan.CopyFrom(plan)
        request.operation_id = str(uuid.uuid4())
        count = 0
        for answer in self.stub.ExecutePlan(request, timeout=SECONDS):
            if answer.HasField("arrow_batch"):
                with pyarrow.ipc.open_stream(io.BytesIO(answer.arrow_batch.data)) as stream:
                    count += stream.read_all().num_rows
        return count


def plan_of(jar, name, files):
    """The plan, with the files of its jar instead of those of Spark's source tree."""
    relation = proto.Relation.FromString(jar.read(f"{QUERIES}{name}.proto.bin"))
    text = MessageToJson(relation)
    if FILES in text:
        relation = Parse(text.replace(FILES, f"{files}/"), proto.Relation())
    return proto.Plan(root=relation)


def reason(error):
    return " ".join((error.details() or error.code().name).split()) if isinstance(error, grpc.RpcError) else str(error)


def main():
    address, path, deed = sys.argv[1:4]
    words = sys.argv[4:]
    door, jar = Door(address), zipfile.ZipFile(path)
    stored = set(jar.namelist())
    with tempfile.TemporaryDirectory() as scratch:
        data = [name for name in stored if name.startswith("query-tests/test-data/")]
        jar.extractall(scratch, data)
        files = Path(scratch) / "query-tests" / "test-data"
        for entry in sorted(name for name in stored if name.endswith(".proto.bin") and name.startswith(QUERIES)):
            name = entry.removeprefix(QUERIES).removesuffix(".proto.bin")
            if words and not any(word in name for word in words):
                continue
            why = skipped(name)
            if why or f"{ANSWERS}{name}.explain" not in stored:
                print(f"ok {name} # SKIP {why or 'Spark keeps no answer for it'}", flush=True)
                continue
            try:
                check(door, plan_of(jar, name, files), jar.read(f"{ANSWERS}{name}.explain").decode(), deed)
            except (grpc.RpcError, AssertionError, explained.Unreadable, pyarrow.ArrowInvalid) as error:
                print(f"not ok {name} - {reason(error)[:500]}", flush=True)
            else:
                note(name)


def check(door, plan, answer, deed):
    if deed == "run":
        return door.rows(plan)
    found = explained.difference(door.names(plan), explained.expected(answer))
    assert found is None, found


if __name__ == "__main__":
    main()
    finish()
