package tandem.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Context.CancellationListener;
import io.grpc.Contexts;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A stream of documents that goes on when it is interrupted, on whichever instance answers next. It
 * has no end but {@link #close}, by which it ends without an error. A document that is not taken
 * for 30 s interrupts it at the service's side.
 *
 * <p>{@link #hasNext} and {@link #next} wait as long as it takes, and are for one thread; {@link
 * #close} may be called from another one. They throw a {@link TandemException}, after which the
 * watch is over: when the service says what can't get better by itself, as with {@link
 * InvalidArgumentException}; the last one's after eight interruptions in a row without a document
 * between them; {@link CancelledException} when the thread is interrupted, or the {@link Context}
 * in which the watch was opened is cancelled.
 *
 * @param <T> a document, which is a response of the contract
 */
public final class Watch<T> implements Iterator<T>, AutoCloseable {
  /** How many interruptions in a row are too many. */
  static final int MOST_INTERRUPTIONS = 8;

  private static final Set<Code> FINAL =
      EnumSet.of(
          Code.INVALID_ARGUMENT,
          Code.NOT_FOUND,
          Code.PERMISSION_DENIED,
          Code.UNAUTHENTICATED,
          Code.UNIMPLEMENTED,
          Code.FAILED_PRECONDITION);

  private final Calls<T> calls;
  private final Context client;
  private final ServiceConfig.Backoff backoff;
  // Of all calls of this watch: cancelling it is the one way to end a call that is waited for.
  private final CancellableContext context = Context.current().withCancellation();
  private final CountDownLatch cancelled = new CountDownLatch(1);
  private final CancellationListener clientClosed = ended -> context.cancel(null);
  private volatile boolean closed;

  private Iterator<T> documents;
  private T latest;
  private T ready;
  private int interruptions;
  private boolean over;

  /** Where documents come from: one call of the contract, made again after each interruption. */
  interface Calls<T> {
    /** The call's name, for messages. */
    String name();

    /** Begins a call that goes on after {@code latest}, which is null at first. */
    Iterator<T> begin(T latest);

    static <Q, T> Calls<T> of(
        Channel channel, MethodDescriptor<Q, T> method, Function<T, Q> request) {
      return new Calls<>() {
        @Override
        public String name() {
          return method.getBareMethodName();
        }

        @Override
        public Iterator<T> begin(T latest) {
          return ClientCalls.blockingServerStreamingCall(
              channel, method, CallOptions.DEFAULT, request.apply(latest));
        }
      };
    }
  }

  /**
   * @param client is cancelled when the client is closed, which ends this without an error
   */
  Watch(Calls<T> calls, Context client, ServiceConfig.Backoff backoff) {
    this.calls = calls;
    this.client = client;
    this.backoff = backoff;
    client.addListener(clientClosed, Runnable::run);
    context.addListener(
        ended -> {
          cancelled.countDown();
          client.removeListener(clientClosed);
        },
        Runnable::run);
    begin();
  }

  /** Waits for a document. False once the watch has ended. */
  @Override
  public boolean hasNext() {
    while (ready == null && !over) {
      if (closed) {
        end();
        break;
      }
      StatusRuntimeException interruption = await();
      if (interruption != null) {
        goOn(interruption);
      }
    }
    return ready != null;
  }

  /**
   * Waits for a document and takes it.
   *
   * @throws NoSuchElementException once the watch has ended
   */
  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the watch has ended");
    }
    T document = ready;
    ready = null;
    return document;
  }

  /** Ends the watch; whoever waits for a document is told that there is none. */
  @Override
  public void close() {
    closed = true;
    context.cancel(null);
  }

  /** Waits for a document; says what came instead, if anything did. */
  private StatusRuntimeException await() {
    try {
      if (documents.hasNext()) {
        latest = documents.next();
        ready = latest;
        interruptions = 0;
        return null;
      }
      return Status.UNAVAILABLE.withDescription("the service ended the watch").asRuntimeException();
    } catch (StatusRuntimeException e) {
      return e;
    }
  }

  private void goOn(StatusRuntimeException interruption) {
    // Asked first, since whoever closes this or the client says so before it cancels.
    boolean contextEnded = context.isCancelled();
    if (closed || client.isCancelled()) {
      end();
      return;
    }
    interruptions++;
    // The call may have been interrupted before it could be told that it is cancelled.
    TandemException told =
        TandemException.of(
            calls.name(),
            contextEnded
                ? Contexts.statusFromCancelled(context).asRuntimeException()
                : interruption);
    if (interruptions == MOST_INTERRUPTIONS || FINAL.contains(told.code()) || contextEnded) {
      end();
      throw told;
    }
    pause(told.retryDelay().orElse(Duration.ZERO));
    begin();
  }

  /** Pauses as long as the service config says, and at least as long as the service said. */
  private void pause(Duration asked) {
    Duration grown = backoff.after(interruptions, ThreadLocalRandom.current().nextDouble());
    Duration pause = grown.compareTo(asked) < 0 ? asked : grown;
    try {
      // When it is cancelled meanwhile, the next call ends at once and says so.
      cancelled.await(TimeUnit.NANOSECONDS.convert(pause), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end();
      throw TandemException.of(
          calls.name(),
          Status.CANCELLED.withDescription("thread interrupted").withCause(e).asRuntimeException());
    }
  }

  private void begin() {
    Context outer = context.attach();
    try {
      documents = calls.begin(latest);
    } finally {
      context.detach(outer);
    }
  }

  private void end() {
    over = true;
    context.cancel(null);
  }
}
