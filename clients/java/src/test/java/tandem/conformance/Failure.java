package tandem.conformance;

import com.google.gson.JsonObject;
import io.grpc.StatusRuntimeException;
import tandem.client.CancelledException;
import tandem.client.DeadlineExceededException;
import tandem.client.FailedPreconditionException;
import tandem.client.InvalidArgumentException;
import tandem.client.NotFoundException;
import tandem.client.TandemException;
import tandem.client.UnavailableException;

/** What went wrong, as the driver says it. */
final class Failure {
  private Failure() {}

  /** Anything that the client doesn't throw on purpose is thrown on. */
  static JsonObject of(RuntimeException e) {
    JsonObject error = new JsonObject();
    error.addProperty("type", type(e));
    error.addProperty("message", e.getMessage());
    if (e instanceof TandemException told) {
      describe(told, error);
    }
    return Driver.with("error", error);
  }

  private static void describe(TandemException told, JsonObject error) {
    error.addProperty("grpc", StatusRuntimeException.class.isInstance(told));
    error.addProperty("code", told.code().name());
    error.addProperty("reason", told.reason());
    JsonObject metadata = new JsonObject();
    told.metadata().forEach(metadata::addProperty);
    error.add("metadata", metadata);
    JsonObject violations = new JsonObject();
    told.violations().forEach(found -> violations.addProperty(found.field(), found.description()));
    error.add("violations", violations);
    told.retryDelay().ifPresent(delay -> error.addProperty("retryDelayMs", delay.toMillis()));
  }

  private static String type(RuntimeException e) {
    if (e instanceof InvalidArgumentException) return "InvalidArgument";
    if (e instanceof NotFoundException) return "NotFound";
    if (e instanceof FailedPreconditionException) return "FailedPrecondition";
    if (e instanceof UnavailableException) return "Unavailable";
    if (e instanceof DeadlineExceededException) return "DeadlineExceeded";
    if (e instanceof CancelledException) return "Cancelled";
    if (e instanceof TandemException) return "Other";
    if (e instanceof IllegalArgumentException) return "Configuration";
    throw e;
  }
}
