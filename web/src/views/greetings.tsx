// All greetings, and sending one.
import { useState } from "preact/hooks";
import type { Greeting } from "../gen/tandem/v1/model_pb";
import { keepReceipt } from "../grpc/receipts";
import { commandClient } from "../grpc/services";
import type { Route } from "../router";
import { CommandForm } from "../ui/command-form";
import type { Column } from "../ui/data-table";
import { Heading } from "../ui/heading";
import { List } from "../ui/list";
import { Time } from "../ui/time";
import { WithForm } from "../ui/with-form";

const COLUMNS: readonly Column<Greeting>[] = [
  { head: "Greeting id", kind: "id", cell: ({ greetingId }) => greetingId },
  { head: "Message", cell: ({ message }) => message },
  { head: "Sent", kind: "id", cell: ({ timestamp }) => <Time of={timestamp} /> },
];

export function GreetingsView({ route }: { route: Route }) {
  const [writes, setWrites] = useState(0);
  return (
    <>
      <Heading text="Greetings" />
      <WithForm
        label="Greet"
        form={
          <CommandForm
            name="Send greeting"
            draft="send-greeting"
            fields={[{ name: "message", label: "Message" }]}
            send={async ({ values, requestId, options }) => {
              const { greeting, receipt } = await commandClient().sendGreeting(
                { message: values.message!, requestId },
                options,
              );
              keepReceipt({ kind: "greeting", customerId: "" }, receipt);
              setWrites((count) => count + 1);
              return (
                <p>
                  Greeting <b class="id">{greeting?.greetingId}</b> was written.
                </p>
              );
            }}
          />
        }
      >
        <List
          name="Greetings"
          route={route}
          reading={{ kinds: ["greeting"] }}
          call={(client, request, options) => client.listGreetings(request, options)}
          rows={({ greetings }) => greetings}
          columns={COLUMNS}
          about={({ greetingId }) => ({
            key: greetingId,
            "data-testid": "greeting-row",
            "data-greeting-id": greetingId,
          })}
          empty="No greeting was sent yet. Send one with the form."
          writes={writes}
        />
      </WithForm>
    </>
  );
}
