// Tandem as it is run on Kafka: a command service that serves the page and says where the query
// services are, and query services that may be called from that page, a process each.

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { commands, servesAll } from './calls.js';
import { atTheEnd, temporaryFolder } from './ending.js';
import { eventually } from './eventually.js';
import { onFreePorts } from './ports.js';
import { Process, ROOT } from './process.js';

/** A broker and a registry on two busy cores take a quarter of it. */
const SERVERS_PATIENCE = 150_000;

/**
 * Servers of one kind, in a folder that they remove themselves: they write to it to their end, which
 * comes when their standard input ends, which this process holds.
 * @param {string[]} words for scripts/servers.sh, with FOLDER for that folder
 */
async function servers(words) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-web-'));
  words = words.map((word) => (word === 'FOLDER' ? folder : word));
  // In a group of their own: Ctrl-C at a terminal is for the tests, which then end these.
  const child = spawn(resolve(ROOT, 'scripts/servers.sh'), words, {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise((done) => child.on('exit', done));
  const end = atTheEnd(() => child.stdin.end());
  let isUp = false;
  createInterface(child.stdout).on('line', (line) => (isUp ||= line.startsWith('started')));
  await eventually(`scripts/servers.sh ${words[0]} is up`, () => isUp || child.exitCode !== null, SERVERS_PATIENCE);
  if (!isUp) throw new Error(`scripts/servers.sh ${words[0]} ended, ${child.exitCode}`);
  const stop = async () => {
    end();
    await ended;
  };
  return { folder, stop };
}

/** @typedef {{ id: string, set: string, url: string, process: Process, start: () => void }} Query */

export class OnKafka {
  #folder = temporaryFolder();
  /** @type {(() => Promise<void>)[]} */ #endings = [];
  /** @type {Process} */ #command;
  /** @type {Query[]} */ queries = [];

  /**
   * Starts everything, with an instance for each of these ids, which begin with their set's name.
   * @param {string[]} ids
   */
  static async start(ids) {
    const all = new OnKafka();
    try {
      const broker = await servers(['kafka', 'FOLDER', '1', 'temporary']);
      all.#endings.push(broker.stop);
      const registry = await servers(['registry', 'FOLDER', 'temporary']);
      all.#endings.push(registry.stop);
      const flags = [
        ...['--log', `kafka://${(await readFile(join(broker.folder, 'bootstrap'), 'utf8')).trim()}`],
        ...['--registry', (await readFile(join(registry.folder, 'url'), 'utf8')).trim()],
      ];
      await onFreePorts(1 + ids.length, (ports) => all.#startOn(ports, ids, flags));
    } catch (error) {
      await all.remove();
      throw error;
    }
    return all;
  }

  /**
   * The page has to know the query services' addresses, and these the page's.
   * @param {number[]} ports
   * @param {string[]} ids
   * @param {string[]} flags
   */
  async #startOn([port, ...ports], ids, flags) {
    this.command = `http://127.0.0.1:${port}`;
    this.send = commands(this.command);
    const urls = ports.map((one) => `http://127.0.0.1:${one}`);
    this.#command = new Process('command-svc', [
      ...[...flags, '--command-addr', `127.0.0.1:${port}`],
      ...urls.flatMap((url) => ['--query-url', url]),
    ]);
    this.queries = ids.map((id, at) => this.#query(id, urls[at], flags));
    try {
      await this.#command.announced('command');
      const greeting = { id: 'first', message: 'Is anybody there?' };
      await eventually('commands are taken', () => this.send.sendGreeting(greeting).then(() => true));
      for (const { process, url } of this.queries) {
        await process.announced('query');
        await eventually(`${url} answers for every shard`, () => servesAll(url));
      }
    } catch (error) {
      await this.#killServices();
      throw error;
    }
  }

  /**
   * @param {string} id
   * @param {string} url
   * @param {string[]} flags
   * @returns {Query}
   */
  #query(id, url, flags) {
    const [set] = id.split('-');
    const all = [
      ...[...flags, '--query-addr', url.replace('http://', ''), '--allow-origin', this.command],
      ...['--replica-set', set, '--instance-id', id],
      ...['--data-dir', join(this.#folder.path, id)],
    ];
    const start = () => new Process('query-svc', all);
    const query = { id, set, url, process: start(), start: () => (query.process = start()) };
    return query;
  }

  async #killServices() {
    for (const process of [this.#command, ...this.queries.map((one) => one.process)]) {
      await process?.kill9();
    }
  }

  /** Ends everything, and removes its folder. */
  async remove() {
    await this.#killServices();
    for (const end of this.#endings.reverse()) await end();
    this.#folder.remove();
  }
}
