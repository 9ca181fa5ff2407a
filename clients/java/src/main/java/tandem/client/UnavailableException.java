package tandem.client;

import io.grpc.StatusRuntimeException;

/** Nobody could answer just now, after all tries: send the request again later. */
@SuppressWarnings("serial") // As in the class above.
public final class UnavailableException extends TandemException {
  UnavailableException(String call, StatusRuntimeException plain) {
    super(call, plain);
  }
}
