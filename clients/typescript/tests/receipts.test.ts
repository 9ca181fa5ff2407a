// Many receipts become few, by one question at a time.
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CanceledError, TandemError, UnavailableError } from "../src/errors.js";
import { client, failure, notReady, type Script } from "./ground.js";

const many = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`);

/** A service that notes what it was shown, and names positions `p0`, `p1`. */
function noting(more: Script = {}) {
  const pages: string[][] = [];
  const reads: string[][] = [];
  const script: Script = {
    listCustomers: ({ freshness, pageSize }) => {
      expect(pageSize).toBe(1);
      pages.push(freshness?.receipts ?? []);
      return { served: { position: `p${pages.length - 1}` } };
    },
    getCustomer: ({ freshness }) => {
      reads.push(freshness?.receipts ?? []);
      return {};
    },
    sendGreeting: () => ({ receipt: "written" }),
    ...more,
  };
  return { pages, reads, script };
}

test("a query is shown 32 receipts as they are", async () => {
  const { pages, reads, script } = noting();
  await client({ a: script })
    .session({ receipts: many(32) })
    .getCustomer({ customerId: "c" });
  expect(pages).toEqual([]);
  expect(reads).toEqual([many(32)]);
});

test("of more, the oldest 32 are replaced by a position, again and again", async () => {
  const { pages, reads, script } = noting();
  const session = client({ a: script }).session({ receipts: many(70) });
  await session.getCustomer({ customerId: "c" });
  expect(pages).toEqual([many(32), ["p0", ...many(63).slice(32)]]);
  expect(reads).toEqual([["p1", ...many(70).slice(63)]]);
  expect(session.receipts).toEqual(reads[0]);
});

test("receipts that a request brings count too, and stay out of the session", async () => {
  const { pages, reads, script } = noting();
  const session = client({ a: script }).session({ receipts: many(20) });
  const own = Array.from({ length: 32 }, (_, i) => `own${i}`);
  await session.getCustomer({ customerId: "c", freshness: { receipts: own } });
  expect(pages).toEqual([[...many(20), ...own.slice(0, 12)]]);
  expect(reads).toEqual([["p0", ...own.slice(12)]]);
  expect(session.receipts).toEqual(many(20));
});

test("reads at the same time ask once", async () => {
  const { pages, reads, script } = noting();
  const session = client({ a: script }).session({ receipts: many(40) });
  const read = () => session.getCustomer({ customerId: "c" });
  await Promise.all(Array.from({ length: 10 }, read));
  expect(pages).toHaveLength(1);
  expect(reads).toHaveLength(10);
  for (const shown of reads) expect(shown).toHaveLength(9);
});

test("when one caller gives up, the others ask themselves", async () => {
  let asked = 0;
  let go = () => {};
  const first = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { script } = noting({
    listCustomers: async (_, { signal }) => {
      if (asked++ > 0) return { served: { position: "p" } };
      go();
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  const session = client({ a: script }).session({ receipts: many(40) });
  const impatient = new AbortController();
  const gone = failure(session.getCustomer({ customerId: "c" }, { signal: impatient.signal }));
  const waits = session.getCustomer({ customerId: "c" });
  await first;
  impatient.abort();
  expect(await gone).toBeInstanceOf(CanceledError);
  await waits;
  expect(asked).toBe(2);
  expect(session.receipts).toHaveLength(9);
});

test("nothing is lost when it can't be asked", async () => {
  const { reads, script } = noting({
    listCustomers: () => {
      throw notReady();
    },
  });
  const session = client({ a: script }).session({ receipts: many(40) });
  const calls = {
    GetCustomer: () => session.getCustomer({ customerId: "c" }),
    ListOrders: () => session.listOrders(),
    WatchCustomerOrders: () => session.watchCustomerOrders({ customerId: "c" }).next(),
  };
  for (const [name, call] of Object.entries(calls)) {
    const error = await failure(call());
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as UnavailableError).rawMessage).toBe(
      `${name} was not sent: the session's receipts could not be settled: it is not ready`,
    );
  }
  expect(session.receipts).toEqual(many(40));
  expect(reads).toEqual([]);
});

test.each([{}, { served: {} }])(
  "receipts stay when the answer has no position: %j",
  async (page) => {
    const { reads, script } = noting({ listCustomers: () => page });
    const session = client({ a: script }).session({ receipts: many(40) });
    const error = await failure(session.getCustomer({ customerId: "c" }));
    expect(error).toBeInstanceOf(TandemError);
    expect(error).toMatchObject({ code: Code.Internal });
    expect((error as Error).message).toContain("ListCustomers: the answer has no position");
    expect(session.receipts).toEqual(many(40));
    expect(reads).toEqual([]);
  },
);

test("1,024 receipts are settled before the next command", async () => {
  const { pages, script } = noting();
  const session = client({ a: script }).session({ receipts: many(1023) });
  await session.sendGreeting({ message: "Hello" });
  expect(pages).toEqual([]);
  expect(session.receipts).toHaveLength(1024);
  await session.sendGreeting({ message: "Hello" });
  expect(pages).toHaveLength(32);
  expect(session.receipts).toHaveLength(33);
});

test("a command is not sent when its session can't be settled, and says so", async () => {
  let sent = 0;
  const { script } = noting({
    listCustomers: () => {
      throw notReady(20_000);
    },
    sendGreeting: () => {
      sent++;
      return {};
    },
  });
  const session = client({ a: script }).session({ receipts: many(1024) });
  const error = await failure(session.sendGreeting({ message: "Hello" }));
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({ reason: "NOT_READY", retryDelayMs: 20_000 });
  expect((error as UnavailableError).rawMessage).toBe(
    "SendGreeting was not sent: the session's receipts could not be settled: it is not ready",
  );
  expect(session.receipts).toEqual(many(1024));
  expect(sent).toBe(0);
});

test("no request of a session that wrote much shows more than 32", async () => {
  const { pages, reads, script } = noting();
  const session = client({ a: script }).session();
  for (let i = 0; i < 1100; i++) await session.sendGreeting({ message: "Hello" });
  await session.getCustomer({ customerId: "c" });
  for (const shown of [...pages, ...reads]) expect(shown.length).toBeLessThanOrEqual(32);
  expect(session.receipts.length).toBeLessThanOrEqual(32);
});
