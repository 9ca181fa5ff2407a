// One customer and its orders, watched: what changes anywhere shows here as it happens.
import { useState } from "preact/hooks";
import type { Customer } from "../gen/tandem/v1/model_pb";
import { useCustomerDocument } from "../state/customer-document";
import { FaultNote } from "../ui/fault-note";
import { Heading } from "../ui/heading";
import { OrdersOfCustomer } from "../ui/orders-of-customer";
import { PlaceOrder } from "../ui/place-order";
import { Removal, type Removing } from "../ui/removal";
import { WatchState } from "../ui/watch-state";
import { WithForm } from "../ui/with-form";

export function CustomerView({ customerId }: { customerId: string }) {
  const { watched, dismiss, again } = useCustomerDocument(customerId);
  const { document, state, live, wentOn } = watched;
  const [removing, setRemoving] = useState<Removing>();
  const customer = document?.customer;
  const name = customer ? `${customer.firstName} ${customer.lastName}`.trim() : "";
  const fault =
    state.name === "stopped" || (state.name === "reconnecting" && !document)
      ? state.fault
      : undefined;

  return (
    <>
      <Heading text={name || customerId}>
        <WatchState state={state} wentOn={wentOn} dismiss={dismiss} />
      </Heading>
      {document?.registered ? (
        <Details
          customer={document.customer!}
          remove={() => setRemoving({ customerId, name: name || customerId })}
        />
      ) : (
        <p class="lead">
          <b class="id">{customerId}</b>
          {document && " is not registered yet; orders that arrive are shown."}
        </p>
      )}
      {fault && <FaultNote fault={fault} again={again} />}
      <WithForm label="Order" form={<PlaceOrder customerId={customerId} />}>
        <section class="list" aria-label="Orders">
          {document ? (
            <OrdersOfCustomer
              document={document}
              customerId={customerId}
              live={live}
              cancel={(orderId) => setRemoving({ customerId, orderId, name: orderId })}
            />
          ) : (
            !fault && (
              <p class="note" role="status" data-testid="loading">
                Loading …
              </p>
            )
          )}
        </section>
      </WithForm>
      {removing && <Removal of={removing} closed={() => setRemoving(undefined)} />}
    </>
  );
}

function Details({ customer, remove }: { customer: Customer; remove(): void }) {
  const rows = [
    ["Customer id", customer.customerId],
    ["Email", customer.email],
    ["Phone", customer.phone],
  ] as const;
  return (
    <div class="details">
      <dl>
        {rows.map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd class={term === "Email" ? "" : "id"}>{text || "not given"}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="quiet" onClick={remove}>
        Remove customer
      </button>
    </div>
  );
}
