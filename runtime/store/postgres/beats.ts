/** Extensions of the lease, by a thread. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SCHEMA } from './database.ts';
import type { Lease } from './lease.ts';

/** What the thread tells: the lease was extended, it has ended, or the row of the process is not there any more. */
export type Told = 'extended' | 'late' | 'unknown';

export interface Beating {
  readonly urls: readonly string[];
  readonly node: string;
  readonly lease: Lease;
  /** How long the main thread may take to reply before the lease is no longer extended. Milliseconds. */
  readonly stallMs: number;
  told(what: Told): void;
}

export interface Beats {
  /** Resolves when it works. */
  readonly begun: Promise<unknown>;
  close(): Promise<void>;
}

/** For the thread, which has other settings of its session. */
const EXTEND = `
  UPDATE ${SCHEMA}.nodes n SET expires_at = clock_timestamp() + $2::float8 * interval '1 ms'
  FROM (SELECT id, expires_at < clock_timestamp() AS is_late FROM ${SCHEMA}.nodes WHERE id = $1) o
  WHERE n.id = o.id RETURNING is_late, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`;

/** A thread that ends by itself is replaced after this time. */
const AGAIN_MS = 1_000;

export const beatInThread = (beating: Beating): Beats => new Thread(beating);

class Thread implements Beats {
  readonly begun: Promise<unknown>;
  readonly #beating: Beating;
  #worker: Worker;
  #isClosing = false;
  #again: NodeJS.Timeout | undefined;

  constructor(beating: Beating) {
    this.#beating = beating;
    this.#worker = this.#begin();
    this.begun = once(this.#worker, 'message');
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#again);
    if (this.#worker.threadId === -1) return; // it has ended
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('close');
    await ended;
  }

  #begin(): Worker {
    const { urls, node, lease, stallMs, told } = this.#beating;
    const { lengthMs, usedMs, shared } = lease;
    const workerData = { urls, node, lengthMs, usedMs, stallMs, shared, extend: EXTEND };
    const worker = new Worker(new URL('./beats.mjs', import.meta.url), { workerData, execArgv: [] });
    worker.on('message', (what: Told | 'asked') => {
      if (what === 'asked') worker.postMessage('alive');
      else told(what);
    });
    worker.on('error', () => {}); // the lease ends unless the next thread extends it
    worker.on('exit', () => {
      if (this.#isClosing) return;
      told('late');
      this.#again = setTimeout(() => {
        this.#worker = this.#begin();
      }, AGAIN_MS);
    });
    return worker;
  }
}
