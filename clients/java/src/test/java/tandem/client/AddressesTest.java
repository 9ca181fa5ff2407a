package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tandem.v1.GetCustomerRequest;

class AddressesTest {
  @Test
  void takesThemInTurnEachByItsOwnName() {
    try (FakeTandem one = new FakeTandem();
        FakeTandem other = new FakeTandem();
        TandemClient client =
            TandemClient.builder()
                .command(one.address())
                .query(one.address(), "[::::]:1", other.address())
                .build()) {
      Session session = client.session();
      // The first reads may come before both are connected to.
      for (int read = 0; read < 1_000 && (one.read.isEmpty() || other.read.isEmpty()); read++) {
        session.getCustomer(GetCustomerRequest.getDefaultInstance());
      }
      int before = one.read.size();
      for (int read = 0; read < 10; read++) {
        session.getCustomer(GetCustomerRequest.getDefaultInstance());
      }

      assertEquals(5, one.read.size() - before);
      assertEquals(Set.of(one.address()), new HashSet<>(one.authorities));
      assertEquals(Set.of(other.address()), new HashSet<>(other.authorities));
    }
  }
}
