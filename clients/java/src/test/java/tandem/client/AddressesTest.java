package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.NameResolver;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.Test;
import tandem.v1.GetCustomerRequest;
import tandem.v1.QueryServiceGrpc;
import tandem.v1.QueryServiceGrpc.QueryServiceBlockingStub;

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

  @Test
  void waitsForNoNameThatIsLongInComing() {
    CountDownLatch enough = new CountDownLatch(1);
    Addresses.Lookup lookup =
        name -> {
          if (name.equals("slow")) {
            FakeTandem.await(enough);
          }
          return new InetAddress[] {InetAddress.getLoopbackAddress()};
        };
    try (FakeTandem one = new FakeTandem();
        FakeTandem slow = new FakeTandem()) {
      List<String> addresses = List.of("slow:" + slow.port(), "one:" + one.port());
      ManagedChannel channel =
          new Channels(null, null, Duration.ofSeconds(5))
              .queries(Addresses.of("query", addresses, lookup));
      try {
        QueryServiceBlockingStub stub = QueryServiceGrpc.newBlockingStub(channel);
        stub.getCustomer(GetCustomerRequest.getDefaultInstance());
        assertEquals(1, one.read.size());
        enough.countDown();
        for (int read = 0; read < 1_000 && slow.read.isEmpty(); read++) {
          stub.getCustomer(GetCustomerRequest.getDefaultInstance());
        }
        assertFalse(slow.read.isEmpty());
      } finally {
        enough.countDown();
        channel.shutdownNow();
      }
    }
  }

  @Test
  void asksAgainForAnUnknownNameOnceAtATimeAndNotAfterItsEnd() {
    ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
    clock.setRemoveOnCancelPolicy(true);
    try {
      NameResolver resolver = resolver(clock, InetAddress::getAllByName, "127.0.0.1:1", "[::::]:1");
      Heard heard = new Heard();
      resolver.start(heard);
      resolver.refresh();
      resolver.refresh();

      // Each time of the one that is known, and then of both.
      assertEquals(6, heard.times);
      assertEquals(1, clock.getQueue().size());

      resolver.shutdown();
      resolver.refresh();
      assertTrue(clock.getQueue().isEmpty());
      assertEquals(6, heard.times);
    } finally {
      clock.shutdownNow();
    }
  }

  @Test
  void asksAgainThoughTheSystemFailed() {
    ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1);
    try {
      Addresses.Lookup failing =
          name -> {
            throw new SecurityException("not allowed");
          };
      NameResolver resolver = resolver(clock, failing, "a:1");
      Heard heard = new Heard();
      resolver.start(heard);
      resolver.refresh();

      assertEquals(2, heard.times);
    } finally {
      clock.shutdownNow();
    }
  }

  private static NameResolver resolver(
      ScheduledThreadPoolExecutor clock, Addresses.Lookup lookup, String... addresses) {
    SynchronizationContext context =
        new SynchronizationContext(
            (thread, e) -> {
              throw new AssertionError(e);
            });
    NameResolver.Args args =
        NameResolver.Args.newBuilder()
            .setDefaultPort(443)
            .setProxyDetector(target -> null)
            .setSynchronizationContext(context)
            .setScheduledExecutorService(clock)
            .setServiceConfigParser(
                new NameResolver.ServiceConfigParser() {
                  @Override
                  public NameResolver.ConfigOrError parseServiceConfig(Map<String, ?> config) {
                    return NameResolver.ConfigOrError.fromConfig(config);
                  }
                })
            .setOffloadExecutor(Runnable::run)
            .build();
    Addresses several = Addresses.of("query", List.of(addresses), lookup);
    return several.newNameResolver(URI.create(several.target()), args);
  }

  private static final class Heard extends NameResolver.Listener2 {
    private int times;

    @Override
    public void onResult(NameResolver.ResolutionResult result) {
      times++;
    }

    @Override
    public Status onResult2(NameResolver.ResolutionResult result) {
      times++;
      return Status.OK;
    }

    @Override
    public void onError(Status error) {
      throw new AssertionError(error);
    }
  }
}
