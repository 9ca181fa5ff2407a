package tandem.foreign;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;

/** Asks a schema registry by Confluent's REST API, with nothing but the JDK's HTTP client. */
final class Registry {
    /** A schema as the registry has it. */
    record Known(int id, Schema schema) {}

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final String url;
    /** Ids are for ever, so what was fetched once is never fetched again. */
    private final Map<Integer, Schema> fetched = new HashMap<>();

    Registry(String url) {
        this.url = url.replaceAll("/+$", "");
    }

    /** Registers the schema, or finds it registered. */
    Known register(String subject, Schema schema) throws Failure, InterruptedException {
        return new Known(post("/subjects/" + escaped(subject) + "/versions", schema), schema);
    }

    /** Finds the schema, which has to be registered under this subject. */
    Known find(String subject, Schema schema) throws Failure, InterruptedException {
        return new Known(post("/subjects/" + escaped(subject), schema), schema);
    }

    /** The newest schema of the subject. */
    Known latest(String subject) throws Failure, InterruptedException {
        var answer = get("/subjects/" + escaped(subject) + "/versions/latest");
        return new Known(answer.path("id").intValue(), parse(answer));
    }

    /** The schema with this id. */
    Schema byId(int id) throws Failure, InterruptedException {
        var schema = fetched.get(id);
        if (schema == null) {
            schema = parse(get("/schemas/ids/" + Integer.toUnsignedString(id)));
            fetched.put(id, schema);
        }
        return schema;
    }

    /** Avro's own printing of the schema is sent, as Confluent's Java serializer does. */
    private int post(String path, Schema schema) throws Failure, InterruptedException {
        var body = Program.JSON.createObjectNode().put("schema", schema.toString());
        var id = ask(path, request -> request.POST(BodyPublishers.ofString(body.toString()))).path("id");
        if (!id.isInt()) {
            throw new Failure("the registry's answer to " + path + " has no id");
        }
        return id.intValue();
    }

    private JsonNode get(String path) throws Failure, InterruptedException {
        return ask(path, HttpRequest.Builder::GET);
    }

    private interface Method {
        HttpRequest.Builder on(HttpRequest.Builder request);
    }

    private JsonNode ask(String path, Method method) throws Failure, InterruptedException {
        try {
            var request = method.on(HttpRequest.newBuilder(URI.create(url + path)))
                    .timeout(PATIENCE)
                    .header("Accept", "application/vnd.schemaregistry.v1+json")
                    .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                    .build();
            var response = http.send(request, BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new Failure("the registry refuses " + path + ": HTTP status code " + response.statusCode() + ", "
                        + response.body());
            }
            return Program.JSON.readTree(response.body());
        } catch (IOException | IllegalArgumentException e) {
            throw new Failure("the registry can't be asked for " + path, e);
        }
    }

    private static Schema parse(JsonNode answer) throws Failure {
        try {
            return new Schema.Parser().parse(answer.path("schema").asText());
        } catch (AvroRuntimeException e) {
            throw new Failure("the registry's schema is not Avro", e);
        }
    }

    private static String escaped(String subject) {
        return URLEncoder.encode(subject, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
