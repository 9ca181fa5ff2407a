package tandem.client;

import io.grpc.StatusRuntimeException;

/** The request can't be answered as things are: see {@link #reason} for what to change. */
@SuppressWarnings("serial") // As in the class above.
public final class FailedPreconditionException extends TandemException {
  FailedPreconditionException(String call, StatusRuntimeException plain) {
    super(call, plain);
  }
}
