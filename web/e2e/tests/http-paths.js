// The HTTP paths keep what /openapi.json promises of them, judged from outside, on a server that has
// the ids that its examples name.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { atTheEnd } from '../ground/ending.js';
import { ROOT } from '../ground/process.js';
import { tandemWithRows } from '../ground/views.js';

test('schemathesis finds nothing', async (t) => {
  const tandem = await tandemWithRows();
  t.after(() => tandem.remove());
  const script = resolve(ROOT, 'scripts/schemathesis.sh');
  const words = ['--pdeathsig', 'TERM', '--', script, tandem.command, tandem.queries[0]];
  const judging = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  // It has children of its own, so all of its group is ended.
  const end = atTheEnd(() => {
    if (judging.exitCode === null && judging.pid) process.kill(-judging.pid, 'SIGKILL');
  });
  let report = '';
  judging.stdout.setEncoding('utf8').on('data', (text) => (report += text));
  const [code] = await once(judging, 'close');
  end();
  const lines = report.split('\n');
  for (const line of lines.filter((one) => /generated|Tested:/.test(one))) t.diagnostic(line.trim());
  assert.equal(code, 0, report);
});
