package tandem.client;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import tandem.v1.Freshness;

/** The receipts of a session, oldest first. May be used from several threads at once. */
final class Receipts {
  /** The most that a query takes. */
  static final int PER_QUERY = 32;

  /** The most that a session keeps before it settles them, whether or not it reads. */
  static final int MOST = 1_024;

  private final List<String> kept;

  // What all of them look like in a request, so that reads in a row don't put it together anew;
  // null after a change.
  private volatile Freshness shown;

  Receipts(Collection<String> receipts) {
    this.kept = new ArrayList<>(receipts);
  }

  synchronized List<String> all() {
    return List.copyOf(kept);
  }

  synchronized int count() {
    return kept.size();
  }

  synchronized void add(String receipt) {
    kept.add(receipt);
    shown = null;
  }

  /** As many as a query takes, the oldest. */
  synchronized List<String> oldest() {
    return List.copyOf(kept.subList(0, Math.min(kept.size(), PER_QUERY)));
  }

  /**
   * Keeps the position that covers {@code settled} in their place. When another thread settled them
   * meanwhile its position covers them already.
   */
  synchronized void settle(List<String> settled, String position) {
    if (kept.removeAll(new HashSet<>(settled))) {
      kept.add(0, position);
      shown = null;
    }
  }

  /** All of them, or null if they are more than {@code room}. */
  Freshness shown(int room) {
    Freshness now = shown;
    if (now == null) {
      synchronized (this) {
        now = Freshness.newBuilder().addAllReceipts(kept).build();
        shown = now;
      }
    }
    return now.getReceiptsCount() <= room ? now : null;
  }
}
