package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tandem.v1.Freshness;
import tandem.v1.GetCustomerRequest;
import tandem.v1.ListCustomersRequest;
import tandem.v1.PlaceOrderRequest;
import tandem.v1.WatchRoutingRequest;
import tandem.v1.WatchRoutingResponse;

class SessionTest {
  private static final GetCustomerRequest ADA =
      GetCustomerRequest.newBuilder().setCustomerId("ada").build();
  private static final PlaceOrderRequest ORDER =
      PlaceOrderRequest.newBuilder().setCustomerId("ada").setOrderItemName("Tea").build();

  private final FakeTandem tandem = new FakeTandem();
  private final TandemClient client = tandem.client();

  @AfterEach
  void close() {
    client.close();
    tandem.close();
  }

  @Test
  void showsItsReceiptsAndKeepsWhatTheRequestBrings() {
    Session session = client.session("mine");
    Freshness freshness =
        Freshness.newBuilder()
            .addReceipts("asked")
            .setMaxStaleness(Duration.newBuilder().setSeconds(7))
            .build();
    GetCustomerRequest request = ADA.toBuilder().setFreshness(freshness).build();

    session.getCustomer(request);
    session.getCustomer(ADA);

    assertEquals(
        ADA.toBuilder().setFreshness(freshness.toBuilder().addReceipts("mine")).build(),
        tandem.read.get(0));
    assertEquals(List.of("mine"), tandem.read.get(1).getFreshness().getReceiptsList());
    assertEquals(List.of("asked"), request.getFreshness().getReceiptsList());
  }

  @Test
  void readsWhatWasWritten() {
    Session session = client.session();

    session.getCustomer(ADA);
    session.placeOrder(ORDER);
    session.getCustomer(ADA);

    assertEquals(0, tandem.read.get(0).getFreshness().getReceiptsCount());
    assertEquals(List.of("receipt-1"), tandem.read.get(1).getFreshness().getReceiptsList());
    assertEquals(List.of("receipt-1"), session.receipts());
  }

  @Test
  void settlesWhatAQueryDoesNotTake() {
    Session session = client.session(receipts(70));

    session.getCustomer(ADA);

    // 70, then the position of the first 32 and 38 more, then that of the next 32 and 7 more.
    assertEquals(2, tandem.listed.size());
    ListCustomersRequest first = tandem.listed.get(0);
    assertEquals(1, first.getPageSize());
    assertEquals(receipts(70).subList(0, 32), first.getFreshness().getReceiptsList());
    List<String> kept = new ArrayList<>(List.of("position-2"));
    kept.addAll(receipts(70).subList(63, 70));
    assertEquals(kept, tandem.read.get(0).getFreshness().getReceiptsList());
    assertEquals(kept, session.receipts());
  }

  @Test
  void doesNotSettleWhatAQueryTakes() {
    client.session(receipts(32)).getCustomer(ADA);

    assertEquals(0, tandem.listed.size());
    assertEquals(32, tandem.read.get(0).getFreshness().getReceiptsCount());
  }

  @Test
  void makesRoomForTheReceiptsOfARequest() {
    Freshness asked = Freshness.newBuilder().addAllReceipts(receipts(31)).build();

    client.session("a", "b").getCustomer(ADA.toBuilder().setFreshness(asked).build());

    assertEquals(1, tandem.listed.size());
    List<String> shown = tandem.read.get(0).getFreshness().getReceiptsList();
    assertEquals(receipts(31), shown.subList(0, 31));
    assertEquals(List.of("position-1"), shown.subList(31, 32));
  }

  @Test
  void settlesBeforeTheCommandAfterTheMostThatItKeeps() {
    Session session = client.session(receipts(Receipts.MOST - 1));

    session.placeOrder(ORDER);
    assertEquals(0, tandem.listed.size());
    assertEquals(Receipts.MOST, session.receipts().size());

    session.placeOrder(ORDER);
    assertTrue(session.receipts().size() <= Receipts.PER_QUERY + 1);
    assertEquals(32, tandem.listed.size());
  }

  @Test
  void saysThatACommandOrAReadWasNotSent() {
    try (TandemClient away =
        TandemClient.builder()
            .command("127.0.0.1:1")
            .query("127.0.0.1:1")
            .timeout(java.time.Duration.ofMillis(200))
            .build()) {
      Session session = away.session(receipts(Receipts.MOST));
      TandemException told = assertThrows(TandemException.class, () -> session.placeOrder(ORDER));
      String why = " was not sent: the session's receipts could not be settled: ListCustomers: ";
      assertTrue(told.getMessage().startsWith("PlaceOrder" + why), told.getMessage());
      TandemException read = assertThrows(TandemException.class, () -> session.getCustomer(ADA));
      assertTrue(read.getMessage().startsWith("GetCustomer" + why), read.getMessage());
      assertEquals(told.getClass(), read.getClass());
      assertEquals(Receipts.MOST, session.receipts().size());
    }
  }

  @Test
  void losesNoReceiptWhenSeveralThreadsUseIt() throws Exception {
    Session session = client.session(receipts(40));
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<?>> ends = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      ends.add(
          threads.submit(
              () -> {
                for (int i = 0; i < 50; i++) {
                  session.placeOrder(ORDER);
                  session.getCustomer(ADA);
                }
              }));
    }
    for (Future<?> end : ends) {
      end.get(30, TimeUnit.SECONDS);
    }
    threads.shutdown();

    // Each receipt is kept, or was shown to the call whose position is kept in its place.
    HashSet<String> covered = new HashSet<>(session.receipts());
    tandem.listed.forEach(list -> covered.addAll(list.getFreshness().getReceiptsList()));
    IntStream.rangeClosed(1, 200).forEach(i -> assertTrue(covered.contains("receipt-" + i)));
    assertTrue(covered.containsAll(receipts(40)));
    tandem.read.forEach(query -> assertTrue(query.getFreshness().getReceiptsCount() <= 32));
  }

  @Test
  void givesACommandOneRequestIdForAllItsTries() {
    Metadata atOnce = new Metadata();
    atOnce.put(Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER), "1");
    tandem.commandRefusal =
        tries -> tries < 3 ? new StatusRuntimeException(Status.UNAVAILABLE, atOnce) : null;

    client.session().placeOrder(ORDER);
    client.session().placeOrder(ORDER.toBuilder().setRequestId("mine").build());
    client.commands().placeOrder(ORDER);

    List<String> ids = tandem.placed.stream().map(PlaceOrderRequest::getRequestId).toList();
    assertEquals(5, ids.size());
    assertFalse(ids.get(0).isEmpty());
    assertEquals(ids.get(0), ids.get(2));
    assertEquals("mine", ids.get(3));
    assertFalse(ids.get(4).isEmpty());
  }

  @Test
  void hasTheDeadlineThatIsAskedFor() {
    client.session().getCustomer(ADA);
    assertPatience(10_000);
    client.session().withTimeout(java.time.Duration.ofSeconds(60)).getCustomer(ADA);
    assertPatience(60_000);
    client.queries().getCustomer(ADA);
    assertPatience(10_000);
    client.queries().withDeadlineAfter(60, TimeUnit.SECONDS).getCustomer(ADA);
    assertPatience(60_000);
    java.time.Duration forever = ChronoUnit.FOREVER.getDuration();
    client.session().withTimeout(forever).getCustomer(ADA);
    assertTrue(tandem.patienceMs > TimeUnit.DAYS.toMillis(365), () -> "" + tandem.patienceMs);
    TandemClient.builder().command("a:1").query("a:1").timeout(forever).build().close();
  }

  private void assertPatience(long ms) {
    assertTrue(
        tandem.patienceMs > ms - 5_000 && tandem.patienceMs <= ms, () -> "" + tandem.patienceMs);
  }

  @Test
  void watchesTheInstancesFromAnewAfterAnEnd() {
    try (Watch<WatchRoutingResponse> watch =
        client.session().watchRouting(WatchRoutingRequest.getDefaultInstance())) {
      assertEquals(1, watch.next().getShardCount());
      assertEquals(2, watch.next().getShardCount());
    }
  }

  @Test
  void sharesReceiptsWithItselfUnderAnotherDeadline() {
    Session session = client.session();

    session.withTimeout(java.time.Duration.ofSeconds(5)).placeOrder(ORDER);

    assertEquals(List.of("receipt-1"), session.receipts());
  }

  @Test
  void isCancelledByAnInterruptWhichStays() {
    Session session = client.session();
    Thread caller = Thread.currentThread();
    tandem.refusal = whileCalled(caller::interrupt);

    assertThrows(CancelledException.class, () -> session.getCustomer(ADA));

    assertTrue(Thread.interrupted());
  }

  @Test
  void isCancelledByItsContext() {
    Session session = client.session();
    Context.CancellableContext context = Context.current().withCancellation();
    tandem.refusal = whileCalled(() -> context.cancel(null));

    context.run(() -> assertThrows(CancelledException.class, () -> session.getCustomer(ADA)));

    assertFalse(Thread.currentThread().isInterrupted());
  }

  /** Does something once a call has come in, and keeps its answer back for a while. */
  private static Function<Integer, StatusRuntimeException> whileCalled(Runnable action) {
    return tries -> {
      action.run();
      try {
        Thread.sleep(100);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return null;
    };
  }

  private static List<String> receipts(int count) {
    return IntStream.range(0, count).mapToObj(i -> "r-" + i).toList();
  }
}
