// Calls a service at whichever of its addresses answers, and again when that is worth it.
import type {
  DescMessage,
  DescMethod,
  DescMethodStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { Closing, type Ending } from "./ending.js";
import { codeName, type TandemError, tandemError } from "./errors.js";
import type { Pacing } from "./pacing.js";
import { Patience } from "./patience.js";
import { backoff, type Policy, policiesOf } from "./policy.js";
import { whyUnreachable } from "./reasons.js";

/** One address of a service and how to call it. */
export interface Line {
  /** The address, as its user wrote it. */
  name: string;
  transport: Transport;
  /** Ends its connections and the calls on them. */
  close(): void;
}

/** An address is left after this long without a word, if there are others. */
const PATIENCE_MS = 5_000;
/** The same for streams, which have no deadline: fetching a token may take as long as a call. */
const OPENING_MS = 10_000;
/** `grpc-timeout` has eight digits. */
const LONGEST_MS = 99_999_999;

/**
 * The connections to one service, as a transport for stubs. A call goes to the address that did
 * last; what is thrown is always a `TandemError`.
 */
export class Channel implements Transport {
  readonly #policies: Map<DescMethod, Policy>;
  readonly #closing = new Closing(new ConnectError("closed", Code.Canceled));
  /** The line that is called first. */
  #at = 0;
  /** How long a call may take for which its caller says nothing, unless it is a stream. */
  readonly timeoutMs: number;

  /** `timeoutMs` takes the place of the service config's timeout. */
  constructor(
    service: DescService,
    private readonly lines: readonly Line[],
    private readonly pacing: Pacing,
    timeoutMs?: number,
  ) {
    this.#policies = policiesOf(service);
    const usual = Math.max(...[...this.#policies.values()].map((one) => one.timeoutMs ?? 0));
    this.timeoutMs = timeoutMs ?? usual;
  }

  /** Aborted when the channel is closed. */
  get closing(): Ending {
    return this.#closing;
  }

  /** Ends all calls and connections; later calls fail. */
  close(): void {
    this.#closing.abort();
    for (const line of this.lines) line.close();
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const retries = this.#policies.get(method)?.retries;
    const wholeMs = Math.min(timeoutMs ?? this.timeoutMs, LONGEST_MS);
    const deadline = this.pacing.now() + wholeMs;
    let leftMs = wholeMs;
    let failed = 0;
    for (let at = this.#at, untried = this.lines.length - 1; ; untried--) {
      const line = this.lines[at] as Line;
      const tryMs = Math.ceil(leftMs);
      const patienceMs = untried > 0 ? Math.min(leftMs / 2, PATIENCE_MS) : undefined;
      const patience = new Patience(patienceMs, signal, this.closing);
      let fault: TandemError;
      try {
        this.#refuse(signal, leftMs);
        return await line.transport.unary(
          method,
          patience.signal,
          tryMs,
          header,
          input,
          contextValues,
        );
      } catch (error) {
        fault = this.#fault(error, method, line, signal, patience.ranOutMs, wholeMs);
      } finally {
        patience.end();
      }
      if (fault.code !== Code.Unavailable && !retries?.codes.has(fault.code)) throw fault;
      at = this.#leave(at);
      leftMs = deadline - this.pacing.now();
      if (untried > 0 && !fault.answered) continue;
      failed++;
      if (!retries?.codes.has(fault.code) || failed >= retries.attempts) throw fault;
      const pauseMs = Math.max(
        backoff(retries, failed, this.pacing.random),
        fault.retryDelayMs ?? 0,
      );
      if (pauseMs >= leftMs) throw fault;
      await this.pacing.pause(pauseMs, signal, this.closing);
      leftMs = deadline - this.pacing.now();
      // A new round, in which one that hangs is passed over again.
      untried = this.lines.length;
    }
  }

  /** Opens a stream at the first address that takes the call; it is not opened again here. */
  async stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const messages: MessageInitShape<I>[] = [];
    for await (const message of input) messages.push(message);
    const wholeMs = timeoutMs && Math.min(Math.ceil(timeoutMs), LONGEST_MS);
    for (let at = this.#at, untried = this.lines.length - 1; ; untried--) {
      const line = this.lines[at] as Line;
      const patienceMs = this.lines.length > 1 ? OPENING_MS : undefined;
      const patience = new Patience(patienceMs, signal, this.closing);
      let fault: TandemError;
      try {
        this.#refuse(signal, wholeMs ?? LONGEST_MS);
        const response = await line.transport.stream(
          method,
          patience.signal,
          wholeMs,
          header,
          each(messages),
          contextValues,
        );
        patience.enough();
        const told = (error: unknown) => {
          const fault = this.#fault(error, method, line, signal, undefined, wholeMs);
          if (fault.code !== Code.Canceled) this.#leave(at);
          return fault;
        };
        return { ...response, message: following(response.message, patience, told) };
      } catch (error) {
        patience.end();
        fault = this.#fault(error, method, line, signal, patience.ranOutMs, wholeMs);
      }
      if (fault.code !== Code.Unavailable) throw fault;
      at = this.#leave(at);
      if (untried <= 0 || fault.answered) throw fault;
    }
  }

  /** Goes on to the next line for all calls, unless another call already did. */
  #leave(at: number): number {
    const next = (at + 1) % this.lines.length;
    if (this.#at === at) this.#at = next;
    return next;
  }

  /** Throws if a call can't even be begun. */
  #refuse(signal: AbortSignal | undefined, leftMs: number): void {
    if (this.closing.aborted || signal?.aborted) throw new ConnectError("", Code.Canceled);
    if (!(leftMs > 0)) throw new ConnectError("", Code.DeadlineExceeded);
  }

  #fault(
    error: unknown,
    method: DescMethod,
    { name }: Line,
    signal: AbortSignal | undefined,
    ranOutMs: number | undefined,
    timeoutMs: number | undefined,
  ): TandemError {
    const told = ConnectError.from(error);
    const say = (code: Code, what: string) => tandemError(code, `${method.name}: ${what}`, told);
    if (signal?.aborted) return say(Code.Canceled, "canceled by the caller");
    if (this.closing.aborted) return say(Code.Canceled, "the client is closed");
    // A gRPC status came from the other side, and so did details; all else was made on this one.
    if (told.metadata.has("grpc-status") || told.details.length > 0) {
      if (told.rawMessage) return tandemError(told.code, told.rawMessage, told);
      return say(told.code, `${name} answered ${codeName(told.code)} and said no more`);
    }
    if (ranOutMs !== undefined)
      return say(Code.Unavailable, `${name} did not answer within ${ranOutMs} ms`);
    if (told.code === Code.DeadlineExceeded)
      return say(told.code, `${name} did not answer within ${timeoutMs} ms`);
    const why = whyUnreachable(told, name);
    return why === undefined
      ? say(told.code, `${told.rawMessage} (${name})`)
      : say(Code.Unavailable, why);
  }
}

async function* each<T>(messages: readonly T[]): AsyncGenerator<T> {
  yield* messages;
}

/** A stream's messages, with its errors as they are told here. */
async function* following<T>(
  messages: AsyncIterable<T>,
  patience: Patience,
  told: (error: unknown) => TandemError,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw told(error);
  } finally {
    patience.end();
  }
}
