/**
 * Group commit: what is to be written in one turn of the event loop, or while the disk is busy, is one transaction. It is
 * written by a thread of its own, so that nothing here waits for the disk.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Failure } from '../errors.ts';
import { explained, PRAGMAS } from './directory.ts';
import { type Parameter, WRITES, type Write } from './schema.ts';

/** Adds its writes when the batch leaves, and hears how that has ended. */
export interface Writer {
  write(batch: Batch): void;
  written(batch: Batch): void;
  lost(): void;
  /** Looks in the file whether what has left is there. */
  isInFile(): boolean;
}

const NAMES = Object.keys(WRITES) as Write[];
const PLACES = Object.fromEntries(NAMES.map((name, place) => [name, place])) as Record<Write, number>;

/** Between two attempts to write again, after one has failed. */
const PROBE_MS = 1_000;
/** Text that may wait for the disk. Who comes when there is more is refused. */
const MAX_WAITING = 64 * 1024 * 1024;

export class Batch {
  readonly writers: Writer[] = [];
  readonly list: (number | Parameter)[] = [];
  /** Resolves when it is on the disk. */
  readonly kept: Promise<undefined>;
  resolve!: (value: undefined) => void;
  reject!: (error: Failure) => void;
  /** Of the texts that wait in it. */
  weight = 0;

  constructor() {
    this.kept = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.kept.catch(() => {}); // not everybody waits for it
  }

  add(write: Write, ...parameters: Parameter[]): void {
    this.list.push(PLACES[write], parameters.length, ...parameters);
  }
}

export class Commits {
  readonly #file: string;
  #worker: Worker;
  #open: Batch | undefined;
  #leaving: Batch | undefined;
  /** Why nothing can be written at the moment. */
  #failure: Failure | undefined;
  #probe: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** The thread has ended by itself. */
  #isGone = false;
  #onIdle: (() => void) | undefined;

  private constructor(file: string, worker: Worker) {
    this.#file = file;
    this.#worker = worker;
    this.#listen(worker);
  }

  /** Resolves when it can write. Rejects if the file cannot be opened. */
  static async open(file: string): Promise<Commits> {
    const worker = begin(file);
    await once(worker, 'message'); // rejects on 'error'
    return new Commits(file, worker);
  }

  /** The batch that leaves next. Throws `store_unavailable` while nothing can be written. */
  get batch(): Batch {
    if (this.#isClosing) throw unavailable('The store is closed.');
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open === undefined) {
      this.#open = new Batch();
      if (this.#leaving === undefined) setImmediate(leave, this);
    }
    if (this.#open.weight > MAX_WAITING) throw unavailable('The disk is slower than what is to be written.');
    return this.#open;
  }

  leave(): void {
    const batch = this.#open;
    if (this.#leaving !== undefined || batch === undefined) return;
    this.#open = undefined;
    this.#leaving = batch;
    for (const writer of batch.writers) writer.write(batch);
    this.#worker.postMessage(batch.list);
  }

  /** Resolves when everything is written, or has been refused. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#probe);
    if (this.#open !== undefined || this.#leaving !== undefined) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    if (this.#isGone) return;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage('close');
    await ended;
  }

  #listen(worker: Worker): void {
    worker.on('message', (failed: { message: string; code?: string } | null) =>
      failed === null ? this.#written() : this.#failed(Object.assign(new Error(failed.message), { code: failed.code })),
    );
    let cause: unknown = new Error('The thread that writes has ended.');
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => this.#ended(cause));
  }

  #written(): void {
    const batch = this.#leaving;
    this.#leaving = undefined;
    this.#failure = undefined;
    if (batch !== undefined) {
      for (const writer of batch.writers) writer.written(batch);
      batch.resolve(undefined);
    }
    if (this.#open === undefined) this.#onIdle?.();
    else setImmediate(leave, this);
  }

  /** What waits is refused too: it would stand behind a gap. */
  #failed(cause: Error): void {
    const failure = unavailable(`Nothing can be kept at the moment: ${explained(cause)}`, cause);
    const lost = [this.#leaving, this.#open].filter((batch) => batch !== undefined);
    this.#leaving = undefined;
    this.#open = undefined;
    this.#failure = failure;
    for (const { writers } of lost) for (const writer of writers) writer.lost();
    for (const batch of lost) batch.reject(failure);
    this.#onIdle?.();
    if (!this.#isClosing) this.#probe = setTimeout(() => this.#try(), PROBE_MS);
  }

  /** Writes something, to see whether it can be. A new thread says so by itself. */
  #try(): void {
    if (this.#isGone) {
      this.#isGone = false;
      this.#worker = begin(this.#file);
      this.#listen(this.#worker);
      return;
    }
    const batch = new Batch();
    batch.add('put', 'probe', '', String(Date.now()));
    this.#leaving = batch;
    this.#worker.postMessage(batch.list);
  }

  #ended(cause: unknown): void {
    if (this.#isClosing && this.#leaving === undefined) return;
    this.#isGone = true;
    // It may have written, and not lived to say so. A batch is one transaction: what one finds, all have.
    if (this.#leaving?.writers.some((writer) => writer.isInFile())) this.#written();
    this.#failed(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

const begin = (file: string): Worker =>
  new Worker(new URL('./writer.mjs', import.meta.url), {
    workerData: { file, pragmas: PRAGMAS, writes: Object.values(WRITES) },
    execArgv: [],
  });

const leave = (commits: Commits): void => commits.leave();

const unavailable = (detail: string, cause?: unknown): Failure =>
  new Failure('store_unavailable', { detail, cause, retryAfterMs: PROBE_MS });
