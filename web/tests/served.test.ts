// The page finds its query services, in turn, and tells its own rows from others.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderSchema } from "../src/gen/tandem/v1/model_pb";
import { backoff } from "../src/grpc/backoff";
import { queryUrls, Turns } from "../src/grpc/services";
import { changedOrders, orderContent } from "../src/state/customer-document";
import { retryDelay } from "../src/state/page-of-list";
import { notePainted, visibleAfter } from "../src/state/visible";

const ORIGIN = "http://127.0.0.1:8090";
const order = (orderId: string, orderItemName: string) =>
  create(OrderSchema, { orderId, orderItemName });

test("a placeholder that nobody replaced is the page's own origin", () => {
  expect(queryUrls("__TANDEM_QUERY__", ORIGIN).map(String)).toEqual([`${ORIGIN}/`]);
  expect(queryUrls("", ORIGIN)).toHaveLength(1);
});

test("several addresses are separated by spaces", () => {
  const urls = queryUrls(" http://127.0.0.1:8095  http://127.0.0.1:8096 ", ORIGIN);
  expect(urls.map(({ host }) => host)).toEqual(["127.0.0.1:8095", "127.0.0.1:8096"]);
});

test("two that find the same service gone leave it once", () => {
  const turns = new Turns(["a", "b", "c"]);
  turns.leave("a");
  turns.leave("a");
  expect(turns.current).toBe("b");
  turns.leave("b");
  turns.leave("c");
  expect(turns.current).toBe("a");
});

test("waits grow, are never alike, and have an end", () => {
  expect(backoff(0, () => 0)).toBe(50);
  expect(backoff(0, () => 1)).toBe(100);
  expect(backoff(20, () => 1)).toBe(3000);
  expect([1, 2, 3, 9].map((failures) => retryDelay(failures, undefined))).toEqual([
    1000, 2000, 4000, 8000,
  ]);
  expect(retryDelay(1, 5000)).toBe(5000);
});

test("orders that came or changed are told from those that stayed", () => {
  const before = [order("1", "tea"), order("2", "tea")];
  const now = [order("1", "tea"), order("2", "coffee"), order("3", "tea")];
  expect(changedOrders(before, now)).toEqual(["2", "3"]);
});

test("the time to visible is known whichever comes first, the row or the answer", () => {
  const content = orderContent(order("1", "tea"));
  const sent = { customerId: "ada", orderId: "1", content, at: 100 };
  expect(visibleAfter(sent)).toBeUndefined();
  notePainted("ada", [content], 112);
  notePainted("ada", [content], 500);
  expect(visibleAfter(sent)).toBe(12);
  expect(visibleAfter({ ...sent, at: 400 })).toBeUndefined();
  expect(visibleAfter({ ...sent, customerId: "bob" })).toBeUndefined();
  // Cancelled and placed again, it is seen anew.
  notePainted("ada", [], 600);
  notePainted("ada", [content], 720);
  expect(visibleAfter({ ...sent, at: 700 })).toBe(20);
});
