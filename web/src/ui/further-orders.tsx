// The orders of a customer that a watch has no room for: it holds the first 1,000, these are asked
// for in pages and stay as they were then.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Order } from "../gen/tandem/v1/model_pb";
import { faultOf, type Fault } from "../grpc/faults";
import { ask } from "../grpc/queries";
import { count } from "../words";
import { DataTable, type Column } from "./data-table";
import { FaultNote } from "./fault-note";

interface Props {
  customerId: string;
  /** How many orders the watch holds. */
  watched: number;
  columns: readonly Column<Order>[];
}

const PAGE = 500;

export function FurtherOrders({ customerId, watched, columns }: Props) {
  const [orders, setOrders] = useState<readonly Order[]>([]);
  // Where to go on; empty is before the first order, nothing is after the last.
  const [token, setToken] = useState<string | undefined>("");
  const [fault, setFault] = useState<Fault>();
  const ending = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => ending.current?.abort(), []);

  const page = (pageToken: string, pageSize: number, signal: AbortSignal) =>
    ask(
      { kinds: ["customer", "order"], customerId },
      (client, freshness, options) =>
        client.getCustomerOrders({ customerId, pageToken, pageSize, freshness }, options),
      signal,
    );

  const more = async () => {
    if (ending.current) return;
    const controller = new AbortController();
    ending.current = controller;
    setFault(undefined);
    try {
      // The first page is what the watch holds: only its token is of use.
      const from =
        token || (await page("", Math.min(watched, 1000), controller.signal)).nextPageToken;
      const answer = from ? await page(from, PAGE, controller.signal) : undefined;
      setOrders([...orders, ...(answer?.orders ?? [])]);
      setToken(answer?.nextPageToken || undefined);
    } catch (error) {
      if (!controller.signal.aborted) setFault(faultOf(error));
    } finally {
      ending.current = undefined;
    }
  };

  return (
    <>
      {orders.length > 0 && (
        <DataTable
          name="Further orders, as they were when asked for"
          columns={columns}
          rows={orders}
          about={({ orderId }) => ({
            key: orderId,
            "data-testid": "order-row",
            "data-order-id": orderId,
          })}
        />
      )}
      {fault && <FaultNote fault={fault} again={more} />}
      {token !== undefined && (
        <div class="toolbar">
          <p class="hint">
            The first {count(watched)} orders by order id are watched; this customer has more.
          </p>
          <button type="button" onClick={more}>
            Show further orders
          </button>
        </div>
      )}
    </>
  );
}
