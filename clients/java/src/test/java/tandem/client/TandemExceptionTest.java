package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TandemExceptionTest {
  private static final Map<Status, Class<?>> TYPES =
      Map.of(
          Status.INVALID_ARGUMENT, InvalidArgumentException.class,
          Status.NOT_FOUND, NotFoundException.class,
          Status.FAILED_PRECONDITION, FailedPreconditionException.class,
          Status.UNAVAILABLE, UnavailableException.class,
          Status.DEADLINE_EXCEEDED, DeadlineExceededException.class,
          Status.CANCELLED, CancelledException.class,
          Status.RESOURCE_EXHAUSTED, TandemException.class);

  @Test
  void hasATypeByItsCode() {
    TYPES.forEach(
        (status, type) -> {
          TandemException told = TandemException.of("GetOrder", status.asRuntimeException());
          assertEquals(type, told.getClass());
          assertInstanceOf(StatusRuntimeException.class, told);
          assertEquals(status.getCode().name(), told.reason());
          assertEquals(Map.of(), told.metadata());
          assertEquals(List.of(), told.violations());
          assertEquals(Optional.empty(), told.retryDelay());
        });
  }

  @Test
  void isTakenAsItIs() {
    TandemException told =
        TandemException.of("ListCustomers", Status.UNAVAILABLE.asRuntimeException())
            .unsent("PlaceOrder");

    assertSame(told, TandemException.of("PlaceOrder", told));
  }

  @Test
  void saysWhatKeptItFromTheService() {
    Status status =
        Status.UNAVAILABLE
            .withDescription("io exception")
            .withCause(new RuntimeException(new ConnectException("Connection refused: a:1")));

    TandemException told = TandemException.of("GetOrder", status.asRuntimeException());

    assertEquals(
        "GetOrder: nothing listens there, is Tandem running? io exception (Connection refused:"
            + " a:1)",
        told.getMessage());
  }

  @Test
  void saysOfADeadlineWhetherTriesHadFailed() {
    assertEquals(
        "GetOrder: no answer in time: up. [closed=[], open=[[waiting]]]",
        deadline("up. [closed=[], open=[[waiting]]]"));
    assertEquals(
        "GetOrder: the time was up, and the tries before had failed: up. [closed=[UNAVAILABLE],"
            + " open=[]]",
        deadline("up. [closed=[UNAVAILABLE], open=[]]"));
  }

  private static String deadline(String description) {
    Status status = Status.DEADLINE_EXCEEDED.withDescription(description);
    return TandemException.of("GetOrder", status.asRuntimeException()).getMessage();
  }

  @Test
  void reportsTheErrorThoughItsDetailsCannotBeRead() {
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        new byte[] {(byte) 0xff});
    Status status = Status.NOT_FOUND.withDescription("gone");
    TandemException garbled =
        TandemException.of("GetOrder", new StatusRuntimeException(status, trailers));
    assertEquals("GetOrder: gone", garbled.getMessage());

    Any broken =
        Any.pack(ErrorInfo.getDefaultInstance()).toBuilder()
            .setValue(ByteString.copyFrom(new byte[] {(byte) 0xff}))
            .build();
    StatusRuntimeException plain =
        StatusProto.toStatusRuntimeException(
            com.google.rpc.Status.newBuilder()
                .setCode(Status.Code.NOT_FOUND.value())
                .setMessage("gone")
                .addDetails(broken)
                .build());
    assertEquals("GetOrder: gone", TandemException.of("GetOrder", plain).getMessage());
  }
}
