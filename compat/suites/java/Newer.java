import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** What only the Java client of Kafka 4 has: `Newer ADDRESS`. */
public final class Newer {
    static Clients kafka;

    public static void main(String[] arguments) throws Exception {
        kafka = new Clients(arguments[0]);
        Smoke.kafka = kafka;
        Tap.check("KIP-848: a consumer group shares, commits and hands over", Newer::share);
        Tap.check("KIP-848: a regular expression of the server's", Newer::pattern);
        Tap.check("KIP-848: the group is described", Newer::describe);
        Tap.check("topics are described in pages, by name and by id", Newer::topics);
        Tap.check("the offset of the greatest timestamp", Newer::greatest);
        Tap.check("transactions and producers are listed and described", Newer::transactions);
        Tap.check("the features of Kafka 4 are finalized", Newer::features);
        Tap.finish();
    }

    static void share() throws Exception {
        String topic = kafka.create("shared-848", 4);
        for (int partition = 0; partition < 4; partition++) {
            kafka.send(topic, partition, 50);
        }
        Smoke.shareAs(topic, 4, "group.id", "modern", "group.protocol", "consumer");
    }

    static void pattern() throws Exception {
        kafka.send(kafka.create("matching-1", 1), 0, 5);
        try (KafkaConsumer<String, String> consumer =
                kafka.consumer("group.id", "patterns", "group.protocol", "consumer", "metadata.max.age.ms", "500")) {
            consumer.subscribe(new SubscriptionPattern("matching-[0-9]+"));
            Tap.until("a record", 20, () -> !consumer.poll(Duration.ofMillis(200)).isEmpty());
            kafka.send(kafka.create("matching-2", 1), 0, 5);
            Tap.until("the second topic is assigned", 40, () -> {
                consumer.poll(Duration.ofMillis(200));
                return consumer.assignment().size() == 2;
            });
        }
        try (KafkaConsumer<String, String> consumer = kafka.consumer("group.id", "client-patterns")) {
            consumer.subscribe(Pattern.compile("matching-.*"));
            Tap.until("both topics", 20, () -> {
                consumer.poll(Duration.ofMillis(200));
                return consumer.assignment().size() == 2;
            });
        }
    }

    static void describe() throws Exception {
        String topic = kafka.create("described-848", 2);
        try (KafkaConsumer<String, String> consumer =
                kafka.consumer("group.id", "described-848", "group.protocol", "consumer")) {
            consumer.subscribe(List.of(topic));
            Tap.until("assigned", 20, () -> {
                consumer.poll(Duration.ofMillis(200));
                return consumer.assignment().size() == 2;
            });
            var of = kafka.admin.describeConsumerGroups(List.of("described-848")).all().get().get("described-848");
            Tap.equal(of.type().toString(), "Consumer");
            Tap.equal(of.members().iterator().next().assignment().topicPartitions().size(), 2);
            var listed = kafka.admin.listGroups().all().get().stream()
                    .filter(group -> group.groupId().equals("described-848"))
                    .toList();
            Tap.equal(listed.get(0).type().get().toString(), "Consumer");
        }
    }

    static void topics() throws Exception {
        String topic = kafka.create("paged", 3);
        var described = kafka.admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        Tap.equal(described.partitions().size(), 3);
        var byId = org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(described.topicId()));
        Tap.equal(kafka.admin.describeTopics(byId).allTopicIds().get().get(described.topicId()).name(), topic);
        kafka.admin.deleteTopics(byId).all().get();
    }

    static void greatest() throws Exception {
        String topic = kafka.create("greatest", 1);
        kafka.send(topic, 0, 100);
        TopicPartition at = new TopicPartition(topic, 0);
        var found = kafka.admin.listOffsets(Map.of(at, OffsetSpec.maxTimestamp())).partitionResult(at).get();
        Tap.equal(found.offset(), 99L);
        Tap.equal(found.timestamp(), kafka.start + 99);
    }

    static void transactions() throws Exception {
        String topic = kafka.create("listed", 1);
        TopicPartition at = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = kafka.producer("transactional.id", "n1")) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "one")).get();
            var listed = kafka.admin.listTransactions().all().get().stream()
                    .filter(one -> one.transactionalId().equals("n1"))
                    .toList();
            Tap.equal(listed.get(0).state().toString(), "Ongoing");
            var described = kafka.admin.describeTransactions(List.of("n1")).all().get().get("n1");
            Tap.equal(described.topicPartitions(), Set.of(at));
            var producers = kafka.admin.describeProducers(List.of(at)).all().get().get(at).activeProducers();
            Tap.equal(producers.get(0).producerId(), described.producerId());
            Tap.equal(producers.get(0).currentTransactionStartOffset().getAsLong(), 0L);
            producer.commitTransaction();
        }
        kafka.admin.fenceProducers(List.of("n1")).all().get();
    }

    static void features() throws Exception {
        var features = kafka.admin.describeFeatures().featureMetadata().get();
        for (String name : List.of("transaction.version", "group.version")) {
            if (!features.finalizedFeatures().containsKey(name)) {
                throw new AssertionError(name + " is not among " + features.finalizedFeatures().keySet());
            }
        }
    }
}
