package tandem.client;

import io.grpc.StatusRuntimeException;

/** The request is wrong, see {@link #violations}: change it before sending it again. */
@SuppressWarnings("serial") // As in the class above.
public final class InvalidArgumentException extends TandemException {
  InvalidArgumentException(String call, StatusRuntimeException plain) {
    super(call, plain);
  }
}
