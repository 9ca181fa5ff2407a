// Reads what an error says for programs and for people, so that nothing else looks at gRPC's
// codes and details.
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb";
import { millis } from "../words";

/** An error as the page shows it and acts on it. */
export class Fault extends Error {
  constructor(
    readonly code: Code,
    /** The `reason` of the service's `ErrorInfo`; empty if no service said this. */
    readonly reason: string,
    message: string,
    /** What is wrong with each field, by its name in the proto. */
    readonly fields: ReadonlyMap<string, string>,
    /** When to try again, if the service said so. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }

  /**
   * Whether nobody answered: the connection failed or broke, a proxy stood in, or the call took
   * too long. Every error of a Tandem service has an `ErrorInfo`.
   */
  get unanswered(): boolean {
    return this.reason === "" && this.code !== Code.Canceled;
  }

  /** Whether another query service may answer where this one doesn't. */
  get mayDoElsewhere(): boolean {
    if (this.unanswered) return true;
    return this.code === Code.Unavailable && /^(NOT_READY|SHARD_|OVERLOADED)/.test(this.reason);
  }

  /** Whether the same call may do later. The outcome of one that got no answer isn't known. */
  get mayDoLater(): boolean {
    return this.unanswered || this.code === Code.Unavailable || this.code === Code.DeadlineExceeded;
  }
}

/** What a fault says, as a sentence about `who` was asked if nobody said it. */
export function told(fault: Fault, who: string): string {
  return sentence(fault.unanswered ? `${who} ${fault.message}` : fault.message);
}

/**
 * A message of a service, as a sentence: they begin in lower case and have no full stop. A field's
 * name at the beginning stays as it is spelled.
 */
export function sentence(message: string): string {
  if (!message) return "";
  const closed = /[.!?]$/.test(message) ? message : `${message}.`;
  return /^\w+[._[]\w/.test(closed) ? closed : closed.charAt(0).toUpperCase() + closed.slice(1);
}

export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const told = ConnectError.from(error);
  const info = told.findDetails(ErrorInfoSchema)[0];
  const violations = told.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations);
  const delay = told.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const reason = info?.reason ?? "";
  return new Fault(
    told.code,
    reason,
    reason ? told.rawMessage : unansweredWords(told),
    new Map(violations.map(({ field, description }) => [field, description])),
    delay && millis(delay),
  );
}

// The rest of a sentence that begins with who was asked. Browsers word a failed connection each in
// their own way ("Failed to fetch").
function unansweredWords(told: ConnectError): string {
  if (told.code === Code.DeadlineExceeded) return "did not answer in time";
  if (told.cause instanceof TypeError) return "cannot be reached";
  if (told.rawMessage === "missing trailer") return "broke the connection";
  return `answered with “${told.rawMessage}”`;
}
