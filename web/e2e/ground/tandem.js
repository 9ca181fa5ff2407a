// A running `tandem`, everything in one process on an embedded log, with a folder that goes with it.

import { commands, servesAll } from './calls.js';
import { temporaryFolder } from './ending.js';
import { eventually } from './eventually.js';
import { onFreePorts } from './ports.js';
import { Process } from './process.js';

export class Tandem {
  #data;
  #flags;
  /** @type {Process} */ #process;

  /**
   * @param {{ path: string, remove: () => void }} data
   * @param {string[]} flags
   */
  constructor(data, flags) {
    this.#data = data;
    this.#flags = flags;
  }

  /**
   * Starts it and waits until it answers for everything.
   * @param {{ instances?: number }} [options]
   */
  static async start({ instances = 1 } = {}) {
    const data = temporaryFolder();
    try {
      return await onFreePorts(2 + instances, async ([command, registry, ...queries]) => {
        // Query services listen on consecutive ports, so only one of several can be chosen.
        const query = instances === 1 ? queries[0] : 0;
        const tandem = new Tandem(data, [
          ...['--data-dir', data.path, '--query-instances', String(instances)],
          ...['--command-addr', `127.0.0.1:${command}`, '--query-addr', `127.0.0.1:${query}`],
          ...['--registry-addr', `127.0.0.1:${registry}`],
        ]);
        await tandem.startAgain(instances);
        return tandem;
      });
    } catch (error) {
      data.remove();
      throw error;
    }
  }

  /** On the same data, and the same ports if there is one query service. */
  async startAgain(instances = 1) {
    this.#process = new Process('tandem', this.#flags);
    try {
      [this.command] = await this.#process.announced('command');
      this.queries = await this.#process.announced('query', instances);
      for (const query of this.queries) {
        await eventually(`${query} answers for every shard`, () => servesAll(query));
      }
    } catch (error) {
      await this.#process.kill9();
      throw error;
    }
    this.send = commands(this.command);
  }

  /** Ends it politely; its folder stays, for {@link startAgain}. */
  async stop() {
    await this.#process.stop();
  }

  /** Ends it, and removes its folder. */
  async remove() {
    await this.#process.kill9();
    this.#data.remove();
  }
}
