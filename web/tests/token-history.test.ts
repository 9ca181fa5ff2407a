// Leafing back finds the page before, and a page opened by its link has none.
import { expect, test } from "vitest";
import { before, wentForward, type History } from "../src/state/token-history";

test("back is the way that led here", () => {
  const history = wentForward(wentForward([], "", "two"), "two", "three");
  expect(before(history, "three")).toBe("two");
  expect(before(history, "two")).toBe("");
});

test("a page that was not leafed to has no page before", () => {
  expect(before([], "linked")).toBeUndefined();
});

test("going forward again takes the newer way, and the history doesn't grow without end", () => {
  let history: History = wentForward(wentForward([], "old", "two"), "new", "two");
  expect(history).toHaveLength(1);
  expect(before(history, "two")).toBe("new");
  for (let at = 0; at < 500; at++) history = wentForward(history, `${at}`, `${at + 1}`);
  expect(history.length).toBeLessThanOrEqual(200);
});
