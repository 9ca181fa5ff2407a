// Reads what a client is made of, and says what is wrong with it.
import { ConfigurationError } from "./errors.js";

const ADDRESS = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\\?#@[\]]+):(\d{1,5})$/;

/** The URL of an address `host:port` (`[::1]:8095` for IPv6). */
export function urlOf(address: unknown, tls: boolean): string {
  const port = typeof address === "string" ? Number(ADDRESS.exec(address)?.[1]) : Number.NaN;
  if (!(port > 0 && port < 65_536 && URL.canParse(`http://${address}`)))
    throw new ConfigurationError(
      `${JSON.stringify(address)} is no address: it has to be host:port, such as 127.0.0.1:8095`,
    );
  return `${tls ? "https" : "http"}://${address}`;
}

/** The addresses of query services, of which there has to be one. */
export function several(addresses: unknown): readonly unknown[] {
  if (Array.isArray(addresses) && addresses.length > 0) return addresses;
  throw new ConfigurationError("query has to be a list of one or more addresses host:port");
}

/** A default deadline in milliseconds. */
export function timeout(ms: unknown): number | undefined {
  if (ms === undefined || (typeof ms === "number" && ms > 0)) return ms;
  throw new ConfigurationError(`timeoutMs is ${ms}: it has to be more than 0 milliseconds`);
}
