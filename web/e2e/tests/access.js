// The page is for everybody: screen readers, keyboards alone, small screens, dark rooms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import axe from 'axe-core';

import { PHONE, visitor } from '../ground/browser.js';
import { form, part } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { ALL_VIEWS, open, tandemWithRows } from '../ground/views.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Locator} Locator */

/** More than there are things to stop at in any view of these tests. */
const MOST_TABS = 120;

const shared = scene(tandemWithRows);

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing serious, ${colorScheme}`, async (t) => {
    const page = await visitor(t, shared.browser, { colorScheme });
    const found = [];
    for (const [name, route] of ALL_VIEWS) {
      await open(page, shared.server.command, name, route);
      found.push(...(await violations(page)).map((one) => `${name}: ${one}`));
    }
    await page.goto(shared.server.command);
    await form(page, 'Register customer').submit();
    await page.locator('[aria-invalid="true"]').first().waitFor();
    found.push(...(await violations(page)).map((one) => `faults: ${one}`));
    assert.deepEqual(found, []);
  });
}

test('a small screen is not scrolled sideways', async (t) => {
  const page = await visitor(t, shared.browser, { viewport: PHONE, hasTouch: true });
  const tooWide = [];
  for (const [name, route] of ALL_VIEWS) {
    await open(page, shared.server.command, name, route);
    const [needs, has, widest] = await page.evaluate(() => {
      const ends = [...document.querySelectorAll('main *')].map((one) =>
        /** @type {const} */ ([one.getBoundingClientRect().right, one.outerHTML.slice(0, 120)]));
      const [, widest] = ends.reduce((one, other) => (other[0] > one[0] ? other : one));
      return [document.scrollingElement?.scrollWidth ?? 0, window.innerWidth, widest];
    });
    if (needs > PHONE.width || has > PHONE.width) tooWide.push(`${name}: ${needs} of ${has}: ${widest}`);
  }
  assert.deepEqual(tooWide, []);
});

test('a keyboard is enough to register a customer and place an order', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(shared.server.command);
  await part(page, 'customer-row').first().waitFor();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  assert.ok(await hasFocus(skip), 'the first stop leads past the navigation');
  assert.ok(await skip.isVisible());

  const register = form(page, 'Register customer');
  for (const [label, text] of [['Customer id', 'keys'], ['First name', 'Mary'], ['Last name', 'Somerville']]) {
    await tabTo(page, register.field(label));
    await page.keyboard.type(text);
  }
  await tabTo(page, register.whole.getByRole('button', { name: 'Register customer' }));
  await page.keyboard.press('Enter');
  const row = part(page, 'customer-row', { 'customer-id': 'keys' });
  await row.waitFor();

  await tabTo(page, row.getByRole('link').first());
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { level: 1, name: /Mary Somerville/ });
  await heading.waitFor();
  const order = form(page, 'Place order');
  await tabTo(page, order.field('Item'));
  await page.keyboard.type('On the Connexion');
  await page.keyboard.press('Enter');
  await part(page, 'order-row').filter({ hasText: 'On the Connexion' }).waitFor();
});

/**
 * What axe finds serious or critical here, a line each.
 * @param {Page} page
 */
async function violations(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run());
  return violations
    .filter((/** @type {axe.Result} */ { impact }) => impact === 'serious' || impact === 'critical')
    .map((/** @type {axe.Result} */ { id, help, nodes }) =>
      `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

/** @param {Locator} element */
const hasFocus = (element) => element.evaluate((one) => one === document.activeElement);

/**
 * Goes there with the tabulator alone, round the page if it has to.
 * @param {Page} page
 * @param {Locator} element
 */
async function tabTo(page, element) {
  for (let tabs = 0; tabs < MOST_TABS; tabs++) {
    if (await hasFocus(element)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${element} is not among the ${MOST_TABS} next stops`);
}
