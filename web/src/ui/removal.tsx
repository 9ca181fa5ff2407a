// Asks before something is removed, and removes it.
import { useEffect, useRef, useState } from "preact/hooks";
import { send } from "../grpc/commands";
import { faultOf, told, type Fault } from "../grpc/faults";
import { keepReceipt } from "../grpc/receipts";
import { requestId } from "../grpc/request-id";
import { commandClient } from "../grpc/services";

/** A customer, or one of its orders. */
export interface Removing {
  customerId: string;
  orderId?: string;
  name: string;
}

export function Removal({ of, closed }: { of: Removing; closed(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [sending, setSending] = useState(false);
  const [fault, setFault] = useState<Fault>();
  // One id for this removal, however often the button is pressed.
  const [id] = useState(requestId);
  const { customerId, orderId } = of;
  const title = orderId === undefined ? "Remove customer" : "Cancel order";

  useEffect(() => dialog.current?.showModal(), []);

  const remove = async () => {
    if (sending) return;
    setSending(true);
    setFault(undefined);
    const again = () => {};
    try {
      if (orderId === undefined) {
        const request = { customerId, requestId: id };
        const call = (options: object) => commandClient().removeCustomer(request, options);
        keepReceipt({ kind: "customer", customerId }, (await send(call, again)).receipt);
      } else {
        const request = { customerId, orderId, requestId: id };
        const call = (options: object) => commandClient().cancelOrder(request, options);
        keepReceipt({ kind: "order", customerId }, (await send(call, again)).receipt);
      }
      dialog.current?.close();
    } catch (error) {
      setFault(faultOf(error));
      setSending(false);
    }
  };

  return (
    <dialog ref={dialog} aria-labelledby="removal" onClose={closed}>
      <h2 id="removal">
        {title} <span class="id">{of.name}</span>?
      </h2>
      <p>
        {orderId === undefined
          ? "Its orders stay, with blank customer fields."
          : "The order leaves the view; what was written stays on the log."}
      </p>
      {fault && (
        <p role="alert" class="note bad">
          {told(fault, "the command service")}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          Keep it
        </button>
        <button type="button" class="main" aria-disabled={sending} onClick={remove}>
          {title}
        </button>
      </div>
    </dialog>
  );
}
