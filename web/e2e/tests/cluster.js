// The picture of the cluster is the cluster: as many boxes as instances, every shard in one of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { eventually } from '../ground/eventually.js';
import { customerRoute, part, said } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

const shared = scene(() => Tandem.start({ instances: 3 }));

test('three instances are three boxes, and every shard is served in one of them', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/#/cluster`);
  const cluster = page.getByTestId('cluster');
  await eventually('three boxes have four shards that are served', async () => {
    const boxes = await said(part(cluster, 'instance'), 'instance');
    const shards = await said(part(cluster, 'shard', { state: 'serving' }), 'shard');
    return new Set(boxes).size === 3 && shards.sort().join() === '0,1,2,3';
  });
  assert.equal(await part(cluster, 'replica-set').count(), 1);
  assert.equal(await part(cluster, 'instance', { suspect: true }).count(), 0);

  const table = page.getByRole('table', { name: 'Instances' });
  for (const url of shared.server.queries) {
    await table.getByRole('row').filter({ hasText: new URL(url).host }).first().waitFor();
  }
});

test('the instance that answered last is marked', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/${customerRoute('ada')}`);
  const served = part(page, 'served').filter({ hasText: /\S/ });
  await served.waitFor();
  const instance = await served.getAttribute('data-instance');
  assert.match((await served.getAttribute('data-forwarded')) ?? '', /^(true|false)$/);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Cluster' }).click();
  await part(page, 'instance', { answered: true }).waitFor();
  assert.deepEqual(await said(part(page, 'instance', { answered: true }), 'instance'), [instance]);
});
