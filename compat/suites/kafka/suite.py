"""The `kafka-*.sh` programs of Apache Kafka: the classes behind the scripts, with the options that people give them."""

import re
import subprocess
from pathlib import Path

import jvm
from apache_kafka import VERSION
from suite import Skip, Suite

HERE = Path(__file__).resolve().parent
TOOLS = "org.apache.kafka.tools."


class Tools:
    """Runs one tool after another against one server."""

    def __init__(self, this):
        self.this = this
        self.path = jvm.class_path(HERE / "pom.xml")

    def command(self, tool, *arguments):
        options = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        name = tool if tool.startswith("kafka.") else TOOLS + tool
        # The sub-command of a tool that has some comes first.
        first = [arguments[0]] if arguments and arguments[0] == "cluster-id" else []
        rest = [str(word) for word in arguments[len(first) :]]
        return ["java", *options, "-cp", self.path, name, *first, "--bootstrap-server", self.this.address, *rest]

    def run(self, tool, *arguments):
        return self.this.output(self.command(tool, *arguments), minutes=1)

    def feed(self, lines, tool, *arguments):
        """For the tools that read standard input."""
        text = "".join(line + "\n" for line in lines)
        done = subprocess.run(self.command(tool, *arguments), input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def file(self, name, text):
        path = self.this.directory / name
        path.write_text(text)
        return path


def contains(text, *wanted):
    for pattern in wanted:
        assert re.search(pattern, text, re.MULTILINE), f"no {pattern!r} in {text[-700:]!r}"


def run(this):
    if jvm.missing():
        raise Skip(jvm.missing())
    tools = Tools(this)
    for name, deed in DEEDS.items():
        this.check(name, lambda deed=deed: deed(tools))


def topics(tools):
    topic = ("--topic", "events")
    tools.run("TopicCommand", "--create", *topic, "--partitions", 2, "--config", "retention.ms=100000")
    tools.run("TopicCommand", "--create", *topic, "--if-not-exists")
    contains(tools.run("TopicCommand", "--list"), "^events$")
    text = tools.run("TopicCommand", "--describe", *topic)
    contains(text, "TopicId: ", "PartitionCount: 2", "ReplicationFactor: 1", "retention.ms=100000", "Partition: 1\tLeader: ")
    tools.run("TopicCommand", "--alter", *topic, "--partitions", 3)
    contains(tools.run("TopicCommand", "--describe", *topic), "PartitionCount: 3")
    tools.run("TopicCommand", "--create", "--topic", "passing")
    tools.run("TopicCommand", "--delete", "--topic", "passing")
    assert "passing" not in tools.run("TopicCommand", "--list")


def produce(tools):
    lines = [f"key-{n}:value-{n}" for n in range(30)]
    options = ("--topic", "events", "--reader-property", "parse.key=true", "--reader-property", "key.separator=:")
    tools.feed(lines, "ConsoleProducer", *options, "--compression-codec", "zstd")
    options = ("--topic", "events", "--from-beginning", "--max-messages", 30, "--timeout-ms", 20000)
    show = [f"print.{what}=true" for what in ("key", "offset", "partition", "timestamp", "headers")]
    shown = [word for what in show for word in ("--formatter-property", what)]
    text = tools.run("consumer.ConsoleConsumer", *options, *shown, "--group", "console")
    for n in range(30):
        contains(text, f"^CreateTime:\\d+\tPartition:\\d\tOffset:\\d+\tNO_HEADERS\tkey-{n}\tvalue-{n}$")


def groups(tools):
    text = tools.run("consumer.group.ConsumerGroupCommand", "--describe", "--group", "console")
    contains(text, r"^console +events +0 +\d+ +\d+ +0 ")
    contains(tools.run("consumer.group.ConsumerGroupCommand", "--list", "--state"), "^console +.*Empty")
    contains(tools.run("consumer.group.ConsumerGroupCommand", "--describe", "--group", "console", "--state"), "Empty")
    options = ("--group", "console", "--topic", "events", "--execute")
    text = tools.run("consumer.group.ConsumerGroupCommand", "--reset-offsets", *options, "--to-earliest")
    contains(text, r"^console +events +2 +0")
    tools.run("consumer.group.ConsumerGroupCommand", "--reset-offsets", *options, "--to-datetime", "2020-01-01T00:00:00.000")
    tools.run("consumer.group.ConsumerGroupCommand", "--delete-offsets", "--group", "console", "--topic", "events")
    tools.run("consumer.group.ConsumerGroupCommand", "--delete", "--group", "console")
    assert "console" not in tools.run("consumer.group.ConsumerGroupCommand", "--list")
    contains(tools.run("GroupsCommand", "--list"), "GROUP")


def modern_group(tools):
    options = ("--topic", "events", "--from-beginning", "--max-messages", 30, "--timeout-ms", 20000, "--group", "modern")
    properties = ("--command-property", "group.protocol=consumer")
    assert tools.run("consumer.ConsoleConsumer", *options, *properties).count("value-") == 30
    contains(tools.run("consumer.group.ConsumerGroupCommand", "--list", "--type"), "^modern +Consumer")


def settings(tools):
    at = ("--entity-type", "topics", "--entity-name", "events")
    configs = "kafka.admin.ConfigCommand"
    tools.run(configs, "--alter", *at, "--add-config", "retention.ms=5000000,cleanup.policy=[compact,delete]")
    text = tools.run(configs, "--describe", *at)
    contains(text, "retention.ms=5000000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=5000000", "compact,delete")
    tools.run(configs, "--alter", *at, "--delete-config", "retention.ms")
    assert "retention.ms=5000000" not in tools.run(configs, "--describe", *at)
    contains(tools.run(configs, "--describe", *at, "--all"), r"segment.bytes=\d+", "retention.ms=604800000")


def broker_settings(tools):
    text = tools.run("kafka.admin.ConfigCommand", "--describe", "--entity-type", "brokers", "--all")
    contains(text, "log.retention.hours=168", "message.max.bytes=1048588", "num.partitions=")


def offsets(tools):
    contains(tools.run("GetOffsetShell", "--topic", "events"), r"^events:0:\d+$", r"^events:2:\d+$")
    contains(tools.run("GetOffsetShell", "--topic", "events", "--time", "earliest"), "^events:1:0$")
    contains(tools.run("GetOffsetShell", "--topic", "events", "--time", "max-timestamp"), r"^events:0:\d+$")


def delete_records(tools):
    upto = '{"partitions": [{"topic": "events", "partition": 0, "offset": 3}], "version": 1}'
    contains(tools.run("DeleteRecordsCommand", "--offset-json-file", tools.file("upto.json", upto)), "low_watermark: 3")
    contains(tools.run("GetOffsetShell", "--topic", "events", "--time", "earliest"), "^events:0:3$")


def transactions(tools):
    tools.run("TransactionsCommand", "list")
    contains(tools.run("TransactionsCommand", "describe-producers", "--topic", "events", "--partition", 0), "ProducerId")
    contains(tools.run("TransactionsCommand", "find-hanging", "--broker-id", node(tools)), "Topic")


def node(tools):
    text = tools.run("BrokerApiVersionsCommand")
    return re.search(r"\(id: (\d+) ", text).group(1)


def api_versions(tools):
    text = tools.run("BrokerApiVersionsCommand")
    contains(text, r"Produce\(0\): 0 to 1\d ", r"Fetch\(1\): \d+ to 1\d ", r"ConsumerGroupHeartbeat\(68\): \d", "EndTxn")


def directories(tools):
    contains(tools.run("LogDirsCommand", "--describe", "--topic-list", "events"), '"partition":"events-0","size":[1-9]')


def features(tools):
    text = tools.run("FeatureCommand", "describe")
    contains(text, "Feature: transaction.version", "Feature: group.version", "Feature: metadata.version")


def quorum(tools):
    contains(tools.run("MetadataQuorumCommand", "describe", "--status"), "LeaderId: ", "CurrentVoters: ")
    contains(tools.run("MetadataQuorumCommand", "describe", "--replication"), "Leader")


def cluster(tools):
    contains(tools.run("ClusterTool", "cluster-id"), "Cluster ID: ")


def performance(tools):
    tools.run("TopicCommand", "--create", "--topic", "fast")
    options = ("--topic", "fast", "--num-records", 20000, "--record-size", 100, "--throughput", -1)
    contains(tools.run("ProducerPerformance", *options), "20000 records sent")
    options = ("--topic", "fast", "--transaction-duration-ms", 100, "--num-records", 2000, "--record-size", 100)
    contains(tools.run("ProducerPerformance", *options, "--throughput", -1), "2000 records sent")
    text = tools.run("ConsumerPerformance", "--topic", "fast", "--num-records", 20000, "--timeout", 20000)
    contains(text, "data.consumed.in.nMsg|nMsg.sec")


def verifiable(tools):
    options = ("--topic", "verified", "--max-messages", 100)
    tools.run("TopicCommand", "--create", "--topic", "verified")
    contains(tools.run("VerifiableProducer", *options), '"acked":100')
    contains(tools.run("VerifiableConsumer", *options, "--group-id", "verified"), '"name":"records_consumed"')


def end_to_end(tools):
    text = tools.run("EndToEndLatency", "--topic", "latency", "--num-records", 200, "--producer-acks", "all", "--record-size", 100)
    contains(text, "Avg latency", "Percentiles")


def reassign(tools):
    plan = '{"version": 1, "partitions": [{"topic": "verified", "partition": 0, "replicas": [%s]}]}' % node(tools)
    path = tools.file("plan.json", plan)
    tools.run("reassign.ReassignPartitionsCommand", "--reassignment-json-file", path, "--execute")
    contains(tools.run("reassign.ReassignPartitionsCommand", "--list"), "No partition reassignments found")


def elect(tools):
    tools.run("LeaderElectionCommand", "--election-type", "preferred", "--topic", "verified", "--partition", 0)


def metrics(tools):
    tools.run("ClientMetricsCommand", "--list")


DEEDS = {
    "kafka-topics": topics,
    "kafka-console-producer and -consumer": produce,
    "kafka-consumer-groups, kafka-groups": groups,
    "kafka-console-consumer with the new protocol": modern_group,
    "kafka-configs of a topic": settings,
    "kafka-configs of the broker": broker_settings,
    "kafka-get-offsets": offsets,
    "kafka-delete-records": delete_records,
    "kafka-transactions": transactions,
    "kafka-broker-api-versions": api_versions,
    "kafka-log-dirs": directories,
    "kafka-features": features,
    "kafka-metadata-quorum": quorum,
    "kafka-cluster": cluster,
    "kafka-producer-perf-test, kafka-consumer-perf-test": performance,
    "kafka-verifiable-producer and -consumer": verifiable,
    "kafka-e2e-latency": end_to_end,
    "kafka-reassign-partitions": reassign,
    "kafka-leader-election": elect,
    "kafka-client-metrics": metrics,
}
KNOWN = {"kafka-features": "no metadata.version: there is no KRaft metadata behind Pelton; the other features are there"}
SUITES = [Suite("Apache Kafka's tools", VERSION, run, ("java", "mvn"), minutes=10, known=KNOWN)]
