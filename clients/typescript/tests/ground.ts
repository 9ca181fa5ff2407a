// A client whose services are functions in this process and whose time doesn't pass by itself.
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  createRouterTransport,
  type ServiceImpl,
  type Transport,
} from "@connectrpc/connect";
import { Client, type ClientOptions } from "../src/client.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { CommandService } from "../src/gen/tandem/v1/command_pb.js";
import { QueryService } from "../src/gen/tandem/v1/query_pb.js";
import type { Pacing } from "../src/pacing.js";

export type Script = Partial<ServiceImpl<typeof CommandService> & ServiceImpl<typeof QueryService>>;

/** Time that passes when somebody pauses, and at once. */
export class Clock implements Pacing {
  readonly pauses: number[] = [];
  #now = 1_000;

  now = () => this.#now;
  random = () => 0.5;
  pause = async (ms: number) => {
    this.pauses.push(ms);
    this.#now += ms;
  };
}

export function transport(script: Script): Transport {
  return createRouterTransport((router) => {
    router.service(CommandService, script);
    router.service(QueryService, script);
  });
}

/** A client of services that do as the scripts say, one for each address `name:1`. */
export function client(
  scripts: Record<string, Script | Transport>,
  clock: Pacing = new Clock(),
  options: Partial<ClientOptions> = {},
): Client {
  const names = Object.keys(scripts).map((name) => `${name}:1`);
  const command = names[0] ?? "";
  return new Client(
    { command, query: names, ...options },
    false,
    (name) => {
      const script = scripts[name.replace(":1", "")] ?? {};
      const ready = "unary" in script && "stream" in script;
      return { name, transport: ready ? script : transport(script as Script), close() {} };
    },
    clock,
  );
}

/** What a service says that isn't ready. */
export function notReady(retryMs?: number): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { reason: "NOT_READY", domain: "tandem" } };
  const retryDelay = durationFromMs(retryMs ?? 0);
  const retry = { desc: RetryInfoSchema, value: { retryDelay } };
  const details = retryMs === undefined ? [info] : [info, retry];
  return new ConnectError("it is not ready", Code.Unavailable, undefined, details);
}

/** What a transport says when nobody answered. */
export function nobody(): ConnectError {
  return new ConnectError("nobody is there", Code.Unavailable);
}

/** Everything in it can't be changed. */
export function frozen<T extends object>(thing: T): T {
  for (const part of Object.values(thing)) if (part && typeof part === "object") frozen(part);
  return Object.freeze(thing);
}

export async function failure(of: PromiseLike<unknown>): Promise<unknown> {
  try {
    await of;
  } catch (error) {
    return error;
  }
  throw new Error("it didn't fail");
}
