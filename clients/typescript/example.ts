// A customer, its orders, and how a user of Tandem sees them.
import { type Client, connect, InvalidArgumentError, TandemError } from "tandem-client/node";

const command = process.env.TANDEM_COMMAND ?? "127.0.0.1:8090";
const addresses = process.env.TANDEM_QUERY ?? "127.0.0.1:8095,127.0.0.1:8096,127.0.0.1:8097";
const query = addresses.split(",");
const clients: Client[] = query.map((address) => connect({ command, query: [address] }));

async function story([client]: [Client, ...Client[]]): Promise<void> {
  const session = client.session();
  const { customer } = await session.createCustomer({ firstName: "Ada", lastName: "Lovelace" });
  const customerId = customer?.customerId ?? "";
  console.log(`registered ${customer?.firstName} ${customer?.lastName}`);

  for (const orderItemName of ["Analytical Engine", "Punched cards", "Coffee"])
    await session.placeOrder({ customerId, orderItemName, orderPlace: "London" });
  console.log("placed 3 orders");

  // Whoever has the receipts sees what was written, at any instance.
  for (const other of clients) {
    const reader = other.session({ receipts: session.receipts });
    const { customer, orders } = await reader.getCustomerOrders({ customerId });
    if (orders.length !== 3) throw new Error(`${orders.length} orders instead of 3`);
    if (other !== clients.at(-1)) continue;
    const whose = `${orders.length} orders of ${customer?.firstName} ${customer?.lastName}`;
    console.log(`read ${whose} from each of ${clients.length} instances`);
  }

  for await (const { orders } of session.watchCustomerOrders({ customerId })) {
    console.log(`watch: ${orders.length} orders`);
    if (orders.length === 4) break;
    await session.placeOrder({ customerId, orderItemName: "Tea", orderPlace: "London" });
  }

  const sizes: number[] = [];
  for await (const { orders } of session.getCustomerOrders({ customerId, pageSize: 2 }).pages())
    sizes.push(orders.length);
  console.log(`pages of 2: ${sizes.join(" ")}`);

  try {
    await session.placeOrder({});
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    console.log(`refused: ${error.reason}`);
    for (const { field, description } of error.violations) console.log(`  ${field} ${description}`);
  }
}

try {
  await story(clients as [Client, ...Client[]]);
} catch (error) {
  if (!(error instanceof TandemError)) throw error;
  console.error(
    `${error.rawMessage}: is Tandem running? Start it with: make run QUERY_INSTANCES=3`,
  );
  process.exitCode = 1;
} finally {
  for (const client of clients) client.close();
}
