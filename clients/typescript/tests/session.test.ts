// Requests stay as they are, and show what the session has written.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PlaceOrderRequestSchema } from "../src/gen/tandem/v1/command_pb.js";
import { GetCustomerRequestSchema } from "../src/gen/tandem/v1/query_pb.js";
import { client, frozen, notReady } from "./ground.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a request is not changed, be it a message or an object", async () => {
  const seen: unknown[] = [];
  const session = client({
    a: {
      placeOrder: ({ requestId }) => {
        seen.push(requestId);
        return { receipt: "r" };
      },
      getCustomer: ({ freshness }) => {
        seen.push(freshness?.receipts);
        return {};
      },
    },
  }).session();
  const order = { customerId: "c", orderItemName: "Tea" };
  await session.placeOrder(frozen({ ...order }));
  await session.placeOrder(frozen(create(PlaceOrderRequestSchema, order)));
  const freshness = { receipts: ["mine"], maxStaleness: { seconds: 1n } };
  await session.getCustomer(frozen({ customerId: "c", freshness: { ...freshness } }));
  await session.getCustomer(
    frozen(create(GetCustomerRequestSchema, { customerId: "c", freshness })),
  );
  expect(seen.slice(0, 2)).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
  expect(seen.slice(2)).toEqual([
    ["r", "r", "mine"].filter((one, at, all) => all.indexOf(one) === at),
    ["r", "mine"],
  ]);
});

test("all tries are of the request as it was", async () => {
  const seen: string[] = [];
  const session = client({
    a: {
      getCustomer: ({ customerId }) => {
        seen.push(customerId);
        if (seen.length === 1) throw notReady();
        return {};
      },
    },
  }).session();
  const request = { customerId: "c" };
  const answer = session.getCustomer(request);
  request.customerId = "other";
  await answer;
  expect(seen).toEqual(["c", "c"]);
});

test("the staleness that a request allows is kept when receipts are added", async () => {
  let staleness: unknown;
  const session = client({
    a: {
      getCustomer: ({ freshness }) => {
        staleness = freshness?.maxStaleness?.seconds;
        return {};
      },
    },
  }).session({ receipts: ["r"] });
  await session.getCustomer({ customerId: "c", freshness: { maxStaleness: { seconds: 7n } } });
  expect(staleness).toBe(7n);
});

test("all tries of a command have the same request_id, which may be the caller's", async () => {
  const ids: string[] = [];
  const session = client({
    a: {
      sendGreeting: ({ requestId }) => {
        ids.push(requestId);
        if (ids.length % 3 !== 0) throw notReady();
        return { receipt: `r${ids.length}` };
      },
    },
  }).session();
  await session.sendGreeting({ message: "Hello" });
  await session.sendGreeting({ message: "Hello", requestId: "given" });
  expect(new Set(ids.slice(0, 3)).size).toBe(1);
  expect(ids.slice(3)).toEqual(["given", "given", "given"]);
  expect(session.receipts).toEqual(["r3", "r6"]);
});

test("many calls at once in one session lose no receipt", async () => {
  let written = 0;
  const session = client({
    a: {
      sendGreeting: async () => {
        const receipt = `r${written++}`;
        await new Promise((resolve) => setTimeout(resolve, (written * 7) % 5));
        return { receipt };
      },
    },
  }).session();
  await Promise.all(Array.from({ length: 20 }, () => session.sendGreeting({ message: "Hello" })));
  expect([...session.receipts].sort()).toEqual(
    Array.from({ length: 20 }, (_, i) => `r${i}`).sort(),
  );
});

test("a session's receipts are its own", () => {
  const given = ["a"];
  const session = client({ a: {} }).session({ receipts: given });
  given.push("b");
  session.receipts.push("c");
  expect(session.receipts).toEqual(["a"]);
  // @ts-expect-error: one receipt would be taken for as many as it has letters.
  client({ a: {} }).session({ receipts: "a" });
});
