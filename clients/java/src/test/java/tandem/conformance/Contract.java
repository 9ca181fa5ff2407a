package tandem.conformance;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiFunction;
import tandem.client.Rows;
import tandem.client.Session;
import tandem.v1.*;

/** The session's methods by the contract's names, and its messages as JSON. */
final class Contract {
  private static final Map<String, Call> CALLS = new HashMap<>();
  private static final Map<String, Listing> LISTINGS = new HashMap<>();

  static {
    call(CreateCustomerRequest.getDefaultInstance(), Session::createCustomer);
    call(UpdateCustomerRequest.getDefaultInstance(), Session::updateCustomer);
    call(RemoveCustomerRequest.getDefaultInstance(), Session::removeCustomer);
    call(PlaceOrderRequest.getDefaultInstance(), Session::placeOrder);
    call(UpdateOrderRequest.getDefaultInstance(), Session::updateOrder);
    call(CancelOrderRequest.getDefaultInstance(), Session::cancelOrder);
    call(SendGreetingRequest.getDefaultInstance(), Session::sendGreeting);
    call(GetCustomerRequest.getDefaultInstance(), Session::getCustomer);
    call(GetOrderRequest.getDefaultInstance(), Session::getOrder);
    call(GetCustomerOrdersRequest.getDefaultInstance(), Session::getCustomerOrders);
    call(ListCustomersRequest.getDefaultInstance(), Session::listCustomers);
    call(ListOrdersRequest.getDefaultInstance(), Session::listOrders);
    call(ListCustomerOrdersRequest.getDefaultInstance(), Session::listCustomerOrders);
    call(ListGreetingsRequest.getDefaultInstance(), Session::listGreetings);
    call(ListRejectsRequest.getDefaultInstance(), Session::listRejects);
    call(ListInstancesRequest.getDefaultInstance(), Session::listInstances);

    rows(GetCustomerOrdersRequest.getDefaultInstance(), Session::orders);
    rows(ListCustomersRequest.getDefaultInstance(), Session::customers);
    rows(ListOrdersRequest.getDefaultInstance(), Session::orders);
    rows(ListCustomerOrdersRequest.getDefaultInstance(), Session::customerOrders);
    rows(ListGreetingsRequest.getDefaultInstance(), Session::greetings);
    rows(ListRejectsRequest.getDefaultInstance(), Session::rejects);
  }

  interface Call {
    Message of(Session session, String request);
  }

  interface Listing {
    Rows<? extends Message, ? extends Message> of(Session session, String request);
  }

  private Contract() {}

  static Call call(String method) {
    return known(CALLS, method);
  }

  static Rows<? extends Message, ? extends Message> rows(JsonObject line, Session session) {
    return known(LISTINGS, line.get("method").getAsString())
        .of(session, line.get("request").toString());
  }

  @SuppressWarnings("unchecked") // A message's builder builds messages of its type.
  static <Q extends Message> Q request(Q empty, String json) {
    try {
      Message.Builder builder = empty.newBuilderForType();
      JsonFormat.parser().merge(json, builder);
      return (Q) builder.build();
    } catch (InvalidProtocolBufferException e) {
      throw new Driver.Unknown("request " + json + ": " + e.getMessage());
    }
  }

  static JsonElement json(Message message) {
    try {
      return JsonParser.parseString(JsonFormat.printer().print(message));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  private static <T> T known(Map<String, T> table, String method) {
    T entry = table.get(method);
    if (entry == null) {
      throw new Driver.Unknown("method " + method);
    }
    return entry;
  }

  private static <Q extends Message> void call(
      Q empty, BiFunction<Session, Q, ? extends Message> method) {
    CALLS.put(name(empty), (session, json) -> method.apply(session, request(empty, json)));
  }

  private static <Q extends Message> void rows(
      Q empty, BiFunction<Session, Q, Rows<? extends Message, ? extends Message>> method) {
    LISTINGS.put(name(empty), (session, json) -> method.apply(session, request(empty, json)));
  }

  private static String name(Message request) {
    return request.getDescriptorForType().getName().replaceFirst("Request$", "");
  }
}
