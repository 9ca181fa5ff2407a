package tandem.client;

import static tandem.client.Receipts.MOST;
import static tandem.client.Receipts.PER_QUERY;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import tandem.v1.CancelOrderRequest;
import tandem.v1.CancelOrderResponse;
import tandem.v1.CommandServiceGrpc;
import tandem.v1.CreateCustomerRequest;
import tandem.v1.CreateCustomerResponse;
import tandem.v1.Customer;
import tandem.v1.CustomerOrder;
import tandem.v1.Freshness;
import tandem.v1.GetCustomerOrdersRequest;
import tandem.v1.GetCustomerOrdersResponse;
import tandem.v1.GetCustomerRequest;
import tandem.v1.GetCustomerResponse;
import tandem.v1.GetOrderRequest;
import tandem.v1.GetOrderResponse;
import tandem.v1.Greeting;
import tandem.v1.ListCustomerOrdersRequest;
import tandem.v1.ListCustomerOrdersResponse;
import tandem.v1.ListCustomersRequest;
import tandem.v1.ListCustomersResponse;
import tandem.v1.ListGreetingsRequest;
import tandem.v1.ListGreetingsResponse;
import tandem.v1.ListInstancesRequest;
import tandem.v1.ListInstancesResponse;
import tandem.v1.ListOrdersRequest;
import tandem.v1.ListOrdersResponse;
import tandem.v1.ListRejectsRequest;
import tandem.v1.ListRejectsResponse;
import tandem.v1.Order;
import tandem.v1.PlaceOrderRequest;
import tandem.v1.PlaceOrderResponse;
import tandem.v1.QueryServiceGrpc;
import tandem.v1.Reject;
import tandem.v1.RemoveCustomerRequest;
import tandem.v1.RemoveCustomerResponse;
import tandem.v1.SendGreetingRequest;
import tandem.v1.SendGreetingResponse;
import tandem.v1.UpdateCustomerRequest;
import tandem.v1.UpdateCustomerResponse;
import tandem.v1.UpdateOrderRequest;
import tandem.v1.UpdateOrderResponse;
import tandem.v1.WatchCustomerOrdersRequest;
import tandem.v1.WatchCustomerOrdersResponse;
import tandem.v1.WatchRoutingRequest;
import tandem.v1.WatchRoutingResponse;

/**
 * One user's thread of work: keeps the receipts of what was written in it and shows them with each
 * read, so that what was written is in what is read next, on any instance. Cheap, and may be used
 * from several threads at once.
 *
 * <p>Each method takes the contract's request, of which a copy is sent with the receipts added, and
 * gives the contract's response. It throws a {@link TandemException}: of the types of its
 * subclasses, {@link InvalidArgumentException} is for the caller to mend; {@link
 * UnavailableException} and {@link DeadlineExceededException} may not come again later. A call is
 * cancelled by interrupting its thread, which stays interrupted, or by its {@link io.grpc.Context},
 * and then throws {@link CancelledException}, as do calls once the client is closed.
 *
 * <p>A query takes 32 receipts, so at most 31 of a request's own when the session has some. When
 * there are more, a read first asks for a page of one customer with the oldest and keeps its
 * position in their place; so does a command after 1,024 without a read.
 */
public final class Session {
  private static final ListCustomersRequest ONE_CUSTOMER =
      ListCustomersRequest.newBuilder().setPageSize(1).build();

  private final TandemClient client;
  private final Channel commands;
  private final Channel queries;
  private final Receipts receipts;
  private final long timeoutNanos;

  Session(TandemClient client, Receipts receipts, Duration timeout) {
    this.client = client;
    this.commands = client.commandChannel();
    this.queries = client.queryChannel();
    this.receipts = receipts;
    // 292 years, where it says more.
    this.timeoutNanos = TimeUnit.NANOSECONDS.convert(timeout);
  }

  /**
   * The same session, with the same receipts, whose calls have another deadline.
   *
   * @param timeout how long a call may take with all its tries; watches have no deadline
   */
  public Session withTimeout(Duration timeout) {
    return new Session(client, receipts, timeout);
  }

  /**
   * What this session's reads have to reflect, oldest first. Put into another session, in another
   * process too, that one's reads have to reflect it as well.
   */
  public List<String> receipts() {
    return receipts.all();
  }

  /** Registers a customer, or replaces the one of that id. */
  public CreateCustomerResponse createCustomer(CreateCustomerRequest command) {
    CreateCustomerResponse response = send(CommandServiceGrpc.getCreateCustomerMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** States a customer anew: every field is replaced. */
  public UpdateCustomerResponse updateCustomer(UpdateCustomerRequest command) {
    UpdateCustomerResponse response = send(CommandServiceGrpc.getUpdateCustomerMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** Removes a customer; its orders stay. */
  public RemoveCustomerResponse removeCustomer(RemoveCustomerRequest command) {
    RemoveCustomerResponse response = send(CommandServiceGrpc.getRemoveCustomerMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** Places an order. */
  public PlaceOrderResponse placeOrder(PlaceOrderRequest command) {
    PlaceOrderResponse response = send(CommandServiceGrpc.getPlaceOrderMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** States an order anew: every field is replaced. */
  public UpdateOrderResponse updateOrder(UpdateOrderRequest command) {
    UpdateOrderResponse response = send(CommandServiceGrpc.getUpdateOrderMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** Cancels an order. */
  public CancelOrderResponse cancelOrder(CancelOrderRequest command) {
    CancelOrderResponse response = send(CommandServiceGrpc.getCancelOrderMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** Sends a greeting. */
  public SendGreetingResponse sendGreeting(SendGreetingRequest command) {
    SendGreetingResponse response = send(CommandServiceGrpc.getSendGreetingMethod(), command);
    receipts.add(response.getReceipt());
    return response;
  }

  /** One customer by id; {@link NotFoundException} if there is none. */
  public GetCustomerResponse getCustomer(GetCustomerRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("GetCustomer", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getGetCustomerMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /**
   * One order by id; {@link NotFoundException} if there is none, {@link
   * FailedPreconditionException} if several customers have one of that id.
   */
  public GetOrderResponse getOrder(GetOrderRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("GetOrder", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getGetOrderMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** A customer and a page of its orders; {@link NotFoundException} if there is neither. */
  public GetCustomerOrdersResponse getCustomerOrders(GetCustomerOrdersRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("GetCustomerOrders", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getGetCustomerOrdersMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** A page of all customers. */
  public ListCustomersResponse listCustomers(ListCustomersRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("ListCustomers", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getListCustomersMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** A page of all orders. */
  public ListOrdersResponse listOrders(ListOrdersRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("ListOrders", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getListOrdersMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** A page of all orders with their customers. */
  public ListCustomerOrdersResponse listCustomerOrders(ListCustomerOrdersRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("ListCustomerOrders", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getListCustomerOrdersMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** A page of all greetings. */
  public ListGreetingsResponse listGreetings(ListGreetingsRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("ListGreetings", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getListGreetingsMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** A page of the records that could not be folded. */
  public ListRejectsResponse listRejects(ListRejectsRequest query) {
    CallOptions options = options();
    Freshness freshness = fresh("ListRejects", query.getFreshness(), options);
    return ask(
        QueryServiceGrpc.getListRejectsMethod(),
        query.toBuilder().setFreshness(freshness).build(),
        options);
  }

  /** The instances and what each of them serves. */
  public ListInstancesResponse listInstances(ListInstancesRequest query) {
    return ask(QueryServiceGrpc.getListInstancesMethod(), query, options());
  }

  /** All orders of one customer. */
  public Rows<Order, GetCustomerOrdersResponse> orders(GetCustomerOrdersRequest query) {
    return new Rows<>(
        query.getPageToken(),
        token -> getCustomerOrders(query.toBuilder().setPageToken(token).build()),
        GetCustomerOrdersResponse::getNextPageToken,
        GetCustomerOrdersResponse::getOrdersList);
  }

  /** All customers. */
  public Rows<Customer, ListCustomersResponse> customers(ListCustomersRequest query) {
    return new Rows<>(
        query.getPageToken(),
        token -> listCustomers(query.toBuilder().setPageToken(token).build()),
        ListCustomersResponse::getNextPageToken,
        ListCustomersResponse::getCustomersList);
  }

  /** All orders. */
  public Rows<Order, ListOrdersResponse> orders(ListOrdersRequest query) {
    return new Rows<>(
        query.getPageToken(),
        token -> listOrders(query.toBuilder().setPageToken(token).build()),
        ListOrdersResponse::getNextPageToken,
        ListOrdersResponse::getOrdersList);
  }

  /** All orders with their customers. */
  public Rows<CustomerOrder, ListCustomerOrdersResponse> customerOrders(
      ListCustomerOrdersRequest query) {
    return new Rows<>(
        query.getPageToken(),
        token -> listCustomerOrders(query.toBuilder().setPageToken(token).build()),
        ListCustomerOrdersResponse::getNextPageToken,
        ListCustomerOrdersResponse::getCustomerOrdersList);
  }

  /** All greetings. */
  public Rows<Greeting, ListGreetingsResponse> greetings(ListGreetingsRequest query) {
    return new Rows<>(
        query.getPageToken(),
        token -> listGreetings(query.toBuilder().setPageToken(token).build()),
        ListGreetingsResponse::getNextPageToken,
        ListGreetingsResponse::getGreetingsList);
  }

  /** All records that could not be folded. */
  public Rows<Reject, ListRejectsResponse> rejects(ListRejectsRequest query) {
    return new Rows<>(
        query.getPageToken(),
        token -> listRejects(query.toBuilder().setPageToken(token).build()),
        ListRejectsResponse::getNextPageToken,
        ListRejectsResponse::getRejectsList);
  }

  /**
   * Watches a customer and its orders. The first document is as fresh as a read of this session
   * would be now.
   */
  public Watch<WatchCustomerOrdersResponse> watchCustomerOrders(WatchCustomerOrdersRequest query) {
    Freshness freshness = fresh("WatchCustomerOrders", query.getFreshness(), options());
    WatchCustomerOrdersRequest first = query.toBuilder().setFreshness(freshness).build();
    return watch(
        QueryServiceGrpc.getWatchCustomerOrdersMethod(),
        last ->
            last == null ? first : first.toBuilder().setResumeToken(last.getResumeToken()).build());
  }

  /** Watches the instances and what each of them serves; after an interruption from anew. */
  public Watch<WatchRoutingResponse> watchRouting(WatchRoutingRequest query) {
    return watch(QueryServiceGrpc.getWatchRoutingMethod(), last -> query);
  }

  private <Q, T> Watch<T> watch(MethodDescriptor<Q, T> method, Function<T, Q> request) {
    Watch.Calls<T> calls = Watch.Calls.of(queries, method, request);
    return new Watch<>(calls, client.life(), ServiceConfig.BACKOFF);
  }

  private CallOptions options() {
    return CallOptions.DEFAULT.withDeadlineAfter(timeoutNanos, TimeUnit.NANOSECONDS);
  }

  private <Q, R> R send(MethodDescriptor<Q, R> method, Q command) {
    CallOptions options = options();
    if (receipts.count() >= MOST) {
      settle(method.getBareMethodName(), PER_QUERY, options);
    }
    return call(commands, method, command, options);
  }

  private <Q, R> R ask(MethodDescriptor<Q, R> method, Q query, CallOptions options) {
    return call(queries, method, query, options);
  }

  private <Q, R> R call(
      Channel channel, MethodDescriptor<Q, R> method, Q request, CallOptions options) {
    try {
      return ClientCalls.blockingUnaryCall(channel, method, options, request);
    } catch (StatusRuntimeException e) {
      // To gRPC a closed channel is UNAVAILABLE, which would be worth trying again later.
      boolean closed =
          client.life().isCancelled() && e.getStatus().getCode() == Status.Code.UNAVAILABLE;
      Status told = Status.CANCELLED.withDescription("the client is closed").withCause(e);
      throw TandemException.of(method.getBareMethodName(), closed ? told.asRuntimeException() : e);
    }
  }

  /** What a read asks for: what the request brings along, and the session's receipts. */
  private Freshness fresh(String call, Freshness asked, CallOptions options) {
    Freshness own = settle(call, Math.max(1, PER_QUERY - asked.getReceiptsCount()), options);
    if (asked.equals(Freshness.getDefaultInstance())) {
      return own;
    }
    return asked.toBuilder().addAllReceipts(own.getReceiptsList()).build();
  }

  /** The session's receipts, once they are at most {@code room}; the deadline bounds the asking. */
  private Freshness settle(String call, int room, CallOptions options) {
    Freshness own = receipts.shown(room);
    while (own == null) {
      List<String> oldest = receipts.oldest();
      ListCustomersRequest query =
          ONE_CUSTOMER.toBuilder()
              .setFreshness(Freshness.newBuilder().addAllReceipts(oldest))
              .build();
      MethodDescriptor<ListCustomersRequest, ListCustomersResponse> method =
          QueryServiceGrpc.getListCustomersMethod();
      try {
        receipts.settle(oldest, position(ask(method, query, options)));
      } catch (TandemException e) {
        throw e.unsent(call);
      }
      own = receipts.shown(room);
    }
    return own;
  }

  // Without a position the receipts would be lost, and with them what the session promises.
  private static String position(ListCustomersResponse page) {
    String position = page.getServed().getPosition();
    if (position.isEmpty()) {
      Status status = Status.INTERNAL.withDescription("the answer has no position");
      throw TandemException.of("ListCustomers", status.asRuntimeException());
    }
    return position;
  }
}
