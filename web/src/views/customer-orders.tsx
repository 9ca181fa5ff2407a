// All orders joined with their customers: the view that Tandem exists to keep.
import type { CustomerOrder } from "../gen/tandem/v1/model_pb";
import type { Route } from "../router";
import { CustomerLink } from "../ui/customer-link";
import type { Column } from "../ui/data-table";
import { Heading } from "../ui/heading";
import { List } from "../ui/list";
import { Time } from "../ui/time";

const COLUMNS: readonly Column<CustomerOrder>[] = [
  { head: "Order id", kind: "id", cell: ({ orderId }) => orderId },
  { head: "Customer id", kind: "id", cell: ({ customerId }) => <CustomerLink id={customerId} /> },
  { head: "Name", cell: ({ firstName, lastName }) => `${firstName} ${lastName}`.trim() },
  { head: "Item", cell: ({ orderItemName }) => orderItemName },
  { head: "Place", cell: ({ orderPlace }) => orderPlace },
  { head: "Purchased", kind: "id", cell: (order) => <Time of={order.orderPurchaseTime} /> },
  { head: "Email", cell: ({ email }) => email },
  { head: "Phone", kind: "id", cell: ({ phone }) => phone },
];

export function CustomerOrdersView({ route }: { route: Route }) {
  return (
    <>
      <Heading text="Customer orders" />
      <List
        name="Customer orders"
        route={route}
        reading={{ kinds: ["customer", "order"] }}
        call={(client, request, options) => client.listCustomerOrders(request, options)}
        rows={({ customerOrders }) => customerOrders}
        columns={COLUMNS}
        about={({ customerId, orderId }) => ({
          key: JSON.stringify([customerId, orderId]),
          "data-testid": "joined-row",
          "data-order-id": orderId,
          "data-customer-id": customerId,
        })}
        empty="No order was placed yet. Orders are placed on a customer's page."
      />
    </>
  );
}
