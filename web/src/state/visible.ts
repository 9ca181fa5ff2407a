// Measures how long it takes from sending an order to seeing it, across the whole pair: command,
// log, fold, watch, paint.
import { signal } from "@preact/signals";

export interface SentOrder {
  customerId: string;
  orderId: string;
  /** What the row has to show to be this write, as `orderContent` says it. */
  content: string;
  /** When the button was pressed, by `performance.now()`. */
  at: number;
}

/** Orders that this page sent, the newest last. */
export const sentOrders = signal<readonly SentOrder[]>([]);
/** When each row of the customer that is shown was first painted with its content. */
const painted = signal<{ customerId: string; at: ReadonlyMap<string, number> }>({
  customerId: "",
  at: new Map(),
});

export function noteSent(order: SentOrder): void {
  sentOrders.value = [...sentOrders.value, order].slice(-100);
}

/**
 * Notes that these are the rows that are painted now, all of this customer's. A row may be painted
 * before its command is answered; one that is gone and comes again is another painting.
 */
export function notePainted(customerId: string, contents: readonly string[], now: number): void {
  const old = painted.value.customerId === customerId ? painted.value.at : new Map();
  const at = new Map(contents.map((content) => [content, old.get(content) ?? now]));
  painted.value = { customerId, at };
}

/**
 * How long an order took from sending to visible, once it is. One that was on the page before it
 * was sent again changes nothing that could be seen, and has none.
 */
export function visibleAfter(order: SentOrder): number | undefined {
  const { customerId, at } = painted.value;
  const then = customerId === order.customerId ? at.get(order.content) : undefined;
  return then !== undefined && then >= order.at ? then - order.at : undefined;
}
