package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tandem.v1.GetCustomerRequest;
import tandem.v1.PlaceOrderRequest;

class TandemClientTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        ":1",
        "a:",
        "a:b",
        "a:0",
        "a:65536",
        "http://a:1",
        "::1:80",
        "a:-1",
        "a b:1",
        "u@a:1",
        "[nohost]:1",
        "a:1/b"
      })
  void refusesWhatIsNoAddress(String address) {
    TandemClient.Builder builder = TandemClient.builder().command(address).query("127.0.0.1:1");

    String told = assertThrows(IllegalArgumentException.class, builder::build).getMessage();

    assertTrue(told.startsWith("command: ") && told.contains("host:port"), told);
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:1", "[::1]:8095", "query.example:443", "query_svc:8095"})
  void takesAddresses(String address) {
    TandemClient.builder().command(address).query(address).build().close();
  }

  @Test
  void wantsAddressesAndAPositiveTimeout() {
    refused("command", TandemClient.builder().query("a:1"));
    refused("query", TandemClient.builder().command("a:1"));
    refused("query", TandemClient.builder().command("a:1").query());
    refused("timeout", TandemClient.builder().command("a:1").query("a:1").timeout(Duration.ZERO));
  }

  @Test
  void refusesATokenWithoutTls() {
    TandemClient.Builder builder = TandemClient.builder().command("a:1").query("a:1").token("t");

    refused("token", builder);
    refused("token", builder.tls(InsecureChannelCredentials.create()));
    builder.tls().build().close();
  }

  @Test
  void saysWhenItIsClosed() {
    try (FakeTandem tandem = new FakeTandem()) {
      TandemClient client = tandem.client();
      Session session = client.session();
      client.close();

      CancelledException told =
          assertThrows(
              CancelledException.class,
              () -> session.getCustomer(GetCustomerRequest.getDefaultInstance()));

      assertEquals("CANCELLED", told.reason());
      assertTrue(told.getMessage().contains("the client is closed"), told.getMessage());
    }
  }

  @Test
  void saysSoToACallThatIsUnderWayWhenItIsClosed() {
    try (FakeTandem tandem = new FakeTandem()) {
      TandemClient client = tandem.client();
      tandem.commandRefusal =
          tries -> {
            client.close();
            return null;
          };

      CancelledException told =
          assertThrows(
              CancelledException.class,
              () -> client.session().placeOrder(PlaceOrderRequest.getDefaultInstance()));

      assertTrue(told.getMessage().contains("the client is closed"), told.getMessage());
    }
  }

  private static void refused(String what, TandemClient.Builder builder) {
    String told = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
    assertTrue(told.startsWith(what + ": "), told);
  }
}
