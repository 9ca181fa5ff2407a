// The orders of a watched customer: marks those that came live and measures those sent from here.
import { useLayoutEffect } from "preact/hooks";
import type { Order } from "../gen/tandem/v1/model_pb";
import type { WatchCustomerOrdersResponse } from "../gen/tandem/v1/query_pb";
import { orderContent } from "../state/customer-document";
import { notePainted, sentOrders, visibleAfter } from "../state/visible";
import { counted } from "../words";
import { DataTable, type Column, type RowAttributes } from "./data-table";
import { FurtherOrders } from "./further-orders";
import { Time } from "./time";

interface Props {
  document: WatchCustomerOrdersResponse;
  customerId: string;
  live: ReadonlySet<string>;
  cancel(orderId: string): void;
}

export function OrdersOfCustomer({ document, customerId, live, cancel }: Props) {
  const { orders, moreOrders } = document;
  usePaintClock(customerId, orders);
  const columns = orderColumns(customerId, cancel);
  return (
    <>
      <DataTable
        name="Orders of this customer"
        columns={columns}
        rows={orders}
        about={(order) => ({
          ...aboutOrder(order),
          "data-live": live.has(order.orderId) ? "true" : undefined,
        })}
      />
      {orders.length === 0 && (
        <p class="note" data-testid="empty">
          No orders yet. One that is placed, here or elsewhere, appears by itself.
        </p>
      )}
      {moreOrders && (
        <FurtherOrders customerId={customerId} watched={orders.length} columns={columns} />
      )}
      <p class="unseen" role="status">
        {counted(orders.length, "order")}
      </p>
    </>
  );
}

function aboutOrder({ orderId }: Order): RowAttributes {
  return { key: orderId, "data-testid": "order-row", "data-order-id": orderId };
}

function orderColumns(
  customerId: string,
  cancel: (orderId: string) => void,
): readonly Column<Order>[] {
  return [
    {
      head: "Order id",
      kind: "id",
      cell: ({ orderId }) => (
        <>
          {orderId} <VisibleAfter customerId={customerId} orderId={orderId} />
        </>
      ),
    },
    { head: "Item", cell: ({ orderItemName }) => orderItemName },
    { head: "Place", cell: ({ orderPlace }) => orderPlace },
    { head: "Purchased", kind: "id", cell: (order) => <Time of={order.orderPurchaseTime} /> },
    {
      head: "Cancelling",
      kind: "action",
      cell: ({ orderId }) => (
        <button
          type="button"
          class="quiet"
          aria-label={`Cancel order ${orderId}`}
          onClick={() => cancel(orderId)}
        >
          Cancel order
        </button>
      ),
    },
  ];
}

function VisibleAfter({ customerId, orderId }: { customerId: string; orderId: string }) {
  const sent = sentOrders.value.findLast(
    (order) => order.customerId === customerId && order.orderId === orderId,
  );
  const after = sent && visibleAfter(sent);
  if (after === undefined) return null;
  return (
    <span class="tag accent" data-testid="visible-after">
      visible after {Math.round(after)} ms
    </span>
  );
}

// The effect runs when the rows are in the document, the frame's callback just before they are
// painted, and the task after it when they are on the screen.
function usePaintClock(customerId: string, orders: readonly Order[]): void {
  useLayoutEffect(() => {
    const contents = orders.map(orderContent);
    requestAnimationFrame(() =>
      setTimeout(() => notePainted(customerId, contents, performance.now())),
    );
  }, [customerId, orders]);
}
