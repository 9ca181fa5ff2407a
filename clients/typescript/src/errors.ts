// The errors of this client: what gRPC says, with what Tandem adds to it in a form to act on.
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";

/** What is wrong with one field of a request. */
export interface Violation {
  /** The field, as the contract spells it, such as `customer_id`. */
  field: string;
  /** What is wrong with it, for people. */
  description: string;
}

/**
 * Why a call failed. It is a `ConnectError` too, with its `code`, and its `message` is that of the
 * service, after the code in brackets (`rawMessage` is without it).
 */
export class TandemError extends ConnectError {
  /** The reason for programs, such as `INVALID_REQUEST`; the code's name if no Tandem answered. */
  readonly reason: string;
  /** What the service says about the reason. (`metadata` is what `ConnectError` has: headers.) */
  readonly reasonMetadata: Readonly<Record<string, string>>;
  /** Every faulty field of the request, to be mended by whoever made it. */
  readonly violations: readonly Violation[];
  /** When to try again, in milliseconds, if the service said so. */
  readonly retryDelayMs: number | undefined;
  /** Whether a Tandem service said this, rather than something on the way to it. @internal */
  readonly answered: boolean;

  /** @internal */
  constructor(message: string, code: Code, of?: ConnectError) {
    super(message, code, of?.metadata, undefined, of?.cause ?? of);
    this.details = of?.details ?? [];
    this.isWireError = of?.isWireError ?? false;
    const info = this.findDetails(ErrorInfoSchema)[0];
    const delay = this.findDetails(RetryInfoSchema)[0]?.retryDelay;
    this.answered = info !== undefined;
    this.reason = info?.reason || codeName(code);
    this.reasonMetadata = info?.metadata ?? {};
    this.violations = this.findDetails(BadRequestSchema).flatMap((bad) =>
      bad.fieldViolations.map(({ field, description }) => ({ field, description })),
    );
    this.retryDelayMs = delay && durationMs(delay);
  }

  // ConnectError takes everything that looks like one for an instance, also of its subclasses; and
  // it knows them by `name`, which therefore has to stay as it is.
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it has to be the subclass that was asked for.
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** The request is faulty: mend it, `violations` says where. */
export class InvalidArgumentError extends TandemError {}
/** There is no such row. */
export class NotFoundError extends TandemError {}
/** The request is not possible as things are, such as an order id that two customers have. */
export class FailedPreconditionError extends TandemError {}
/** Nobody could do it, in none of the tries: call again later. */
export class UnavailableError extends TandemError {}
/** It took too long: give it more time, or ask for less freshness. A command may be done. */
export class DeadlineExceededError extends TandemError {}
/** The caller's signal ended the call, or the client was closed. A command may be done. */
export class CanceledError extends TandemError {}

/** How a client was made is wrong, such as an address without a port: mend the program. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

const TYPES = new Map<Code, typeof TandemError>([
  [Code.InvalidArgument, InvalidArgumentError],
  [Code.NotFound, NotFoundError],
  [Code.FailedPrecondition, FailedPreconditionError],
  [Code.Unavailable, UnavailableError],
  [Code.DeadlineExceeded, DeadlineExceededError],
  [Code.Canceled, CanceledError],
]);

/** The error of the type that belongs to `code`; `of` is where its details come from. */
export function tandemError(code: Code, message: string, of?: ConnectError): TandemError {
  return new (TYPES.get(code) ?? TandemError)(message, code, of);
}

/** A code as gRPC spells it, such as `NOT_FOUND`. */
export function codeName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
