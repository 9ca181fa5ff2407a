// One of the workspace's binaries as a process: what it says, how it ends, and that it never
// outlives the test that started it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

import { atTheEnd } from './ending.js';
import { eventually } from './eventually.js';

export const ROOT = resolve(import.meta.dirname, '../../..');
/** Where the binaries are; the Makefile says it, because cargo may build elsewhere. */
const BINARIES = process.env.TANDEM_BINARIES ?? resolve(ROOT, 'target/release');

export class Process {
  #child;
  #stdout = '';
  #stderr = '';

  /**
   * It is killed when this process ends, by the kernel where this process can't do so itself. The
   * environment tells it nothing: a developer's TANDEM_* would make another test of this one.
   * @param {string} binary
   * @param {string[]} flags
   */
  constructor(binary, flags) {
    this.binary = binary;
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(TANDEM_|RUST_LOG$)/.test(name)),
    );
    const words = ['--pdeathsig', 'KILL', '--', resolve(BINARIES, binary), ...flags];
    this.#child = spawn('setpriv', words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => (this.#stdout += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#stderr += text));
    this.#child.on('error', (error) => (this.#stderr += `${error}\n`));
    const kill = atTheEnd(() => this.#child.kill('SIGKILL'));
    this.#child.on('exit', kill);
  }

  /** What it has logged by now. */
  get logged() {
    return this.#stderr;
  }

  get hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.pid;
  }

  /**
   * What stands behind this word at the beginning of lines on its standard output.
   * @param {string} word
   * @param {number} count how many such lines there have to be
   * @returns {Promise<string[]>}
   */
  async announced(word, count = 1) {
    /** @type {string[]} */ let said = [];
    await eventually(`${this.binary} says where its ${word} is`, () => {
      const lines = this.#stdout.split('\n').slice(0, -1).map((line) => line.split(/\s+/));
      said = lines.filter((words) => words[0] === word).map((words) => words[1]);
      return this.hasEnded || said.length >= count;
    });
    if (this.hasEnded) throw new Error(`${this.binary} ended at once:\n${this.#stderr}`);
    return said;
  }

  /** Ends it as a power cut would. */
  async kill9() {
    await this.#end('SIGKILL');
  }

  /** Ends it politely. */
  async stop() {
    await this.#end('SIGTERM');
  }

  /** Stops it where it stands, as a machine does that hangs: connections to it stay open. */
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  /** Lets it go on after {@link freeze}. */
  thaw() {
    this.#child.kill('SIGCONT');
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    if (this.hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}
