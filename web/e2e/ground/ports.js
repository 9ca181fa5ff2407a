// Ports for services that have to know each other's before any of them is started, or that are
// started again where they were: a system gives out only those that it picks, and only once.

import { createServer } from 'node:net';
import { once } from 'node:events';

/** Below those that systems give to outgoing connections, of which a browser makes many. */
const FIRST = 10_000;
const COUNT = 20_000;
const TRIES = 5;

/**
 * A port where nobody listens just now.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/**
 * So many different ports, and what is started on them; with others, where somebody was quicker.
 * @template T
 * @param {number} count
 * @param {(ports: number[]) => Promise<T>} start has to leave nothing behind when it fails
 * @returns {Promise<T>}
 */
export async function onFreePorts(count, start) {
  for (let tries = 1; ; tries++) {
    const ports = new Set();
    while (ports.size < count) ports.add(await freePort());
    try {
      return await start([...ports]);
    } catch (error) {
      if (tries === TRIES || !/in use/i.test(String(error))) throw error;
    }
  }
}
