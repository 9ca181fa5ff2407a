// Calls over gRPC-Web, without a generated client: what the page is tested against must not be made
// by the page's own code. All fields that tests send are text.

/**
 * A protobuf message of text fields, by their numbers.
 * @param {Record<number, string>} fields
 */
function encoded(fields) {
  const parts = Object.entries(fields).map(([number, text]) => {
    const bytes = Buffer.from(text);
    return Buffer.concat([varint((Number(number) << 3) | 2), varint(bytes.length), bytes]);
  });
  return Buffer.concat(parts);
}

/** @param {number} value */
function varint(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/**
 * @param {string} url of the service
 * @param {string} method with its service, as in the contract
 * @param {Record<number, string>} fields
 */
export async function call(url, method, fields) {
  const message = encoded(fields);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  const answer = await fetch(`${url}/tandem.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
    body: Buffer.concat([frame, message]),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  const status = answer.headers.get('grpc-status') ?? trailers(body).match(/grpc-status: *(\d+)/i)?.[1];
  if (status !== '0') {
    throw new Error(`${method}: HTTP ${answer.status}, grpc-status ${status}: ${body}`);
  }
}

/**
 * The last frame of an answer, told by the highest bit of its first byte.
 * @param {Buffer} body
 */
function trailers(body) {
  let at = 0;
  while (at + 5 <= body.length && !(body[at] & 128)) at += 5 + body.readUInt32BE(at + 1);
  return body.toString('latin1', at + 5);
}

/**
 * The commands that tests send where no form is tested.
 * @param {string} url of a command service
 */
export function commands(url) {
  return {
    /** @param {{ id: string, first?: string, last?: string, email?: string }} customer */
    createCustomer: ({ id, first = 'Ada', last = 'Lovelace', email = '' }) =>
      call(url, 'CommandService/CreateCustomer', { 1: id, 2: first, 3: last, 4: email }),
    /** @param {{ id: string, customer: string, item?: string, place?: string }} order */
    placeOrder: ({ id, customer, item = 'Engine', place = '' }) =>
      call(url, 'CommandService/PlaceOrder', { 1: id, 2: customer, 3: item, 4: place }),
    /** @param {{ id: string, customer: string }} order */
    cancelOrder: ({ id, customer }) =>
      call(url, 'CommandService/CancelOrder', { 1: id, 2: customer }),
    /** @param {{ id: string, message: string }} greeting */
    sendGreeting: ({ id, message }) =>
      call(url, 'CommandService/SendGreeting', { 1: id, 2: message }),
  };
}

/**
 * Fails unless this query service can have the rows of every shard.
 * @param {string} url
 */
export async function servesAll(url) {
  await call(url, 'QueryService/ListCustomers', {});
  return true;
}
