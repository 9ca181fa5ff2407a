// One user's thread of work: each read shows what was written before it.
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Client as Stub } from "@connectrpc/connect";
import type { Ending } from "./ending.js";
import type * as c from "./gen/tandem/v1/command_pb.js";
import type { Customer, CustomerOrder, Greeting, Order } from "./gen/tandem/v1/model_pb.js";
import type * as q from "./gen/tandem/v1/query_pb.js";
import { List } from "./lists.js";
import { type Call, type Name, OwnWrites, type Reading } from "./own-writes.js";
import type { Pacing } from "./pacing.js";
import type { CallOptions } from "./receipts.js";
import { Watch } from "./watch.js";

/** A request: a message, or an object with the fields that are to be set. */
export type Request<Schema extends DescMessage> = MessageInitShape<Schema>;

/** What a session needs of its client. @internal */
export interface Calls {
  commands: Stub<typeof c.CommandService>;
  queries: Stub<typeof q.QueryService>;
  closing: Ending;
  pacing: Pacing;
  /** The client's deadline of a call. */
  timeoutMs: number;
}

/**
 * Has a method for each call of the contract. Receipts of its commands are shown with its queries,
 * which therefore wait until they see what was written. Cheap, and to be used by one user: two in
 * one session only wait for each other's writes. Calls may be made at the same time.
 *
 * Commands get a `requestId` if they have none, so that trying them again has one effect. A request
 * is never changed. Each method throws a `TandemError`.
 */
export class Session {
  readonly #of: Calls;
  readonly #own: OwnWrites;

  /** @internal */
  constructor(calls: Calls, receipts: Iterable<string>) {
    this.#of = calls;
    this.#own = new OwnWrites(receipts, calls.queries, calls.timeoutMs, calls.pacing);
  }

  /** The receipts so far, to be put into another session, in another process too. */
  get receipts(): string[] {
    return [...this.#own.receipts];
  }

  /**
   * Registers a customer, or replaces the one of that id. Without an id, the server makes one.
   */
  createCustomer(
    request: Request<typeof c.CreateCustomerRequestSchema>,
    options?: CallOptions,
  ): Promise<c.CreateCustomerResponse> {
    return this.#own.write("CreateCustomer", this.#of.commands.createCustomer, request, options);
  }

  /** States a customer anew: what is left out becomes empty. */
  updateCustomer(
    request: Request<typeof c.UpdateCustomerRequestSchema>,
    options?: CallOptions,
  ): Promise<c.UpdateCustomerResponse> {
    return this.#own.write("UpdateCustomer", this.#of.commands.updateCustomer, request, options);
  }

  /** Removes a customer. Its orders stay. */
  removeCustomer(
    request: Request<typeof c.RemoveCustomerRequestSchema>,
    options?: CallOptions,
  ): Promise<c.RemoveCustomerResponse> {
    return this.#own.write("RemoveCustomer", this.#of.commands.removeCustomer, request, options);
  }

  /** Places an order. Without an id, the server makes one. */
  placeOrder(
    request: Request<typeof c.PlaceOrderRequestSchema>,
    options?: CallOptions,
  ): Promise<c.PlaceOrderResponse> {
    return this.#own.write("PlaceOrder", this.#of.commands.placeOrder, request, options);
  }

  /** States an order anew: what is left out becomes empty. */
  updateOrder(
    request: Request<typeof c.UpdateOrderRequestSchema>,
    options?: CallOptions,
  ): Promise<c.UpdateOrderResponse> {
    return this.#own.write("UpdateOrder", this.#of.commands.updateOrder, request, options);
  }

  /** Cancels an order. */
  cancelOrder(
    request: Request<typeof c.CancelOrderRequestSchema>,
    options?: CallOptions,
  ): Promise<c.CancelOrderResponse> {
    return this.#own.write("CancelOrder", this.#of.commands.cancelOrder, request, options);
  }

  /** Sends a greeting. */
  sendGreeting(
    request: Request<typeof c.SendGreetingRequestSchema>,
    options?: CallOptions,
  ): Promise<c.SendGreetingResponse> {
    return this.#own.write("SendGreeting", this.#of.commands.sendGreeting, request, options);
  }

  /** One customer. `NotFoundError` if there is none. */
  getCustomer(
    request: Request<typeof q.GetCustomerRequestSchema>,
    options?: CallOptions,
  ): Promise<q.GetCustomerResponse> {
    return this.#own.read("GetCustomer", this.#of.queries.getCustomer, request, options);
  }

  /**
   * One order. `NotFoundError` if there is none, `FailedPreconditionError` if several customers have
   * one of that id and none is named.
   */
  getOrder(
    request: Request<typeof q.GetOrderRequestSchema>,
    options?: CallOptions,
  ): Promise<q.GetOrderResponse> {
    return this.#own.read("GetOrder", this.#of.queries.getOrder, request, options);
  }

  /** A customer and its orders; as rows, its orders. `NotFoundError` if there is neither. */
  getCustomerOrders(
    request: Request<typeof q.GetCustomerOrdersRequestSchema>,
    options?: CallOptions,
  ): List<q.GetCustomerOrdersResponse, Order> {
    return this.#list(
      "GetCustomerOrders",
      this.#of.queries.getCustomerOrders,
      request,
      (page) => page.orders,
      options,
    );
  }

  /** All customers, by customer id. */
  listCustomers(
    request: Request<typeof q.ListCustomersRequestSchema> = {},
    options?: CallOptions,
  ): List<q.ListCustomersResponse, Customer> {
    return this.#list(
      "ListCustomers",
      this.#of.queries.listCustomers,
      request,
      (page) => page.customers,
      options,
    );
  }

  /** All orders. */
  listOrders(
    request: Request<typeof q.ListOrdersRequestSchema> = {},
    options?: CallOptions,
  ): List<q.ListOrdersResponse, Order> {
    return this.#list(
      "ListOrders",
      this.#of.queries.listOrders,
      request,
      (page) => page.orders,
      options,
    );
  }

  /** All orders with their customers, by customer id and order id. */
  listCustomerOrders(
    request: Request<typeof q.ListCustomerOrdersRequestSchema> = {},
    options?: CallOptions,
  ): List<q.ListCustomerOrdersResponse, CustomerOrder> {
    return this.#list(
      "ListCustomerOrders",
      this.#of.queries.listCustomerOrders,
      request,
      (page) => page.customerOrders,
      options,
    );
  }

  /** All greetings, by greeting id. */
  listGreetings(
    request: Request<typeof q.ListGreetingsRequestSchema> = {},
    options?: CallOptions,
  ): List<q.ListGreetingsResponse, Greeting> {
    return this.#list(
      "ListGreetings",
      this.#of.queries.listGreetings,
      request,
      (page) => page.greetings,
      options,
    );
  }

  /** Records that could not be folded. */
  listRejects(
    request: Request<typeof q.ListRejectsRequestSchema> = {},
    options?: CallOptions,
  ): List<q.ListRejectsResponse, q.Reject> {
    return this.#list(
      "ListRejects",
      this.#of.queries.listRejects,
      request,
      (page) => page.rejects,
      options,
    );
  }

  /** The instances and what each of them serves, as the one that answers has heard. */
  listInstances(
    request: Request<typeof q.ListInstancesRequestSchema> = {},
    options?: CallOptions,
  ): Promise<q.ListInstancesResponse> {
    return this.#of.queries.listInstances(request, options);
  }

  /**
   * A customer and its orders: the document as it is, and as it is after each change. It goes on by
   * itself after interruptions, on any instance; `options.signal` ends it.
   */
  watchCustomerOrders(
    request: Request<typeof q.WatchCustomerOrdersRequestSchema>,
    options?: Pick<CallOptions, "signal">,
  ): Watch<q.WatchCustomerOrdersResponse> {
    const first = { ...request };
    return this.#watch(async (last: q.WatchCustomerOrdersResponse | undefined, signal) => {
      const resumed = last ? { ...first, resumeToken: last.resumeToken } : first;
      const [fresh] = await this.#own.settled("WatchCustomerOrders", resumed, { signal });
      return this.#of.queries.watchCustomerOrders(fresh, { signal });
    }, options);
  }

  /** The instances as they are, after each change and at least each second. */
  watchRouting(
    request: Request<typeof q.WatchRoutingRequestSchema> = {},
    options?: Pick<CallOptions, "signal">,
  ): Watch<q.WatchRoutingResponse> {
    return this.#watch(
      async (_, signal) => this.#of.queries.watchRouting(request, { signal }),
      options,
    );
  }

  #list<I extends Reading & { pageToken?: string }, O extends { nextPageToken: string }, Row>(
    name: Name,
    call: Call<I, O>,
    request: I,
    rowsOf: (page: O) => readonly Row[],
    options: CallOptions | undefined,
  ): List<O, Row> {
    // Later pages are of the request as it is now.
    const first = { ...request };
    const page = (pageToken: string | undefined) =>
      this.#own.read(
        name,
        call,
        pageToken === undefined ? first : { ...first, pageToken },
        options,
      );
    return new List(page, rowsOf);
  }

  #watch<T>(
    open: (last: T | undefined, signal: AbortSignal) => Promise<AsyncIterable<T>>,
    options: Pick<CallOptions, "signal"> | undefined,
  ): Watch<T> {
    return new Watch(open, this.#of.pacing, options?.signal, this.#of.closing);
  }
}
