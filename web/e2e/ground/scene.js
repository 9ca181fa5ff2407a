// What the tests of one file share: a server and a browser, there before the first and gone after
// the last.

import { after, before } from 'node:test';

import { launch } from './browser.js';

/**
 * @template {{ remove: () => Promise<void> }} S
 * @param {() => Promise<S>} start starts the server
 */
export function scene(start) {
  /** @type {{ server: S, browser: import('playwright-core').Browser }} */
  const shared = Object.create(null);
  before(async () => {
    shared.server = await start();
    shared.browser = await launch();
  });
  after(async () => {
    await shared.browser?.close();
    await shared.server?.remove();
  });
  return shared;
}
