// The form that registers a customer.
import { commandClient } from "../grpc/services";
import { keepReceipt } from "../grpc/receipts";
import { CommandForm } from "./command-form";
import { CustomerLink } from "./customer-link";

const FIELDS = [
  { name: "customer_id", label: "Customer id", hint: "Made by the server if left empty" },
  { name: "first_name", label: "First name" },
  { name: "last_name", label: "Last name" },
  { name: "email", label: "Email", mode: "email" },
  { name: "phone", label: "Phone", mode: "tel" },
] as const;

export function RegisterCustomer({ wrote }: { wrote(): void }) {
  return (
    <CommandForm
      name="Register customer"
      draft="register-customer"
      fields={FIELDS}
      send={async ({ values, requestId, options }) => {
        const { customer, receipt } = await commandClient().createCustomer(
          {
            customerId: values.customer_id!,
            firstName: values.first_name!,
            lastName: values.last_name!,
            email: values.email!,
            phone: values.phone!,
            requestId,
          },
          options,
        );
        const customerId = customer?.customerId ?? "";
        keepReceipt({ kind: "customer", customerId }, receipt);
        wrote();
        return (
          <p>
            Customer <CustomerLink id={customerId} /> was written.
          </p>
        );
      }}
    />
  );
}
