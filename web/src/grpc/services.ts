// Knows the services' addresses and which query service is the current one, so that a query that
// fails over takes the next ones with it.
import { createClient, type Client, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { CommandService } from "../gen/tandem/v1/command_pb";
import { QueryService } from "../gen/tandem/v1/query_pb";

/** A query service as the page calls it. */
export interface Service {
  /** Its address as people say it: host and port. */
  name: string;
  client: Client<typeof QueryService>;
}

/** The base URLs that the server put in place of the placeholder; without any, the page's own. */
export function queryUrls(content: string, origin: string): URL[] {
  const words = content.split(/\s+/).filter((word) => word !== "" && !word.startsWith("__"));
  return (words.length ? words : [origin]).map((word) => new URL(word, origin));
}

/** Things to be tried in turn, beginning with the one that did last. */
export class Turns<T> {
  #at = 0;

  constructor(readonly all: readonly T[]) {}

  get current(): T {
    return this.all[this.#at]!;
  }

  /** Goes on to the next, unless somebody else already left `failed`. */
  leave(failed: T): void {
    if (this.current === failed) this.#at = (this.#at + 1) % this.all.length;
  }
}

/**
 * Gives the service a little less time than the page waits, so that what it has to say about being
 * late, such as how far behind the view is, still arrives.
 */
export const sooner: Interceptor = (next) => (request) => {
  const ms = /^(\d+)m$/.exec(request.header.get("grpc-timeout") ?? "")?.[1];
  if (ms) request.header.set("grpc-timeout", `${Math.ceil(Number(ms) * 0.9)}m`);
  return next(request);
};

export function commandClient(): Client<typeof CommandService> {
  command ??= createClient(CommandService, transport(location.origin));
  return command;
}

export function queryServices(): Turns<Service> {
  queries ??= new Turns(
    queryUrls(
      document.querySelector<HTMLMetaElement>('meta[name="tandem-query"]')?.content ?? "",
      location.origin,
    ).map((url) => ({
      name: url.host + url.pathname.replace(/\/$/, ""),
      client: createClient(QueryService, transport(url.href)),
    })),
  );
  return queries;
}

function transport(baseUrl: string) {
  return createGrpcWebTransport({ baseUrl, interceptors: [sooner] });
}

let command: Client<typeof CommandService> | undefined;
let queries: Turns<Service> | undefined;
