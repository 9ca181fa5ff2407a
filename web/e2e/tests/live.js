// Two visitors look at one customer: what one does, the other sees without a reload, and text that
// looks like markup is text for both.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { customerRoute, form, part } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

const IMAGE = '<img src=x onerror=alert(1)>';
const SCRIPT = '<script>alert(2)</script>';
const LINK = '"><a href="javascript:alert(3)">click</a>';

const shared = scene(() => Tandem.start());

test('a second browser sees what the first one does, as text', async (t) => {
  const [one, other] = [await visitor(t, shared.browser), await visitor(t, shared.browser)];
  const home = shared.server.command;
  await other.goto(`${home}/${customerRoute('eve')}`);
  await isLive(other);
  await other.evaluate(() => (document.documentElement.dataset.loadedOnce = 'yes'));

  await one.goto(home);
  const register = form(one, 'Register customer');
  await register.fill({ 'Customer id': 'eve', 'First name': IMAGE, 'Last name': SCRIPT, Email: LINK });
  await register.submit();
  const listed = part(one, 'customer-row', { 'customer-id': 'eve' });
  for (const text of [IMAGE, SCRIPT, LINK]) await listed.filter({ hasText: text }).waitFor();
  await inHeading(other, IMAGE);
  await inHeading(other, SCRIPT);

  await one.goto(`${home}/${customerRoute('eve')}`);
  await inHeading(one, SCRIPT);
  await isLive(one);
  const order = form(one, 'Place order');
  await order.fill({ 'Order id': LINK, Item: IMAGE, Place: SCRIPT });
  await order.submit();
  for (const page of [one, other]) {
    const row = page.locator('[data-testid="order-row"]').filter({ hasText: IMAGE });
    await row.filter({ hasText: SCRIPT }).waitFor();
    assert.equal(await row.getAttribute('data-order-id'), LINK);
    await nothingWasMade(page);
  }
  const arrived = part(other, 'order-row', { live: true });
  await arrived.filter({ hasText: IMAGE }).waitFor();
  assert.equal(await other.evaluate(() => document.documentElement.dataset.loadedOnce), 'yes');

  for (const view of ['#/orders', '#/customer-orders']) {
    await one.goto(`${home}/${view}`);
    await one.getByText(IMAGE, { exact: false }).first().waitFor();
    await nothingWasMade(one);
  }
});

test('orders come in the order in which others place them, however fast', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/${customerRoute('fast')}`);
  await isLive(page);
  const ids = Array.from({ length: 50 }, (_, at) => `o-${String(at).padStart(2, '0')}`);
  await Promise.all(ids.map((id) => shared.server.send.placeOrder({ id, customer: 'fast' })));
  await part(page, 'order-row').nth(ids.length - 1).waitFor();
  const shown = await part(page, 'order-row').evaluateAll((rows) =>
    rows.map((row) => /** @type {HTMLElement} */ (row).dataset.orderId));
  assert.deepEqual(shown, ids);
});

test('a tab that was hidden has everything when it is shown again', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/${customerRoute('hidden')}`);
  await isLive(page);
  await setVisibility(page, 'hidden');
  await part(page, 'watch-state', { state: 'paused' }).waitFor();
  await shared.server.send.placeOrder({ id: 'meanwhile', customer: 'hidden' });
  await setVisibility(page, 'visible');
  await part(page, 'order-row', { 'order-id': 'meanwhile' }).waitFor();
  await isLive(page);
});

/** @param {import('playwright-core').Page} page */
const isLive = (page) => part(page, 'watch-state', { state: 'live' }).waitFor();

/**
 * @param {import('playwright-core').Page} page
 * @param {string} text
 */
const inHeading = (page, text) =>
  page.getByRole('heading', { level: 1 }).filter({ hasText: text }).waitFor();

/**
 * No element came out of the data.
 * @param {import('playwright-core').Page} page
 */
async function nothingWasMade(page) {
  const made = 'img[src="x"], body script:not([src]), a[href^="javascript:"]';
  assert.equal(await page.locator(made).count(), 0, 'data became markup');
}

/**
 * Headless Chromium shows every tab at all times, so the page is told that it doesn't.
 * @param {import('playwright-core').Page} page
 * @param {'hidden' | 'visible'} state
 */
async function setVisibility(page, state) {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => now === 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}
