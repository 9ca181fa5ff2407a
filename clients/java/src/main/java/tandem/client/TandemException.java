package tandem.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call that failed, with what the service said about it. It is also the {@link
 * StatusRuntimeException} that the plain stub throws. The codes that callers usually tell apart
 * have a subclass; what has none is thrown as this.
 */
// Like gRPC's own exceptions, whose status isn't serializable either.
@SuppressWarnings("serial")
public class TandemException extends StatusRuntimeException {
  private String message;
  private final String reason;
  private final Map<String, String> metadata;
  private final List<Violation> violations;
  private final Duration retryDelay;

  /**
   * What is wrong with a field of a request.
   *
   * @param field its name in the contract, as {@code customer_id}
   * @param description what is wrong with it, as "must not be empty"
   */
  public record Violation(String field, String description) {}

  TandemException(String call, StatusRuntimeException plain) {
    super(plain.getStatus(), plain.getTrailers());
    List<Any> details = details(plain);
    ErrorInfo info = detail(details, ErrorInfo.class).orElse(null);
    this.message = info == null ? Words.of(call, plain.getStatus()) : words(plain.getStatus());
    this.reason = info == null ? plain.getStatus().getCode().name() : info.getReason();
    this.metadata = info == null ? Map.of() : Map.copyOf(info.getMetadataMap());
    this.violations =
        detail(details, BadRequest.class).stream()
            .flatMap(request -> request.getFieldViolationsList().stream())
            .map(found -> new Violation(found.getField(), found.getDescription()))
            .toList();
    this.retryDelay =
        detail(details, RetryInfo.class)
            .map(RetryInfo::getRetryDelay)
            .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()))
            .orElse(null);
  }

  /**
   * Reads an error of a plain stub.
   *
   * @param call which call it was, as {@code GetCustomer}; for the message
   * @return an exception of the type that belongs to the error's code; what is one already, as from
   *     a session, as it is
   */
  public static TandemException of(String call, StatusRuntimeException plain) {
    if (plain instanceof TandemException told) {
      return told;
    }
    return switch (plain.getStatus().getCode()) {
      case INVALID_ARGUMENT -> new InvalidArgumentException(call, plain);
      case NOT_FOUND -> new NotFoundException(call, plain);
      case FAILED_PRECONDITION -> new FailedPreconditionException(call, plain);
      case UNAVAILABLE -> new UnavailableException(call, plain);
      case DEADLINE_EXCEEDED -> new DeadlineExceededException(call, plain);
      case CANCELLED -> new CancelledException(call, plain);
      default -> new TandemException(call, plain);
    };
  }

  /** The same about settling receipts, which had to be done before {@code call} could be sent. */
  TandemException unsent(String call) {
    message = call + " was not sent: the session's receipts could not be settled: " + message;
    return this;
  }

  /** The gRPC code. */
  public Status.Code code() {
    return getStatus().getCode();
  }

  /**
   * Why, for programs, as {@code CUSTOMER_NOT_FOUND}. When nobody from Tandem answered, as with a
   * wrong address, it is the code's name.
   */
  public String reason() {
    return reason;
  }

  /** Why, for people; the service's own words if it said any. */
  @Override
  public String getMessage() {
    return message;
  }

  /** What the reason is about, as {@code customer_id}; may be empty. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** Every faulty field of the request; may be empty. */
  public List<Violation> violations() {
    return violations;
  }

  /** How long to wait before sending the request again, if the service said so. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(retryDelay);
  }

  private static String words(Status status) {
    return status.getDescription() == null ? "" : status.getDescription();
  }

  // Details that can't be read are of somebody else, or of a version that says more than this one
  // knows. What they belong to is still the error to report, so they count as not there.
  private static List<Any> details(StatusRuntimeException plain) {
    try {
      com.google.rpc.Status status = StatusProto.fromThrowable(plain);
      return status == null ? List.of() : status.getDetailsList();
    } catch (IllegalArgumentException e) {
      return List.of();
    }
  }

  private static <T extends com.google.protobuf.Message> Optional<T> detail(
      List<Any> details, Class<T> type) {
    for (Any detail : details) {
      if (detail.is(type)) {
        try {
          return Optional.of(detail.unpack(type));
        } catch (InvalidProtocolBufferException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }
}
