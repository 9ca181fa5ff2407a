package tandem.foreign;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What both programs have: a command line, lines of JSON, and exit codes. */
final class Program {
    static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** Lines are UTF-8 whatever the locale is. */
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    /** A program, told what it was called with. */
    interface Body {
        void run(Map<String, String> arguments) throws Failure, InterruptedException;
    }

    private Program() {}

    /**
     * Runs the program and ends the process: 0 when all went well, 1 when something failed, which
     * the last line on standard error tells, 2 when the command line is wrong.
     *
     * @param needed flags that have to be given, each with a value
     * @param optional flags with a value that may be left out
     * @param bare flags without a value
     */
    static void main(
            String name, String[] args, List<String> needed, List<String> optional, List<String> bare, Body body) {
        var given = new HashMap<String, String>();
        for (int i = 0; i < args.length; i++) {
            var known = needed.contains(args[i]) || optional.contains(args[i]);
            if (bare.contains(args[i])) {
                given.put(args[i], "");
            } else if (known && i + 1 < args.length) {
                given.put(args[i], args[++i]);
            } else {
                usage(name, (known ? "no value for " : "unknown: ") + args[i], needed, optional, bare);
            }
        }
        if (!given.keySet().containsAll(needed)) {
            usage(name, "a flag is missing", needed, optional, bare);
        }
        try {
            body.run(given);
        } catch (Failure e) {
            System.err.println(name + ": " + e.getMessage());
            System.exit(1);
        } catch (Exception e) {
            e.printStackTrace();
            System.err.println(name + ": " + e);
            System.exit(1);
        }
        // Threads of the clients may still run.
        System.exit(0);
    }

    private static void usage(
            String name, String fault, List<String> needed, List<String> optional, List<String> bare) {
        System.err.printf(
                "%s: %s; give %s, and if you like %s with a value each, and %s%n", name, fault, needed, optional, bare);
        System.exit(2);
    }

    static Duration timeout(Map<String, String> arguments) throws Failure {
        var seconds = arguments.getOrDefault("--timeout", "30");
        try {
            return Duration.ofMillis((long) (Double.parseDouble(seconds) * 1000));
        } catch (NumberFormatException e) {
            throw new Failure("--timeout is " + seconds + "; give seconds");
        }
    }

    static void say(JsonNode line) throws Failure {
        try {
            OUT.println(JSON.writeValueAsString(line));
        } catch (JsonProcessingException e) {
            throw new Failure("the line can't be written", e);
        }
    }
}
