// What goes over the wire before anything is seen: how much it is, and what the browser is forbidden
// to do with it; and forms that work without any script.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { loaded, part } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

const MOST_BYTES = 150_000;
const IMAGE = '<img src=x onerror=alert(1)>';

const shared = scene(() => Tandem.start({ instances: 2 }));

test('the security policy forbids what the page has no need of', async () => {
  const answer = await fetch(shared.server.command);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  const policy = answer.headers.get('content-security-policy') ?? '';
  const directives = Object.fromEntries(policy.split(';').map((one) => {
    const [name, ...sources] = one.trim().split(/\s+/);
    return [name, sources.sort()];
  }));
  const queries = shared.server.queries;
  assert.deepEqual(directives, {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'"],
    'connect-src': ["'self'", ...queries].sort(),
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
  });
  const html = await answer.text();
  assert.ok(html.includes(queries.join(' ')), 'the page is told where the query services are');
  assert.ok(!html.includes('__TANDEM_QUERY__'));
});

test('the first load is small', async (t) => {
  const page = await visitor(t, shared.browser);
  /** @type {Promise<[string, number, string | undefined]>[]} */ const loads = [];
  page.on('requestfinished', (request) => {
    if (request.url().includes('/tandem.v1.')) return;
    loads.push((async () => {
      const [sizes, answer] = [await request.sizes(), await request.response()];
      const encoding = await answer?.headerValue('content-encoding');
      return [new URL(request.url()).pathname, sizes.responseBodySize, encoding ?? undefined];
    })());
  });
  await page.goto(shared.server.command, { waitUntil: 'networkidle' });
  await loaded(page);
  const files = await Promise.all(loads);
  for (const [path, , encoding] of files) {
    if (/\.(js|css)$/.test(path)) assert.match(encoding ?? 'none', /^(gzip|br|zstd)$/, path);
  }
  const total = files.reduce((sum, [, size]) => sum + size, 0);
  t.diagnostic(`the first load is ${total} bytes in ${files.length} files`);
  assert.ok(files.length >= 3 && total > 1000, `no page: ${files.join(' ')}`);
  assert.ok(total < MOST_BYTES, files.join(' '));
});

test('a browser without scripts can post a form, and gets a page with its text', async (t) => {
  const page = await visitor(t, shared.browser, { javaScriptEnabled: false });
  const blank = `${shared.server.command}/a-form`;
  await page.route(blank, (route) => route.fulfill({
    contentType: 'text/html',
    body: `<!doctype html><title>Form</title><form method="post" action="/create-customer">
      <input name="customerId" value="plain"><input name="lastName" value="Babbage">
      <input name="firstName" value="${IMAGE.replace('<', '&lt;')}"><button>Send</button></form>`,
  }));
  await page.goto(blank);
  const [answer] = await Promise.all([
    page.waitForResponse(`${shared.server.command}/create-customer`),
    page.getByRole('button').click(),
  ]);
  assert.match((await answer.headerValue('content-type')) ?? '', /^text\/html/);
  assert.ok(answer.ok(), `HTTP ${answer.status()}`);
  await page.getByText('plain').first().waitFor();
  await page.getByText(IMAGE).first().waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);

  const reader = await visitor(t, shared.browser);
  await reader.goto(shared.server.command);
  await part(reader, 'customer-row', { 'customer-id': 'plain' }).filter({ hasText: IMAGE }).waitFor();
});

test('a plain form that is faulty is answered by a page that says why', async (t) => {
  const page = await visitor(t, shared.browser);
  const answer = await page.request.post(`${shared.server.command}/create-customer`, {
    form: { customerId: `${IMAGE}\n`, email: 'no name' },
    headers: { accept: 'text/html' },
  });
  assert.equal(answer.status(), 400);
  assert.match(answer.headers()['content-type'], /^text\/html/);
  const html = await answer.text();
  for (const field of ['customerId', 'firstName', 'lastName']) assert.ok(html.includes(field), html);
  assert.ok(!html.includes('<img'), 'what was sent is text there');
});
