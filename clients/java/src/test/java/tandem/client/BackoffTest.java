package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BackoffTest {
  @Test
  void growsToItsMostWithAFifthOfChance() {
    double[] expected = {0.25, 0.5, 1, 2, 4, 4, 4, 4};
    for (int failures = 1; failures <= expected.length; failures++) {
      double seconds = expected[failures - 1];
      assertEquals(seconds * 0.8, seconds(failures, 0), 1e-6);
      assertEquals(seconds, seconds(failures, 0.5), 1e-6);
      assertEquals(seconds * 1.2, seconds(failures, 1), 1e-6);
    }
    assertEquals(4, seconds(10_000, 0.5), 1e-6);
  }

  private static double seconds(int failures, double chance) {
    return ServiceConfig.BACKOFF.after(failures, chance).toNanos() / 1e9;
  }

  @Test
  void takesTheTimeoutOutOfWhatChannelsDo() {
    assertEquals(Duration.ofSeconds(10), ServiceConfig.TIMEOUT);
    List<?> methods = (List<?>) ServiceConfig.FOR_CHANNELS.get("methodConfig");
    methods.forEach(method -> assertFalse(((Map<?, ?>) method).containsKey("timeout")));
  }
}
