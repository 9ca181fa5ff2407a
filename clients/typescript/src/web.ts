// Clients in browsers, and wherever else there is `fetch`: gRPC-Web.
import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Client, type ClientOptions } from "./client.js";
import { ConfigurationError } from "./errors.js";

export * from "./index.js";

/** What a client that uses `fetch` is made of. */
export interface WebOptions extends ClientOptions {
  /** Whether to call over https, with the certificates that the browser trusts. */
  tls?: boolean;
}

/** Makes a client. Throws a `ConfigurationError` if that is not possible with these options. */
export function connect(options: WebOptions): Client {
  // What is meant for Node, such as certificates, would otherwise go out as plain text.
  if (!["undefined", "boolean"].includes(typeof options.tls))
    throw new ConfigurationError("tls has to be true or false: the browser has the certificates");
  return new Client(options, options.tls === true, (name, baseUrl, interceptors) => {
    const calls = new Set<AbortController>();
    return {
      name,
      transport: createGrpcWebTransport({ baseUrl, interceptors, fetch: fetching(calls) }),
      close: () => {
        for (const call of calls) call.abort(new ConnectError("closed", Code.Canceled));
      },
    };
  });
}

/** `fetch`, whose calls under way are in `calls`: it has no connections that could be closed. */
function fetching(calls: Set<AbortController>): typeof fetch {
  return async (input, init) => {
    const call = new AbortController();
    calls.add(call);
    // The transport aborts its signal after each call, in whichever way that ended.
    const over = () => {
      calls.delete(call);
      call.abort(init?.signal?.reason);
    };
    init?.signal?.addEventListener("abort", over, { once: true });
    if (init?.signal?.aborted) over();
    const response = await fetch(input, { ...init, signal: call.signal });
    return response.body === null
      ? response
      : new Response(ended(response.body, call.signal), response);
  };
}

/**
 * A body that ends with the signal. Node's fetch forgets the signal of a call whose answer has
 * begun once its request is collected as garbage, and would then read on for ever.
 */
function ended(body: ReadableStream<Uint8Array>, signal: AbortSignal) {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = () => {
        controller.error(signal.reason);
        // It fails if the body has failed, which the reader has been told then.
        reader.cancel(signal.reason).catch(() => {});
      };
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (signal.aborted) return;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
