import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The few deeds that every case needs. Settings are pairs of words. */
final class Clients {
    final String address;
    final Admin admin;
    final long start = System.currentTimeMillis();

    Clients(String address) {
        this.address = address;
        this.admin = Admin.create(settings());
    }

    Map<String, Object> settings(String... pairs) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", address);
        for (int i = 0; i < pairs.length; i += 2) {
            all.put(pairs[i], pairs[i + 1]);
        }
        return all;
    }

    String create(String name, int partitions, Map<String, String> configs) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs))).all().get();
        try (KafkaProducer<String, String> producer = producer()) {
            Tap.until(name + " is there", 20, () -> producer.partitionsFor(name).size() == partitions);
        }
        return name;
    }

    String create(String name, int partitions) throws Exception {
        return create(name, partitions, Map.of());
    }

    KafkaProducer<String, String> producer(String... pairs) {
        return new KafkaProducer<>(settings(pairs), new StringSerializer(), new StringSerializer());
    }

    KafkaConsumer<String, String> consumer(String... pairs) {
        Map<String, Object> all = settings("auto.offset.reset", "earliest", "enable.auto.commit", "false");
        all.putAll(settings(pairs));
        return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    }

    List<Long> send(String topic, int partition, int count, String... pairs) throws Exception {
        List<Long> offsets = new ArrayList<>();
        try (KafkaProducer<String, String> producer = producer(pairs)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int n = 0; n < count; n++) {
                ProducerRecord<String, String> record =
                        new ProducerRecord<>(topic, partition, start + n, "key-" + n, "value-" + n);
                record.headers().add("h", Integer.toString(n).getBytes()).add("h", new byte[0]).add("none", null);
                sent.add(producer.send(record));
            }
            for (Future<RecordMetadata> one : sent) {
                offsets.add(one.get().offset());
            }
        }
        return offsets;
    }

    List<ConsumerRecord<String, String>> read(String topic, int partition, int count, String... pairs)
            throws Exception {
        List<ConsumerRecord<String, String>> found = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(pairs)) {
            TopicPartition at = new TopicPartition(topic, partition);
            consumer.assign(List.of(at));
            consumer.seekToBeginning(List.of(at));
            Tap.until(count + " records of " + topic, 20, () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return found.size() >= count;
            });
        }
        return found;
    }

    List<String> values(List<ConsumerRecord<String, String>> records) {
        List<String> values = new ArrayList<>();
        records.forEach(record -> values.add(record.value()));
        return values;
    }
}
