// What could not be folded is shown with the place on the log where it lies, and why.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { part } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

const shared = scene(() => Tandem.start());

test('an order that is cancelled without being there shows among the rejects', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/#/rejects`);
  await page.getByTestId('empty').waitFor();
  await shared.server.send.cancelOrder({ id: 'never-placed', customer: 'ada' });
  await page.reload();
  const row = part(page, 'reject-row');
  await row.waitFor();
  assert.match((await row.getAttribute('data-topic')) ?? '', /order/);
  assert.match((await row.getAttribute('data-partition')) ?? '', /^[0-3]$/);
  assert.equal(await row.getAttribute('data-offset'), '0', 'the first record of that partition');
  const text = await row.innerText();
  assert.match(text, /never-placed|not there|no such/i, 'the reason');
  assert.match(text, /no[ _]such[ _]row/i, 'the code');
});
