// How long it takes from a click in one browser until the row is drawn in another: a figure to look
// at, not a test. Both pages are of one Chromium, whose clocks agree. Prints one JSON line.

import { launch } from './ground/browser.js';
import { customerRoute, form, part } from './ground/page.js';
import { Tandem } from './ground/tandem.js';

const TIMES = 200;

/**
 * Notes when a row is drawn for the first time, by its order's id: after the frame that it came with.
 */
function watchRows() {
  /** @type {Record<string, number>} */ const drawn = {};
  const look = () => {
    for (const row of document.querySelectorAll('[data-testid="order-row"]')) {
      const id = row.getAttribute('data-order-id') ?? '';
      if (id in drawn) continue;
      drawn[id] = NaN;
      requestAnimationFrame(() => (drawn[id] = performance.timeOrigin + performance.now()));
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  Object.assign(window, { drawn });
}

/** Notes when the button is clicked, before the page hears of it. */
function watchClicks() {
  addEventListener('click', () => {
    Object.assign(window, { clicked: performance.timeOrigin + performance.now() });
  }, { capture: true });
}

/** @param {number[]} sorted @param {number} share */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];

const tandem = await Tandem.start();
const browser = await launch();
try {
  const [sender, watcher] = await Promise.all([1, 2].map(async () => (await browser.newContext()).newPage()));
  for (const page of [sender, watcher]) {
    await page.goto(`${tandem.command}/${customerRoute('ada')}`);
    await part(page, 'watch-state', { state: 'live' }).waitFor();
  }
  await watcher.evaluate(watchRows);
  await sender.evaluate(watchClicks);
  const order = form(sender, 'Place order');
  const took = [];
  for (let at = 0; at < TIMES; at++) {
    const id = `o-${at}`;
    await order.fill({ 'Order id': id, Item: 'Engine' });
    await order.submit();
    const seen = await watcher.waitForFunction((key) => {
      const { drawn } = /** @type {any} */ (window);
      return drawn[key] > 0 && drawn[key];
    }, id);
    const clicked = await sender.evaluate(() => /** @type {any} */ (window).clicked);
    took.push(/** @type {number} */ (await seen.jsonValue()) - clicked);
    await order.sent.filter({ hasText: id }).waitFor();
  }
  took.sort((one, other) => one - other);
  const figures = { p50: quantile(took, 0.5), p95: quantile(took, 0.95), max: quantile(took, 1) };
  const rounded = Object.entries(figures).map(([name, ms]) => [`${name}_ms`, Math.round(ms * 10) / 10]);
  console.log(JSON.stringify({ what: 'click to drawn in another browser', times: TIMES, ...Object.fromEntries(rounded) }));
} finally {
  await browser.close();
  await tandem.remove();
}
