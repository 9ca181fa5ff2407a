package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class WatchTest {
  private static final ServiceConfig.Backoff AT_ONCE =
      new ServiceConfig.Backoff(Duration.ZERO, Duration.ZERO, 1);
  private static final ServiceConfig.Backoff NEVER =
      new ServiceConfig.Backoff(Duration.ofHours(1), Duration.ofHours(1), 1);

  /** Calls as a test says: each gives its documents, and then what is last in it. */
  private static final class Script implements Watch.Calls<String> {
    private final Queue<Iterator<String>> calls = new ArrayDeque<>();
    private final List<String> begun = new ArrayList<>();

    Script then(Status end, String... documents) {
      Iterator<String> given = List.of(documents).iterator();
      calls.add(
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              if (given.hasNext()) return true;
              if (end.isOk()) return false;
              throw end.asRuntimeException();
            }

            @Override
            public String next() {
              return given.next();
            }
          });
      return this;
    }

    Script thenSilence() {
      calls.add(
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              CountDownLatch ended = new CountDownLatch(1);
              watched.addListener(c -> ended.countDown(), Runnable::run);
              FakeTandem.await(ended);
              throw Status.CANCELLED.asRuntimeException();
            }

            @Override
            public String next() {
              throw new NoSuchElementException();
            }
          });
      return this;
    }

    private Context watched;

    @Override
    public String name() {
      return "WatchIt";
    }

    @Override
    public Iterator<String> begin(String latest) {
      watched = Context.current();
      begun.add(latest);
      return calls.remove();
    }
  }

  private static Watch<String> watch(Script script, ServiceConfig.Backoff backoff) {
    return new Watch<>(script, Context.ROOT, backoff);
  }

  @Test
  void goesOnAfterErrorsAndEnds() {
    Script script =
        new Script()
            .then(Status.UNAVAILABLE, "a", "b")
            .then(Status.OK)
            .then(Status.RESOURCE_EXHAUSTED, "c")
            .thenSilence();
    try (Watch<String> watch = watch(script, AT_ONCE)) {
      assertEquals("a", watch.next());
      assertEquals("b", watch.next());
      assertEquals("c", watch.next());
    }
    List<String> expected = new ArrayList<>();
    expected.add(null);
    expected.add("b");
    assertEquals(expected, script.begun.subList(0, 2));
  }

  @Test
  void givesUpAfterEightInterruptionsInARow() {
    Script script = new Script();
    for (int i = 0; i < 7; i++) {
      script.then(Status.UNAVAILABLE);
    }
    script.then(Status.UNAVAILABLE, "a");
    for (int i = 0; i < 7; i++) {
      script.then(Status.INTERNAL.withDescription("try " + i));
    }
    Watch<String> watch = watch(script, AT_ONCE);

    assertEquals("a", watch.next());
    TandemException last = assertThrows(TandemException.class, watch::next);

    assertEquals(Status.Code.INTERNAL, last.code());
    assertEquals("WatchIt: try 6", last.getMessage());
    assertEquals(15, script.begun.size());
    assertFalse(watch.hasNext());
    assertThrows(NoSuchElementException.class, watch::next);
  }

  @Test
  void saysThatTheServiceEndsItAgainAndAgain() {
    Script script = new Script();
    for (int i = 0; i < Watch.MOST_INTERRUPTIONS; i++) {
      script.then(Status.OK);
    }

    assertThrows(UnavailableException.class, watch(script, AT_ONCE)::hasNext);
  }

  @Test
  void doesNotTryAgainWhatCannotGetBetter() {
    for (Status end :
        List.of(
            Status.INVALID_ARGUMENT,
            Status.NOT_FOUND,
            Status.PERMISSION_DENIED,
            Status.UNAUTHENTICATED,
            Status.UNIMPLEMENTED,
            Status.FAILED_PRECONDITION)) {
      Script script = new Script().then(end);
      Watch<String> watch = watch(script, AT_ONCE);

      TandemException told = assertThrows(TandemException.class, watch::next);

      assertEquals(end.getCode(), told.code());
      assertEquals(1, script.begun.size());
    }
  }

  @Test
  void pausesAsLongAsTheServiceSaid() {
    Script script = later(com.google.protobuf.Duration.newBuilder().setNanos(150_000_000));
    script.then(Status.OK, "a");
    long began = System.nanoTime();

    assertEquals("a", watch(script, AT_ONCE).next());

    assertTrue(System.nanoTime() - began >= TimeUnit.MILLISECONDS.toNanos(150));
  }

  @Test
  void pausesForTheLongestThatTheServiceCanSay() {
    Script script = later(com.google.protobuf.Duration.newBuilder().setSeconds(315_576_000_000L));
    Watch<String> watch = watch(script.then(Status.CANCELLED), AT_ONCE);
    soon(watch::close);

    assertFalse(watch.hasNext());
  }

  /** A call that is to be made again after a while. */
  private static Script later(com.google.protobuf.Duration.Builder delay) {
    StatusRuntimeException later =
        StatusProto.toStatusRuntimeException(
            com.google.rpc.Status.newBuilder()
                .setCode(Status.Code.UNAVAILABLE.value())
                .addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()))
                .build());
    Script script = new Script();
    script.calls.add(
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            throw later;
          }

          @Override
          public String next() {
            throw new NoSuchElementException();
          }
        });
    return script;
  }

  @Test
  void endsWithoutAnErrorWhenClosed() {
    Watch<String> silent = watch(new Script().thenSilence(), AT_ONCE);
    soon(silent::close);
    assertFalse(silent.hasNext());

    // While it pauses, too; the call that would come then ends at once.
    Script script = new Script().then(Status.UNAVAILABLE).then(Status.CANCELLED);
    Watch<String> pausing = watch(script, NEVER);
    soon(pausing::close);
    assertFalse(pausing.hasNext());

    Watch<String> closed = watch(new Script().then(Status.OK, "a"), AT_ONCE);
    closed.close();
    assertFalse(closed.hasNext());
  }

  @Test
  void endsWithoutAnErrorWhenItsClientIsClosed() {
    for (Status last : List.of(Status.UNAVAILABLE, Status.CANCELLED)) {
      Context.CancellableContext client = Context.ROOT.withCancellation();
      // It is closed while the watch pauses; a call that comes after that ends in either way.
      Script script = new Script().then(Status.UNAVAILABLE).then(last);
      Watch<String> watch = new Watch<>(script, client, NEVER);
      soon(() -> client.cancel(null));

      assertFalse(watch.hasNext());
    }
  }

  @Test
  void saysThatItsThreadWasInterrupted() {
    Thread reader = Thread.currentThread();
    for (Script script :
        List.of(new Script().thenSilence(), new Script().then(Status.UNAVAILABLE))) {
      Watch<String> watch = watch(script, NEVER);
      soon(reader::interrupt);

      assertThrows(CancelledException.class, watch::hasNext);

      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void saysThatItWasCancelledThoughAnInterruptionCameFirst() throws Exception {
    Watch<String> interrupted = watch(new Script().then(Status.UNAVAILABLE), NEVER);
    Thread.currentThread().interrupt();
    assertThrows(CancelledException.class, interrupted::hasNext);
    assertTrue(Thread.interrupted());

    Context.CancellableContext context = Context.current().withCancellation();
    Watch<String> cancelled =
        context.wrap(() -> watch(new Script().then(Status.UNAVAILABLE), NEVER)).call();
    context.cancel(null);
    assertThrows(CancelledException.class, cancelled::hasNext);
  }

  @Test
  void saysThatItsContextWasCancelled() throws Exception {
    Context.CancellableContext context = Context.current().withCancellation();
    Watch<String> watch = context.wrap(() -> watch(new Script().thenSilence(), AT_ONCE)).call();
    soon(() -> context.cancel(null));

    assertThrows(CancelledException.class, watch::hasNext);
  }

  private static void soon(Runnable action) {
    Thread other =
        new Thread(
            () -> {
              try {
                Thread.sleep(30);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              action.run();
            });
    other.start();
  }
}
