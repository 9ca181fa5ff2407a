package tandem.client;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Reads the contract's service config, the one place where deadlines and pauses are written. */
final class ServiceConfig {
  /** What channels do by themselves: balancing and retries, without the timeout. */
  static final Map<String, ?> FOR_CHANNELS;

  /** How long a call may take with all its tries, unless the caller says otherwise. */
  static final Duration TIMEOUT;

  /** How long to pause before a try. */
  static final Backoff BACKOFF;

  static {
    Map<String, Object> config = read();
    Map<String, Object> calls = configOfCalls(config);
    TIMEOUT = duration(calls.remove("timeout"));
    Map<?, ?> retries = (Map<?, ?>) calls.get("retryPolicy");
    BACKOFF =
        new Backoff(
            duration(retries.get("initialBackoff")),
            duration(retries.get("maxBackoff")),
            (Double) retries.get("backoffMultiplier"));
    FOR_CHANNELS = config;
  }

  private ServiceConfig() {}

  private static Map<String, Object> read() {
    try (InputStream file = ServiceConfig.class.getResourceAsStream("service_config.json");
        Reader reader = new InputStreamReader(file, StandardCharsets.UTF_8)) {
      return new Gson().fromJson(reader, new TypeToken<Map<String, Object>>() {}.getType());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The entry of the calls that have a deadline; watches have another one. */
  @SuppressWarnings("unchecked") // JSON's objects are maps with text for keys.
  private static Map<String, Object> configOfCalls(Map<String, Object> config) {
    return ((List<Map<String, Object>>) config.get("methodConfig"))
        .stream().filter(method -> method.containsKey("timeout")).findFirst().orElseThrow();
  }

  /** Durations are seconds with a fraction and an "s". */
  private static Duration duration(Object json) {
    String seconds = ((String) json).replaceFirst("s$", "");
    return Duration.ofNanos(new BigDecimal(seconds).movePointRight(9).longValueExact());
  }

  /** Pauses that grow, with some chance in them so that many clients don't call in step. */
  record Backoff(Duration initial, Duration max, double multiplier) {
    /**
     * How long to pause.
     *
     * @param failures how many tries failed in a row, from 1
     * @param chance from 0 up to 1; the pause is 80 % to 120 % of the one in the service config
     */
    Duration after(int failures, double chance) {
      double whole = initial.toNanos() * Math.pow(multiplier, failures - 1);
      return Duration.ofNanos((long) (Math.min(whole, max.toNanos()) * (0.8 + 0.4 * chance)));
    }
  }
}
