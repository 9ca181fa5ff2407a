// Keeps the receipts of what this session wrote, so that its reads are never older than its own
// writes, whichever query service answers.
import { stored, store } from "../state/session";

export type Kind = "customer" | "order" | "greeting";

/** What a command wrote. */
export interface Written {
  kind: Kind;
  /** Whose; empty for a greeting. */
  customerId: string;
}

/** What a read reads: rows of these kinds, of one customer or of all. */
export interface Reading {
  kinds: readonly Kind[];
  customerId?: string;
}

export interface Kept extends Written {
  receipt: string;
}

/** The most that a query takes (`Freshness.receipts`). */
export const MOST = 32;

export function withReceipt(kept: readonly Kept[], added: Kept): Kept[] {
  return [...kept.filter(({ receipt }) => receipt !== added.receipt), added].slice(-MOST);
}

/** The receipts that concern a read. Others would make it wait for shards it doesn't ask. */
export function concerning(kept: readonly Kept[], reading: Reading): string[] {
  return kept
    .filter(({ kind }) => reading.kinds.includes(kind))
    .filter(({ customerId }) => !reading.customerId || customerId === reading.customerId)
    .map(({ receipt }) => receipt);
}

/**
 * Which of the receipts shown a service refused, told by the fields it found faulty. They are
 * from another log: the data was made anew under the same address.
 */
export function refused(shown: readonly string[], fields: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const field of fields) {
    const index = /^freshness\.receipts(?:\[(\d+)\])?$/.exec(field);
    if (!index) continue;
    if (index[1] === undefined) shown.forEach((receipt) => found.add(receipt));
    else if (shown[Number(index[1])]) found.add(shown[Number(index[1])]!);
  }
  return [...found];
}

const KEY = "receipts";

export function keepReceipt(written: Written, receipt: string): void {
  store(KEY, withReceipt(stored<Kept[]>(KEY) ?? [], { ...written, receipt }));
}

export function receiptsFor(reading: Reading): string[] {
  return concerning(stored<Kept[]>(KEY) ?? [], reading);
}

/** Forgets what a service refused; says whether that was anything. */
export function dropRefused(shown: readonly string[], fields: Iterable<string>): boolean {
  const gone = refused(shown, fields);
  if (gone.length === 0) return false;
  store(KEY, (stored<Kept[]>(KEY) ?? []).filter(({ receipt }) => !gone.includes(receipt)));
  return true;
}
