// What a line for the driver may have; see clients/conformance/README.md.
import type { JsonObject } from "@bufbuild/protobuf";

export interface Line {
  op: string;
  name: string;
  client: string;
  session: string;
  watch: string;
  command: string;
  query: string[];
  tls?: { ca?: string };
  token?: string;
  timeoutMs?: number;
  cancelAfterMs?: number;
  withinMs: number;
  receipts?: string[];
  method: string;
  request?: JsonObject;
  limit?: number;
}

export type Answer = Record<string, unknown>;

/** A line that this driver doesn't know how to do: it ends with a failure. */
export class Unknown extends Error {}
