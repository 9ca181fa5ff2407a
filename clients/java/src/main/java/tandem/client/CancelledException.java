package tandem.client;

import io.grpc.StatusRuntimeException;

/**
 * The caller cancelled the call, or closed the client. A command may have been carried out all the
 * same.
 */
@SuppressWarnings("serial") // As in the class above.
public final class CancelledException extends TandemException {
  CancelledException(String call, StatusRuntimeException plain) {
    super(call, plain);
  }
}
