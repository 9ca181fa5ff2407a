// A command is sent again when that is safe, and not for ever.
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { send } from "../src/grpc/commands";
import { Fault } from "../src/grpc/faults";
import { requestId } from "../src/grpc/request-id";
import { draftOf, keepDraft, typed, after } from "../src/state/draft";

const away = (retryAfter?: number) =>
  new Fault(Code.Unavailable, "LOG_UNAVAILABLE", "away", new Map(), retryAfter);

/** Sends a command that fails as told, on a clock that only pauses move. */
async function sent(faults: unknown[]) {
  let now = 0;
  const pauses: number[] = [];
  let calls = 0;
  const outcome = await send(
    async () => {
      const fault = faults[calls++];
      if (fault) throw fault;
      return "written";
    },
    () => {},
    async (ms) => {
      pauses.push(ms);
      now += ms;
    },
    () => now,
  ).catch((fault: Fault) => fault);
  return { outcome, calls, pauses };
}

test("UNAVAILABLE is sent again, when the service says so", async () => {
  const { outcome, calls, pauses } = await sent([away(700), away(700)]);
  expect([outcome, calls]).toEqual(["written", 3]);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(700);
});

test("a try that got no answer is sent again", async () => {
  const { outcome } = await sent([new TypeError("Failed to fetch")]);
  expect(outcome).toBe("written");
});

test("it ends after five tries, or when ten seconds would not do", async () => {
  expect((await sent(Array(9).fill(away()))).calls).toBe(5);
  expect((await sent(Array(9).fill(away(4_000)))).calls).toBe(3);
});

test("what is wrong is not sent again", async () => {
  const wrong = new Fault(Code.InvalidArgument, "INVALID_REQUEST", "no", new Map(), undefined);
  const { outcome, calls } = await sent([wrong]);
  expect([outcome, calls]).toEqual([wrong, 1]);
});

test("an error without details is nobody's answer", async () => {
  const { outcome } = await sent(Array(9).fill(new ConnectError("HTTP 502", Code.Unavailable)));
  expect((outcome as Fault).unanswered).toBe(true);
});

test("a request id is a random UUID", () => {
  expect(requestId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(requestId()).not.toBe(requestId());
});

test("a draft is the same command until it is changed or written", () => {
  const draft = typed(draftOf("form"), "customer_id", "ada");
  keepDraft("form", draft);
  expect(draftOf("form")).toEqual(draft);
  expect(typed(draft, "order_id", "o").requestId).not.toBe(draft.requestId);
  const next = after(typed(draft, "order_id", "o"), ["customer_id"]);
  expect(next.values).toEqual({ customer_id: "ada" });
});
