package tandem.foreign;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.HashSet;
import java.util.Map;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;

/** JSON and Avro's generic values, for the types that records of this project have or may get. */
final class Values {
    private Values() {}

    /** What is missing takes its default; what the schema doesn't know is a fault. */
    static Object toAvro(JsonNode json, Schema schema) throws Failure {
        return switch (schema.getType()) {
            case RECORD -> toRecord(json, schema);
            case UNION -> toBranch(json, schema);
            case STRING -> fitting(json.isTextual(), json, schema).textValue();
            case LONG -> fitting(json.canConvertToLong() && json.isIntegralNumber(), json, schema).longValue();
            case INT -> fitting(json.canConvertToInt() && json.isIntegralNumber(), json, schema).intValue();
            case BOOLEAN -> fitting(json.isBoolean(), json, schema).booleanValue();
            case DOUBLE -> fitting(json.isNumber(), json, schema).doubleValue();
            case NULL -> fitting(json.isNull(), json, schema).isNull() ? null : json;
            default -> throw new Failure("values of type " + schema.getType() + " are not supported here");
        };
    }

    private static JsonNode fitting(boolean fits, JsonNode json, Schema schema) throws Failure {
        if (!fits) {
            throw new Failure(json + " is no " + schema.getType().getName());
        }
        return json;
    }

    private static Object toRecord(JsonNode json, Schema schema) throws Failure {
        fitting(json.isObject(), json, schema);
        var record = new GenericData.Record(schema);
        var unknown = new HashSet<String>();
        json.fieldNames().forEachRemaining(unknown::add);
        for (var field : schema.getFields()) {
            unknown.remove(field.name());
            record.put(field.pos(), field(json.get(field.name()), field));
        }
        if (!unknown.isEmpty()) {
            throw new Failure(schema.getFullName() + " has no fields " + unknown);
        }
        return record;
    }

    private static Object field(JsonNode json, Schema.Field field) throws Failure {
        if (json != null) {
            return toAvro(json, field.schema());
        }
        try {
            return GenericData.get().getDefaultValue(field);
        } catch (AvroRuntimeException e) {
            throw new Failure("field " + field.name() + " is missing and has no default");
        }
    }

    /** The first branch that the value fits. */
    private static Object toBranch(JsonNode json, Schema union) throws Failure {
        for (var branch : union.getTypes()) {
            try {
                return toAvro(json, branch);
            } catch (Failure e) {
                // The next one may fit.
            }
        }
        throw new Failure(json + " fits no branch of " + union);
    }

    /** Times stay whole milliseconds, as on the wire. */
    static JsonNode toJson(Object value) throws Failure {
        var nodes = JsonNodeFactory.instance;
        if (value instanceof IndexedRecord record) {
            var object = nodes.objectNode();
            for (var field : record.getSchema().getFields()) {
                object.set(field.name(), toJson(record.get(field.pos())));
            }
            return object;
        }
        if (value instanceof CharSequence text) {
            return nodes.textNode(text.toString());
        }
        var plain = value == null || value instanceof Number || value instanceof Boolean;
        if (!plain) {
            throw new Failure("values of " + value.getClass() + " are not supported here");
        }
        return Program.JSON.valueToTree(value);
    }

    /** A text or null, as keys and headers are. */
    static String text(JsonNode json) throws Failure {
        if (json == null || json.isNull()) {
            return null;
        }
        if (!json.isTextual()) {
            throw new Failure(json + " is neither a text nor null");
        }
        return json.textValue();
    }

    /** The entries of an object that may be left out. */
    static Iterable<Map.Entry<String, JsonNode>> entries(JsonNode json) {
        return json.properties();
    }
}
