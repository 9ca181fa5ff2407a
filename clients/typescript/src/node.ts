// Clients in Node: gRPC over HTTP/2.
import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, createSecureContext } from "node:tls";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Client, type ClientOptions } from "./client.js";
import { ConfigurationError } from "./errors.js";

export * from "./index.js";

/** What a client in Node is made of. */
export interface NodeOptions extends ClientOptions {
  /** TLS with the certificates that Node trusts, or as Node's `tls.connect` takes it (`ca`, ...). */
  tls?: boolean | ConnectionOptions;
}

// So that a host that is gone, or takes a connection and says nothing, is noticed.
const KEEPALIVE = { pingIntervalMs: 10_000, pingTimeoutMs: 5_000, connectTimeoutMs: 5_000 };

/** Makes a client. Throws a `ConfigurationError` if that is not possible with these options. */
export function connect(options: NodeOptions): Client {
  const secure = secured(options.tls);
  return new Client(options, secure !== undefined, (name, baseUrl, interceptors) => {
    const sessionManager = new Http2SessionManager(baseUrl, KEEPALIVE, secure);
    return {
      name,
      transport: createGrpcTransport({ baseUrl, interceptors, sessionManager }),
      close: () => sessionManager.abort(),
    };
  });
}

/** Reads certificates and keys once, so that what is wrong with them shows when a client is made. */
function secured(tls: NodeOptions["tls"]): ConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  const given = tls === true ? {} : tls;
  try {
    // Node itself reads no certificate from it, as from the name of a file, and then trusts nobody.
    for (const ca of [given.ca ?? []].flat()) new X509Certificate(ca);
    return { secureContext: createSecureContext(given), ...given };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(`the options for TLS can't be used: ${why}`, { cause: error });
  }
}
