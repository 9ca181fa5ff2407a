// The TypeScript client in a real browser, as a page of somebody's own would use it: the story of the
// examples, a refused command, and an address where nobody listens. What else it does is tested in
// Node (clients/conformance).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { freePort } from '../ground/ports.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

// `make test-web` bundles it.
const CLIENT = new URL('../../../clients/typescript/build/web.js', import.meta.url);

const shared = scene(() => Tandem.start({ instances: 3 }));

test('the client for browsers tells the story', async (t) => {
  const page = await visitor(t, shared.browser, { expected: [/ERR_CONNECTION_REFUSED/] });
  const server = shared.server.command;
  const body = await readFile(CLIENT, 'utf8');
  await page.route(`${server}/client.js`, (route) => route.fulfill({ contentType: 'text/javascript', body }));
  // An answer of the server itself: Chromium lets no page that came from nowhere call this machine.
  await page.goto(`${server}/openapi.json`);
  const hosts = (/** @type {string[]} */ urls) => urls.map((url) => new URL(url).host);
  const told = await page.evaluate(story, {
    command: hosts([server])[0],
    query: hosts(shared.server.queries),
    nobody: `127.0.0.1:${await freePort()}`,
  });
  assert.deepEqual(told, {
    read: [3, 3, 3],
    watched: [3, 4],
    pages: [2, 2],
    refused: ['INVALID_REQUEST', ['customer_id', 'order_item_name']],
    away: [true, 'UNAVAILABLE'],
  });
});

/**
 * Runs in the page.
 * @param {{ command: string, query: string[], nobody: string }} at
 */
async function story({ command, query, nobody }) {
  const path = '/client.js';
  const { connect, UnavailableError } = await import(path);
  const client = connect({ command, query });
  const session = client.session();
  const { customer } = await session.createCustomer({ firstName: 'Ada', lastName: 'Lovelace' });
  const customerId = customer.customerId;
  const order = () => session.placeOrder({ customerId, orderItemName: 'Punched cards' });
  for (let i = 0; i < 3; i++) await order();

  const read = [];
  for (const address of query) {
    const other = connect({ command, query: [address] });
    const { orders } = await other.session({ receipts: session.receipts }).getCustomerOrders({ customerId });
    read.push(orders.length);
    other.close();
  }
  const watched = [];
  for await (const { orders } of session.watchCustomerOrders({ customerId })) {
    watched.push(orders.length);
    if (watched.length === 2) break;
    await order();
  }
  const pages = [];
  for await (const { orders } of session.getCustomerOrders({ customerId, pageSize: 2 }).pages()) {
    pages.push(orders.length);
  }
  const refused = await session.placeOrder({}).catch((error) => error);
  const nowhere = connect({ command: nobody, query: [nobody], timeoutMs: 3000 });
  const away = await nowhere.session().getCustomer({ customerId }).catch((error) => error);
  client.close();
  nowhere.close();
  return {
    read,
    watched,
    pages,
    refused: [refused.reason, refused.violations.map(({ field }) => field)],
    away: [away instanceof UnavailableError, away.reason],
  };
}
