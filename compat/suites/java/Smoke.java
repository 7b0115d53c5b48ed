import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ProducerFencedException;

/** The Java client's smoke, with what every version from 2.8 on has: `Smoke ADDRESS`. */
public final class Smoke {
    static Clients kafka;

    public static void main(String[] arguments) throws Exception {
        kafka = new Clients(arguments[0]);
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            Tap.check("round trip " + codec, () -> roundTrip(codec));
        }
        Tap.check("acks 0, 1 and all", Smoke::acks);
        Tap.check("a group shares, commits and hands over", () -> share("range", "RangeAssignor"));
        Tap.check("a cooperative group shares and hands over", () -> share("sticky", "CooperativeStickyAssignor"));
        Tap.check("offsets by time", Smoke::byTime);
        Tap.check("topics and settings", Smoke::topics);
        Tap.check("the cluster, its settings and its directories", Smoke::cluster);
        Tap.check("records are deleted up to an offset", Smoke::deleteRecords);
        Tap.check("groups are listed, described, reset and deleted", Smoke::groups);
        Tap.check("an idempotent producer", Smoke::idempotent);
        Tap.check("transactions: committed is seen, aborted is not", Smoke::transactions);
        Tap.check("read, transform, write: offsets and records in one transaction", Smoke::transform);
        Tap.check("a second producer with the same id fences the first", Smoke::fencing);
        Tap.check("a transaction that nobody ends times out", Smoke::timeout);
        Tap.finish();
    }

    static void roundTrip(String codec) throws Exception {
        String topic = kafka.create("round-" + codec, 1);
        List<Long> wanted = LongStream.range(0, 1000).boxed().collect(Collectors.toList());
        Tap.equal(kafka.send(topic, 0, 1000, "compression.type", codec, "linger.ms", "20"), wanted);
        List<ConsumerRecord<String, String>> found = kafka.read(topic, 0, 1000);
        for (int n = 0; n < 1000; n++) {
            ConsumerRecord<String, String> record = found.get(n);
            Tap.equal(List.of(record.offset(), record.key(), record.value(), record.timestamp()),
                    List.of((long) n, "key-" + n, "value-" + n, kafka.start + n));
            Tap.equal(new String(record.headers().headers("h").iterator().next().value()), "" + n);
            Tap.equal(record.headers().toArray().length, 3);
            Tap.equal(record.headers().lastHeader("none").value(), null);
        }
    }

    static void acks() throws Exception {
        String topic = kafka.create("acks", 1);
        for (String acks : List.of("0", "1", "all")) {
            kafka.send(topic, 0, 10, "acks", acks, "enable.idempotence", "false");
        }
        kafka.read(topic, 0, 30);
    }

    static void share(String group, String assignor) throws Exception {
        String topic = kafka.create("shared-" + group, 4);
        for (int partition = 0; partition < 4; partition++) {
            kafka.send(topic, partition, 50);
        }
        shareAs(topic, 4, "group.id", group, "partition.assignment.strategy",
                "org.apache.kafka.clients.consumer." + assignor, "heartbeat.interval.ms", "300");
    }

    /** Two members share the partitions of a topic with 50 records each; one leaves; the offsets stay. */
    static void shareAs(String topic, int partitions, String... options) throws Exception {
        Set<String> seen = new HashSet<>();
        KafkaConsumer<String, String> first = kafka.consumer(options);
        KafkaConsumer<String, String> second = kafka.consumer(options);
        List<KafkaConsumer<String, String>> members = List.of(first, second);
        members.forEach(member -> member.subscribe(List.of(topic)));
        Tap.until("200 records between two members", 40, () -> {
            for (KafkaConsumer<String, String> member : members) {
                member.poll(Duration.ofMillis(100)).forEach(r -> seen.add(r.partition() + "@" + r.offset()));
            }
            int half = partitions / 2;
            return seen.size() == 50 * partitions && members.stream().allMatch(m -> m.assignment().size() == half);
        });
        for (KafkaConsumer<String, String> member : members) {
            member.commitSync(member.assignment().stream()
                    .collect(Collectors.toMap(at -> at, at -> new OffsetAndMetadata(50, "kept"))));
        }
        second.close();
        Tap.until("one member has all", 40, () -> {
            first.poll(Duration.ofMillis(100));
            return first.assignment().size() == partitions;
        });
        for (OffsetAndMetadata committed : first.committed(first.assignment()).values()) {
            Tap.equal(committed.offset() + committed.metadata(), "50kept");
        }
        first.close();
    }

    static void byTime() throws Exception {
        String topic = kafka.create("timed", 1);
        kafka.send(topic, 0, 100);
        TopicPartition at = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer = kafka.consumer()) {
            Tap.equal(consumer.beginningOffsets(List.of(at)).get(at), 0L);
            Tap.equal(consumer.endOffsets(List.of(at)).get(at), 100L);
            Tap.equal(consumer.offsetsForTimes(Map.of(at, kafka.start + 40)).get(at).offset(), 40L);
            Tap.equal(consumer.offsetsForTimes(Map.of(at, kafka.start + 5000)).get(at), null);
        }
        Tap.equal(kafka.admin.listOffsets(Map.of(at, OffsetSpec.latest())).partitionResult(at).get().offset(), 100L);
    }

    static Config describe(ConfigResource resource) throws Exception {
        return kafka.admin.describeConfigs(List.of(resource)).all().get().get(resource);
    }

    static void topics() throws Exception {
        String topic = kafka.create("configured", 2, Map.of("retention.ms", "12345"));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Tap.equal(describe(resource).get("retention.ms").value(), "12345");
        Tap.equal(describe(resource).get("cleanup.policy").isDefault(), true);
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry("retention.ms", "54321"), AlterConfigOp.OpType.SET);
        kafka.admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
        Tap.until("the new setting", 10, () -> describe(resource).get("retention.ms").value().equals("54321"));
        kafka.admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
        Tap.until("three partitions", 10, () -> {
            try (KafkaConsumer<String, String> consumer = kafka.consumer()) {
                return consumer.partitionsFor(topic).size() == 3;
            }
        });
        kafka.send(topic, 2, 5);
        kafka.admin.deleteTopics(List.of(topic)).all().get();
        Tap.until("the topic is gone", 10, () -> !kafka.admin.listTopics().names().get().contains(topic));
    }

    static void cluster() throws Exception {
        int node = kafka.admin.describeCluster().nodes().get().iterator().next().id();
        Config settings = describe(new ConfigResource(ConfigResource.Type.BROKER, "" + node));
        for (String name : List.of("log.retention.hours", "message.max.bytes", "num.partitions")) {
            if (settings.get(name) == null) {
                throw new AssertionError("no setting " + name);
            }
        }
        if (kafka.admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node).isEmpty()) {
            throw new AssertionError("no directory");
        }
    }

    static void deleteRecords() throws Exception {
        String topic = kafka.create("shortened", 1);
        kafka.send(topic, 0, 20);
        TopicPartition at = new TopicPartition(topic, 0);
        Map<TopicPartition, RecordsToDelete> upTo = Map.of(at, RecordsToDelete.beforeOffset(7));
        Tap.equal(kafka.admin.deleteRecords(upTo).lowWatermarks().get(at).get().lowWatermark(), 7L);
        Tap.equal(kafka.read(topic, 0, 13).get(0).offset(), 7L);
    }

    static void groups() throws Exception {
        String topic = kafka.create("grouped", 1);
        kafka.send(topic, 0, 10);
        TopicPartition at = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer = kafka.consumer("group.id", "described")) {
            consumer.subscribe(List.of(topic));
            Tap.until("a record", 20, () -> !consumer.poll(Duration.ofMillis(200)).isEmpty());
            consumer.commitSync(Map.of(at, new OffsetAndMetadata(4)));
            var described = kafka.admin.describeConsumerGroups(List.of("described")).all().get().get("described");
            Tap.equal(described.state().toString(), "Stable");
            Tap.equal(described.members().iterator().next().assignment().topicPartitions(), Set.of(at));
        }
        kafka.admin.alterConsumerGroupOffsets("described", Map.of(at, new OffsetAndMetadata(2))).all().get();
        var offsets = kafka.admin.listConsumerGroupOffsets("described").partitionsToOffsetAndMetadata().get();
        Tap.equal(offsets.get(at).offset(), 2L);
        kafka.admin.deleteConsumerGroupOffsets("described", Set.of(at)).all().get();
        kafka.admin.deleteConsumerGroups(List.of("described")).all().get();
        for (var listing : kafka.admin.listConsumerGroups().all().get()) {
            if (listing.groupId().equals("described")) {
                throw new AssertionError("still listed");
            }
        }
    }

    static void idempotent() throws Exception {
        String topic = kafka.create("idempotent", 1);
        List<Long> wanted = LongStream.range(0, 5000).boxed().collect(Collectors.toList());
        Tap.equal(kafka.send(topic, 0, 5000, "enable.idempotence", "true", "batch.size", "500"), wanted);
    }

    static void transactions() throws Exception {
        String topic = kafka.create("transacted", 1);
        List<String> wanted = new ArrayList<>();
        try (KafkaProducer<String, String> producer = kafka.producer("transactional.id", "j1")) {
            producer.initTransactions();
            for (int n = 0; n < 6; n++) {
                producer.beginTransaction();
                for (int m = 0; m < 10; m++) {
                    producer.send(new ProducerRecord<>(topic, n + "-" + m));
                    if (n % 2 == 0) {
                        wanted.add(n + "-" + m);
                    }
                }
                producer.flush();
                if (n % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }
        }
        Tap.equal(kafka.values(kafka.read(topic, 0, 30, "isolation.level", "read_committed")), wanted);
        Tap.equal(kafka.read(topic, 0, 60).size(), 60);
    }

    static void transform() throws Exception {
        String source = kafka.create("transform-in", 1);
        String sink = kafka.create("transform-out", 1);
        kafka.send(source, 0, 20);
        TopicPartition at = new TopicPartition(source, 0);
        try (KafkaConsumer<String, String> consumer = kafka.consumer("group.id", "transform");
                KafkaProducer<String, String> producer = kafka.producer("transactional.id", "j2")) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            Tap.until("records", 20, () -> !consumer.poll(Duration.ofMillis(200)).isEmpty());
            for (boolean commit : new boolean[] {false, true}) {
                producer.beginTransaction();
                for (int n = 0; n < 10; n++) {
                    producer.send(new ProducerRecord<>(sink, commit + "-" + n));
                }
                producer.sendOffsetsToTransaction(Map.of(at, new OffsetAndMetadata(10)), consumer.groupMetadata());
                if (commit) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
                OffsetAndMetadata committed = consumer.committed(Set.of(at)).get(at);
                Tap.equal(committed == null ? null : committed.offset(), commit ? 10L : null);
            }
        }
        Tap.equal(kafka.read(sink, 0, 10, "isolation.level", "read_committed").get(0).value(), "true-0");
    }

    static void fencing() throws Exception {
        String topic = kafka.create("fenced", 1);
        try (KafkaProducer<String, String> first = kafka.producer("transactional.id", "j3");
                KafkaProducer<String, String> second = kafka.producer("transactional.id", "j3")) {
            first.initTransactions();
            first.beginTransaction();
            first.send(new ProducerRecord<>(topic, "never")).get();
            second.initTransactions();
            second.beginTransaction();
            second.send(new ProducerRecord<>(topic, "seen")).get();
            second.commitTransaction();
            try {
                first.commitTransaction();
                throw new AssertionError("the fenced producer committed");
            } catch (ProducerFencedException expected) {
                Tap.equal(kafka.values(kafka.read(topic, 0, 1, "isolation.level", "read_committed")), List.of("seen"));
            }
        }
    }

    static void timeout() throws Exception {
        String topic = kafka.create("forgotten", 1);
        KafkaProducer<String, String> lost =
                kafka.producer("transactional.id", "j4", "transaction.timeout.ms", "1000", "linger.ms", "0");
        lost.initTransactions();
        lost.beginTransaction();
        lost.send(new ProducerRecord<>(topic, "never")).get();
        kafka.send(topic, 0, 1);
        Tap.equal(kafka.values(kafka.read(topic, 0, 1, "isolation.level", "read_committed")), List.of("value-0"));
        lost.close(Duration.ZERO);
    }
}
