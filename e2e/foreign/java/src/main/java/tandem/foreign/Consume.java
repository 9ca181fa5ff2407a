package tandem.foreign;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Reads records from Kafka as a stranger would: with Kafka's own Java client, and Avro behind
 * Confluent's five bytes, which are taken off by hand.
 *
 * <p>Gives the lines and exit codes that {@code ../python/consume.py} tells of.
 */
public final class Consume {
    private static final Duration WAIT = Duration.ofMillis(500);
    private static final int FRAME_BYTES = 5;

    private final Map<String, String> arguments;
    private final String topic;
    private final Registry registry;
    private final long deadline;

    private Consume(Map<String, String> arguments) throws Failure {
        this.arguments = arguments;
        topic = arguments.get("--topic");
        registry = new Registry(arguments.get("--registry"));
        deadline = System.nanoTime() + Program.timeout(arguments).toNanos();
    }

    public static void main(String[] args) {
        Program.main(
                "consume",
                args,
                List.of("--bootstrap", "--registry", "--topic", "--count"),
                List.of("--timeout"),
                List.of(),
                arguments -> new Consume(arguments).run());
    }

    private void run() throws Failure, InterruptedException {
        var settings = new HashMap<String, Object>();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.get("--bootstrap"));
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            var partitions = partitions(consumer);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            read(consumer);
        } catch (KafkaException e) {
            throw new Failure("'" + topic + "' can't be read", e);
        }
    }

    private boolean late() {
        return System.nanoTime() > deadline;
    }

    /** The topic's partitions; waits for a topic that is not there yet. */
    private List<TopicPartition> partitions(KafkaConsumer<String, byte[]> consumer)
            throws Failure, InterruptedException {
        while (true) {
            var found = consumer.partitionsFor(topic);
            if (found != null && !found.isEmpty()) {
                return found.stream()
                        .map(one -> new TopicPartition(topic, one.partition()))
                        .toList();
            }
            if (late()) {
                throw new Failure("there is no topic '" + topic + "'");
            }
            Thread.sleep(WAIT.toMillis());
        }
    }

    private void read(KafkaConsumer<String, byte[]> consumer) throws Failure, InterruptedException {
        var count = arguments.get("--count");
        int left;
        try {
            left = Integer.parseInt(count);
        } catch (NumberFormatException e) {
            throw new Failure("--count is " + count + "; give a number");
        }
        while (left > 0) {
            for (var record : consumer.poll(WAIT)) {
                if (left > 0) {
                    Program.say(line(record));
                    left--;
                }
            }
            if (left > 0 && late()) {
                throw new Failure(left + " of " + count + " records are missing when the time is over");
            }
        }
    }

    private JsonNode line(ConsumerRecord<String, byte[]> record) throws Failure, InterruptedException {
        var line = Program.JSON
                .createObjectNode()
                .put("topic", record.topic())
                .put("partition", record.partition())
                .put("offset", record.offset())
                .put("key", record.key());
        var frame = record.value() == null ? null : ByteBuffer.wrap(record.value());
        var headers = Program.JSON.createObjectNode();
        for (var header : record.headers()) {
            var text = header.value();
            headers.put(header.key(), text == null ? null : new String(text, StandardCharsets.UTF_8));
        }
        if (frame == null) {
            line.set("value", NullNode.instance);
            line.set("headers", headers);
            return line.putNull("schema");
        }
        if (frame.remaining() < FRAME_BYTES || frame.get() != 0) {
            throw new Failure(line + " is not in Confluent's wire format");
        }
        var schema = registry.byId(frame.getInt());
        try {
            var decoder = DecoderFactory.get()
                    .binaryDecoder(record.value(), FRAME_BYTES, record.value().length - FRAME_BYTES, null);
            line.set("value", Values.toJson(new GenericDatumReader<>(schema).read(null, decoder)));
            if (!decoder.isEnd()) {
                throw new Failure(line + " is followed by bytes that don't belong to it");
            }
        } catch (IOException | AvroRuntimeException e) {
            throw new Failure(line + " does not deserialize", e);
        }
        line.set("headers", headers);
        return line.put("schema", schema.getFullName());
    }
}
