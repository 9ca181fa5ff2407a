// Shows with each read what was written before it, so that whoever writes reads his own writes.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, type Client as Stub } from "@connectrpc/connect";
import { TandemError, tandemError } from "./errors.js";
import type { CommandService } from "./gen/tandem/v1/command_pb.js";
import { FreshnessSchema, type QueryService } from "./gen/tandem/v1/query_pb.js";
import type { Pacing } from "./pacing.js";
import { type Ask, type CallOptions, KEPT, Receipts, SHOWN } from "./receipts.js";
import { requestId } from "./request-id.js";

/** A call of a stub. */
export type Call<I, O> = (request: I, options?: CallOptions) => Promise<O>;

/** A call's name, as the contract spells it. */
export type Name = Capitalize<
  keyof (typeof CommandService)["method"] | keyof (typeof QueryService)["method"]
>;

/** What requests have that can be asked to be fresh. */
export interface Reading {
  freshness?: MessageInitShape<typeof FreshnessSchema> | undefined;
}

/** The writes of one session, as what proves them. */
export class OwnWrites {
  readonly #ask: Ask;
  readonly #receipts: Receipts;

  /** `timeoutMs` is how long a call may take whose caller doesn't say. */
  constructor(
    receipts: Iterable<string>,
    queries: Stub<typeof QueryService>,
    private readonly timeoutMs: number,
    private readonly pacing: Pacing,
  ) {
    this.#ask = async (shown, bounds) => {
      const request = { pageSize: 1, freshness: { receipts: [...shown] } };
      const position = (await queries.listCustomers(request, bounds)).served?.position;
      // An empty one would prove nothing of what it stands for.
      if (!position) throw tandemError(Code.Internal, "ListCustomers: the answer has no position");
      return position;
    };
    this.#receipts = this.#keeping(receipts);
  }

  get receipts(): readonly string[] {
    return this.#receipts.all;
  }

  /** Sends a command, and keeps its receipt. */
  async write<I extends { requestId?: string }, O extends { receipt: string }>(
    name: Name,
    call: Call<I, O>,
    request: I,
    options: CallOptions = {},
  ): Promise<O> {
    const left =
      this.#receipts.size >= KEPT ? await this.#settle(name, this.#receipts, options) : options;
    const response = await call({ ...request, requestId: request.requestId || requestId() }, left);
    this.#receipts.add(response.receipt);
    return response;
  }

  /** Asks for what is no older than the writes. */
  read<I extends Reading, O>(
    name: Name,
    call: Call<I, O>,
    request: I,
    options?: CallOptions,
  ): Promise<O> {
    const { size } = this.#receipts;
    if (size === 0) return call({ ...request }, options);
    if (size + (request.freshness?.receipts?.length ?? 0) <= SHOWN)
      return call(showing(request, this.#receipts.all), options);
    return this.settled(name, request, options).then(([fresh, left]) => call(fresh, left));
  }

  /** The request with no more receipts than a query takes, and what is left of the bounds. */
  async settled<I extends Reading>(
    name: Name,
    request: I,
    options: CallOptions = {},
  ): Promise<[I, CallOptions]> {
    let left = await this.#settle(name, this.#receipts, options);
    if (this.#receipts.size === 0) return [request, left];
    const fresh = showing(request, this.#receipts.all);
    if ((fresh.freshness?.receipts?.length ?? 0) <= SHOWN) return [fresh, left];
    // Those that the request brings are not the session's to keep.
    const both = this.#keeping(fresh.freshness?.receipts ?? []);
    left = await this.#settle(name, both, left);
    return [asking(request, [...both.all]), left];
  }

  /** Settles before a call, which is not sent if that fails. Returns what is left of the bounds. */
  async #settle(name: Name, receipts: Receipts, bounds: CallOptions): Promise<CallOptions> {
    try {
      return await receipts.settle(SHOWN, bounds, this.timeoutMs);
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      const what = `${name} was not sent: the session's receipts could not be settled`;
      throw tandemError(error.code, `${what}: ${error.rawMessage}`, error);
    }
  }

  #keeping(receipts: Iterable<string>): Receipts {
    return new Receipts(receipts, this.#ask, this.pacing);
  }
}

/** A copy of a request that asks for what these receipts prove, and its own, too. */
function showing<I extends Reading>(request: I, receipts: readonly string[]): I {
  const own = request.freshness?.receipts ?? [];
  return asking(request, own.length ? [...new Set([...receipts, ...own])] : [...receipts]);
}

/** A copy of a request that asks for what these receipts prove, and no others. */
function asking<I extends Reading>(request: I, receipts: string[]): I {
  const freshness = create(FreshnessSchema, { ...request.freshness, receipts });
  return { ...request, freshness };
}
