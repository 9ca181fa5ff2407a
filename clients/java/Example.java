// One customer's story, told to a running Tandem: writing, reading what was written on any
// instance, watching it change, paging through it, and being refused.

import java.util.ArrayList;
import java.util.List;
import tandem.client.InvalidArgumentException;
import tandem.client.Session;
import tandem.client.TandemClient;
import tandem.client.TandemException;
import tandem.v1.CreateCustomerRequest;
import tandem.v1.Customer;
import tandem.v1.GetCustomerOrdersRequest;
import tandem.v1.PlaceOrderRequest;
import tandem.v1.WatchCustomerOrdersRequest;

public class Example {
  static final String COMMAND = System.getenv().getOrDefault("TANDEM_COMMAND", "127.0.0.1:8090");
  static final String[] QUERY =
      System.getenv()
          .getOrDefault("TANDEM_QUERY", "127.0.0.1:8095,127.0.0.1:8096,127.0.0.1:8097")
          .split(",");

  public static void main(String[] args) {
    try (var client = TandemClient.builder().command(COMMAND).query(QUERY).build()) {
      tell(client.session());
    } catch (TandemException e) {
      System.err.println(e.getMessage() + "; start it with: make run QUERY_INSTANCES=3");
      System.exit(1);
    }
  }

  static void tell(Session session) {
    var ada = CreateCustomerRequest.newBuilder().setFirstName("Ada").setLastName("Lovelace");
    Customer customer = session.createCustomer(ada.build()).getCustomer();
    String id = customer.getCustomerId();
    System.out.printf("registered %s %s%n", customer.getFirstName(), customer.getLastName());

    var order = PlaceOrderRequest.newBuilder().setCustomerId(id).setOrderItemName("Punched cards");
    for (int placed = 0; placed < 3; placed++) {
      session.placeOrder(order.build());
    }
    System.out.println("placed 3 orders");

    var orders = GetCustomerOrdersRequest.newBuilder().setCustomerId(id).setPageSize(2).build();
    for (String address : QUERY) {
      try (var one = TandemClient.builder().command(COMMAND).query(address).build()) {
        long read = one.session(session.receipts()).orders(orders).stream().count();
        if (read != 3) throw new IllegalStateException(address + " has " + read + " orders");
      }
    }
    System.out.printf("read 3 orders of Ada Lovelace from each of %d instances%n", QUERY.length);

    var watched = WatchCustomerOrdersRequest.newBuilder().setCustomerId(id).build();
    try (var watch = session.watchCustomerOrders(watched)) {
      System.out.printf("watch: %d orders%n", watch.next().getOrdersCount());
      session.placeOrder(order.build());
      System.out.printf("watch: %d orders%n", watch.next().getOrdersCount());
    }

    List<String> sizes = new ArrayList<>();
    session.orders(orders).pages().forEach(page -> sizes.add("" + page.getOrdersCount()));
    System.out.println("pages of 2: " + String.join(" ", sizes));

    try {
      session.placeOrder(PlaceOrderRequest.getDefaultInstance());
    } catch (InvalidArgumentException e) {
      System.out.println("refused: " + e.reason());
      e.violations().forEach(v -> System.out.printf("  %s %s%n", v.field(), v.description()));
    }
  }
}
