// Errors can be told apart, and say what they were told.
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  CanceledError,
  codeName,
  InvalidArgumentError,
  NotFoundError,
  TandemError,
  tandemError,
} from "../src/errors.js";
import { BadRequestSchema, ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { whyUnreachable } from "../src/reasons.js";
import { notReady } from "./ground.js";

test("each is of its own type and of those above, and of no other", () => {
  const error = tandemError(Code.NotFound, "no such row");
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toBeInstanceOf(TandemError);
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(InvalidArgumentError);
  expect(new ConnectError("plain", Code.NotFound)).not.toBeInstanceOf(TandemError);
  expect(ConnectError.from(error)).toBe(error);
  expect(tandemError(Code.Internal, "a fault")).not.toBeInstanceOf(CanceledError);
});

test("codes are spelled as gRPC spells them", () => {
  const names = [Code.Canceled, Code.DeadlineExceeded, Code.Unavailable, Code.DataLoss];
  expect(names.map(codeName)).toEqual([
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "UNAVAILABLE",
    "DATA_LOSS",
  ]);
});

test("details are there to act on", () => {
  const fieldViolations = [{ field: "customer_id", description: "must not be empty" }];
  const faulty = new ConnectError("faulty", Code.InvalidArgument, { "grpc-status": "3" }, [
    { desc: ErrorInfoSchema, value: { reason: "INVALID_REQUEST", metadata: { a: "b" } } },
    { desc: BadRequestSchema, value: { fieldViolations } },
  ]);
  const error = tandemError(faulty.code, faulty.rawMessage, faulty);
  expect(error).toMatchObject({
    reason: "INVALID_REQUEST",
    reasonMetadata: { a: "b" },
    violations: fieldViolations,
    message: "[invalid_argument] faulty",
  });
  expect(error.retryDelayMs).toBeUndefined();
  expect(error.metadata.get("grpc-status")).toBe("3");
  expect(error.findDetails(ErrorInfoSchema)).toHaveLength(1);
  expect(tandemError(Code.Unavailable, "", notReady(1_500)).retryDelayMs).toBe(1_500);
  expect(tandemError(Code.DeadlineExceeded, "late")).toMatchObject({
    reason: "DEADLINE_EXCEEDED",
    reasonMetadata: {},
    violations: [],
  });
});

test("why nobody answered is said in words", () => {
  const why = (cause: unknown, code = Code.Internal, message = "m") =>
    whyUnreachable(new ConnectError(message, code, undefined, undefined, cause), "host:1");
  const system = (code: string, message = "details") => Object.assign(new Error(message), { code });
  expect(why(system("ECONNREFUSED"))).toBe("nothing listens at host:1 (connection refused)");
  expect(why(new TypeError("fetch failed", { cause: system("ECONNREFUSED") }))).toContain(
    "refused",
  );
  expect(why(system("ENOTFOUND"))).toContain("name of host:1 is not known");
  expect(why(system("ERR_TLS_CERT_ALTNAME_INVALID"))).toContain("for another name (details)");
  expect(why(system("SELF_SIGNED_CERT_IN_CHAIN"))).toContain("not trusted");
  expect(why(system("ECONNRESET", ""))).toContain("failed (ECONNRESET)");
  expect(why(new TypeError("Failed to fetch"), Code.Unknown)).toContain("can't be reached");
  expect(why(new TypeError("x is not a function"), Code.Unknown)).toBeUndefined();
  expect(why(undefined, Code.Unknown, "missing trailer")).toContain("broke");
  expect(why(undefined, Code.Unimplemented)).toBeUndefined();
  const circular = new Error("circular");
  circular.cause = circular;
  expect(why(circular)).toBeUndefined();
});
