package tandem.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * How long this process has run on CPUs. Linux only: what Java itself says of it comes in steps of
 * 10 ms, as long as a hundred calls.
 */
final class CpuTime {
  private static final Path THREADS = Path.of("/proc/self/task");

  private CpuTime() {}

  /** User and system time of all threads that there are. */
  static long nanos() {
    long nanos = 0;
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
      for (Path thread : threads) {
        nanos += nanos(thread.resolve("schedstat"));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return nanos;
  }

  private static long nanos(Path schedstat) throws IOException {
    try {
      String line = Files.readString(schedstat);
      return Long.parseLong(line.substring(0, line.indexOf(' ')));
    } catch (NoSuchFileException e) {
      // The thread has ended meanwhile.
      return 0;
    }
  }
}
