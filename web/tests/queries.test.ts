// A query is answered by whichever service can, and what is wrong in itself is said at once.
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Fault } from "../src/grpc/faults";
import { ask } from "../src/grpc/queries";
import { keepReceipt } from "../src/grpc/receipts";
import { sooner, Turns, type Service } from "../src/grpc/services";

const reading = { kinds: ["order"] as const };
const gone = new Fault(Code.Unknown, "", "cannot be reached", new Map(), undefined);
const said = (code: Code, reason: string, field?: string) =>
  new Fault(code, reason, "no", new Map(field ? [[field, "no"]] : []), undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asks services that answer, or fail, as told; each of them the same each time. */
async function asked(answers: Record<string, Fault | "answer">) {
  const services = new Turns(Object.keys(answers).map((name) => ({ name }) as Service));
  const calls: string[] = [];
  const receipts: string[][] = [];
  const asking = ask(
    reading,
    async (_, freshness) => {
      const { name } = services.current;
      calls.push(name);
      receipts.push(freshness.receipts);
      if (answers[name] !== "answer") throw answers[name];
      return {};
    },
    new AbortController().signal,
    services,
  ).then(
    () => "answered",
    (fault: Fault) => fault,
  );
  await vi.runAllTimersAsync();
  return { outcome: await asking, calls, receipts, current: services.current.name };
}

test("the next service is asked when one can't be reached, and stays the current one", async () => {
  const { outcome, calls, current } = await asked({ a: gone, b: "answer" });
  expect([outcome, calls, current]).toEqual(["answered", ["a", "b"], "b"]);
});

test("a service that doesn't serve the shard is left, too", async () => {
  for (const reason of ["NOT_READY", "SHARD_NOT_SERVED"]) {
    const { calls } = await asked({ a: said(Code.Unavailable, reason), b: "answer" });
    expect(calls).toEqual(["a", "b"]);
  }
});

test("tries have an end", async () => {
  const { outcome, calls } = await asked({ a: gone, b: gone });
  expect([outcome, calls.length]).toEqual([gone, 4]);
});

test("what is wrong in itself is asked once", async () => {
  const wrong = said(Code.InvalidArgument, "INVALID_REQUEST", "page_token");
  const { outcome, calls } = await asked({ a: wrong, b: "answer" });
  expect([outcome, calls]).toEqual([wrong, ["a"]]);
});

test("a refused receipt is dropped and the read repeated, once", async () => {
  keepReceipt({ kind: "order", customerId: "ada" }, "stale");
  keepReceipt({ kind: "order", customerId: "ada" }, "good");
  const wrong = said(Code.InvalidArgument, "INVALID_REQUEST", "freshness.receipts[0]");
  const { outcome, receipts } = await asked({ a: wrong });
  expect(receipts).toEqual([["stale", "good"], ["good"]]);
  expect(outcome).toBe(wrong);
});

test("a service gets less time than the page waits", async () => {
  const header = new Headers({ "grpc-timeout": "5000m" });
  await sooner(async (request) => request as never)({ header } as never);
  expect(header.get("grpc-timeout")).toBe("4500m");
});
