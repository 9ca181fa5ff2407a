// Pictures of every view as visitors have it, for people to look at: kept by CI, compared by nobody,
// because fonts differ from machine to machine.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { DESKTOP, PHONE, visitor } from '../ground/browser.js';
import { ROOT } from '../ground/process.js';
import { scene } from '../ground/scene.js';
import { ALL_VIEWS, open, tandemWithRows } from '../ground/views.js';

const FOLDER = join(ROOT, 'target/web-screenshots');
const SCREENS = { desktop: DESKTOP, phone: PHONE };

const shared = scene(tandemWithRows);

test('every view is drawn, light and dark, large and small', async (t) => {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const page = await visitor(t, shared.browser, { viewport, colorScheme });
      for (const [name, route] of ALL_VIEWS) {
        await open(page, shared.server.command, name, route);
        const file = `${name.toLowerCase().replaceAll(' ', '-')}-${screen}-${colorScheme}.png`;
        await page.screenshot({ path: join(FOLDER, file), fullPage: true, animations: 'disabled' });
      }
    }
  }
  t.diagnostic(`screenshots are in ${FOLDER}`);
});
