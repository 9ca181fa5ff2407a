// A query service that dies or is stopped on Kafka is no end for whoever looks at the page: it says
// so, and goes on with another one by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { eventually, PATIENCE } from '../ground/eventually.js';
import { OnKafka } from '../ground/kafka.js';
import { customerRoute, form, part, said } from '../ground/page.js';
import { scene } from '../ground/scene.js';

/** Set a shares the shards between two; set b has all of them in one. */
const IDS = ['a-1', 'a-2', 'b-1'];
const ALL_SHARDS = '0,1,2,3';
/** A service that is gone refuses connections, or ends those it had; browsers say so by themselves. */
const GONE = [/net::ERR_/];

const shared = scene(() => OnKafka.start(IDS));

test('watching goes on when the query service is killed that the page is connected to', async (t) => {
  const { command, send } = shared.server;
  const { page, connected, watched } = await watching(t, 'ada');
  await send.placeOrder({ id: 'before', customer: 'ada' });
  await part(page, 'order-row', { 'order-id': 'before' }).waitFor();

  const shownStates = await rememberStates(page);
  await connected.process.kill9();
  await page.getByTestId('went-on').waitFor();
  const state = await part(page, 'watch-state').innerText();
  const words = `${state} ${await page.getByTestId('went-on').innerText()}`;
  assert.ok(words.includes(new URL(connected.url).host), `it says which service was lost: ${words}`);
  await part(page, 'watch-state', { state: 'live' }).waitFor();
  assert.ok((await shownStates()).includes('reconnecting'), 'it said that it lost the service');
  assert.notEqual(watched(), connected.url);

  await send.placeOrder({ id: 'after', customer: 'ada' });
  await part(page, 'order-row', { 'order-id': 'after' }).waitFor();
  // The form of the same page works too: what it reads back comes from another service now.
  const order = form(page, 'Place order');
  await order.fill({ 'Order id': 'by-form', Item: 'Engine' });
  await order.submit();
  await part(page, 'order-row', { 'order-id': 'by-form' }).getByTestId('visible-after').waitFor();
  assert.equal(page.url(), `${command}/${customerRoute('ada')}`);
  connected.start();
});

test('watching goes on when that query service hangs, and nothing ends the connection', async (t) => {
  const { page, connected, watched } = await watching(t, 'grace');
  t.after(() => connected.process.thaw());
  connected.process.freeze();
  await page.getByTestId('went-on').waitFor({ timeout: PATIENCE });
  await part(page, 'watch-state', { state: 'live' }).waitFor();
  assert.notEqual(watched(), connected.url);
  await shared.server.send.placeOrder({ id: 'after', customer: 'grace' });
  await part(page, 'order-row', { 'order-id': 'after' }).waitFor();
});

test('the picture shows how an instance goes, and who takes over its shards', async (t) => {
  await eachSetServesAll(t);
  const page = await visitor(t, shared.browser, { expected: GONE });
  await page.goto(`${shared.server.command}/#/cluster`);
  const box = (/** @type {string} */ id) => part(page.getByTestId('cluster'), 'instance', { instance: id });
  for (const id of IDS) await box(id).waitFor();
  const held = (/** @type {string} */ id) => said(part(box(id), 'shard', { state: 'serving' }), 'shard');
  assert.equal((await held('a-2')).length, 2, 'the set shares the shards evenly');
  await page.evaluate(() => (document.documentElement.dataset.loadedOnce = 'yes'));

  const stopped = shared.server.queries.find(({ id }) => id === 'a-2');
  const gone = part(page, 'gone', { instance: 'a-2' });
  await Promise.all([stopped?.process.stop(), gone.waitFor()]);
  assert.equal(await box('a-2').count(), 0, 'what is gone is not drawn as if it were there');
  await eventually('a-1 serves all shards of its set', async () => (await held('a-1')).sort().join() === ALL_SHARDS);
  await gone.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.documentElement.dataset.loadedOnce), 'yes');

  stopped?.start();
  await box('a-2').waitFor();
  await eventually('a-2 has shards again', async () => (await held('a-2')).length === 2);
});

/**
 * A page that watches a customer, and the query service that it is connected to.
 * @param {import('node:test').TestContext} t
 * @param {string} customer
 */
async function watching(t, customer) {
  await eachSetServesAll(t);
  const page = await visitor(t, shared.browser, { expected: GONE });
  const { command, queries } = shared.server;
  let watched = '';
  page.on('request', (request) => {
    if (request.url().endsWith('/WatchCustomerOrders')) watched = new URL(request.url()).origin;
  });
  await page.goto(`${command}/${customerRoute(customer)}`);
  await part(page, 'watch-state', { state: 'live' }).waitFor();
  const connected = queries.find(({ url }) => url === watched);
  assert.ok(connected, `the page watches ${watched}, none of ${queries.map(({ url }) => url)}`);
  return { page, connected, watched: () => watched };
}

/**
 * Waits until each of both sets serves every shard, as a visitor sees it.
 * @param {import('node:test').TestContext} t
 */
async function eachSetServesAll(t) {
  const page = await visitor(t, shared.browser, { expected: GONE });
  await page.goto(`${shared.server.command}/#/cluster`);
  for (const set of ['a', 'b']) {
    await eventually(`set ${set} serves every shard`, async () => {
      const shards = part(part(page, 'replica-set', { 'replica-set': set }), 'shard', { state: 'serving' });
      return (await said(shards, 'shard')).sort().join() === ALL_SHARDS;
    });
  }
  await page.context().close();
}

/**
 * Every state of watching that is shown from now on, however short.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<() => Promise<(string | null)[]>>}
 */
async function rememberStates(page) {
  await page.evaluate(() => {
    /** @type {(string | null | undefined)[]} */ const states = [];
    new MutationObserver(() => {
      states.push(document.querySelector('[data-testid="watch-state"]')?.getAttribute('data-state'));
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
    Object.assign(window, { shownStates: states });
  });
  return () => page.evaluate(() => /** @type {any} */ (window).shownStates);
}
