// Whoever fills in the forms sees what became of it: rows that arrive, or what was wrong, at the
// field where it was.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visitor } from '../ground/browser.js';
import { eventually } from '../ground/eventually.js';
import { customerRoute, form, part, shows } from '../ground/page.js';
import { scene } from '../ground/scene.js';
import { Tandem } from '../ground/tandem.js';

const shared = scene(() => Tandem.start());

test('faults are shown at their fields, all at once, and nothing is written', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(shared.server.command);
  await page.getByTestId('empty').waitFor();
  const register = form(page, 'Register customer');
  await register.fill({ 'Customer id': 'i'.repeat(200), Email: 'e'.repeat(5000), Phone: '1' });
  await register.submit();
  const faulty = ['Customer id', 'First name', 'Last name', 'Email'];
  for (const label of faulty) await saysWhatIsWrong(register.field(label));
  assert.equal(await register.field('Phone').getAttribute('aria-invalid'), null, 'it has no fault');
  await eventually('the first faulty field has the focus', () =>
    register.field('Customer id').evaluate((field) => field === document.activeElement));
  assert.equal(await register.sent.count(), 0);
  assert.equal(await register.field('Phone').inputValue(), '1', 'what was typed stays');

  await page.reload();
  await page.getByTestId('empty').waitFor();
  assert.equal(await part(page, 'customer-row').count(), 0);
});

test('a field that was mended is faulty no more', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/${customerRoute('nobody')}`);
  const order = form(page, 'Place order');
  await order.submit();
  await saysWhatIsWrong(order.field('Item'));
  await order.fill({ Item: 'Engine' });
  await order.submit();
  await order.sent.waitFor();
  assert.equal(await order.field('Item').getAttribute('aria-invalid'), null);
});

test('a customer and an order go from the forms into the lists', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(shared.server.command);
  const register = form(page, 'Register customer');
  const ada = { 'First name': 'Ada', 'Last name': 'Lovelace', Email: 'ada@example.org', Phone: '7' };
  await register.fill({ 'Customer id': 'ada/1', ...ada });
  await register.submit();
  await register.sent.filter({ hasText: 'ada/1' }).waitFor();
  const row = part(page, 'customer-row', { 'customer-id': 'ada/1' });
  await row.filter({ hasText: 'Lovelace' }).filter({ hasText: 'ada@example.org' }).waitFor();

  const search = page.getByRole('searchbox', { name: 'Find customer by id', exact: true });
  await search.fill('ada/1');
  await search.press('Enter');
  await page.getByRole('heading', { level: 1, name: /Ada Lovelace/ }).waitFor();
  assert.equal(new URL(page.url()).hash, '#/customers/ada%2F1');
  const order = form(page, 'Place order');
  assert.equal(await order.field('Customer id').inputValue(), 'ada/1');
  assert.ok(!(await order.field('Customer id').isEditable()), 'whose order it is, is given');
  await order.fill({ 'Order id': 'o-1', Item: 'Analytical Engine', Place: 'London' });
  await order.submit();
  await order.sent.filter({ hasText: 'o-1' }).waitFor();
  const placed = part(page, 'order-row', { 'order-id': 'o-1' });
  await placed.filter({ hasText: 'Analytical Engine' }).filter({ hasText: 'London' }).waitFor();
  const visibleAfter = placed.getByTestId('visible-after');
  assert.match(await visibleAfter.innerText(), /visible after [\d,.]+ (ms|s)/i);
  t.diagnostic(await visibleAfter.innerText());
  await part(page, 'served').filter({ hasText: /\S/ }).waitFor();

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Customer orders' }).click();
  const joined = part(page, 'joined-row').filter({ hasText: 'o-1' });
  await joined.filter({ hasText: 'Lovelace' }).filter({ hasText: 'Analytical Engine' }).waitFor();
});

test('a greeting arrives', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/#/greetings`);
  await page.getByTestId('empty').waitFor();
  const greeting = form(page, 'Send greeting');
  await greeting.submit();
  await saysWhatIsWrong(greeting.field('Message'));
  await greeting.fill({ Message: 'Hello, world' });
  await greeting.submit();
  await part(page, 'greeting-row').filter({ hasText: 'Hello, world' }).waitFor();
});

test('what was typed survives a reload, and is gone once it was sent', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(shared.server.command);
  const register = form(page, 'Register customer');
  await register.fill({ 'Customer id': 'draft', 'First name': 'Grace', 'Last name': 'Hopper' });
  await page.reload();
  await register.whole.waitFor();
  assert.equal(await register.field('First name').inputValue(), 'Grace');
  assert.equal(await register.field('Last name').inputValue(), 'Hopper');
  await register.submit();
  await register.sent.waitFor();
  await page.reload();
  await part(page, 'customer-row', { 'customer-id': 'draft' }).waitFor();
  assert.equal(await register.field('First name').inputValue(), '');
});

test('a customer that nobody has registered can be given orders', async (t) => {
  const page = await visitor(t, shared.browser);
  await page.goto(`${shared.server.command}/${customerRoute('later')}`);
  const order = form(page, 'Place order');
  await order.fill({ 'Order id': 'first', Item: 'Cards' });
  await order.submit();
  await shows(page, 'order-row', 'order-id', ['first']);
});

/**
 * Waits until this field is marked as faulty and described by a text that is there to be seen.
 * @param {import('playwright-core').Locator} field
 */
async function saysWhatIsWrong(field) {
  await eventually('the field says what is wrong with it', async () => {
    if ((await field.getAttribute('aria-invalid')) !== 'true') return false;
    const ids = (await field.getAttribute('aria-describedby'))?.split(/\s+/) ?? [];
    const texts = await Promise.all(ids.map((id) => field.page().locator(`[id="${id}"]`).innerText()));
    return texts.join('').trim().length > 0;
  }, 20_000);
}
