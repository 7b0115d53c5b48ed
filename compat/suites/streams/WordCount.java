import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/**
 * The word count that everybody knows, with a repartition topic and a state store with its changelog, stopped in the
 * middle and started again: `WordCount ADDRESS DIRECTORY`.
 */
public final class WordCount {
    static final String[] WORDS = {"turbine", "wheel", "water", "bucket", "jet"};
    static Clients kafka;
    static Path directory;

    public static void main(String[] arguments) throws Exception {
        kafka = new Clients(arguments[0]);
        directory = Path.of(arguments[1]);
        Tap.check("word count, at least once", () -> run("at_least_once"));
        Tap.check("word count, exactly_once_v2", () -> run("exactly_once_v2"));
        Tap.check("word count, exactly_once_v2, the state rebuilt from the changelog", WordCount::rebuilt);
        Tap.finish();
    }

    static Topology topology(String in, String out) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream(in);
        lines.flatMapValues(line -> List.of(line.split(" ")))
                .groupBy((key, word) -> word, Grouped.as("by-word"))
                .count(Materialized.as("counts"))
                .toStream()
                .to(out, Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }

    static KafkaStreams start(String name, String guarantee, String state) throws Exception {
        Properties all = new Properties();
        all.putAll(kafka.settings("application.id", name, "processing.guarantee", guarantee, "commit.interval.ms", "100"));
        all.put("state.dir", directory.resolve(state).toString());
        all.put("default.key.serde", Serdes.StringSerde.class.getName());
        all.put("default.value.serde", Serdes.StringSerde.class.getName());
        all.put("auto.offset.reset", "earliest");
        all.put("num.stream.threads", "2");
        all.put("consumer.heartbeat.interval.ms", "300");
        KafkaStreams streams = new KafkaStreams(topology(name + "-lines", name + "-counts"), all);
        streams.start();
        return streams;
    }

    /** Says every word `times` times and waits until the counts are what they must be. */
    static void say(String name, int times, long wanted, KafkaStreams streams) throws Exception {
        try (KafkaProducer<String, String> producer = kafka.producer("linger.ms", "5")) {
            for (int n = 0; n < times; n++) {
                producer.send(new ProducerRecord<>(name + "-lines", n % 2, null, String.join(" ", WORDS)));
            }
        }
        Map<String, Long> counts = new HashMap<>();
        List<Long> bad = new ArrayList<>();
        Map<String, Object> settings = kafka.settings("isolation.level", "read_committed", "auto.offset.reset", "earliest");
        settings.put("group.id", name + "-reader-" + wanted);
        try (KafkaConsumer<String, Long> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new LongDeserializer())) {
            consumer.subscribe(List.of(name + "-counts"));
            Tap.until("counts of " + wanted, 60, () -> {
                for (ConsumerRecord<String, Long> record : consumer.poll(Duration.ofMillis(200))) {
                    counts.put(record.key(), record.value());
                    if (record.value() > wanted) {
                        bad.add(record.value());
                    }
                }
                if (streams.state() == KafkaStreams.State.ERROR) {
                    throw new AssertionError("the streams are in the state ERROR");
                }
                return counts.size() == WORDS.length && counts.values().stream().allMatch(n -> n == wanted);
            });
        }
        Tap.equal(bad, List.of());
    }

    static void topics(String name) throws Exception {
        short one = 1;
        kafka.admin.createTopics(List.of(new NewTopic(name + "-lines", 2, one), new NewTopic(name + "-counts", 2, one)))
                .all().get(20, TimeUnit.SECONDS);
    }

    static void stop(KafkaStreams streams) {
        if (!streams.close(Duration.ofSeconds(30))) {
            throw new AssertionError("the streams did not stop within 30 seconds");
        }
    }

    static void run(String guarantee) throws Exception {
        String name = "words-" + guarantee.replace('_', '-');
        topics(name);
        for (long round = 1; round <= 2; round++) {
            KafkaStreams streams = start(name, guarantee, "state");
            say(name, 1000, round * 1000, streams);
            stop(streams);
        }
        var internal = kafka.admin.listTopics().names().get();
        Tap.equal(internal.contains(name + "-by-word-repartition"), true);
        Tap.equal(internal.contains(name + "-counts-changelog"), true);
    }

    static void rebuilt() throws Exception {
        String name = "words-exactly-once-v2";
        KafkaStreams streams = start(name, "exactly_once_v2", "empty-state");
        say(name, 500, 2500, streams);
        stop(streams);
    }
}
