/**
 * Group commit: the writes of a few rounds of the event loop, or of the time of a running commit, are one transaction. The event loop
 * never waits for it.
 *
 * A batch leaves after a round of the event loop that has added no text to it. So the first turn of a run is written
 * together with the start of its execution, as one row instead of two.
 *
 * C1  A batch is one transaction: all of it is committed, or none, except what C2 refuses.
 * C2  If the store refuses the writes of one writer, that writer is refused by name, with its later writes, and all
 *     others are committed.
 * C3  If nothing can be written, all pending writes are refused, and one write per second is tried until it succeeds.
 */
import { Failure } from '../errors.ts';
import type { Change } from './changes.ts';
import { explained } from './explain.ts';

/** Gives its changes when the batch is sent, and gets the result. */
export interface Writer {
  /** Name of its writes for messages: `execution 1234`. */
  readonly name: string;
  changes(): readonly Change[];
  written(): void;
  lost(): void;
}

/** Where batches are written. It writes one at a time. */
export interface Target {
  /** Resolves when they are committed, to those that were refused. Rejects if nothing was written. */
  write(parts: readonly Part[]): Promise<readonly Refusal[]>;
  /** Rejects while nothing can be written. */
  probe(): Promise<void>;
  close(): Promise<void>;
  /** Called if it finds between two batches that nothing can be written. */
  onLost: (cause: unknown) => void;
}

/** A `Failure` reaches callers as it is; another cause as `execution_damaged`. */
export type Refusal = readonly [part: Part, cause: unknown];

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
  #kept: Promise<undefined> | undefined;
  #resolve: ((value: undefined) => void) | undefined;
  #reject: ((error: Failure) => void) | undefined;
  /** Filled when the batch is sent. */
  changes: readonly Change[] = [];
  /** Why it was not written. */
  cause: unknown;

  constructor(batch: Batch, writer: Writer) {
    this.batch = batch;
    this.writer = writer;
  }

  /** Resolves when it is committed. Created on demand: not every writer waits for it. */
  get kept(): Promise<undefined> {
    this.#kept ??= new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    return this.#kept;
  }

  resolve(): void {
    this.#resolve?.(undefined);
  }

  reject(error: Failure): void {
    this.#reject?.(error);
  }
}

export class Batch {
  parts: Part[] = [];
  /** Size of the texts in it. */
  weight = 0;
  /** `weight` in the last round of the event loop. */
  #weighed = 0;
  #rounds = 0;

  /** A writer joins once, and gives its changes when the batch is sent. */
  join(writer: Writer): Part {
    const part = new Part(this, writer);
    this.parts.push(part);
    return part;
  }

  /** Whether it waits for another round of the event loop. */
  isGrowing(): boolean {
    const isHeavier = this.weight > this.#weighed;
    this.#weighed = this.weight;
    this.#rounds += 1;
    return isHeavier && this.#rounds <= MAX_ROUNDS;
  }

  /** Collects the changes of each writer. A writer that throws has none. */
  collect(): void {
    for (const part of this.parts) {
      try {
        part.changes = part.writer.changes();
      } catch (error) {
        part.cause = error;
      }
    }
  }
}

export class Commits {
  readonly #target: Target;
  #open: Batch | undefined;
  #leaving: Batch | undefined;
  /** Why nothing can be written at the moment. */
  #failure: Failure | undefined;
  #probe: NodeJS.Timeout | undefined;
  #isClosing = false;
  #onIdle: (() => void) | undefined;

  /** It can write. */
  constructor(target: Target) {
    this.#target = target;
    target.onLost = (cause) => this.#failed(cause);
  }

  /** The next batch. Throws `store_unavailable` while nothing can be written. */
  get batch(): Batch {
    if (this.#isClosing) throw unavailable('The store is closed.');
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open === undefined) {
      this.#open = new Batch();
      if (this.#leaving === undefined) setImmediate(leave, this);
    }
    if (this.#open.weight > MAX_WAITING) throw unavailable('The store is too slow for the pending writes.');
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
    this.#target.write(batch.parts).then(
      (refused) => this.#written(batch, refused),
      (cause) => this.#failed(cause),
    );
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
    await this.#target.close();
  }

  #written(batch: Batch, refused: readonly Refusal[]): void {
    for (const [part, cause] of refused) part.cause = cause;
    this.#leaving = undefined;
    for (const part of batch.parts) if (part.cause === undefined) part.writer.written();
    for (const part of batch.parts) this.#conclude(part);
    if (this.#open === undefined) this.#onIdle?.();
    else setImmediate(leave, this);
  }

  #conclude(part: Part): void {
    if (part.cause === undefined) part.resolve();
    else this.#refuse(part);
  }

  /** Its later writes would follow a gap. */
  #refuse(part: Part): void {
    const { writer, cause } = part;
    const failure = cause instanceof Failure ? cause : unwritable(writer.name, cause);
    const later = this.#open?.parts.filter((part) => part.writer === writer) ?? [];
    if (later.length > 0) this.#open!.parts = this.#open!.parts.filter((part) => part.writer !== writer);
    writer.lost();
    for (const refused of [part, ...later]) refused.reject(failure);
  }

  /** Pending writes are refused too, because they would follow a gap. */
  #failed(cause: unknown): void {
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

  /** Tries a write, to find out whether writing works. */
  #try(): void {
    this.#leaving = new Batch();
    this.#target.probe().then(
      () => {
        this.#failure = undefined;
        this.#written(this.#leaving!, []);
      },
      (cause) => this.#failed(cause),
    );
  }
}

/** The store accepts other writes, and not this one. */
export const unwritable = (name: string, cause: unknown): Failure =>
  new Failure('execution_damaged', {
    detail: `The facts of ${name} cannot be stored: ${explained(cause)}`,
    cause,
  });

const leave = (commits: Commits): void => commits.leave();

const unavailable = (detail: string, cause?: unknown): Failure =>
  new Failure('store_unavailable', { detail, cause, retryAfterMs: PROBE_MS });
