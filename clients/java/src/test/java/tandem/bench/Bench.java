package tandem.bench;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import tandem.client.Session;
import tandem.client.TandemClient;
import tandem.v1.CreateCustomerRequest;
import tandem.v1.CreateCustomerResponse;
import tandem.v1.Freshness;
import tandem.v1.GetCustomerRequest;
import tandem.v1.QueryServiceGrpc;
import tandem.v1.QueryServiceGrpc.QueryServiceBlockingStub;

/**
 * Compares the CPU time of reads through a session with that of the same reads through a plain stub
 * on a plain channel, block by block so that whatever else the machine does meets both.
 */
public final class Bench {
  private static final int BLOCK = 500;
  private static final int BLOCKS = 20;
  private static final int ROUNDS = 4;
  // The virtual machine compiles for long.
  private static final int WARM_UP = 20_000;

  public static void main(String[] args) {
    String command = System.getenv().getOrDefault("TANDEM_COMMAND", "127.0.0.1:8090");
    ManagedChannel channel =
        Grpc.newChannelBuilder(args[0], InsecureChannelCredentials.create()).build();
    try (TandemClient client = TandemClient.builder().command(command).query(args[0]).build()) {
      compare(QueryServiceGrpc.newBlockingStub(channel), client.session());
    } finally {
      channel.shutdownNow();
    }
  }

  private static void compare(QueryServiceBlockingStub stub, Session session) {
    CreateCustomerResponse ada =
        session.createCustomer(
            CreateCustomerRequest.newBuilder().setFirstName("Ada").setLastName("L").build());
    String id = ada.getCustomer().getCustomerId();
    Runnable plain = () -> plain(stub, id, ada.getReceipt());
    Runnable layer = () -> layer(session, id);
    for (int warm = 0; warm < WARM_UP; warm += BLOCK) {
      micros(plain);
      micros(layer);
    }
    List<Double> plains = new ArrayList<>();
    List<Double> layers = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (int block = 0; block < BLOCKS * ROUNDS; block++) {
      // Which one goes first takes turns, since what a block leaves behind falls to the next.
      boolean plainFirst = block % 2 == 0;
      double first = micros(plainFirst ? plain : layer);
      double second = micros(plainFirst ? layer : plain);
      plains.add(plainFirst ? first : second);
      layers.add(plainFirst ? second : first);
      ratios.add(layers.get(block) / plains.get(block));
    }
    System.out.printf(
        Locale.ROOT,
        "{\"language\":\"java\",\"plain_us\":%.1f,\"layer_us\":%.1f,\"ratio\":%.3f}%n",
        median(plains),
        median(layers),
        median(ratios));
  }

  private static void plain(QueryServiceBlockingStub stub, String id, String receipt) {
    GetCustomerRequest query =
        GetCustomerRequest.newBuilder()
            .setCustomerId(id)
            .setFreshness(Freshness.newBuilder().addReceipts(receipt))
            .build();
    stub.withDeadlineAfter(10, TimeUnit.SECONDS).getCustomer(query);
  }

  private static void layer(Session session, String id) {
    session.getCustomer(GetCustomerRequest.newBuilder().setCustomerId(id).build());
  }

  /** The CPU time of one call, from a block of them. */
  private static double micros(Runnable call) {
    long before = CpuTime.nanos();
    for (int i = 0; i < BLOCK; i++) {
      call.run();
    }
    return (CpuTime.nanos() - before) / 1e3 / BLOCK;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }
}
