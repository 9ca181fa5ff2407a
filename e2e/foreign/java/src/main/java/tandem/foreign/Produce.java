package tandem.foreign;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes records to Kafka as a stranger would: with Kafka's own Java client and its default
 * partitioner, and Avro behind Confluent's five bytes, which are put there by hand.
 *
 * <p>Takes the lines and gives the lines and exit codes that {@code ../python/produce.py} tells of.
 */
public final class Produce {
    /** What a topic's records are when nobody says otherwise. */
    private static final Map<String, String> USUAL =
            Map.of("customer", "CustomerRegistered", "order", "OrderPlaced", "greetings", "GreetingSent");

    /** How many records may be on their way: bounds the memory. */
    private static final int MOST_PENDING = 1000;

    private record Sent(String key, Future<RecordMetadata> answer) {}

    private final Map<String, String> arguments;
    private final String topic;
    private final Registry registry;
    private final KafkaProducer<String, byte[]> producer;
    /** By the record's name without namespace. */
    private final Map<String, Schema> schemas = new HashMap<>();
    /** What the registry has for them; it is asked when a kind of record first comes. */
    private final Map<String, Registry.Known> known = new HashMap<>();
    private final String usual;
    private final List<Sent> pending = new ArrayList<>();

    private Produce(Map<String, String> arguments) throws Failure {
        this.arguments = arguments;
        topic = arguments.get("--topic");
        registry = new Registry(arguments.get("--registry"));
        producer = producer(arguments);
        var file = arguments.get("--schema");
        usual = file == null ? USUAL.get(topic) : add(file, read(Path.of(file)));
    }

    public static void main(String[] args) {
        Program.main(
                "produce",
                args,
                List.of("--bootstrap", "--registry", "--topic"),
                List.of("--schema", "--timeout"),
                List.of("--no-register", "--latest"),
                arguments -> new Produce(arguments).run());
    }

    private static KafkaProducer<String, byte[]> producer(Map<String, String> arguments) throws Failure {
        var timeout = (int) Program.timeout(arguments).toMillis();
        var settings = new HashMap<String, Object>();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.get("--bootstrap"));
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeout);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, timeout);
        // The client wants one request and the lingering to fit into the time for a delivery.
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        try {
            return new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
        } catch (KafkaException e) {
            throw new Failure("Kafka's client does not start", e);
        }
    }

    private void run() throws Failure, InterruptedException {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            int number = 0;
            for (var text = in.readLine(); text != null; text = in.readLine()) {
                number++;
                if (!text.isBlank()) {
                    send(parse(number, text));
                }
            }
        } catch (IOException e) {
            throw new Failure("standard input can't be read", e);
        } finally {
            settle();
        }
    }

    private static JsonNode parse(int number, String text) throws Failure {
        try {
            var line = Program.JSON.readTree(text);
            if (!line.has("key")) {
                throw new Failure("line " + number + " is no object with a key");
            }
            if (line.hasNonNull("partition") && !line.get("partition").isInt()) {
                throw new Failure("line " + number + " has a partition that is no number");
            }
            return line;
        } catch (JsonProcessingException e) {
            throw new Failure("line " + number + " is not JSON", e);
        }
    }

    private void send(JsonNode line) throws Failure, InterruptedException {
        var key = Values.text(line.get("key"));
        var partition = line.hasNonNull("partition") ? line.get("partition").intValue() : null;
        var sent = new ProducerRecord<>(topic, partition, key, serialize(line));
        for (var header : Values.entries(line.path("headers"))) {
            var text = Values.text(header.getValue());
            sent.headers().add(header.getKey(), text == null ? null : text.getBytes(StandardCharsets.UTF_8));
        }
        try {
            pending.add(new Sent(key, producer.send(sent)));
        } catch (KafkaException | IllegalArgumentException e) {
            throw undelivered(key, e);
        }
        if (pending.size() == MOST_PENDING) {
            settle();
        }
    }

    /** Waits for all that is on its way, and prints it in the order of the input. */
    private void settle() throws Failure, InterruptedException {
        producer.flush();
        var settled = List.copyOf(pending);
        pending.clear();
        for (var sent : settled) {
            try {
                var place = sent.answer.get();
                Program.say(Program.JSON
                        .createObjectNode()
                        .put("topic", place.topic())
                        .put("partition", place.partition())
                        .put("offset", place.offset())
                        .put("key", sent.key));
            } catch (ExecutionException e) {
                throw undelivered(sent.key, e.getCause());
            }
        }
    }

    private Failure undelivered(String key, Throwable cause) {
        return new Failure("key '" + key + "' was not delivered to '" + topic + "'", cause);
    }

    /** A zero byte, the schema's id in four bytes, the highest first, then Avro; or a tombstone. */
    private byte[] serialize(JsonNode line) throws Failure, InterruptedException {
        if (!line.hasNonNull("value")) {
            return null;
        }
        var schema = known(line);
        var bytes = new ByteArrayOutputStream();
        bytes.write(0);
        bytes.writeBytes(ByteBuffer.allocate(4).putInt(schema.id()).array());
        try {
            var encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
            var writer = new GenericDatumWriter<>(schema.schema());
            writer.write(Values.toAvro(line.get("value"), schema.schema()), encoder);
            encoder.flush();
        } catch (Failure | IOException | AvroRuntimeException e) {
            var name = schema.schema().getName();
            throw new Failure("key " + line.get("key") + " can't be serialized as " + name, e);
        }
        return bytes.toByteArray();
    }

    private Registry.Known known(JsonNode line) throws Failure, InterruptedException {
        var named = Values.text(line.get("schema"));
        var name = named == null ? usual : named.substring(named.lastIndexOf('.') + 1);
        if (name == null) {
            throw new Failure("what the records on '" + topic + "' are is not known; use --schema");
        }
        if (!schemas.containsKey(name)) {
            add(name, own(name));
        }
        if (!known.containsKey(name)) {
            known.put(name, ask(schemas.get(name)));
        }
        return known.get(name);
    }

    private Registry.Known ask(Schema schema) throws Failure, InterruptedException {
        var subject = topic + "-" + schema.getFullName();
        if (arguments.containsKey("--latest")) {
            return registry.latest(subject);
        }
        return arguments.containsKey("--no-register")
                ? registry.find(subject, schema)
                : registry.register(subject, schema);
    }

    private String add(String source, String text) throws Failure {
        try {
            var schema = new Schema.Parser().parse(text);
            schemas.put(schema.getName(), schema);
            return schema.getName();
        } catch (AvroRuntimeException e) {
            throw new Failure(source + " is no Avro schema of a record", e);
        }
    }

    private static String read(Path file) throws Failure {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new Failure(file + " can't be read", e);
        }
    }

    /** The project's own schema of that name, which the build put beside the classes. */
    private static String own(String name) throws Failure {
        try (var in = Produce.class.getResourceAsStream("/schemas/" + name + ".avsc")) {
            if (in == null) {
                throw new Failure("the project has no schema " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new Failure("the schema " + name + " can't be read", e);
        }
    }
}
