package tandem.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Puts a token into each call. */
final class BearerToken extends CallCredentials {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  static final int AT_ONCE = 32;
  static final int MOST_WAITING = 1_024;

  private final Supplier<String> token;
  private final Executor fetching;

  private BearerToken(Supplier<String> token, Executor fetching) {
    this.token = token;
    this.fetching = fetching;
  }

  /** One that is the same for all calls, and that none has to wait for. */
  static BearerToken fixed(String token) {
    return new BearerToken(() -> token, Runnable::run);
  }

  /** One that is asked for with each call. */
  static BearerToken fetched(Supplier<String> token) {
    return new BearerToken(token, threads());
  }

  // They end by themselves and keep no program from ending. The JVM's common pool won't do: on
  // small machines it has one thread, which a slow supplier would take from everybody.
  private static Executor threads() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            AT_ONCE,
            AT_ONCE,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MOST_WAITING),
            task -> {
              Thread thread = new Thread(task, "tandem-token");
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** Whether a header may have it. */
  static boolean isToken(String token) {
    return token != null && !token.isEmpty() && token.chars().allMatch(c -> c >= ' ' && c <= '~');
  }

  // Fetching a token may take long. The executor that gRPC offers may be the caller's thread, which
  // has to be free to see its deadline pass.
  @Override
  public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
    if (call.getSecurityLevel() != SecurityLevel.PRIVACY_AND_INTEGRITY) {
      applier.fail(Status.UNAUTHENTICATED.withDescription("a token is only sent over TLS"));
      return;
    }
    try {
      fetching.execute(() -> fetch(applier));
    } catch (RejectedExecutionException e) {
      // Nothing is wrong with the token, and there may be room in a moment: this is tried again.
      applier.fail(Status.UNAVAILABLE.withDescription("too many calls wait for a token"));
    }
  }

  private void fetch(MetadataApplier applier) {
    Metadata headers = new Metadata();
    try {
      String fetched = token.get();
      if (!isToken(fetched)) {
        throw new IllegalStateException("what was fetched is no token");
      }
      headers.put(AUTHORIZATION, "Bearer " + fetched);
    } catch (Throwable e) { // Whatever it is, the call that waits for it has to be told.
      applier.fail(
          Status.UNAUTHENTICATED.withDescription("the token could not be fetched").withCause(e));
      return;
    }
    applier.apply(headers);
  }
}
