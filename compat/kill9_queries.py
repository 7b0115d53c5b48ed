"""The campaign for queries: `kill -9` while they run, again and again, and then every output is compared with the input.

    python compat/kill9_queries.py --cycles 300 --seed 7

A producer keeps writing rows; the server, with all of its queries, dies at a random moment and comes back on the same
port. At the end the outputs, read by a client that sees only what was committed, are compared as multisets with what
Python computes from the input topic:

- a projection, and a join of two streams: every row once;
- the same into files, as their manifest tells them;
- counts by key, in update mode: each count of a key told once, the last one right;
- windows in append mode: each once, complete, and none left out;
- the first row of each key: one, and the first of its partition;
- a model: equal, prediction by prediction, to one that learns the same rows afterwards without being killed.
"""

import argparse
import collections
import json
import random
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kill9 import free_port
from server import Server, until

PARTITIONS = 3
PATIENCE_SECONDS = 120
KEYS = 101
WINDOW = 60
EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z

OPTIONS = "USING kafka OPTIONS (topic '{}'{})"
STATEMENTS = f"""
CREATE STREAMING TABLE rows (id BIGINT, k BIGINT, at TIMESTAMP, x DOUBLE, y BOOLEAN)
  USING kafka OPTIONS (topic 'rows', maxOffsetsPerTrigger 400);
CREATE STREAMING TABLE pairs (id BIGINT, at TIMESTAMP)
  USING kafka OPTIONS (topic 'pairs', maxOffsetsPerTrigger 400);
CREATE STREAMING TABLE copied USING kafka OPTIONS (topic 'copied', partitions {PARTITIONS})
  AS SELECT id, k * 2 AS k FROM STREAM rows;
CREATE STREAMING TABLE filed USING json OPTIONS (path 'DIRECTORY') AS SELECT id, k FROM STREAM rows;
CREATE STREAMING TABLE counted USING kafka OPTIONS (topic 'counted', key 'k', partitions {PARTITIONS})
  AS SELECT k, count(*) AS n, sum(id) AS total FROM STREAM rows GROUP BY k;
CREATE STREAMING TABLE windows USING kafka OPTIONS (topic 'windows', outputMode 'append')
  AS SELECT window.start AS began, k, count(*) AS n FROM STREAM rows WATERMARK at DELAY OF INTERVAL 2 HOURS
     GROUP BY window(at, '{WINDOW} seconds'), k;
CREATE STREAMING TABLE firsts USING kafka OPTIONS (topic 'firsts')
  AS SELECT DISTINCT ON (k) k, id FROM STREAM rows;
CREATE STREAMING TABLE joined USING kafka OPTIONS (topic 'joined')
  AS SELECT r.id, r.k FROM STREAM rows WATERMARK at DELAY OF INTERVAL 2 HOURS AS r
     JOIN STREAM pairs WATERMARK at DELAY OF INTERVAL 2 HOURS AS p
     ON r.id = p.id AND p.at BETWEEN r.at AND r.at + INTERVAL 1 MINUTE;
"""
MODEL = """
CREATE STREAMING TABLE lessons (x DOUBLE, y BOOLEAN) USING kafka OPTIONS (topic 'lessons', maxOffsetsPerTrigger 400);
"""
LEARN = """
CREATE MODEL {} OPTIONS (algorithm 'logistic_regression', label 'y') AS SELECT x, y FROM STREAM lessons;
"""


def at(second):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH + second))


class Feeder(threading.Thread):
    """Writes rows until told to stop; librdkafka waits for the server whenever it is away."""

    def __init__(self, address, seed):
        super().__init__(daemon=True)
        settings = {"bootstrap.servers": address, "enable.idempotence": True, "message.timeout.ms": 600_000, "log_level": 0}
        settings |= {"reconnect.backoff.max.ms": 200, "queue.buffering.max.messages": 3_000}
        self.producer = Producer(settings)
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.written = 0

    def send(self, topic, partition, row):
        while True:
            try:
                return self.producer.produce(topic, json.dumps(row), partition=partition)
            except BufferError:
                self.producer.poll(0.05)

    def run(self):
        while not self.stopping.is_set():
            for _ in range(self.random.randrange(1, 60)):
                n = self.written
                self.written += 1
                row = {"id": n, "k": self.random.randrange(KEYS), "at": at(n + self.random.randrange(600))}
                self.send("rows", n % PARTITIONS, row)
                if n % 3 == 0:
                    self.send("pairs", n % PARTITIONS, {"id": n, "at": row["at"]})
                x = self.random.uniform(-1, 1)
                self.send("lessons", 0, {"x": x, "y": x + self.random.gauss(0, 0.3) > 0})
            self.producer.poll(0)
            self.stopping.wait(0.01)
        self.flush()

    def flush(self):
        if left := self.producer.flush(PATIENCE_SECONDS):
            raise RuntimeError(f"{left} rows were not acknowledged")

    def end(self):
        """Rows far in the future, so that every window and every wait ends."""
        for partition in range(PARTITIONS):
            future = at(self.written + 864_000)
            self.send("rows", partition, {"id": -1 - partition, "k": KEYS, "at": future})
            self.send("pairs", partition, {"id": -100, "at": future})
        self.flush()


class Campaign:
    def __init__(self, directory, seed):
        self.directory = Path(directory)
        self.random = random.Random(seed)
        self.server = Server(self.directory, engine={"answer-rows-max": 10_000_000})
        self.server.start(f"127.0.0.1:{free_port()}")
        self.findings = []

    def call(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{self.server.http}/api/{path}", data, {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{error.read().decode(errors='replace')}\n{body}") from None

    def sql(self, text):
        return self.call("sql", {"sql": text})["answers"][-1]["rows"]

    def prepare(self, seed):
        admin = AdminClient({"bootstrap.servers": self.server.kafka})
        topics = [NewTopic("rows", PARTITIONS, 1), NewTopic("pairs", PARTITIONS, 1), NewTopic("lessons", 1, 1)]
        for created in admin.create_topics(topics).values():
            created.result(PATIENCE_SECONDS)
        self.sql(STATEMENTS.replace("DIRECTORY", str(self.directory / "filed")) + MODEL + LEARN.format("taught"))
        self.feeder = Feeder(self.server.kafka, seed)
        self.feeder.start()

    def queries(self):
        queries = self.call("queries")
        for query in queries:
            if query.get("error"):
                raise SystemExit(f"{query['name']}: {query['error']}")
        return queries

    def cycle(self):
        """Every query gets a batch done; then the server dies at some moment within the next ones."""
        before = {query["name"]: query["batch_id"] for query in self.queries()}
        moved = lambda: all(query["batch_id"] > before[query["name"]] for query in self.queries())  # noqa: E731
        until(moved, "every query commits a batch", PATIENCE_SECONDS)
        time.sleep(self.random.uniform(0, 0.15))
        self.server.kill_and_restart(keep_port=True)

    def finish(self):
        self.feeder.stopping.set()
        self.feeder.join(PATIENCE_SECONDS)
        # Not before everything is read: a partition that is read later would be late.
        self.catch_up()
        self.feeder.end()
        lessons = self.catch_up()
        self.sql(LEARN.format("again"))
        until(lambda: self.named("again")["rows_total"] >= lessons, "a model has learned", PATIENCE_SECONDS)
        if late := self.named("windows")["rows_late"]:
            self.findings.append(f"windows: {late} rows were late")

    def catch_up(self):
        """Waits until every query has read its input; how many lessons there are."""
        sizes = {topic: sum(map(len, self.read(topic).values())) for topic in ("rows", "pairs", "lessons")}
        reads = {"joined": sizes["rows"] + sizes["pairs"], "taught": sizes["lessons"]}
        done = lambda: all(  # noqa: E731
            query["rows_total"] >= reads.get(query["name"], sizes["rows"]) for query in self.queries()
        )
        until(done, "every query has read its input", PATIENCE_SECONDS)
        return sizes["lessons"]

    def named(self, name):
        (query,) = [query for query in self.queries() if query["name"] == name]
        return query

    def read(self, topic):
        """Partition -> rows in order, as a client that sees only what was committed reads them."""
        settings = {"bootstrap.servers": self.server.kafka, "group.id": "kill9-queries", "enable.auto.commit": False}
        consumer = Consumer({**settings, "isolation.level": "read_committed", "enable.partition.eof": True})
        partitions = consumer.list_topics(topic, PATIENCE_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, index, OFFSET_BEGINNING) for index in partitions])
        rows, ends = {index: [] for index in partitions}, set()
        while len(ends) < len(partitions):
            for message in consumer.consume(1000, 0.5):
                if message.error() is None:
                    rows[message.partition()].append(json.loads(message.value()))
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ends.add(message.partition())
                else:
                    raise SystemExit(message.error())
        consumer.close()
        return rows

    def flat(self, topic):
        return [row for rows in self.read(topic).values() for row in rows]

    def compare(self, name, found, expected):
        """Two multisets."""
        found, expected = collections.Counter(found), collections.Counter(expected)
        less, more = expected - found, found - expected
        for what, some in (("missing", less), ("too many", more)):
            if some:
                self.findings.append(f"{name}: {some.total()} {what}, as {list(some.items())[:3]}")
        return [name, expected.total(), less.total(), more.total()]

    def judge(self):
        rows, pairs = self.flat("rows"), {row["id"] for row in self.flat("pairs")}
        parted = self.read("rows")
        table = [self.compare("projection", map(values("id", "k"), self.flat("copied")), [(r["id"], 2 * r["k"]) for r in rows])]
        table.append(self.compare("files", map(values("id", "k"), self.files()), map(values("id", "k"), rows)))
        table.append(self.counts(rows))
        known = lambda row: (row["began"], row["k"], row["n"])  # noqa: E731
        ended = collections.Counter((window(r["at"]), r["k"]) for r in rows if r["id"] >= 0)
        expected = [(began, k, n) for (began, k), n in ended.items()]
        table.append(self.compare("windows", [one for one in map(known, self.flat("windows")) if one[1] < KEYS], expected))
        first = {(r["k"], r["id"]) for of_one in parted.values() for r in reversed(of_one)}
        heads = {k: {next((r["id"] for r in of_one if r["k"] == k), None) for of_one in parted.values()} for k, _ in first}
        firsts = self.flat("firsts")
        table.append(self.compare("first rows", [row["k"] for row in firsts], list(heads)))
        if wrong := [row for row in firsts if row["id"] not in heads[row["k"]]]:
            self.findings.append(f"first rows: {len(wrong)} are not the first of a partition, as {wrong[:3]}")
        expected = [(r["id"], r["k"]) for r in rows if r["id"] in pairs and r["id"] >= 0]
        table.append(self.compare("join", map(values("id", "k"), self.flat("joined")), expected))
        asked = ", ".join(f"predict_proba('MODEL', {x / 10})" for x in range(-10, 11))
        one, other = (self.sql("SELECT " + asked.replace("MODEL", model)) for model in ("taught", "again"))
        table.append(self.compare("predictions", map(repr, one[0]), map(repr, other[0])))
        return table

    def counts(self, rows):
        """In update mode: a key's counts rise, no count comes twice, the last is that of all rows."""
        told = collections.defaultdict(list)
        for row in self.flat("counted"):
            told[row["k"]].append((row["n"], row["total"]))
        for k, values_of in told.items():
            if [n for n, _ in values_of] != sorted({n for n, _ in values_of}):
                self.findings.append(f"counts: those of {k} come twice or go back")
        ids = collections.defaultdict(list)
        for row in rows:
            ids[row["k"]].append(row["id"])
        last = [(k, *values_of[-1]) for k, values_of in told.items()]
        return self.compare("counts by key", last, [(k, len(of), sum(of)) for k, of in ids.items()])

    def files(self):
        """The rows of the files that the manifest names."""
        directory = self.directory / "filed"
        log = directory / "_spark_metadata"
        batches = sorted((path for path in log.iterdir() if path.name.split(".")[0].isdigit()), key=batch_number)
        compacts = [path for path in batches if path.name.endswith(".compact")]
        start = batch_number(compacts[-1]) if compacts else -1
        paths = {}
        for path in compacts[-1:] + [path for path in batches if batch_number(path) > start]:
            for line in path.read_text().splitlines()[1:]:
                entry = json.loads(line)
                paths[entry["path"]] = None
        for path in paths:
            for line in (directory / Path(path).name).read_text().splitlines():
                yield json.loads(line)


def batch_number(path):
    return int(path.name.split(".")[0])


def values(*names):
    return lambda row: tuple(row[name] for name in names)


def window(text):
    second = int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))) - time.timezone
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second // WINDOW * WINDOW))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--directory", help="where the server's data go; kept if something does not fit")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    directory = arguments.directory or tempfile.mkdtemp(prefix="kill9-queries-")
    print(f"seed {seed}, directory {directory}", flush=True)
    campaign = Campaign(directory, seed)
    campaign.prepare(seed)
    for number in range(1, arguments.cycles + 1):
        campaign.cycle()
        if number % 10 == 0 or number == arguments.cycles:
            print(f"{number} kills, {campaign.feeder.written} rows", flush=True)
    campaign.finish()
    print(f"{'output':16}{'rows':>10}{'missing':>10}{'too many':>10}")
    for name, rows, missing, more in campaign.judge():
        print(f"{name:16}{rows:>10}{missing:>10}{more:>10}")
    campaign.server.close()
    for finding in campaign.findings:
        print(f"NOT AS PROMISED: {finding}")
    return 1 if campaign.findings else 0


if __name__ == "__main__":
    sys.exit(main())
