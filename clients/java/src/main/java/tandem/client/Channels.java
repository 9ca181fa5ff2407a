package tandem.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Makes the channels of a client, so that everything that goes for each call is set in one place.
 */
final class Channels {
  private static final Duration PING_AFTER = Duration.ofSeconds(10);
  private static final Duration PING_TIMEOUT = Duration.ofSeconds(5);

  private final ChannelCredentials credentials;
  private final ClientInterceptor deadlines;

  /**
   * @param tls null for plain text
   * @param token null for none
   */
  Channels(ChannelCredentials tls, BearerToken token, Duration timeout) {
    boolean plain = tls == null || tls instanceof InsecureChannelCredentials;
    if (plain && token != null) {
      throw new IllegalArgumentException(
          "token: it would go out unencrypted; use TLS too, or no token");
    }
    ChannelCredentials transport = plain ? InsecureChannelCredentials.create() : tls;
    this.credentials =
        token == null ? transport : CompositeChannelCredentials.create(transport, token);
    this.deadlines = new Deadlines(TimeUnit.NANOSECONDS.convert(timeout));
  }

  ManagedChannel commands(Addresses addresses) {
    return builder(addresses).intercept(new RequestIds(), deadlines).build();
  }

  ManagedChannel queries(Addresses addresses) {
    return builder(addresses).intercept(deadlines).build();
  }

  // The builder's way to a name resolver is deprecated in favour of a registry that the whole
  // process shares; addresses that belong to one client have no business there.
  @SuppressWarnings("deprecation")
  private ManagedChannelBuilder<?> builder(Addresses addresses) {
    return Grpc.newChannelBuilder(addresses.target(), credentials)
        .nameResolverFactory(addresses)
        .defaultServiceConfig(ServiceConfig.FOR_CHANNELS)
        .disableServiceConfigLookUp()
        .enableRetry()
        .keepAliveTime(PING_AFTER.toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveTimeout(PING_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)
        // Also notices a host that takes a connection and then says nothing.
        .keepAliveWithoutCalls(true);
  }

  /**
   * Gives a deadline to calls that have none. The service config's own timeout can't do it: a
   * channel takes it for the most that a caller may ask for.
   */
  private record Deadlines(long nanos) implements ClientInterceptor {
    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      boolean apply = options.getDeadline() == null && method.getType() == MethodType.UNARY;
      return next.newCall(
          method, apply ? options.withDeadlineAfter(nanos, TimeUnit.NANOSECONDS) : options);
    }
  }
}
