// Every view with something in it, for what has to hold on all of them.

import { customerRoute, loaded, part, VIEWS } from './page.js';
import { Tandem } from './tandem.js';

/** Too long for a phone, and without a place to break it. */
const LONG = 'customer-with-an-identifier-that-is-as-long-as-identifiers-get-'.repeat(2);

/** A server with rows of every kind. */
export async function tandemWithRows() {
  const tandem = await Tandem.start({ instances: 3 });
  const { send } = tandem;
  await send.createCustomer({ id: 'ada', email: 'ada@example.org' });
  await send.createCustomer({ id: 'grace', first: 'Grace', last: 'Hopper' });
  await send.createCustomer({ id: LONG, first: 'Bartholomew'.repeat(8), last: 'x'.repeat(200) });
  for (let at = 0; at < 30; at++) {
    await send.placeOrder({ id: `o-${at}`, customer: 'ada', item: 'Analytical Engine', place: 'London' });
  }
  await send.placeOrder({ id: LONG, customer: LONG, item: 'word'.repeat(100), place: 'y'.repeat(100) });
  await send.sendGreeting({ id: 'g-1', message: `Hello ${'w'.repeat(200)}` });
  await send.cancelOrder({ id: 'never-placed', customer: 'ada' });
  return tandem;
}

/** What has to be seen in a view before it is looked at, by its name. */
const ROWS = {
  Customers: 'customer-row',
  Orders: 'order-row',
  'Customer orders': 'joined-row',
  Greetings: 'greeting-row',
  Cluster: 'shard',
  Rejects: 'reject-row',
  'One customer': 'order-row',
  'A long customer': 'order-row',
};

export const ALL_VIEWS = Object.entries({
  ...VIEWS,
  'One customer': customerRoute('ada'),
  'A long customer': customerRoute(LONG),
});

/**
 * Opens a view and waits until its rows are there.
 * @param {import('playwright-core').Page} page
 * @param {string} url of the command service
 * @param {string} name
 * @param {string} route
 */
export async function open(page, url, name, route) {
  await page.goto(`${url}/${route}`);
  await loaded(page);
  await part(page, ROWS[/** @type {keyof typeof ROWS} */ (name)]).first().waitFor();
}
