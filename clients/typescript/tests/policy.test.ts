// The service config is read as gRPC reads it.
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CommandService } from "../src/gen/tandem/v1/command_pb.js";
import { QueryService } from "../src/gen/tandem/v1/query_pb.js";
import { backoff, pauses, policiesOf } from "../src/policy.js";

test("calls have a deadline and tries, watches have neither", () => {
  for (const [method, policy] of [...policiesOf(CommandService), ...policiesOf(QueryService)]) {
    const watches = method.methodKind === "server_streaming";
    expect(policy.timeoutMs, method.name).toBe(watches ? undefined : 10_000);
    expect(policy.retries?.attempts, method.name).toBe(watches ? undefined : 5);
  }
  expect(pauses.codes).toEqual(new Set([Code.Unavailable]));
});

test("pauses double up to 4 s, give or take a fifth", () => {
  const bounds = (failed: number) => [
    Math.round(backoff(pauses, failed, () => 0)),
    Math.round(backoff(pauses, failed, () => 1)),
  ];
  expect([1, 2, 3, 4, 5, 6, 50].map(bounds)).toEqual([
    [200, 300],
    [400, 600],
    [800, 1200],
    [1600, 2400],
    [3200, 4800],
    [3200, 4800],
    [3200, 4800],
  ]);
});

test("a config that can't be read is told", () => {
  const name = [{ service: CommandService.typeName }];
  expect(() => policiesOf(CommandService, [{ name, timeout: "10" }])).toThrow("no duration");
  const retryPolicy = {
    maxAttempts: 1,
    initialBackoff: "1s",
    maxBackoff: "1s",
    backoffMultiplier: 1,
    retryableStatusCodes: ["AWAY"],
  };
  expect(() => policiesOf(CommandService, [{ name, retryPolicy }])).toThrow("AWAY");
});
