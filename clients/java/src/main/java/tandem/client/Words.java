package tandem.client;

import io.grpc.Status;
import java.net.ConnectException;
import java.security.cert.CertificateException;
import java.util.regex.Pattern;

/** Says what was the matter when it wasn't a service of Tandem that said it. */
final class Words {
  // What gRPC says about a deadline lists the tries that had ended by then; with none it is [].
  private static final Pattern FAILED_TRIES = Pattern.compile("closed=\\[[^\\]]");

  private Words() {}

  /** Which call it was, and what is known about why. */
  static String of(String call, Status status) {
    Throwable why = why(status.getCause());
    String what =
        switch (status.getCode()) {
          case DEADLINE_EXCEEDED ->
              FAILED_TRIES.matcher(description(status)).find()
                  ? "the time was up, and the tries before had failed: "
                  : "no answer in time: ";
          case CANCELLED -> "cancelled: ";
          default -> {
            if (why instanceof ConnectException) {
              yield "nothing listens there, is Tandem running? ";
            }
            yield why instanceof CertificateException ? "the certificate isn't trusted: " : "";
          }
        };
    return (call + ": " + what + known(status, why)).replaceAll("\\s+", " ").strip();
  }

  private static String description(Status status) {
    return status.getDescription() == null ? "" : status.getDescription();
  }

  private static String known(Status status, Throwable why) {
    String description = description(status);
    if (why == null) {
      return description.isEmpty() ? status.getCode().name() : description;
    }
    String cause = why.getMessage() == null ? why.toString() : why.getMessage();
    return description.isEmpty() ? cause : description + " (" + cause + ")";
  }

  // The first that says what it was about, as the address; else the innermost. Bounded, since
  // nothing forbids a chain of causes to be a ring.
  private static Throwable why(Throwable cause) {
    Throwable why = cause;
    for (int depth = 0; why != null && depth < 20; depth++) {
      boolean telling = why instanceof ConnectException || why instanceof CertificateException;
      if (telling || why.getCause() == null) {
        break;
      }
      why = why.getCause();
    }
    return why;
  }
}
