package tandem.client;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import tandem.v1.CommandServiceGrpc;
import tandem.v1.CommandServiceGrpc.CommandServiceBlockingStub;
import tandem.v1.QueryServiceGrpc;
import tandem.v1.QueryServiceGrpc.QueryServiceBlockingStub;

/**
 * A client of one command service and of one or several query services. It keeps connections, so
 * make one and share it between threads; close it at the end.
 *
 * <p>Every call has a deadline, by default 10 s with all its tries, and is tried up to five times
 * while it is UNAVAILABLE. That goes for the plain stubs that a client has as well as for {@link
 * Session}s.
 */
public final class TandemClient implements AutoCloseable {
  private final ManagedChannel commands;
  private final ManagedChannel queries;
  private final Duration timeout;
  private final CancellableContext life = Context.ROOT.withCancellation();

  private TandemClient(ManagedChannel commands, ManagedChannel queries, Duration timeout) {
    this.commands = commands;
    this.queries = queries;
    this.timeout = timeout;
  }

  /** Begins to describe a client; {@link Builder#build} makes it. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Begins a session.
   *
   * @param receipts what its reads have to reflect from the start, as of {@link Session#receipts}
   *     of another session; may be none
   */
  public Session session(String... receipts) {
    return session(List.of(receipts));
  }

  /** The same as {@link #session(String...)}, from a collection. */
  public Session session(Collection<String> receipts) {
    return new Session(this, new Receipts(receipts), timeout);
  }

  /**
   * The plain blocking stub of the command service. A command without a {@code request_id} gets
   * one, since it may be sent several times. Its errors are plain; {@link TandemException#of} reads
   * them.
   */
  public CommandServiceBlockingStub commands() {
    return CommandServiceGrpc.newBlockingStub(commands);
  }

  /** The plain blocking stub of the query services; it shows no receipts by itself. */
  public QueryServiceBlockingStub queries() {
    return QueryServiceGrpc.newBlockingStub(queries);
  }

  /** The configured channel to the command service, for stubs of other kinds. */
  public Channel commandChannel() {
    return commands;
  }

  /** The configured channel to the query services, for stubs of other kinds. */
  public Channel queryChannel() {
    return queries;
  }

  /** Is cancelled when this is closed. */
  Context life() {
    return life;
  }

  /**
   * Closes the connections. Calls under way fail with CANCELLED, watches end without an error.
   * Waits for at most 5 s until everything is gone.
   */
  @Override
  public void close() {
    // First, so that no call can fail by the closing and not see it.
    life.cancel(null);
    commands.shutdownNow();
    queries.shutdownNow();
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    try {
      commands.awaitTermination(until - System.nanoTime(), TimeUnit.NANOSECONDS);
      queries.awaitTermination(until - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Says what a client is like. What is wrong with it is told by {@link #build}, as an {@link
   * IllegalArgumentException}.
   */
  public static final class Builder {
    private List<String> command = List.of();
    private List<String> query = List.of();
    private ChannelCredentials tls;
    private BearerToken token;
    private Duration timeout = ServiceConfig.TIMEOUT;

    private Builder() {}

    /** Where the command service is, {@code host:port}; required. */
    public Builder command(String address) {
      this.command = List.of(address);
      return this;
    }

    /**
     * Where the query services are, {@code host:port} each; at least one. They are taken in turn,
     * and one that can't be reached is passed over.
     */
    public Builder query(String... addresses) {
      this.query = List.of(addresses);
      return this;
    }

    /** Speaks TLS, and trusts the certificates that this JVM trusts. Without it: plain text. */
    public Builder tls() {
      return tls(TlsChannelCredentials.create());
    }

    /** Speaks TLS, with other certificates; see {@link TlsChannelCredentials#newBuilder}. */
    public Builder tls(ChannelCredentials credentials) {
      this.tls = credentials;
      return this;
    }

    /**
     * Sends {@code authorization: Bearer ...} with each call. Needs TLS.
     *
     * @throws IllegalArgumentException if it is empty or has characters that no header may have
     */
    public Builder token(String token) {
      if (!BearerToken.isToken(token)) {
        throw new IllegalArgumentException(
            "token: it is empty or has characters that no header may have, as a line's end");
      }
      this.token = BearerToken.fixed(token);
      return this;
    }

    /**
     * The same with a token that is fetched for each call. What the supplier throws fails the call
     * as UNAUTHENTICATED. It is asked by threads of the client, up to 32 at once; a call that finds
     * 1,024 others waiting is UNAVAILABLE, and is tried again.
     */
    public Builder token(Supplier<String> token) {
      this.token = BearerToken.fetched(Objects.requireNonNull(token, "token"));
      return this;
    }

    /**
     * How long a call may take with all its tries when the caller doesn't say otherwise; 10 s
     * unless set. Watches have no deadline.
     */
    public Builder timeout(Duration timeout) {
      this.timeout = timeout;
      return this;
    }

    /**
     * Makes the client. It connects with the first call, so an address where nobody listens is told
     * by that.
     *
     * @throws IllegalArgumentException if an address is missing or is none, if there is a token and
     *     no TLS, or if the timeout isn't positive
     */
    public TandemClient build() {
      if (command.isEmpty()) {
        throw new IllegalArgumentException("command: give the address of the command service");
      }
      if (query.isEmpty()) {
        throw new IllegalArgumentException("query: give the address of at least one query service");
      }
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException("timeout: " + timeout + " is not positive");
      }
      Addresses commands = Addresses.of("command", command);
      Addresses queries = Addresses.of("query", query);
      Channels channels = new Channels(tls, token, timeout);
      return new TandemClient(channels.commands(commands), channels.queries(queries), timeout);
    }
  }
}
