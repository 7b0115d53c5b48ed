import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Commits some transactions and aborts others until its input ends, and says which: one line each of number, size and
 * fate. A fate that is not known yet is said before it is tempted.
 */
public class Marked {
    static final Random RANDOM = new Random(7);
    static String address;
    static String topic;

    public static void main(String[] arguments) throws Exception {
        address = arguments[0];
        topic = arguments[1];
        Thread ending = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (java.io.IOException gone) {
                // The same as an end.
            }
            stopping = true;
        });
        ending.setDaemon(true);
        ending.start();
        KafkaProducer<String, String> producer = null;
        for (int number = 1; !stopping; number++) {
            try {
                if (producer == null) {
                    producer = producer();
                }
                transact(producer, number);
            } catch (KafkaException error) {
                Throwable cause = error.getCause() == null ? error : error.getCause();
                System.out.println("error " + error.getClass().getSimpleName() + ": " + cause.getMessage());
                if (producer != null) {
                    producer.close(java.time.Duration.ZERO);
                }
                producer = null;
            }
        }
        System.exit(0);
    }

    static volatile boolean stopping = false;

    static KafkaProducer<String, String> producer() {
        Properties settings = new Properties();
        settings.putAll(Map.of("bootstrap.servers", address, "transactional.id", "kill9-java",
            "reconnect.backoff.ms", "20", "reconnect.backoff.max.ms", "100", "retry.backoff.ms", "20", "max.block.ms", "60000",
            "metadata.recovery.strategy", "none"));
        KafkaProducer<String, String> made = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        made.initTransactions();
        return made;
    }

    static void transact(KafkaProducer<String, String> producer, int number) {
        int size = 1 + RANDOM.nextInt(12);
        say(number, size, "open");
        producer.beginTransaction();
        for (int index = 0; index < size; index++) {
            producer.send(new ProducerRecord<>(topic, index % 2, null, number + ":" + index));
        }
        if (RANDOM.nextInt(10) < 6) {
            say(number, size, "unknown");
            // What is not answered in time may be asked again.
            for (;;) {
                try {
                    producer.commitTransaction();
                    say(number, size, "committed");
                    return;
                } catch (TimeoutException late) {
                    System.out.println("error TimeoutException");
                }
            }
        }
        producer.abortTransaction();
        say(number, size, "aborted");
    }

    static void say(int number, int size, String fate) {
        System.out.println(number + " " + size + " " + fate);
    }
}
