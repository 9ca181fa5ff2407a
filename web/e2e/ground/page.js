// The page by the names that people and screen readers know its parts by.

import assert from 'node:assert/strict';

import { eventually } from './eventually.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Locator} Locator */

/** Every view, by its link in the navigation and its address. */
export const VIEWS = {
  Customers: '#/customers',
  Orders: '#/orders',
  'Customer orders': '#/customer-orders',
  Greetings: '#/greetings',
  Cluster: '#/cluster',
  Rejects: '#/rejects',
};

/** @param {string} id */
export const customerRoute = (id) => `#/customers/${encodeURIComponent(id)}`;

/**
 * A form by its name, filled in field by field.
 * @param {Page} page
 * @param {string} name
 */
export function form(page, name) {
  const whole = page.getByRole('form', { name, exact: true });
  const field = (/** @type {string} */ label) => whole.getByRole('textbox', { name: label, exact: true });
  return {
    whole,
    field,
    /** Once it says something: it is there before, so that screen readers hear it change. */
    sent: whole.getByTestId('sent').filter({ hasText: /\S/ }),
    /** @param {Record<string, string>} texts */
    async fill(texts) {
      for (const [label, text] of Object.entries(texts)) await field(label).fill(text);
    },
    submit: () => whole.getByRole('button', { name, exact: true }).click(),
  };
}

/**
 * Parts of the page that stand for one thing, as a row or a shard does.
 * @param {Page | Locator} within
 * @param {string} testId
 * @param {Record<string, string | number | boolean>} data what its data-* attributes say
 */
export function part(within, testId, data = {}) {
  const said = Object.entries(data).map(([name, value]) => `[data-${name}=${JSON.stringify(`${value}`)}]`);
  return within.locator(`[data-testid="${testId}"]${said.join('')}`);
}

/**
 * What this data-* attribute says at each of them, in the page's order.
 * @param {Locator} parts
 * @param {string} name
 */
export function said(parts, name) {
  return parts.evaluateAll((all, key) => all.map((one) => one.getAttribute(key)), `data-${name}`);
}

/**
 * Waits until rows with these values of a data-* attribute are there, and no others.
 * @param {Page} page
 * @param {string} testId
 * @param {string} name
 * @param {string[]} expected
 */
export async function shows(page, testId, name, expected) {
  let found;
  await eventually(`rows ${expected}`, async () => {
    found = await said(part(page, testId), name);
    return JSON.stringify(found) === JSON.stringify(expected);
  }).catch((error) => assert.deepEqual(found, expected, String(error)));
}

/**
 * Waits until the view's content is there, whatever it is.
 * @param {Page} page
 */
export async function loaded(page) {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await eventually('nothing is loading', async () => (await page.getByTestId('loading').count()) === 0);
}
