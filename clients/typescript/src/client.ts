// A client: the stubs on connections to one command service and one or several query services.
import { createClient, type Interceptor, type Client as Stub } from "@connectrpc/connect";
import { several, timeout, urlOf } from "./addresses.js";
import { Channel, type Line } from "./channel.js";
import { CommandService } from "./gen/tandem/v1/command_pb.js";
import { QueryService } from "./gen/tandem/v1/query_pb.js";
import { type Pacing, realPacing } from "./pacing.js";
import { type Calls, Session } from "./session.js";
import { bearer, type Token } from "./token.js";

/** What a client is made of, besides TLS. */
export interface ClientOptions {
  /** The command service, `host:port`. */
  command: string;
  /** The query services, `host:port` each. The first one that can be reached is used. */
  query: readonly string[];
  /** Goes out with each call as `authorization: Bearer ...`; a function is called for each try. */
  token?: Token;
  /** How long a call may take with all its tries, in milliseconds, instead of 10 s. */
  timeoutMs?: number;
}

/** Makes a line of an address and its URL. @internal */
export type Dial = (name: string, url: string, interceptors: Interceptor[]) => Line;

/** The connections to a Tandem; they are made when they are needed. */
export class Client {
  readonly #channels: readonly Channel[];
  readonly #calls: Calls;

  /** @internal */
  constructor(options: ClientOptions, tls: boolean, dial: Dial, pacing: Pacing = realPacing) {
    const interceptors = bearer(options.token, tls);
    const timeoutMs = timeout(options.timeoutMs);
    const line = (address: unknown) => dial(String(address), urlOf(address, tls), interceptors);
    const commands = new Channel(CommandService, [line(options.command)], pacing, timeoutMs);
    const lines = several(options.query).map(line);
    const queries = new Channel(QueryService, lines, pacing, timeoutMs);
    this.#channels = [commands, queries];
    this.#calls = {
      commands: createClient(CommandService, commands),
      queries: createClient(QueryService, queries),
      closing: queries.closing,
      timeoutMs: queries.timeoutMs,
      pacing,
    };
  }

  /**
   * The plain stub of the command service, on the same connections, with the same deadlines, tries
   * and errors. Give commands a `requestId`, else one that is tried again may be done twice.
   */
  get commands(): Stub<typeof CommandService> {
    return this.#calls.commands;
  }

  /** The plain stub of the query services, on the same connections. */
  get queries(): Stub<typeof QueryService> {
    return this.#calls.queries;
  }

  /** A new session, with the receipts of another one if they are given. */
  session({ receipts = [] }: { receipts?: readonly string[] } = {}): Session {
    return new Session(this.#calls, receipts);
  }

  /** Closes all connections. Calls under way fail with a `CanceledError`, watches end. */
  close(): void {
    for (const channel of this.#channels) channel.close();
  }
}
