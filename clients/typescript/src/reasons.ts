// Says in words why nobody answered, from what Node, fetch and gRPC's transport say about it.
import { Code, type ConnectError } from "@connectrpc/connect";

const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)/;

// Browsers say nothing but this about a failed connection, each in its own words. Their type of
// error is that of a mistake in a program, too.
const OF_FETCH = /fetch|network|load failed|input stream|connection|terminated/i;

/**
 * Why `who` could not be reached, or that the connection broke; `undefined` if the error is about
 * something else. Only for errors that did not come from a service.
 */
export function whyUnreachable(error: ConnectError, who: string): string | undefined {
  // What a token could not be fetched for may look like it, but is not about `who`.
  if (error.code === Code.Unauthenticated) return undefined;
  for (const cause of chain(error.cause)) {
    const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
    if (code !== undefined) return ofSystem(code, cause.message, who);
  }
  if (error.cause instanceof TypeError && OF_FETCH.test(error.cause.message))
    return `${who} can't be reached (${error.cause.message})`;
  const broke =
    error.rawMessage === "missing trailer" ||
    // Its code would blame the caller for it.
    error.rawMessage === "protocol error: incomplete envelope" ||
    // A stream that is reset like this without the caller's doing has lost its connection.
    error.code === Code.Canceled;
  if (broke) return `the connection to ${who} broke (${error.rawMessage})`;
  if (error.code === Code.Unavailable) return `${who} can't be reached (${error.rawMessage})`;
  return undefined;
}

function ofSystem(code: string, message: string, who: string): string {
  const said = message || code;
  if (code === "ECONNREFUSED") return `nothing listens at ${who} (connection refused)`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name of ${who} is not known`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `the certificate of ${who} is for another name (${said})`;
  if (CERTIFICATE.test(code)) return `the certificate of ${who} is not trusted (${said})`;
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return `${who} can't be spoken to over TLS (${said})`;
  return `the connection to ${who} failed (${said})`;
}

function* chain(cause: unknown): Generator<Error> {
  // The bound is for errors that are their own cause.
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    yield cause;
    cause = cause.cause;
  }
}
