// Measures what a read costs through a session, in parts of what it costs through the plain stub.
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QueryService } from "tandem-client";
import { connect } from "tandem-client/node";

const READS = 10_000;
const BLOCK = 500;
const WARM_UP = 2_000;
const ROUNDS = 3;

const address = process.argv[2] ?? "127.0.0.1:8095";
const command = process.env.TANDEM_COMMAND ?? "127.0.0.1:8090";
const client = connect({ command, query: [address] });
const session = client.session();
const made = await session.createCustomer({ firstName: "Ada", lastName: "Lovelace" });
const customerId = made.customer?.customerId ?? "";
const receipts = [made.receipt];

const stub = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${address}` }));
const plain = () =>
  stub.getCustomer({ customerId, freshness: { receipts } }, { timeoutMs: 10_000 });
const layer = () => session.getCustomer({ customerId });

/** CPU time a read, in microseconds. */
async function cost(read: () => Promise<unknown>, reads: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < reads; i++) await read();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / reads;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

// The layer goes first, as it waits for a service that isn't ready yet.
await cost(layer, WARM_UP);
await cost(plain, WARM_UP);
const plains: number[] = [];
const layers: number[] = [];
const ratios: number[] = [];
for (let block = 0; block < (ROUNDS * READS) / BLOCK; block++) {
  // Who goes first takes turns, so that what grows meanwhile counts for both.
  const first = await cost(block % 2 ? layer : plain, BLOCK);
  const second = await cost(block % 2 ? plain : layer, BLOCK);
  const [plainUs, layerUs] = block % 2 ? [second, first] : [first, second];
  plains.push(plainUs);
  layers.push(layerUs);
  ratios.push(layerUs / plainUs);
}
client.close();
const rounded = (number: number, digits: number) => Number(number.toFixed(digits));
console.log(
  JSON.stringify({
    language: "typescript",
    plain_us: rounded(median(plains), 1),
    layer_us: rounded(median(layers), 1),
    ratio: rounded(median(ratios), 3),
  }),
);
process.exit();
