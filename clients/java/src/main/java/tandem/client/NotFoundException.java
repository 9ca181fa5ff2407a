package tandem.client;

import io.grpc.StatusRuntimeException;

/** There is no such row. */
@SuppressWarnings("serial") // As in the class above.
public final class NotFoundException extends TandemException {
  NotFoundException(String call, StatusRuntimeException plain) {
    super(call, plain);
  }
}
