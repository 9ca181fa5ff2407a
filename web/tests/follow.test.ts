// A watch goes on where it was, after any end, on a service that is there.
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Fault } from "../src/grpc/faults";
import { follow, OPENING, type Following, type FollowState } from "../src/grpc/follow";
import { Turns } from "../src/grpc/services";

type Step = string | Error | "end" | "hang";

const broken = new Fault(Code.Unknown, "", "cannot be reached", new Map(), undefined);
const invalid = (field: string) =>
  new Fault(Code.InvalidArgument, "INVALID_REQUEST", "no", new Map([[field, "no"]]), undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Follows streams that go as scripted, one script for each time that one is opened. */
function following(services: string[], scripts: Step[][]) {
  const opened: string[] = [];
  const messages: string[] = [];
  const states: FollowState<string>[] = [];
  const wentOn: string[] = [];
  const tab = { hidden: false, changed: new Set<() => void>() };
  const ending = new AbortController();
  const of: Following<string, string> = {
    services: new Turns(services),
    async *open(service, token, signal, onOpened) {
      opened.push(`${service} from ${token || "the beginning"}`);
      for (const step of scripts.shift() ?? ["hang"]) {
        if (step instanceof Error) throw step;
        if (step === "end") return;
        if (step === "opened") onOpened();
        else if (step === "hang") {
          await new Promise((_, reject) => signal.addEventListener("abort", reject));
        } else yield step;
      }
    },
    tokenOf: (message) => `after ${message}`,
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
    onWentOn: (lost, now) => wentOn.push(`${lost} to ${now}`),
    hidden: () => tab.hidden,
    onHidden: (changed) => {
      tab.changed.add(changed);
      return () => tab.changed.delete(changed);
    },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
  void follow(of, ending.signal);
  const hide = (hidden: boolean) => {
    tab.hidden = hidden;
    for (const changed of [...tab.changed]) changed();
  };
  const state = () => states.at(-1)!;
  return { of, opened, messages, wentOn, state, states, hide, stop: () => ending.abort() };
}

test("after a failure it goes on at the next service, from the last token", async () => {
  const watch = following(["a", "b"], [["one", broken], ["two", "hang"]]);
  await vi.advanceTimersByTimeAsync(200);
  expect(watch.opened).toEqual(["a from the beginning", "b from after one"]);
  expect(watch.messages).toEqual(["one", "two"]);
  expect(watch.wentOn).toEqual(["a to b"]);
  expect(watch.state()).toEqual({ name: "live", service: "b" });
  watch.stop();
});

test("a service that only takes the call makes it live, though nothing changed", async () => {
  const watch = following(["a"], [["one", broken], ["opened", "hang"]]);
  await vi.advanceTimersByTimeAsync(200);
  expect(watch.state()).toEqual({ name: "live", service: "a" });
  expect(watch.wentOn).toEqual([]);
  watch.stop();
});

test("an end without an error is no reason to go elsewhere", async () => {
  const watch = following(["a", "b"], [["one", "end"], ["hang"]]);
  await vi.advanceTimersByTimeAsync(200);
  expect(watch.opened).toEqual(["a from the beginning", "a from after one"]);
  watch.stop();
});

test("a token of another log is dropped, once", async () => {
  const refusal = invalid("resume_token");
  const watch = following(["a"], [["one", "end"], [refusal], ["two", "hang"]]);
  await vi.advanceTimersByTimeAsync(500);
  expect(watch.opened.at(-1)).toBe("a from the beginning");
  expect(watch.state().name).toBe("live");
  watch.stop();
});

test("what is wrong in itself is not asked again", async () => {
  const watch = following(["a", "b"], [[invalid("customer_id")]]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.opened).toHaveLength(1);
  expect(watch.state().name).toBe("stopped");
});

test("it rests while nobody looks and goes on from the token", async () => {
  const watch = following(["a"], [["one", "hang"], ["opened", "hang"]]);
  await vi.advanceTimersByTimeAsync(1);
  watch.hide(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.state().name).toBe("paused");
  expect(watch.opened).toHaveLength(1);
  watch.hide(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(watch.opened.at(-1)).toBe("a from after one");
  expect(watch.state().name).toBe("live");
  watch.stop();
});

test("a service that hangs is left", async () => {
  const watch = following(["a", "b"], [["hang"], ["one", "hang"]]);
  await vi.advanceTimersByTimeAsync(OPENING + 200);
  expect(watch.opened.at(-1)).toBe("b from the beginning");
  expect(watch.state().name).toBe("live");
  watch.stop();
});

test("tries come at most each 50 ms and at least each 3 s", async () => {
  const watch = following(["a"], Array.from({ length: 500 }, () => [broken]));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.opened.length).toBeGreaterThan(20);
  expect(watch.opened.length).toBeLessThan(60);
  watch.stop();
});
