/**
 * Group commit: the writes of a few rounds of the event loop, or of the time of a running commit, are one transaction. A separate
 * thread writes it, so this thread never waits for the disk.
 *
 * A batch leaves after a round of the event loop that has added no text to it. So the first turn of a run is written
 * together with the start of its execution, as one row instead of two.
 *
 * C1  A batch is one transaction: all of it is on the disk, or none.
 * C2  If the file refuses the writes of one writer, the batch is retried writer by writer. That writer is refused by
 *     name, with its later writes, and all others are committed.
 * C3  If nothing can be written, all pending writes are refused, and one write per second is tried until it succeeds.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Failure } from '../errors.ts';
import { type Directory, explained, PRAGMAS } from './directory.ts';
import { COUNT, type Parameter, WRITES, type Write } from './schema.ts';

/** Adds its writes when the batch is sent, and gets the result. */
export interface Writer {
  /** Name of its writes for messages: `execution 1234`. */
  readonly name: string;
  write(batch: Batch): void;
  written(): void;
  lost(): void;
  /** Checks in the file whether the sent writes are there. */
  isInFile(): boolean;
}

const NAMES = Object.keys(WRITES) as Write[];
const PLACES = Object.fromEntries(NAMES.map((name, place) => [name, place])) as Record<Write, number>;

/** Interval of write attempts after a failure. */
const PROBE_MS = 1_000;
/** Maximum rounds of the event loop before a batch leaves. */
const MAX_ROUNDS = 3;
/** Maximum size of pending text. Further writes are refused. */
const MAX_WAITING = 64 * 1024 * 1024;

/** The writes of one writer in one batch. */
export class Part {
  readonly batch: Batch;
  readonly writer: Writer;
  /** Resolves when it is on the disk. */
  readonly kept: Promise<undefined>;
  resolve!: (value: undefined) => void;
  reject!: (error: Failure) => void;
  /** The end of its writes in the list of the batch. */
  end = 0;
  /** Why it was not written. */
  cause: unknown;

  constructor(batch: Batch, writer: Writer) {
    this.batch = batch;
    this.writer = writer;
    this.kept = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.kept.catch(ignore); // not every writer awaits it
  }
}

export class Batch {
  parts: Part[] = [];
  readonly list: (number | Parameter)[] = [];
  /** Size of the texts in it. */
  weight = 0;
  /** `weight` in the last round of the event loop. */
  #weighed = 0;
  #rounds = 0;

  /** A writer joins once, and adds its writes when the batch is sent. */
  join(writer: Writer): Part {
    const part = new Part(this, writer);
    this.parts.push(part);
    return part;
  }

  add(write: Write, ...parameters: Parameter[]): void {
    this.list.push(PLACES[write], parameters.length, ...parameters);
  }

  /** Whether it waits for another round of the event loop. */
  isGrowing(): boolean {
    const isHeavier = this.weight > this.#weighed;
    this.#weighed = this.weight;
    this.#rounds += 1;
    return isHeavier && this.#rounds <= MAX_ROUNDS;
  }

  /** Collects the writes of each writer. A writer that throws has none. */
  collect(): void {
    for (const part of this.parts) {
      const begin = this.list.length;
      try {
        part.writer.write(this);
      } catch (error) {
        this.list.length = begin;
        part.cause = error;
      }
      part.end = this.list.length;
    }
  }
}

/** The result of the thread: null if all was written. */
type Reply = null | Refused | { readonly refused: readonly (readonly [place: number, why: Refused])[] };
type Refused = { readonly message: string; readonly code?: string };

export class Commits {
  readonly #directory: Directory;
  #worker: Worker;
  #open: Batch | undefined;
  #leaving: Batch | undefined;
  /** Why nothing can be written at the moment. */
  #failure: Failure | undefined;
  #probe: NodeJS.Timeout | undefined;
  #isClosing = false;
  /** The thread has ended unexpectedly. */
  #isGone = false;
  #onIdle: (() => void) | undefined;

  private constructor(directory: Directory, worker: Worker) {
    this.#directory = directory;
    this.#worker = worker;
    this.#listen(worker);
  }

  /** Resolves when it can write. Rejects if the file cannot be opened. */
  static async open(directory: Directory): Promise<Commits> {
    const worker = begin(directory);
    await once(worker, 'message'); // rejects on 'error'
    return new Commits(directory, worker);
  }

  /** The next batch. Throws `store_unavailable` while nothing can be written. */
  get batch(): Batch {
    if (this.#isClosing) throw unavailable('The store is closed.');
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open === undefined) {
      this.#open = new Batch();
      if (this.#leaving === undefined) setImmediate(leave, this);
    }
    if (this.#open.weight > MAX_WAITING) throw unavailable('The disk is too slow for the pending writes.');
    return this.#open;
  }

  leave(): void {
    const batch = this.#open;
    if (this.#leaving !== undefined || batch === undefined) return;
    if (batch.isGrowing()) {
      setImmediate(leave, this);
      return;
    }
    this.#open = undefined;
    this.#leaving = batch;
    batch.collect();
    this.#worker.postMessage(batch.list);
  }

  /** Resolves when everything was written or refused. */
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
    worker.on('message', (reply: Reply) => {
      if (reply === null) this.#written();
      else if ('refused' in reply) this.#writtenBut(reply.refused);
      else if (isOfWriter(reply.code) && this.#leaving !== undefined) this.#tryApart(this.#leaving);
      else this.#failed(errorOf(reply));
    });
    let cause: unknown = new Error('The writer thread has ended.');
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => this.#ended(cause));
  }

  #written(): void {
    const batch = this.#leaving;
    this.#leaving = undefined;
    this.#failure = undefined;
    if (batch !== undefined) {
      for (const part of batch.parts) if (part.cause === undefined) part.writer.written();
      for (const part of batch.parts) this.#conclude(part);
    }
    if (this.#open === undefined) this.#onIdle?.();
    else setImmediate(leave, this);
  }

  #conclude(part: Part): void {
    if (part.cause === undefined) part.resolve(undefined);
    else this.#refuse(part);
  }

  /** C2 */
  #tryApart({ list, parts }: Batch): void {
    this.#worker.postMessage({ list, ends: parts.map(({ end }) => end) });
  }

  #writtenBut(refused: readonly (readonly [place: number, why: Refused])[]): void {
    for (const [place, why] of refused) this.#leaving!.parts[place]!.cause = errorOf(why);
    this.#written();
  }

  /** Its later writes would follow a gap. */
  #refuse(part: Part): void {
    const { writer, cause } = part;
    const failure = unwritable(writer.name, cause);
    const later = this.#open?.parts.filter((part) => part.writer === writer) ?? [];
    if (later.length > 0) this.#open!.parts = this.#open!.parts.filter((part) => part.writer !== writer);
    writer.lost();
    for (const refused of [part, ...later]) refused.reject(failure);
  }

  /** Pending writes are refused too, because they would follow a gap. */
  #failed(cause: Error): void {
    const failure = unavailable(`The store cannot write at the moment: ${explained(cause)}`, cause);
    const lost = [this.#leaving, this.#open].filter((batch) => batch !== undefined);
    this.#leaving = undefined;
    this.#open = undefined;
    this.#failure = failure;
    for (const { parts } of lost) for (const { writer } of parts) writer.lost();
    for (const { parts } of lost) for (const part of parts) part.reject(failure);
    this.#onIdle?.();
    if (!this.#isClosing) this.#probe = setTimeout(() => this.#try(), PROBE_MS);
  }

  /** Tries a write, to find out whether writing works. A new thread reports it by itself. */
  #try(): void {
    if (this.#isGone) {
      this.#isGone = false;
      this.#worker = begin(this.#directory);
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
    // The thread may have written before it died. A batch is one transaction, so one found writer means that all were
    // written.
    if (this.#leaving?.parts.some(({ writer }) => writer.isInFile())) this.#written();
    this.#failed(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

const begin = ({ file, owner, commits }: Directory): Worker =>
  new Worker(new URL('./writer.mjs', import.meta.url), {
    workerData: {
      file,
      owner,
      commits,
      pragmas: PRAGMAS,
      writes: Object.values(WRITES),
      facts: PLACES.facts,
      count: COUNT,
    },
    execArgv: [],
  });

/** The file seems sound, and refuses the writes of one writer. */
const isOfWriter = (code = ''): boolean =>
  !/^(SQLITE|FERMATA)_/.test(code) || /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE|MISUSE|CORRUPT)/.test(code);

const errorOf = ({ message, code }: Refused): Error => Object.assign(new Error(message), { code });

/** The file accepts other writes, and not this one. */
export const unwritable = (name: string, cause: unknown): Failure =>
  new Failure('execution_damaged', {
    detail: `The facts of ${name} cannot be stored: ${explained(cause)}`,
    cause,
  });

const ignore = (): void => {};

const leave = (commits: Commits): void => commits.leave();

const unavailable = (detail: string, cause?: unknown): Failure =>
  new Failure('store_unavailable', { detail, cause, retryAfterMs: PROBE_MS });
