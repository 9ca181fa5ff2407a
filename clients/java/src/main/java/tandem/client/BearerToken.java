package tandem.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Supplier;

/** Puts a token into each call. */
final class BearerToken extends CallCredentials {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Supplier<String> token;

  BearerToken(Supplier<String> token) {
    this.token = token;
  }

  /** Whether a header may have it. */
  static boolean isToken(String token) {
    return token != null && !token.isEmpty() && token.chars().allMatch(c -> c >= ' ' && c <= '~');
  }

  // Fetching a token may take long. The executor that gRPC offers is the caller's own thread, which
  // has to be free to see its deadline pass.
  @Override
  public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
    if (call.getSecurityLevel() != SecurityLevel.PRIVACY_AND_INTEGRITY) {
      applier.fail(Status.UNAUTHENTICATED.withDescription("a token is only sent over TLS"));
      return;
    }
    ForkJoinPool.commonPool()
        .execute(
            () -> {
              Metadata headers = new Metadata();
              try {
                String fetched = token.get();
                if (!isToken(fetched)) {
                  throw new IllegalStateException("what was fetched is no token");
                }
                headers.put(AUTHORIZATION, "Bearer " + fetched);
              } catch (Throwable e) { // Whatever it is, the call that waits for it has to be told.
                applier.fail(
                    Status.UNAUTHENTICATED
                        .withDescription("the token could not be fetched")
                        .withCause(e));
                return;
              }
              applier.apply(headers);
            });
  }
}
