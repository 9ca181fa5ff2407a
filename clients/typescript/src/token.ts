// Puts the token on each call, and on no line that others can read.
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { ConfigurationError } from "./errors.js";
import { LONGEST_TIMER, within } from "./pacing.js";

/** A token, or what gives one for each try of a call. */
export type Token = string | (() => string | Promise<string>);

/** What a transport needs for the token, if any. */
export function bearer(token: Token | undefined, tls: boolean): Interceptor[] {
  if (token === undefined) return [];
  if (!tls)
    throw new ConfigurationError("a token is only sent over TLS: give tls too, or no token");
  if (typeof token !== "function") {
    if (!isToken(token))
      throw new ConfigurationError(
        "the token is no text, is empty, begins with a space, or has characters that no header may have",
      );
    const value = `Bearer ${token}`;
    return [
      (next) => (request) => {
        request.header.set("authorization", value);
        return next(request);
      },
    ];
  }
  return [
    (next) => async (request) => {
      request.header.set("authorization", `Bearer ${await fetched(token, request.signal)}`);
      return next(request);
    },
  ];
}

function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[!-~][ -~]*$/.test(value);
}

// The transport's own deadline doesn't end what an interceptor waits for.
async function fetched(token: () => string | Promise<string>, signal: AbortSignal) {
  try {
    const fetching = Promise.resolve(token());
    await within(fetching, LONGEST_TIMER, signal);
    if (signal.aborted) throw signal.reason;
    const value: unknown = await fetching;
    // It is a secret, so it is not told.
    if (!isToken(value)) throw new Error("what was fetched is no token");
    return value;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const why = error instanceof Error ? error.message : String(error);
    const message = `the token could not be fetched: ${why}`;
    throw new ConnectError(message, Code.Unauthenticated, undefined, undefined, error);
  }
}
