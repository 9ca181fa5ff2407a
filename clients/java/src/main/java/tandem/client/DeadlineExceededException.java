package tandem.client;

import io.grpc.StatusRuntimeException;

/** There was no answer in time. A command may have been carried out all the same. */
@SuppressWarnings("serial") // As in the class above.
public final class DeadlineExceededException extends TandemException {
  DeadlineExceededException(String call, StatusRuntimeException plain) {
    super(call, plain);
  }
}
