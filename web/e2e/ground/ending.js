// What a test made has to go with it also when it is interrupted, where no hook of a test runs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @type {Set<() => void>} */
const endings = new Set();

process.on('exit', () => {
  for (const end of [...endings].reverse()) end();
});
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.on(signal, () => process.exit(128 + number));
}

/**
 * Has this done when the process ends, the latest first, unless it was done before.
 * @param {() => void} end has to be done when it returns
 * @returns {() => void} does it now
 */
export function atTheEnd(end) {
  endings.add(end);
  return () => {
    if (endings.delete(end)) end();
  };
}

/** A new folder, and what removes it. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'tandem-web-'));
  // A process that was killed just now may still be writing its last file.
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  return { path, remove: atTheEnd(remove) };
}
