// The form that places an order and says how long it took until it could be seen.
import { commandClient } from "../grpc/services";
import { keepReceipt } from "../grpc/receipts";
import { orderContent } from "../state/customer-document";
import { noteSent, visibleAfter, type SentOrder } from "../state/visible";
import { span } from "../words";
import { CommandForm } from "./command-form";
import { CustomerLink } from "./customer-link";

interface Props {
  /** Whose orders, if the page is about one customer. */
  customerId?: string;
  wrote?(): void;
}

export function PlaceOrder({ customerId, wrote }: Props) {
  return (
    <CommandForm
      name="Place order"
      draft={customerId === undefined ? "place-order" : `place-order.${customerId}`}
      fields={[
        {
          name: "customer_id",
          label: "Customer id",
          ...(customerId === undefined ? {} : { fixed: customerId }),
        },
        { name: "order_id", label: "Order id", hint: "Made by the server if left empty" },
        { name: "order_item_name", label: "Item" },
        { name: "order_place", label: "Place" },
      ]}
      keep={["customer_id"]}
      send={async ({ values, requestId, options, pressed }) => {
        const { order, receipt } = await commandClient().placeOrder(
          {
            customerId: values.customer_id!,
            orderId: values.order_id!,
            orderItemName: values.order_item_name!,
            orderPlace: values.order_place!,
            requestId,
          },
          options,
        );
        if (!order) return <p>The order was written.</p>;
        keepReceipt({ kind: "order", customerId: order.customerId }, receipt);
        const sent = {
          customerId: order.customerId,
          orderId: order.orderId,
          content: orderContent(order),
          at: pressed,
        };
        noteSent(sent);
        wrote?.();
        return <Sent order={sent} linked={customerId === undefined} />;
      }}
    />
  );
}

function Sent({ order, linked }: { order: SentOrder; linked: boolean }) {
  const after = visibleAfter(order);
  return (
    <p>
      Order <b class="id">{order.orderId}</b>
      {linked && (
        <>
          {" "}
          of <CustomerLink id={order.customerId} />
        </>
      )}{" "}
      was written.{after !== undefined && ` It was visible ${span(after)} after sending.`}
    </p>
  );
}
