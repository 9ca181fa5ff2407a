// Tries: how many, when, at which address, and how long in all.
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  CanceledError,
  DeadlineExceededError,
  InvalidArgumentError,
  UnavailableError,
} from "../src/errors.js";
import { realPacing } from "../src/pacing.js";
import { Clock, client, failure, nobody, notReady, type Script } from "./ground.js";

/** A query service that fails so many times before it answers. */
function fails(times: number, how: () => Error) {
  const state = { calls: 0 };
  const script: Script = {
    getCustomer: () => {
      if (state.calls++ < times) throw how();
      return {};
    },
  };
  return { state, script };
}

const hangs: Script = { getCustomer: () => new Promise(() => {}) };

test("five tries with growing pauses, and the last error", async () => {
  const { state, script } = fails(99, () => notReady());
  const clock = new Clock();
  const session = client({ a: script }, clock).session();
  const error = await failure(session.getCustomer({ customerId: "c" }));
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({ reason: "NOT_READY" });
  expect(state.calls).toBe(5);
  expect(clock.pauses).toEqual([250, 500, 1000, 2000]);
});

test("no try comes before the time that the service named", async () => {
  const { script } = fails(2, () => notReady(400));
  const clock = new Clock();
  await client({ a: script }, clock).session().getCustomer({ customerId: "c" });
  expect(clock.pauses).toEqual([400, 500]);
});

test("a pause that would not end in time is not begun", async () => {
  const { state, script } = fails(99, () => notReady(300));
  const session = client({ a: script }).session();
  const error = await failure(session.getCustomer({ customerId: "c" }, { timeoutMs: 700 }));
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({ retryDelayMs: 300 });
  expect(state.calls).toBe(2);
});

test("only UNAVAILABLE is tried again", async () => {
  const { state, script } = fails(99, () => new ConnectError("no", Code.InvalidArgument));
  const session = client({ a: script, b: script }).session();
  expect(await failure(session.getCustomer({ customerId: "c" }))).toBeInstanceOf(
    InvalidArgumentError,
  );
  expect(state.calls).toBe(1);
});

test("an address that can't be reached is passed over at once, and not asked again", async () => {
  const dead = fails(99, nobody);
  const live = fails(0, nobody);
  const clock = new Clock();
  const session = client({ dead: dead.script, live: live.script }, clock).session();
  for (let i = 0; i < 3; i++) await session.getCustomer({ customerId: "c" });
  expect([dead.state.calls, live.state.calls, clock.pauses.length]).toEqual([1, 3, 0]);
});

test("when no address can be reached, all are tried before each pause, five times", async () => {
  const all = fails(99, nobody);
  const clock = new Clock();
  const session = client({ a: all.script, b: all.script, c: all.script }, clock).session();
  const error = await failure(session.getCustomer({ customerId: "c" }));
  expect(error).toBeInstanceOf(UnavailableError);
  expect((error as UnavailableError).rawMessage).toMatch(/^GetCustomer: c:1 can't be reached/);
  expect(clock.pauses).toHaveLength(4);
  expect(all.state.calls).toBe(3 * 5);
});

test("one that is not ready is asked again after the pause, at the next address", async () => {
  const first = fails(99, () => notReady());
  const second = fails(0, nobody);
  const clock = new Clock();
  await client({ first: first.script, second: second.script }, clock)
    .session()
    .getCustomer({ customerId: "c" });
  expect([first.state.calls, second.state.calls, clock.pauses.length]).toEqual([1, 1, 1]);
});

test("one that hangs is left after half of the time, and the next ones are asked", async () => {
  const live = fails(0, nobody);
  const session = client({ hangs, live: live.script }, realPacing).session();
  const began = performance.now();
  await session.getCustomer({ customerId: "c" }, { timeoutMs: 400 });
  expect(performance.now() - began).toBeGreaterThan(190);
  await session.getCustomer({ customerId: "c" }, { timeoutMs: 400 });
  expect(live.state.calls).toBe(2);
});

test("one that hangs is passed over in later rounds too", async () => {
  const flaky = fails(1, () => notReady());
  const session = client({ flaky: flaky.script, hangs }, realPacing).session();
  await session.getCustomer({ customerId: "c" }, { timeoutMs: 2_000 });
  expect(flaky.state.calls).toBe(2);
});

test("the last address has all the time that is left", async () => {
  const session = client({ hangs }, realPacing).session();
  const error = await failure(session.getCustomer({ customerId: "c" }, { timeoutMs: 60 }));
  expect(error).toBeInstanceOf(DeadlineExceededError);
  expect((error as Error).message).toContain("GetCustomer: hangs:1 did not answer within 60 ms");
});

test("without any time, nobody is asked", async () => {
  const { state, script } = fails(0, nobody);
  const session = client({ a: script }).session();
  const error = await failure(session.getCustomer({ customerId: "c" }, { timeoutMs: 0 }));
  expect(error).toBeInstanceOf(DeadlineExceededError);
  expect(state.calls).toBe(0);
});

test("the default deadline is the service config's, and the client's goes before it", async () => {
  const deadlines: number[] = [];
  const script: Script = {
    getCustomer: (_, { timeoutMs }) => {
      deadlines.push(timeoutMs() ?? 0);
      return {};
    },
  };
  await client({ a: script }).session().getCustomer({ customerId: "c" });
  await client({ a: script }, new Clock(), { timeoutMs: 3_000 }).queries.getCustomer({});
  expect(deadlines[0]).toBeGreaterThan(9_900);
  expect(deadlines[0]).toBeLessThanOrEqual(10_000);
  expect(deadlines[1]).toBeLessThanOrEqual(3_000);
});

test("a caller who has had enough waits for no pause", async () => {
  const { script } = fails(99, () => notReady(5_000));
  const session = client({ a: script }, realPacing).session();
  const ending = new AbortController();
  const call = failure(session.getCustomer({ customerId: "c" }, { signal: ending.signal }));
  setTimeout(() => ending.abort(), 20);
  expect(await call).toBeInstanceOf(CanceledError);
});

test("a closed client calls nobody", async () => {
  const { state, script } = fails(0, nobody);
  const closed = client({ a: script });
  closed.close();
  const error = await failure(closed.session().getCustomer({ customerId: "c" }));
  expect(error).toBeInstanceOf(CanceledError);
  expect((error as Error).message).toContain("the client is closed");
  expect(state.calls).toBe(0);
});
