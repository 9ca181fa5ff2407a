package tandem.client;

import io.grpc.Context;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import tandem.v1.CommandServiceGrpc.CommandServiceImplBase;
import tandem.v1.GetCustomerRequest;
import tandem.v1.GetCustomerResponse;
import tandem.v1.ListCustomersRequest;
import tandem.v1.ListCustomersResponse;
import tandem.v1.PlaceOrderRequest;
import tandem.v1.PlaceOrderResponse;
import tandem.v1.QueryServiceGrpc.QueryServiceImplBase;
import tandem.v1.Served;
import tandem.v1.WatchRoutingRequest;
import tandem.v1.WatchRoutingResponse;

/** Both services on one port: notes what is asked, answers or refuses as a test says. */
final class FakeTandem implements AutoCloseable {
  final List<PlaceOrderRequest> placed = new CopyOnWriteArrayList<>();
  final List<GetCustomerRequest> read = new CopyOnWriteArrayList<>();
  final List<ListCustomersRequest> listed = new CopyOnWriteArrayList<>();
  // The name that each call was for.
  final List<String> authorities = new CopyOnWriteArrayList<>();
  final List<String> tokens = new CopyOnWriteArrayList<>();
  // How long the caller of the latest read waits.
  volatile long patienceMs;
  // What a read is refused with, if anything, by how many there were.
  volatile Function<Integer, StatusRuntimeException> refusal = tries -> null;
  volatile Function<Integer, StatusRuntimeException> commandRefusal = tries -> null;

  private final AtomicInteger receipts = new AtomicInteger();
  private final AtomicInteger positions = new AtomicInteger();
  private final Server server;

  /** Waits for what a test has in its hand; an interruption ends it. */
  static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  FakeTandem() {
    this(InsecureServerCredentials.create());
  }

  FakeTandem(ServerCredentials credentials) {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try {
      server =
          NettyServerBuilder.forAddress(anyPort, credentials)
              .addService(new Commands())
              .addService(new Queries())
              .intercept(noting())
              .build()
              .start();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  String address() {
    return "127.0.0.1:" + port();
  }

  int port() {
    return server.getPort();
  }

  TandemClient client() {
    String address = address();
    return TandemClient.builder().command(address).query(address).build();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private final class Commands extends CommandServiceImplBase {
    @Override
    public void placeOrder(PlaceOrderRequest command, StreamObserver<PlaceOrderResponse> to) {
      placed.add(command);
      String receipt = "receipt-" + receipts.incrementAndGet();
      answer(
          commandRefusal.apply(placed.size()),
          PlaceOrderResponse.newBuilder().setReceipt(receipt).build(),
          to);
    }
  }

  private final class Queries extends QueryServiceImplBase {
    private int routings;

    @Override
    public void getCustomer(GetCustomerRequest query, StreamObserver<GetCustomerResponse> to) {
      read.add(query);
      patienceMs = Context.current().getDeadline().timeRemaining(TimeUnit.MILLISECONDS);
      answer(refusal.apply(read.size()), GetCustomerResponse.getDefaultInstance(), to);
    }

    // One document, and then the end.
    @Override
    public void watchRouting(WatchRoutingRequest query, StreamObserver<WatchRoutingResponse> to) {
      answer(null, WatchRoutingResponse.newBuilder().setShardCount(++routings).build(), to);
    }

    @Override
    public void listCustomers(
        ListCustomersRequest query, StreamObserver<ListCustomersResponse> to) {
      listed.add(query);
      if (query.getFreshness().getReceiptsCount() > Receipts.PER_QUERY) {
        to.onError(Status.INVALID_ARGUMENT.asRuntimeException());
        return;
      }
      Served served =
          Served.newBuilder().setPosition("position-" + positions.incrementAndGet()).build();
      answer(null, ListCustomersResponse.newBuilder().setServed(served).build(), to);
    }
  }

  private ServerInterceptor noting() {
    return new ServerInterceptor() {
      @Override
      public <Q, R> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        authorities.add(call.getAuthority());
        String token =
            headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
        tokens.add(token == null ? "" : token);
        return next.startCall(call, headers);
      }
    };
  }

  private static <T> void answer(StatusRuntimeException refusal, T answer, StreamObserver<T> to) {
    if (refusal != null) {
      to.onError(refusal);
      return;
    }
    to.onNext(answer);
    to.onCompleted();
  }
}
