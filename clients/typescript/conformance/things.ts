// Keeps clients, sessions and watches by name, and does with them what a line says.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry, fromJson, type Message, toJson } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  CommandService,
  file_tandem_v1_command,
  file_tandem_v1_model,
  file_tandem_v1_query,
  type List,
  QueryService,
  type Session,
  type Watch,
  WatchCustomerOrdersRequestSchema,
  type WatchCustomerOrdersResponse,
} from "tandem-client";
import * as node from "tandem-client/node";
import * as web from "tandem-client/web";
import { type Answer, type Line, Unknown } from "./line.js";

type Page = Message & { nextPageToken: string };
type Next = Promise<IteratorResult<WatchCustomerOrdersResponse, void>>;
type Method = (request: Message, options: CallOptions) => Promise<Message> | List<Page, Message>;

const TYPES = createRegistry(file_tandem_v1_command, file_tandem_v1_model, file_tandem_v1_query);
const METHODS = [...CommandService.methods, ...QueryService.methods];
const OVER_WEB = process.env.TANDEM_TRANSPORT === "web";

export class Things {
  /** All that were made: a name may be given to another one. */
  readonly #made: Client[] = [];
  readonly #clients = new Map<string, Client>();
  readonly #sessions = new Map<string, Session>();
  readonly #watches = new Map<string, Watch<WatchCustomerOrdersResponse>>();
  /** What was asked of a watch and hasn't come yet. */
  readonly #coming = new Map<string, Next>();

  async does(line: Line): Promise<Answer> {
    switch (line.op) {
      case "client":
        return this.#client(line);
      case "session": {
        const session = of(this.#clients, line.client).session({ receipts: line.receipts ?? [] });
        this.#sessions.set(line.name, session);
        return { ok: true };
      }
      case "receipts":
        return { receipts: of(this.#sessions, line.session).receipts };
      case "call":
        return this.#call(line);
      case "rows":
        return { rows: await taken(this.#list(line), line.limit) };
      case "pages":
        return { pages: await taken(this.#list(line).pages(), line.limit) };
      case "watch":
        return this.#watch(line);
      case "next":
        return this.#next(line);
      case "cancel":
        await of(this.#watches, line.watch).return();
        return { ok: true };
      case "close":
        of(this.#clients, line.client).close();
        return { ok: true };
      default:
        throw new Unknown(`unknown op ${line.op}`);
    }
  }

  closeAll(): void {
    for (const client of this.#made) client.close();
  }

  #client({ name, command, query, tls, token, timeoutMs }: Line): Answer {
    const options = {
      command,
      query,
      ...(token !== undefined && { token }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    };
    // With fetch, Node trusts the file that NODE_EXTRA_CA_CERTS names.
    const client = OVER_WEB
      ? web.connect({ ...options, tls: tls !== undefined })
      : node.connect({
          ...options,
          ...(tls && { tls: tls.ca ? { ca: readFileSync(tls.ca) } : true }),
        });
    this.#made.push(client);
    this.#clients.set(name, client);
    return { ok: true };
  }

  async #call(line: Line): Promise<Answer> {
    const ending = new AbortController();
    const after = line.cancelAfterMs;
    const timer = after === undefined ? undefined : setTimeout(() => ending.abort(), after);
    try {
      const signal = after === undefined ? {} : { signal: ending.signal };
      return { response: json(await this.#called(line, signal)) };
    } finally {
      clearTimeout(timer);
    }
  }

  #list(line: Line): List<Page, Message> {
    const list = this.#called(line);
    if (!("pages" in list)) throw new Unknown(`${line.method} has no rows`);
    return list;
  }

  /** What the session's method of that name gives. */
  #called({ session, method, request, timeoutMs }: Line, more: CallOptions = {}) {
    const desc = METHODS.find(({ name }) => name === method);
    if (!desc) throw new Unknown(`unknown method ${method}`);
    const options = timeoutMs === undefined ? more : { ...more, timeoutMs };
    const methods = of(this.#sessions, session) as unknown as Record<string, Method>;
    return (methods[desc.localName] as Method)(fromJson(desc.input, request ?? {}), options);
  }

  #watch({ session, name, request }: Line): Answer {
    const init = fromJson(WatchCustomerOrdersRequestSchema, request ?? {});
    const watch = of(this.#sessions, session).watchCustomerOrders(init);
    this.#watches.set(name, watch);
    // The stream is opened when its first document is asked for.
    this.#ask(name, watch);
    return { ok: true };
  }

  #ask(name: string, watch: Watch<WatchCustomerOrdersResponse>): Next {
    const asked = this.#coming.get(name);
    if (asked) return asked;
    const next = watch.next();
    this.#coming.set(name, next);
    // It fails where a later line waits for it.
    next.catch(() => {});
    return next;
  }

  async #next({ watch, withinMs }: Line): Promise<Answer> {
    const next = this.#ask(watch, of(this.#watches, watch));
    const asked = new AbortController();
    const late = sleep(withinMs, false, { signal: asked.signal });
    late.catch(() => {});
    const ready = next.then(
      () => true,
      () => true,
    );
    const came = await Promise.race([ready, late]);
    asked.abort();
    if (!came) return { nothing: true };
    this.#coming.delete(watch);
    const { done, value } = await next;
    return done ? { ended: true } : { response: json(value) };
  }
}

function of<T>(things: Map<string, T>, name: string): T {
  const thing = things.get(name);
  if (thing === undefined) throw new Unknown(`nothing has the name ${name}`);
  return thing;
}

async function taken(messages: AsyncIterable<Message>, limit = Number.POSITIVE_INFINITY) {
  const all: unknown[] = [];
  if (limit <= 0) return all;
  for await (const message of messages) {
    all.push(json(message));
    if (all.length >= limit) break;
  }
  return all;
}

function json(message: Message) {
  const desc = TYPES.getMessage(message.$typeName);
  if (!desc) throw new Unknown(`unknown message ${message.$typeName}`);
  return toJson(desc, message);
}
