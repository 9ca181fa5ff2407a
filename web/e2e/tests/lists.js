// Lists are places that one can come back to: pages, sorting, links, reload, the back button; and
// when there is nothing or nobody answers, the page says that.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { customerRoute, part, said, shows } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

/** @typedef {import('playwright-core').Page} Page */

/** In the order in which they are placed, which is that of their ids too. */
const IDS = Array.from({ length: 70 }, (_, at) => `o-${String(at).padStart(2, '0')}`);

const shared = scene(async () => {
  const tandem = await Tandem.start();
  await tandem.send.createCustomer({ id: 'c-0' });
  // One after the other, so that each has a later time than the one before.
  for (const [at, id] of IDS.entries()) {
    await tandem.send.placeOrder({ id, customer: `c-${at % 3}` });
  }
  return tandem;
});

test('pages are turned forward and back, and keep their place', async (t) => {
  const page = await visitor(t, shared.browser);
  const size = await smallestPages(page);
  const pages = [IDS.slice(0, size), IDS.slice(size, 2 * size)];
  await page.getByLabel('Sort by').selectOption({ label: await option(page, 'Sort by', /order id/i) });
  await shows(page, 'order-row', 'order-id', pages[0]);
  assert.ok(await turn(page, 'Previous page').isDisabled(), 'there is none before the first');
  await turn(page, 'Next page').click();
  await shows(page, 'order-row', 'order-id', pages[1]);
  const second = page.url();
  assert.match(new URL(second).hash, /[?&]page=/);

  await page.reload();
  await shows(page, 'order-row', 'order-id', pages[1]);
  await page.goBack();
  await shows(page, 'order-row', 'order-id', pages[0]);
  await page.goForward();
  await shows(page, 'order-row', 'order-id', pages[1]);
  await turn(page, 'Previous page').click();
  await shows(page, 'order-row', 'order-id', pages[0]);

  const other = await visitor(t, shared.browser);
  await other.goto(second);
  await shows(other, 'order-row', 'order-id', pages[1]);
  await turn(other, 'First page').click();
  await shows(other, 'order-row', 'order-id', pages[0]);
});

test('the last page has no next', async (t) => {
  const page = await visitor(t, shared.browser);
  const size = await smallestPages(page);
  let seen = [];
  for (let last = false; !last; ) {
    await part(page, 'order-row').first().waitFor();
    const before = await said(part(page, 'order-row'), 'order-id');
    seen.push(...before);
    last = await turn(page, 'Next page').isDisabled();
    if (last) break;
    await turn(page, 'Next page').click();
    await part(page, 'order-row', { 'order-id': before[0] ?? '' }).waitFor({ state: 'detached' });
  }
  assert.equal(seen.length, IDS.length);
  assert.deepEqual([...new Set(seen)].sort(), IDS, `each order on one page of ${size}`);
});

test('the newest orders come first when asked for', async (t) => {
  const page = await visitor(t, shared.browser);
  const size = await smallestPages(page);
  await page.getByLabel('Sort by').selectOption({ label: await option(page, 'Sort by', /newest/i) });
  const newest = [...IDS].reverse();
  await shows(page, 'order-row', 'order-id', newest.slice(0, size));
  await page.reload();
  await shows(page, 'order-row', 'order-id', newest.slice(0, size));
  await turn(page, 'Next page').click();
  await shows(page, 'order-row', 'order-id', newest.slice(size, 2 * size));
});

test('back leads to the view before', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(shared.server.command);
  await part(page, 'customer-row', { 'customer-id': 'c-0' }).waitFor();
  assert.match(await page.title(), /^Customers · Tandem$/);
  const nav = page.getByRole('navigation', { name: 'Main', exact: true });
  await nav.getByRole('link', { name: 'Orders', exact: true }).click();
  await part(page, 'order-row').first().waitFor();
  assert.match(await page.title(), /^Orders · Tandem$/);
  assert.equal(await nav.locator('[aria-current="page"]').innerText(), 'Orders');
  await page.goBack();
  await part(page, 'customer-row', { 'customer-id': 'c-0' }).waitFor();
  assert.equal(await nav.locator('[aria-current="page"]').innerText(), 'Customers');
  await page.goto(`${shared.server.command}/${customerRoute('c-0')}`);
  await part(page, 'order-row').first().waitFor();
  await page.goBack();
  await part(page, 'customer-row').first().waitFor();
});

test('a list with nothing in it says so', async (t) => {
  const page = await visitor(t, shared.browser);
  for (const view of ['greetings', 'rejects']) {
    await page.goto(`${shared.server.command}/#/${view}`);
    await page.getByTestId('empty').filter({ hasText: /\S/ }).waitFor();
    assert.equal(await page.getByTestId('error').count(), 0);
  }
});

// The last one, because it stops the server.
test('a list that nobody answers says so, and comes when somebody does', async (t) => {
  const page = await visitor(t, shared.browser, { expected: [/net::ERR_/] });
  await page.goto(shared.server.command);
  await part(page, 'customer-row').first().waitFor();
  await shared.server.stop();
  await page.getByRole('link', { name: 'Orders', exact: true }).click();
  const error = page.getByTestId('error');
  await error.filter({ hasText: /\S/ }).waitFor();
  assert.equal(await error.getAttribute('role'), 'alert');
  const again = error.getByRole('button', { name: 'Try again' });
  const asked = page.waitForRequest((request) => request.url().endsWith('/ListOrders'));
  await again.click();
  await asked;
  await error.waitFor();

  await shared.server.startAgain();
  // It may have tried again by itself by now.
  await again.click({ timeout: 1000 }).catch(() => {});
  await part(page, 'order-row').first().waitFor();
  assert.equal(await error.count(), 0);
});

/**
 * Opens the orders in pages as small as can be chosen, and says how many rows they have.
 * @param {Page} page
 */
async function smallestPages(page) {
  await page.goto(`${shared.server.command}/#/orders`);
  const sizes = await page.getByLabel('Rows per page').locator('option').allInnerTexts();
  const size = Math.min(...sizes.map(Number));
  assert.ok(size * 2 < IDS.length, `no test of pages of ${size} rows with ${IDS.length}`);
  await page.getByLabel('Rows per page').selectOption({ label: String(size) });
  await part(page, 'order-row').nth(size - 1).waitFor();
  await part(page, 'order-row').nth(size).waitFor({ state: 'detached' });
  return size;
}

/**
 * @param {Page} page
 * @param {string} name
 */
const turn = (page, name) => page.getByRole('button', { name, exact: true });

/**
 * The option of a select whose text is like this.
 * @param {Page} page
 * @param {string} label
 * @param {RegExp} text
 */
async function option(page, label, text) {
  const options = await page.getByLabel(label).locator('option').allInnerTexts();
  const found = options.find((one) => text.test(one));
  assert.ok(found, `none of ${options} is ${text}`);
  return found;
}
