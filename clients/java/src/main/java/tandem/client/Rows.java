package tandem.client;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The rows of a list, over all its pages. A page is asked for when the one before is used up, so
 * iterating throws what the call throws; each page has a deadline of its own. Each iterator begins
 * anew. The request's {@code page_size} says how many rows are fetched at a time.
 *
 * @param <T> a row
 * @param <P> a page, which is a response of the contract
 */
public final class Rows<T, P> implements Iterable<T> {
  private final String first;
  private final Function<String, P> call;
  private final Function<P, String> nextToken;
  private final Function<P, List<T>> rows;

  Rows(
      String first,
      Function<String, P> call,
      Function<P, String> nextToken,
      Function<P, List<T>> rows) {
    this.first = first;
    this.call = call;
    this.nextToken = nextToken;
    this.rows = rows;
  }

  /** The pages instead of the rows, each as the service answered it. */
  public Iterable<P> pages() {
    return Pages::new;
  }

  /** The rows, from the first page on. */
  @Override
  public Iterator<T> iterator() {
    return stream().iterator();
  }

  /** The rows as a stream, which fetches as it is used up. */
  public Stream<T> stream() {
    return StreamSupport.stream(pages().spliterator(), false)
        .flatMap(page -> rows.apply(page).stream());
  }

  private final class Pages implements Iterator<P> {
    // Of the page to come; null after the last.
    private String token = first;

    @Override
    public boolean hasNext() {
      return token != null;
    }

    @Override
    public P next() {
      if (token == null) {
        throw new NoSuchElementException("that was the last page");
      }
      P page = call.apply(token);
      String next = nextToken.apply(page);
      token = next.isEmpty() ? null : next;
      return page;
    }
  }
}
