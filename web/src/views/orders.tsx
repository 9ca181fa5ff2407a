// All orders, sorted as one likes, and placing one.
import { useState } from "preact/hooks";
import type { Order } from "../gen/tandem/v1/model_pb";
import { OrderSort } from "../gen/tandem/v1/query_pb";
import { listHash, type Route } from "../router";
import { go } from "../state/address";
import { CustomerLink } from "../ui/customer-link";
import type { Column } from "../ui/data-table";
import { Heading } from "../ui/heading";
import { List } from "../ui/list";
import { PlaceOrder } from "../ui/place-order";
import { Time } from "../ui/time";
import { WithForm } from "../ui/with-form";

const SORTS = [
  { word: "customer", said: "customer", sort: OrderSort.CUSTOMER_ID },
  { word: "id", said: "order id", sort: OrderSort.ORDER_ID },
  { word: "time", said: "purchase time", sort: OrderSort.PURCHASE_TIME },
  { word: "time-desc", said: "newest first", sort: OrderSort.PURCHASE_TIME_DESCENDING },
] as const;

const COLUMNS: readonly Column<Order>[] = [
  { head: "Order id", kind: "id", cell: ({ orderId }) => orderId },
  { head: "Customer id", kind: "id", cell: ({ customerId }) => <CustomerLink id={customerId} /> },
  { head: "Item", cell: ({ orderItemName }) => orderItemName },
  { head: "Place", cell: ({ orderPlace }) => orderPlace },
  { head: "Purchased", kind: "id", cell: (order) => <Time of={order.orderPurchaseTime} /> },
];

export function OrdersView({ route }: { route: Route }) {
  const [writes, setWrites] = useState(0);
  const sorted = SORTS.find(({ word }) => word === route.listing.sort) ?? SORTS[0];
  return (
    <>
      <Heading text="Orders" />
      <WithForm label="Order" form={<PlaceOrder wrote={() => setWrites((count) => count + 1)} />}>
        <List
          name="Orders"
          route={route}
          reading={{ kinds: ["order"] }}
          call={(client, request, options) =>
            client.listOrders({ ...request, sort: sorted.sort }, options)
          }
          rows={({ orders }) => orders}
          columns={COLUMNS}
          about={({ customerId, orderId }) => ({
            key: JSON.stringify([customerId, orderId]),
            "data-testid": "order-row",
            "data-order-id": orderId,
            "data-customer-id": customerId,
          })}
          empty="No order was placed yet. Place one with the form."
          writes={writes}
        >
          <label>
            Sort by
            <select
              value={sorted.word}
              onChange={(event) => {
                // A page token belongs to one sorting: another begins with its first page.
                const sort = event.currentTarget.value;
                go(listHash("orders", { ...route.listing, sort, page: "" }));
              }}
            >
              {SORTS.map(({ word, said }) => (
                <option key={word} value={word}>
                  {said}
                </option>
              ))}
            </select>
          </label>
        </List>
      </WithForm>
    </>
  );
}
