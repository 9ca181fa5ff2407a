package tandem.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Message;
import io.grpc.TlsChannelCredentials;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import tandem.client.Session;
import tandem.client.TandemClient;
import tandem.v1.WatchCustomerOrdersRequest;

/** Does what it is told through the client, a line at a time; see clients/conformance/README.md. */
public final class Driver {
  private final Map<String, TandemClient> clients = new HashMap<>();
  private final Map<String, Session> sessions = new HashMap<>();
  private final Map<String, Watching> watches = new HashMap<>();
  private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();

  public static void main(String[] args) throws IOException {
    Driver driver = new Driver();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      answers.println(driver.answer(JsonParser.parseString(line).getAsJsonObject()));
    }
    // Threads of clients that were not closed don't keep it alive.
    System.exit(0);
  }

  private JsonObject answer(JsonObject line) {
    try {
      return switch (text(line, "op")) {
        case "client" -> client(line);
        case "session" -> session(line);
        case "receipts" -> receipts(line);
        case "call" -> call(line);
        case "rows" -> rows(line);
        case "pages" -> pages(line);
        case "watch" -> watch(line);
        case "next" -> watches.get(text(line, "watch")).next(number(line, "withinMs"));
        case "cancel" -> cancel(line);
        case "close" -> close(line);
        default -> throw new Unknown("op " + text(line, "op"));
      };
    } catch (Unknown e) {
      System.err.println("driver: " + e.getMessage());
      System.exit(1);
      throw e;
    } catch (RuntimeException e) {
      return Failure.of(e);
    }
  }

  private JsonObject client(JsonObject line) {
    TandemClient.Builder builder = TandemClient.builder().command(text(line, "command"));
    builder.query(
        line.getAsJsonArray("query").asList().stream()
            .map(JsonElement::getAsString)
            .toArray(String[]::new));
    if (line.has("tls")) {
      tls(builder, line.getAsJsonObject("tls"));
    }
    if (line.has("token")) {
      builder.token(text(line, "token"));
    }
    if (line.has("timeoutMs")) {
      builder.timeout(Duration.ofMillis(number(line, "timeoutMs")));
    }
    clients.put(text(line, "name"), builder.build());
    return ok();
  }

  private static void tls(TandemClient.Builder builder, JsonObject tls) {
    if (!tls.has("ca")) {
      builder.tls();
      return;
    }
    try {
      File ca = new File(text(tls, "ca"));
      builder.tls(TlsChannelCredentials.newBuilder().trustManager(ca).build());
    } catch (IOException e) {
      throw new IllegalArgumentException("tls: the certificates can't be read: " + e, e);
    }
  }

  private JsonObject session(JsonObject line) {
    TandemClient client = clients.get(text(line, "client"));
    JsonArray receipts = line.has("receipts") ? line.getAsJsonArray("receipts") : new JsonArray();
    sessions.put(
        text(line, "name"),
        client.session(receipts.asList().stream().map(JsonElement::getAsString).toList()));
    return ok();
  }

  private JsonObject receipts(JsonObject line) {
    JsonArray receipts = new JsonArray();
    sessions.get(text(line, "session")).receipts().forEach(receipts::add);
    return with("receipts", receipts);
  }

  private JsonObject call(JsonObject line) {
    Contract.Call call = Contract.call(text(line, "method"));
    Session session = sessionOf(line);
    String request = line.get("request").toString();
    if (!line.has("cancelAfterMs")) {
      return with("response", Contract.json(call.of(session, request)));
    }
    return interrupted(
        number(line, "cancelAfterMs"),
        () -> with("response", Contract.json(call.of(session, request))));
  }

  /** Interrupts this thread after a while if it is still at it. */
  private JsonObject interrupted(long afterMs, Supplier<JsonObject> work) {
    ScheduledFuture<?> interruption =
        later.schedule(Thread.currentThread()::interrupt, afterMs, TimeUnit.MILLISECONDS);
    try {
      return work.get();
    } finally {
      if (!interruption.cancel(false)) {
        try {
          interruption.get();
        } catch (InterruptedException | ExecutionException e) {
          // It was about to come, and now it came.
        }
      }
      Thread.interrupted();
    }
  }

  private JsonObject rows(JsonObject line) {
    return with("rows", some(line, Contract.rows(line, sessionOf(line)).iterator()));
  }

  private JsonObject pages(JsonObject line) {
    return with("pages", some(line, Contract.rows(line, sessionOf(line)).pages().iterator()));
  }

  private static JsonArray some(JsonObject line, Iterator<? extends Message> from) {
    long limit = line.has("limit") ? number(line, "limit") : Long.MAX_VALUE;
    JsonArray taken = new JsonArray();
    while (taken.size() < limit && from.hasNext()) {
      taken.add(Contract.json(from.next()));
    }
    return taken;
  }

  private JsonObject watch(JsonObject line) {
    WatchCustomerOrdersRequest request =
        Contract.request(
            WatchCustomerOrdersRequest.getDefaultInstance(), line.get("request").toString());
    watches.put(text(line, "name"), new Watching(sessionOf(line).watchCustomerOrders(request)));
    return ok();
  }

  private JsonObject cancel(JsonObject line) {
    watches.get(text(line, "watch")).close();
    return ok();
  }

  private JsonObject close(JsonObject line) {
    clients.get(text(line, "client")).close();
    return ok();
  }

  private Session sessionOf(JsonObject line) {
    Session session = sessions.get(text(line, "session"));
    return line.has("timeoutMs")
        ? session.withTimeout(Duration.ofMillis(number(line, "timeoutMs")))
        : session;
  }

  static JsonObject with(String name, JsonElement value) {
    JsonObject answer = new JsonObject();
    answer.add(name, value);
    return answer;
  }

  private static JsonObject ok() {
    JsonObject answer = new JsonObject();
    answer.addProperty("ok", true);
    return answer;
  }

  private static String text(JsonObject line, String name) {
    return line.get(name).getAsString();
  }

  private static long number(JsonObject line, String name) {
    return line.get(name).getAsLong();
  }

  /** What a driver ends with, since answering would be a guess. */
  static final class Unknown extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unknown(String what) {
      super("unknown " + what);
    }
  }
}
