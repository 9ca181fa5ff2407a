// Reads the service config: how long a call may take, and when and how often it is tried again.
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeName } from "./errors.js";
import { serviceConfig } from "./gen/service_config.js";

/** When a call is tried again. */
export interface Retries {
  /** The most tries, the first included. */
  attempts: number;
  initialMs: number;
  maxMs: number;
  multiplier: number;
  codes: ReadonlySet<Code>;
}

/** What holds for the calls of a method. */
export interface Policy {
  /** How long a call may take with all its tries; without it, as long as it likes. */
  timeoutMs?: number | undefined;
  /** Without it, one try is all. */
  retries?: Retries | undefined;
}

interface MethodConfig {
  readonly name: readonly { readonly service: string; readonly method?: string }[];
  readonly timeout?: string;
  readonly retryPolicy?: {
    readonly maxAttempts: number;
    readonly initialBackoff: string;
    readonly maxBackoff: string;
    readonly backoffMultiplier: number;
    readonly retryableStatusCodes: readonly string[];
  };
}

/** The policies of a service's methods. A name with a method goes before one without. */
export function policiesOf(
  service: DescService,
  config: readonly MethodConfig[] = serviceConfig.methodConfig,
): Map<DescMethod, Policy> {
  const find = (method?: string) =>
    config.find(({ name }) =>
      name.some((one) => one.service === service.typeName && one.method === method),
    );
  return new Map(
    service.methods.map((method) => [method, policy(find(method.name) ?? find() ?? { name: [] })]),
  );
}

/** The policy that pauses of something other than a single call follow, such as a watch. */
export const pauses: Retries = (() => {
  const found = serviceConfig.methodConfig.map(policy).find(({ retries }) => retries)?.retries;
  if (!found) throw new Error("service_config.json has no retryPolicy: mend it, run gen.sh");
  return found;
})();

/** The pause before the next try in milliseconds, after `failed` have: give or take a fifth. */
export function backoff(retries: Retries, failed: number, random: () => number): number {
  const whole = Math.min(retries.initialMs * retries.multiplier ** (failed - 1), retries.maxMs);
  return whole * (0.8 + 0.4 * random());
}

function policy({ timeout, retryPolicy }: MethodConfig): Policy {
  return {
    timeoutMs: timeout === undefined ? undefined : millis(timeout),
    retries: retryPolicy && {
      attempts: retryPolicy.maxAttempts,
      initialMs: millis(retryPolicy.initialBackoff),
      maxMs: millis(retryPolicy.maxBackoff),
      multiplier: retryPolicy.backoffMultiplier,
      codes: new Set(retryPolicy.retryableStatusCodes.map(code)),
    },
  };
}

function millis(seconds: string): number {
  const number = /^(\d+(?:\.\d+)?)s$/.exec(seconds)?.[1];
  if (number === undefined) throw new Error(`${seconds} in service_config.json is no duration`);
  return Number(number) * 1000;
}

function code(name: string): Code {
  for (let code = Code.Canceled; code <= Code.Unauthenticated; code++)
    if (codeName(code) === name) return code;
  throw new Error(`${name} in service_config.json is no code of gRPC`);
}
