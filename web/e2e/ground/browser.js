// Chromium as visitors use it, and what no visit may show: an error in the console, a violation of
// the content security policy, a script's error, a dialog that came out of data.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

/** What is awaited in a page; the machine may be building something meanwhile. */
const PATIENCE = 20_000;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
// Chromium on its own calls home, which tests must not; as root it has no sandbox.
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('playwright-core').Page} Page */
/**
 * @typedef {import('playwright-core').BrowserContextOptions & { expected?: RegExp[] }} Visit
 * `expected` are the faults that this visit may show.
 */

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 900 };

/** Ends with this process, however that ends: it hangs on a pipe. */
export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/**
 * A page in a browser context of its own, as another visitor would have it. The test fails at its
 * end if the visit showed a fault.
 * @param {TestContext} t
 * @param {Browser} browser
 * @param {Visit} [options]
 * @returns {Promise<Page>}
 */
export async function visitor(t, browser, { expected = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  /** @type {string[]} */ const faults = [];
  const fault = (/** @type {string} */ text) => {
    if (!expected.some((pattern) => pattern.test(text))) faults.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error') fault(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => fault(`${error.stack ?? error}`));
  page.on('dialog', async (dialog) => {
    fault(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, [], 'the visit showed faults');
  });
  return page;
}
