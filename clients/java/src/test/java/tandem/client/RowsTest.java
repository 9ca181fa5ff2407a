package tandem.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;

class RowsTest {
  // Pages by token; a page's last word is the next token.
  private static final Map<String, List<String>> PAGES =
      Map.of("", List.of("a", "b", "2"), "2", List.of("3"), "3", List.of("c", ""));

  private final List<String> asked = new ArrayList<>();
  private final Rows<String, List<String>> rows =
      new Rows<>(
          "",
          token -> {
            asked.add(token);
            return PAGES.get(token);
          },
          page -> page.get(page.size() - 1),
          page -> page.subList(0, page.size() - 1));

  @Test
  void goesOverAllPagesAndBeginsAnew() {
    for (int time = 0; time < 2; time++) {
      List<String> all = new ArrayList<>();
      rows.forEach(all::add);
      assertEquals(List.of("a", "b", "c"), all);
    }
    assertEquals(List.of("a", "b", "c"), rows.stream().toList());
  }

  @Test
  void asksForAPageWhenTheOneBeforeIsUsedUp() {
    Iterator<String> iterator = rows.iterator();
    assertEquals(List.of(), asked);
    iterator.next();
    iterator.next();
    assertEquals(List.of(""), asked);
    assertEquals("c", iterator.next());
    assertEquals(List.of("", "2", "3"), asked);
    assertThrows(NoSuchElementException.class, iterator::next);
  }

  @Test
  void givesPages() {
    Iterator<List<String>> pages = rows.pages().iterator();
    assertEquals(PAGES.get(""), pages.next());
    assertEquals(PAGES.get("2"), pages.next());
    assertEquals(PAGES.get("3"), pages.next());
    assertThrows(NoSuchElementException.class, pages::next);
  }
}
