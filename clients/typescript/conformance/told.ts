// Says an error as the table of cases compares it.
import { Code, ConnectError } from "@connectrpc/connect";
import * as tandem from "tandem-client";
import { type Answer, Unknown } from "./line.js";

const TYPES = {
  InvalidArgument: tandem.InvalidArgumentError,
  NotFound: tandem.NotFoundError,
  FailedPrecondition: tandem.FailedPreconditionError,
  Unavailable: tandem.UnavailableError,
  DeadlineExceeded: tandem.DeadlineExceededError,
  Cancelled: tandem.CanceledError,
  Other: tandem.TandemError,
};

export function told(error: unknown): Answer {
  if (error instanceof tandem.ConfigurationError)
    return { type: "Configuration", grpc: false, message: error.message };
  if (error instanceof Unknown || !(error instanceof tandem.TandemError)) throw error;
  const type = Object.entries(TYPES).find(([, type]) => error instanceof type)?.[0];
  return {
    type,
    grpc: error instanceof ConnectError,
    code: Code[error.code] === "Canceled" ? "CANCELLED" : spelled(Code[error.code] ?? ""),
    reason: error.reason,
    message: error.rawMessage,
    metadata: error.reasonMetadata,
    violations: Object.fromEntries(
      error.violations.map(({ field, description }) => [field, description]),
    ),
    retryDelayMs: error.retryDelayMs,
  };
}

/** `NotFound` as gRPC spells it. */
function spelled(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
