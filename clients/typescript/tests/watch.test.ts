// A watch goes on after interruptions, and ends when it should.
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { afterEach, expect, test, vi } from "vitest";
import { Closing } from "../src/ending.js";
import { NotFoundError, UnavailableError } from "../src/errors.js";
import { realPacing } from "../src/pacing.js";
import { Clock, client, failure, nobody, notReady, type Script, transport } from "./ground.js";

type Watching = NonNullable<Script["watchCustomerOrders"]>;

const endless = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("it goes on by the last resume_token, after an error and after an end", async () => {
  const tokens: string[] = [];
  const receipts: unknown[] = [];
  const watchCustomerOrders: Watching = async function* ({ resumeToken, freshness }, { signal }) {
    tokens.push(resumeToken);
    receipts.push(freshness?.receipts);
    yield { resumeToken: `t${tokens.length}` };
    if (tokens.length === 1) throw new ConnectError("broken", Code.Unknown);
    if (tokens.length === 3) await endless(signal);
  };
  const session = client({ a: { watchCustomerOrders } }).session({ receipts: ["r"] });
  const seen: string[] = [];
  for await (const { resumeToken } of session.watchCustomerOrders({ customerId: "c" }))
    if (seen.push(resumeToken) === 3) break;
  expect(seen).toEqual(["t1", "t2", "t3"]);
  expect(tokens).toEqual(["", "t1", "t2"]);
  expect(receipts).toEqual([["r"], ["r"], ["r"]]);
});

test("eight interruptions in a row are the last one's error", async () => {
  let opened = 0;
  const watchCustomerOrders: Watching = async function* () {
    opened++;
    if (opened === 4) yield {};
    throw new ConnectError(`broken ${opened}`, Code.Unavailable);
  };
  const clock = new Clock();
  const watch = client({ a: { watchCustomerOrders } }, clock)
    .session()
    .watchCustomerOrders({ customerId: "c" });
  expect((await watch.next()).done).toBe(false);
  const error = await failure(watch.next());
  expect(error).toBeInstanceOf(UnavailableError);
  expect((error as Error).message).toContain("broken 11");
  expect(opened).toBe(11);
  expect(clock.pauses).toEqual([250, 500, 1000, 250, 500, 1000, 2000, 4000, 4000, 4000]);
  expect(await watch.next()).toEqual({ done: true, value: undefined });
});

test("a pause is no shorter than the service says", async () => {
  let opened = 0;
  const watchCustomerOrders: Watching = async function* () {
    if (opened++ === 0) throw notReady(900);
    yield {};
  };
  const clock = new Clock();
  const watch = client({ a: { watchCustomerOrders } }, clock).session().watchCustomerOrders({});
  await watch.next();
  await watch.return();
  expect(clock.pauses).toEqual([900]);
});

test("what can't get better ends it at once", async () => {
  let opened = 0;
  // biome-ignore lint/correctness/useYield: it fails before there is anything to give.
  const watchCustomerOrders: Watching = async function* () {
    opened++;
    throw new ConnectError("no", Code.NotFound);
  };
  const watch = client({ a: { watchCustomerOrders } }).session().watchCustomerOrders({});
  expect(await failure(watch.next())).toBeInstanceOf(NotFoundError);
  expect(opened).toBe(1);
});

test("an address that can't be reached is passed over at once", async () => {
  // biome-ignore lint/correctness/useYield: it fails before there is anything to give.
  const dead: Watching = async function* () {
    throw nobody();
  };
  const live: Watching = async function* (_, { signal }) {
    yield { resumeToken: "live" };
    await endless(signal);
  };
  const clock = new Clock();
  const watch = client(
    { dead: { watchCustomerOrders: dead }, live: { watchCustomerOrders: live } },
    clock,
  )
    .session()
    .watchCustomerOrders({});
  expect((await watch.next()).value?.resumeToken).toBe("live");
  await watch.return();
});

/** A transport whose streams don't even open before they are aborted. */
function silent(): Transport {
  return {
    ...transport({}),
    stream: (_, signal) => endless(signal as AbortSignal),
  };
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("one that hangs is left after 10 s for one that could not be reached before", async () => {
  vi.useFakeTimers();
  let opened = 0;
  const flaky: Watching = async function* (_, { signal }) {
    if (opened++ === 0) throw nobody();
    yield { resumeToken: "flaky" };
    await endless(signal);
  };
  const watch = client({ flaky: { watchCustomerOrders: flaky }, silent: silent() })
    .session()
    .watchCustomerOrders({});
  const document = watch.next();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(opened).toBe(1);
  await vi.advanceTimersByTimeAsync(200);
  expect((await document).value?.resumeToken).toBe("flaky");
  await watch.return();
});

test("a watch at the only address waits for it to open", async () => {
  vi.useFakeTimers();
  const watch = client({ silent: silent() }).session().watchCustomerOrders({});
  let over = false;
  const document = watch.next().finally(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(over).toBe(false);
  await watch.return();
  expect((await document).done).toBe(true);
});

const quiet: Watching = async function* (_, { signal }) {
  yield {};
  await endless(signal);
};

test("it ends without an error by its signal, by return, and with its client", async () => {
  const made = client({ a: { watchCustomerOrders: quiet } }, realPacing);
  const session = made.session();
  const ending = new AbortController();
  const bySignal = session.watchCustomerOrders({}, { signal: ending.signal });
  const byReturn = session.watchCustomerOrders({});
  const byClient = session.watchCustomerOrders({});
  const watches = [bySignal, byReturn, byClient];
  for (const watch of watches) expect((await watch.next()).done).toBe(false);
  const waiting = watches.map((watch) => watch.next());
  ending.abort();
  expect(await waiting[0]).toEqual({ done: true, value: undefined });
  await byReturn.return();
  expect(await waiting[1]).toEqual({ done: true, value: undefined });
  made.close();
  expect(await waiting[2]).toEqual({ done: true, value: undefined });
});

test("nothing of it stays with its client", async () => {
  const listening = new Set<() => void>();
  const add = vi.spyOn(Closing.prototype, "addEventListener");
  const remove = vi.spyOn(Closing.prototype, "removeEventListener");
  add.mockImplementation((_, listener) => void listening.add(listener));
  remove.mockImplementation((_, listener) => void listening.delete(listener));
  const session = client({ a: { watchCustomerOrders: quiet } }, realPacing).session();
  for await (const _ of session.watchCustomerOrders({})) {
    expect(listening.size).toBe(2);
    break;
  }
  expect(listening.size).toBe(0);
});

test("many at once are no leak to Node", async () => {
  const warnings: string[] = [];
  const warned = (warning: Error) => warnings.push(warning.name);
  process.on("warning", warned);
  const made = client({ a: { watchCustomerOrders: quiet } }, realPacing);
  const watches = Array.from({ length: 20 }, () => made.session().watchCustomerOrders({}));
  for (const watch of watches) expect((await watch.next()).done).toBe(false);
  const waiting = watches.map((watch) => watch.next());
  made.close();
  for (const document of waiting) expect(await document).toEqual({ done: true, value: undefined });
  await new Promise((resolve) => setTimeout(resolve, 1));
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});

test("one whose signal was aborted before has no documents", async () => {
  const session = client({ a: { watchCustomerOrders: quiet } }).session();
  const signal = AbortSignal.abort();
  const documents: unknown[] = [];
  for await (const document of session.watchCustomerOrders({}, { signal }))
    documents.push(document);
  expect(documents).toEqual([]);
});
