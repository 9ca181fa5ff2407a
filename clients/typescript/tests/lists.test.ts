// Lists ask for the next page when it is needed, and not before.
import { expect, test } from "vitest";
import { client, type Script } from "./ground.js";

function paged() {
  const asked: string[] = [];
  const script: Script = {
    listOrders: ({ pageToken, pageSize, freshness }) => {
      expect(pageSize).toBe(2);
      expect(freshness?.receipts).toEqual(["r"]);
      asked.push(pageToken);
      const first = Number(pageToken || 0);
      const orders = [first, first + 1].filter((n) => n < 5).map((n) => ({ orderId: `o${n}` }));
      return { orders, nextPageToken: first < 4 ? String(first + 2) : "" };
    },
  };
  const session = client({ a: script }).session({ receipts: ["r"] });
  return { asked, list: session.listOrders({ pageSize: 2 }) };
}

test("rows of all pages", async () => {
  const { asked, list } = paged();
  const rows: string[] = [];
  for await (const { orderId } of list) rows.push(orderId);
  expect(rows).toEqual(["o0", "o1", "o2", "o3", "o4"]);
  expect(asked).toEqual(["", "2", "4"]);
});

test("an iteration that is left asks for no more pages", async () => {
  const { asked, list } = paged();
  for await (const { orderId } of list) if (orderId === "o1") break;
  expect(asked).toEqual([""]);
});

test("pages, and the first one by waiting for the list", async () => {
  const { asked, list } = paged();
  const sizes: number[] = [];
  for await (const { orders } of list.pages()) sizes.push(orders.length);
  expect(sizes).toEqual([2, 2, 1]);
  expect((await list).nextPageToken).toBe("2");
  expect(asked).toEqual(["", "2", "4", ""]);
});

test("an async function that returns a list gives its first page", async () => {
  const { asked, list } = paged();
  const page = await (async () => list)();
  expect(page.orders).toHaveLength(2);
  expect(asked).toEqual([""]);
});
