package tandem.client;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext.ScheduledHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The addresses of one channel. gRPC's own resolvers take one name only, so this one resolves
 * several, and gives each connection the name that it was asked for, for TLS.
 */
final class Addresses extends NameResolverProvider {
  private static final String SCHEME = "tandem";

  private final List<Address> addresses;
  private final Lookup lookup;

  private Addresses(List<Address> addresses, Lookup lookup) {
    this.addresses = addresses;
    this.lookup = lookup;
  }

  /** Who knows the hosts of a name. */
  interface Lookup {
    InetAddress[] hosts(String name) throws UnknownHostException;
  }

  /**
   * @param what names the addresses in messages
   * @throws IllegalArgumentException if one is no {@code host:port}
   */
  static Addresses of(String what, List<String> texts) {
    return of(what, texts, InetAddress::getAllByName);
  }

  /** The same with somebody else to ask than the system. */
  static Addresses of(String what, List<String> texts, Lookup lookup) {
    return new Addresses(texts.stream().map(text -> Address.of(what, text)).toList(), lookup);
  }

  /** What a channel is told to connect to. */
  String target() {
    return SCHEME + ":///";
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    return new Resolver(args);
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 5;
  }

  private record Address(String host, int port) {
    private static final Pattern FORM =
        Pattern.compile("(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/?#@\\[\\]]+):(\\d{1,5})");

    static Address of(String what, String text) {
      Matcher parts = FORM.matcher(text);
      if (parts.matches()) {
        int port = Integer.parseInt(parts.group(2));
        if (port > 0 && port < 65_536) {
          return new Address(parts.group(1), port);
        }
      }
      throw new IllegalArgumentException(
          what + ": \"" + text + "\" is no address; it has to be host:port, as in 127.0.0.1:8095");
    }

    /** Asks, which may take long. A name may stand for several hosts. */
    List<EquivalentAddressGroup> resolve(Lookup lookup) throws UnknownHostException {
      Attributes name =
          Attributes.newBuilder()
              .set(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE, toString())
              .build();
      List<EquivalentAddressGroup> found = new ArrayList<>();
      for (InetAddress address : lookup.hosts(host)) {
        found.add(new EquivalentAddressGroup(new InetSocketAddress(address, port), name));
      }
      return found;
    }

    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  /** What the system knew of one address; {@code unknown} is null if it knew its name. */
  private record Found(List<EquivalentAddressGroup> hosts, Status unknown) {}

  /** Everything but the asking itself happens in the channel's synchronization context. */
  private final class Resolver extends NameResolver {
    // A name that wasn't known yet may be soon, as while many things are being started.
    private static final long ASK_AGAIN_SECONDS = 30;

    private final NameResolver.Args args;
    // By address, what was found last.
    private final Map<Address, Found> found = new HashMap<>();
    private Listener2 listener;
    private int asking;
    private ScheduledHandle again;
    private boolean shutdown;

    Resolver(NameResolver.Args args) {
      this.args = args;
    }

    @Override
    public String getServiceAuthority() {
      return addresses.get(0).toString();
    }

    @Override
    public void start(Listener2 listener) {
      this.listener = listener;
      refresh();
    }

    // The system keeps what it found for some seconds, so asking often is cheap. Each is asked for
    // by itself, so that none waits for another one's name server.
    @Override
    public void refresh() {
      if (asking > 0 || shutdown) {
        return;
      }
      asking = addresses.size();
      for (Address address : addresses) {
        args.getOffloadExecutor()
            .execute(
                () -> {
                  Found answer = ask(address);
                  args.getSynchronizationContext().execute(() -> take(address, answer));
                });
      }
    }

    @Override
    public void shutdown() {
      shutdown = true;
      if (again != null) {
        again.cancel();
      }
    }

    private Found ask(Address address) {
      try {
        return new Found(address.resolve(lookup), null);
      } catch (UnknownHostException | RuntimeException e) {
        Status unknown = Status.UNAVAILABLE.withDescription("no host has this name").withCause(e);
        return new Found(List.of(), unknown);
      }
    }

    private void take(Address address, Found answer) {
      asking--;
      if (shutdown) {
        return;
      }
      found.put(address, answer);
      // Until all have answered, one that isn't known is no news.
      if (asking == 0 || answer.unknown == null) {
        tell();
      }
    }

    private void tell() {
      List<EquivalentAddressGroup> hosts = new ArrayList<>();
      Status unknown = null;
      for (Address address : addresses) {
        Found answer = found.get(address);
        if (answer != null) {
          hosts.addAll(answer.hosts);
          unknown = answer.unknown == null ? unknown : answer.unknown;
        }
      }
      StatusOr<List<EquivalentAddressGroup>> result =
          hosts.isEmpty() ? StatusOr.fromStatus(unknown) : StatusOr.fromValue(hosts);
      listener.onResult2(ResolutionResult.newBuilder().setAddressesOrError(result).build());
      // When no name is known at all, the channel itself asks again.
      boolean waiting = again != null && again.isPending();
      if (unknown != null && !hosts.isEmpty() && !waiting) {
        again =
            args.getSynchronizationContext()
                .schedule(
                    this::refresh,
                    ASK_AGAIN_SECONDS,
                    TimeUnit.SECONDS,
                    args.getScheduledExecutorService());
      }
    }
  }
}
