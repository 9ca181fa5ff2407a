package tandem.conformance;

import com.google.gson.JsonObject;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tandem.client.Watch;
import tandem.v1.WatchCustomerOrdersResponse;

/** A watch that can be asked for a document for a limited time. */
final class Watching {
  private final ExecutorService reader = Executors.newSingleThreadExecutor();
  private final Watch<WatchCustomerOrdersResponse> watch;
  // What is waited for; kept while nothing comes, so that no document is lost between two lines.
  private CompletableFuture<JsonObject> pending;

  Watching(Watch<WatchCustomerOrdersResponse> watch) {
    this.watch = watch;
  }

  JsonObject next(long withinMs) {
    if (pending == null) {
      pending = CompletableFuture.supplyAsync(this::read, reader);
    }
    JsonObject answer = new JsonObject();
    try {
      answer = pending.get(withinMs, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      answer.addProperty("nothing", true);
      return answer;
    } catch (ExecutionException e) {
      answer = Failure.of((RuntimeException) e.getCause());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    pending = null;
    return answer;
  }

  void close() {
    watch.close();
  }

  private JsonObject read() {
    if (watch.hasNext()) {
      return Driver.with("response", Contract.json(watch.next()));
    }
    JsonObject ended = new JsonObject();
    ended.addProperty("ended", true);
    return ended;
  }
}
