// Leads from a customer's id, wherever it stands, to the customer's page.
import { customerHash } from "../router";

export function CustomerLink({ id }: { id: string }) {
  return <a href={customerHash(id)}>{id}</a>;
}
