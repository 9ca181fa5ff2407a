// All customers, finding one by its id, and registering one.
import { useState } from "preact/hooks";
import type { Customer } from "../gen/tandem/v1/model_pb";
import { customerHash, type Route } from "../router";
import { go } from "../state/address";
import { CustomerLink } from "../ui/customer-link";
import type { Column } from "../ui/data-table";
import { Heading } from "../ui/heading";
import { List } from "../ui/list";
import { RegisterCustomer } from "../ui/register-customer";
import { WithForm } from "../ui/with-form";

const COLUMNS: readonly Column<Customer>[] = [
  { head: "Customer id", kind: "id", cell: ({ customerId }) => <CustomerLink id={customerId} /> },
  { head: "Name", cell: ({ firstName, lastName }) => `${firstName} ${lastName}`.trim() },
  { head: "Email", cell: ({ email }) => email },
  { head: "Phone", kind: "id", cell: ({ phone }) => phone },
];

export function CustomersView({ route }: { route: Route }) {
  const [writes, setWrites] = useState(0);
  return (
    <>
      <Heading text="Customers">
        <FindCustomer />
      </Heading>
      <WithForm label="Register" form={<RegisterCustomer wrote={() => setWrites((count) => count + 1)} />}>
        <List
          name="Customers"
          route={route}
          reading={{ kinds: ["customer"] }}
          call={(client, request, options) => client.listCustomers(request, options)}
          rows={({ customers }) => customers}
          columns={COLUMNS}
          about={({ customerId }) => ({
            key: customerId,
            "data-testid": "customer-row",
            "data-customer-id": customerId,
          })}
          empty="No customer is registered yet. Register one with the form."
          writes={writes}
        />
      </WithForm>
    </>
  );
}

function FindCustomer() {
  const [id, setId] = useState("");
  return (
    <form
      class="find"
      role="search"
      aria-label="Find customer"
      onSubmit={(event) => {
        event.preventDefault();
        if (id !== "") go(customerHash(id));
      }}
    >
      <input
        type="search"
        aria-label="Find customer by id"
        placeholder="Customer id"
        autoComplete="off"
        autoCapitalize="off"
        spellcheck={false}
        value={id}
        onInput={(event) => setId(event.currentTarget.value)}
      />
      <button type="submit">Find</button>
    </form>
  );
}
