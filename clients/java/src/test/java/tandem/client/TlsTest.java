package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.ServerCredentials;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tandem.v1.GetCustomerRequest;
import tandem.v1.QueryServiceGrpc;

/** TLS with a service whose certificate is for {@code localhost}, and tokens over it. */
@Timeout(30)
class TlsTest {
  private static final String PASSWORD = "password";

  private static FakeTandem tandem;
  private static ChannelCredentials trusting;

  @BeforeAll
  static void makeCertificate(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("keys.p12");
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    List<String> options =
        List.of(
            "-genkeypair -keyalg EC -alias a -dname CN=localhost -ext san=dns:localhost -storepass"
                .split(" "));
    ProcessBuilder command = new ProcessBuilder(keytool.toString());
    command.command().addAll(options);
    command.command().addAll(List.of(PASSWORD, "-keystore", file.toString()));
    assertEquals(0, command.start().waitFor());

    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, PASSWORD.toCharArray());
    KeyStore certificates = KeyStore.getInstance("PKCS12");
    certificates.load(null, null);
    certificates.setCertificateEntry("a", keys.getCertificate("a"));
    TrustManagerFactory trusted =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trusted.init(certificates);
    ServerCredentials credentials =
        TlsServerCredentials.newBuilder().keyManager(own.getKeyManagers()).build();
    tandem = new FakeTandem(credentials);
    trusting = TlsChannelCredentials.newBuilder().trustManager(trusted.getTrustManagers()).build();
  }

  @AfterAll
  static void close() {
    tandem.close();
  }

  private static TandemClient client(Supplier<String> token, String... query) {
    return TandemClient.builder()
        .command("localhost:" + tandem.port())
        .query(query)
        .tls(trusting)
        .token(token)
        .build();
  }

  private static void read(TandemClient client) {
    client.session().getCustomer(GetCustomerRequest.getDefaultInstance());
  }

  @Test
  void checksEachAddressByItsOwnNameAndFetchesATokenForEachCall() {
    AtomicInteger fetched = new AtomicInteger();
    // The certificate isn't for the first address, which nothing listens at.
    try (TandemClient client =
        client(
            () -> "t" + fetched.incrementAndGet(), "127.0.0.1:1", "localhost:" + tandem.port())) {
      read(client);
      read(client);
    }
    assertTrue(tandem.tokens.containsAll(List.of("Bearer t1", "Bearer t2")));
  }

  @Test
  void refusesACertificateForAnotherName() {
    try (TandemClient client = client(() -> "t", tandem.address())) {
      UnavailableException told = assertThrows(UnavailableException.class, () -> read(client));
      assertTrue(told.getMessage().contains("the certificate isn't trusted"), told.getMessage());
    }
  }

  @Test
  void saysThatATokenCouldNotBeFetched() {
    Supplier<String> none =
        () -> {
          throw new IllegalStateException("not signed in");
        };
    try (TandemClient client = client(none, "localhost:" + tandem.port())) {
      TandemException told = assertThrows(TandemException.class, () -> read(client));
      assertEquals(Status.Code.UNAUTHENTICATED, told.code());
      assertEquals(
          "GetCustomer: the token could not be fetched (not signed in)", told.getMessage());
    }
  }

  @Test
  void keepsItsDeadlineThoughATokenTakesLongAndHoldsUpNobodyElse() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch enough = new CountDownLatch(1);
    AtomicInteger fetched = new AtomicInteger();
    Supplier<String> slowOnce =
        () -> {
          if (fetched.incrementAndGet() == 2) {
            asked.countDown();
            FakeTandem.await(enough);
          }
          return "t";
        };
    try (TandemClient client = client(slowOnce, "localhost:" + tandem.port())) {
      read(client); // Connects, so that the next one's time is spent on its token.
      Session session = client.session().withTimeout(Duration.ofMillis(200));
      assertThrows(
          DeadlineExceededException.class,
          () -> session.getCustomer(GetCustomerRequest.getDefaultInstance()));
      assertTrue(asked.await(10, TimeUnit.SECONDS));
      read(client);
      enough.countDown(); // Closing would wait for it.
    } finally {
      enough.countDown();
    }
  }

  @Test
  void triesAgainWhatFoundTooManyWaitingForATokenToo() throws Exception {
    CountDownLatch enough = new CountDownLatch(1);
    Supplier<String> slow =
        () -> {
          FakeTandem.await(enough);
          return "t";
        };
    try (TandemClient client = client(slow, "localhost:" + tandem.port())) {
      var stub = QueryServiceGrpc.newFutureStub(client.queryChannel());
      List<Future<?>> calls = new ArrayList<>();
      for (int call = 0; call < BearerToken.AT_ONCE + BearerToken.MOST_WAITING + 10; call++) {
        calls.add(stub.getCustomer(GetCustomerRequest.getDefaultInstance()));
      }
      assertThrows(TimeoutException.class, () -> calls.get(0).get(1, TimeUnit.SECONDS));
      enough.countDown();
      for (Future<?> call : calls) {
        call.get(10, TimeUnit.SECONDS);
      }
    } finally {
      enough.countDown();
    }
  }

  @Test
  void keepsNoCallWaitingForATokenThatIsFixed() {
    Queue<Metadata> applied = new ArrayDeque<>();
    CallCredentials.MetadataApplier applier =
        new CallCredentials.MetadataApplier() {
          @Override
          public void apply(Metadata headers) {
            applied.add(headers);
          }

          @Override
          public void fail(Status status) {
            throw new AssertionError(status);
          }
        };
    CallCredentials token = BearerToken.fixed("t");
    int calls = 10 * BearerToken.MOST_WAITING;
    for (int call = 0; call < calls; call++) {
      token.applyRequestMetadata(new OverTls(), Runnable::run, applier);
    }
    assertEquals(calls, applied.size());
  }

  private static final class OverTls extends CallCredentials.RequestInfo {
    @Override
    public MethodDescriptor<?, ?> getMethodDescriptor() {
      return QueryServiceGrpc.getGetCustomerMethod();
    }

    @Override
    public SecurityLevel getSecurityLevel() {
      return SecurityLevel.PRIVACY_AND_INTEGRITY;
    }

    @Override
    public String getAuthority() {
      return "localhost";
    }

    @Override
    public Attributes getTransportAttrs() {
      return Attributes.EMPTY;
    }
  }

  @Test
  void saysThatATokenCouldNotBeFetchedWhateverWasThrown() {
    Supplier<String> broken =
        () -> {
          throw new AssertionError("out of order");
        };
    try (TandemClient client = client(broken, "localhost:" + tandem.port())) {
      TandemException told = assertThrows(TandemException.class, () -> read(client));
      assertEquals(Status.Code.UNAUTHENTICATED, told.code());
      assertEquals("GetCustomer: the token could not be fetched (out of order)", told.getMessage());
    }
  }

  @Test
  void sendsNoTokenInPlainTextWhateverTheCredentialsLookLike() {
    CallCredentials nothing =
        new CallCredentials() {
          @Override
          public void applyRequestMetadata(RequestInfo call, Executor by, MetadataApplier applier) {
            applier.apply(new Metadata());
          }
        };
    ChannelCredentials wrapped =
        CompositeChannelCredentials.create(InsecureChannelCredentials.create(), nothing);
    AtomicInteger fetched = new AtomicInteger();
    try (FakeTandem plain = new FakeTandem();
        TandemClient client =
            TandemClient.builder()
                .command(plain.address())
                .query(plain.address())
                .tls(wrapped)
                .token(() -> "t" + fetched.incrementAndGet())
                .build()) {
      TandemException told = assertThrows(TandemException.class, () -> read(client));
      assertEquals(Status.Code.UNAUTHENTICATED, told.code());
      assertEquals("GetCustomer: a token is only sent over TLS", told.getMessage());
      assertEquals(List.of(), plain.tokens);
      assertEquals(0, fetched.get());
    }
  }
}
