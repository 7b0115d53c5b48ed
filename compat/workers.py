"""The programs of the kill -9 campaign: they write, read and commit, and remember what they were promised."""

import collections
import random
import subprocess
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from suites.java.suite import NEWEST, compiled

NUMBERS, MARKED, COPY, NEWER = "numbers", "marked", "copy", "newer"
PARTITIONS = 2
PATIENCE_SECONDS = 120
# librdkafka 2.16 that re-bootstraps may wait for ever for a group's coordinator that it has just let go of.
QUICK = {"metadata.recovery.strategy": "none", "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "retry.backoff.ms": 20, "log_level": 0,
         "socket.keepalive.enable": True, "topic.metadata.refresh.interval.ms": 5000}


class Worker(threading.Thread):
    """One program under test. `done` counts what was acknowledged to it."""

    def __init__(self, address, seed):
        super().__init__(daemon=True, name=type(self).__name__)
        self.options = {"bootstrap.servers": address, **QUICK}
        self.random = random.Random(f"{type(self).__name__}-{seed}")
        self.stopping = threading.Event()
        self.done = 0
        self.errors = collections.Counter()
        self.broken = None

    def run(self):
        try:
            self.work()
        except Exception as error:  # whatever it is, it is the campaign's result
            self.broken = repr(error)
            raise

    def note(self, error):
        kafka_error = error.args[0] if error.args else error
        self.errors[kafka_error.name() if isinstance(kafka_error, KafkaError) else repr(error)[:60]] += 1
        return kafka_error


class Numbers(Worker):
    """An idempotent producer that counts."""

    def work(self):
        self.acked = {}
        self.sent = 0
        self.failed = []
        options = {"enable.idempotence": True, "linger.ms": 2, "message.timeout.ms": 0}
        producer = Producer({**self.options, **options})
        while not self.stopping.is_set():
            if self.sent - self.done - len(self.failed) < 200:
                for _ in range(self.random.randint(1, 10)):
                    value = self.sent
                    self.sent += 1
                    producer.produce(NUMBERS, b"%d" % value, partition=value % PARTITIONS, on_delivery=self.delivered)
            producer.poll(0.02)
        self.left = producer.flush(PATIENCE_SECONDS)

    def delivered(self, error, message):
        if error:
            self.failed.append((int(message.value()), error.name()))
        else:
            self.acked[int(message.value())] = (message.partition(), message.offset())
            self.done += 1


class Transactional(Worker):
    """What programs with transactions share: a producer that is made anew when it is told to."""

    def producer_for(self, transactional_id):
        while not self.stopping.is_set():
            producer = Producer({**self.options, "transactional.id": transactional_id, "linger.ms": 1})
            try:
                producer.init_transactions(10)
                return producer
            except KafkaException as error:
                self.note(error)
        return None

    def insist(self, act):
        """Retries what may be retried; says whether it was done, cannot be done, or ends the producer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                act()
                return "done"
            except KafkaException as error:
                why = self.note(error)
                if why.fatal():
                    return "fatal"
                if why.txn_requires_abort():
                    return "abort"
                if not why.retriable() or time.monotonic() > deadline:
                    return "fatal"
            if self.stopping.is_set() and time.monotonic() > deadline:
                return "fatal"


class Marked(Transactional):
    """Commits some transactions and aborts others, and remembers which."""

    def work(self):
        self.fates = {}
        self.sizes = {}
        producer = None
        number = 0
        while not self.stopping.is_set():
            producer = producer or self.producer_for("kill9-marked")
            if producer is None:
                return
            number += 1
            if not self.transact(producer, number):
                producer = None
            else:
                self.done += 1

    def transact(self, producer, number):
        self.sizes[number] = self.random.randint(1, 12)
        self.fates[number] = "open"
        try:
            producer.begin_transaction()
            for index in range(self.sizes[number]):
                producer.produce(MARKED, b"%d:%d" % (number, index), partition=index % PARTITIONS)
                if self.random.random() < 0.1:
                    producer.poll(0.01)
        except KafkaException as error:
            self.note(error)
            return False
        if self.random.random() < 0.6:
            self.fates[number] = "unknown"
            outcome = self.insist(lambda: producer.commit_transaction(5))
            if outcome == "done":
                self.fates[number] = "committed"
                return True
            if outcome == "fatal":
                return False
        if self.random.random() < 0.5:
            producer.flush(0.2)
        outcome = self.insist(lambda: producer.abort_transaction(5))
        if outcome == "done" and self.fates[number] == "open":
            self.fates[number] = "aborted"
        # A commit that had to be aborted did not happen.
        if outcome == "done" and self.fates[number] == "unknown":
            self.fates[number] = "aborted"
        return outcome == "done"


class Java(Worker):
    """What `Marked` does, by the Java client in a process of its own, which says what it was promised."""

    def __init__(self, address, seed):
        super().__init__(address, seed)
        self.fates, self.sizes = {}, {}
        path = compiled(NEWEST, ["../../kill9_java/Marked.java"])
        command = ["java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", path]
        command += ["Marked", address, NEWER]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def work(self):
        threading.Thread(target=self.wait_for_the_end, daemon=True).start()
        for line in self.process.stdout:
            first, *rest = line.split()
            if first == "error":
                self.errors[" ".join(rest)[:120]] += 1
                continue
            number, size, fate = int(first), int(rest[0]), rest[1]
            self.sizes[number], self.fates[number] = size, fate
            self.done += fate in ("committed", "aborted")
        if self.process.wait() != 0:
            raise RuntimeError(f"java ended with {self.process.returncode}")

    def wait_for_the_end(self):
        self.stopping.wait()
        self.process.stdin.close()


class Copying(Transactional):
    """Reads numbers, writes them again, and commits both in one transaction."""

    def work(self):
        producer = consumer = None
        while not self.stopping.is_set():
            if producer is None:
                producer = self.producer_for("kill9-copying")
                if producer is None:
                    break
                if consumer is not None:
                    consumer.close()
                consumer = Consumer({**self.options, "group.id": "kill9-copying", "enable.auto.commit": False,
                                     "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                                     "fetch.wait.max.ms": 50})
                consumer.assign([TopicPartition(NUMBERS, index) for index in range(PARTITIONS)])
                if not self.rewind(consumer):
                    producer = None
                    continue
            messages = [one for one in consumer.consume(200, 0.05) if not one.error()]
            if messages and not self.copy(producer, consumer, messages):
                producer = None
        if consumer is not None:
            consumer.close()

    def rewind(self, consumer):
        partitions = [TopicPartition(NUMBERS, index) for index in range(PARTITIONS)]
        try:
            for one in consumer.committed(partitions, 10):
                if one.error:
                    return False
                one.offset = max(one.offset, 0)
                partitions[one.partition].offset = one.offset
            consumer.assign(partitions)
            return True
        except KafkaException as error:
            self.note(error)
            return False

    def copy(self, producer, consumer, messages):
        positions = {}
        try:
            producer.begin_transaction()
            for message in messages:
                producer.produce(COPY, message.value(), partition=message.partition())
                positions[message.partition()] = message.offset() + 1
        except KafkaException as error:
            self.note(error)
            return False
        offsets = [TopicPartition(NUMBERS, index, offset) for index, offset in positions.items()]
        metadata = consumer.consumer_group_metadata()
        outcome = self.insist(lambda: producer.send_offsets_to_transaction(offsets, metadata, 5))
        if outcome == "done" and self.random.random() > 0.1:
            outcome = self.insist(lambda: producer.commit_transaction(5))
            if outcome == "done":
                self.done += 1
                return True
        if outcome == "fatal":
            return False
        # On purpose now and then, or because it has to be.
        aborted = self.insist(lambda: producer.abort_transaction(5)) == "done"
        return aborted and self.rewind(consumer)


class Group(Worker):
    """A consumer group that commits as it reads what transactions wrote."""

    def work(self):
        self.seen = collections.Counter()
        self.committed = {}
        self.lock = threading.Lock()
        consumer = Consumer({**self.options, "group.id": "kill9-group", "enable.auto.commit": False,
                             "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                             "fetch.wait.max.ms": 50, "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000})
        consumer.subscribe([MARKED])
        while not self.stopping.is_set():
            messages = [one for one in consumer.consume(200, 0.05) if not one.error()]
            for message in messages:
                self.seen[message.value()] += 1
            if not messages:
                continue
            try:
                for one in consumer.commit(asynchronous=False):
                    if one.error is None:
                        with self.lock:
                            self.committed[one.partition] = max(one.offset, self.committed.get(one.partition, -1))
                        self.done += 1
            except KafkaException as error:
                self.note(error)
        consumer.close()

    def promised(self):
        with self.lock:
            return dict(self.committed)
