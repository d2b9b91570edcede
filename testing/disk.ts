/**
 * A durable store in memory. Its disk is text, survives the process that wrote it, and is read as new objects. Like the
 * real store it commits in batches, and one promise answers for a whole batch.
 */

import { firstDueAt, NEVER } from '../machines/deadlines.ts';
import type { JournalEntry } from '../machines/facts.ts';
import {
  type Archive,
  defaults,
  Failure,
  type JournalLimits,
  type JournalPage,
  type Recorded,
  type Store,
} from '../runtime/index.ts';
import type { Archived } from '../runtime/store/archive.ts';
import { sumOf } from '../runtime/store/counts.ts';
import { Journal } from '../runtime/store/memory-journal.ts';
import { readOrigin, writeOrigin } from '../runtime/store/start-request-text.ts';
import type { Vault } from '../runtime/store/vault.ts';

/** An execution on the disk. */
type Row = {
  texts: string[];
  truncatedThrough: number;
  origin: string;
  dueAt: number | null;
  isDriven: boolean;
  isSettled: boolean;
};
type Change = {
  readonly record: Recorded;
  readonly text: string;
  readonly seq: number;
  readonly applied: Recorded['applied'];
};
type Loaded = { readonly journal: Journal; through: number };

const limits: JournalLimits = defaults;

export class Disk {
  readonly rows = new Map<string, Row>();
  readonly vault = new Map<string, string>();

  /** The facts of an execution that are on the disk. */
  facts(id: string): JournalEntry[] {
    return this.rows.get(id)?.texts.map((text) => JSON.parse(text)) ?? [];
  }
}

/** The failure of a commit, decided when the commit begins. */
export interface Faults {
  /**
   * Facts of the batch that reach the disk before the process dies. Undefined: all of them, and the process survives.
   */
  lostAfter(through: number): number | undefined;
  fails(first: number, through: number): boolean;
  /** Whether the store accepts nothing before that fact, until its pending batch is committed. */
  refuses(seq: number): boolean;
  /** The process dies. */
  lost(): void;
}

class Batch {
  readonly changes: Change[] = [];
  /** Values added to the vault, or removed (undefined). */
  readonly vault = new Map<string, string | undefined>();
  resolve!: () => void;
  reject!: (cause: Error) => void;
  readonly kept = new Promise<undefined>((resolve, reject) => {
    this.resolve = () => resolve(undefined);
    this.reject = reject;
  });

  constructor() {
    this.kept.catch(() => {});
  }
}

/** The disk as one process sees it. */
export class DiskStore implements Store, Archive {
  readonly archive = this;
  readonly #disk: Disk;
  readonly #turns: number;
  readonly #faults: Faults;
  readonly #loaded = new Map<string, Loaded>();
  #open: Batch | undefined;
  #leaving: Batch | undefined;
  /** The store accepts nothing until the pending batch is committed. */
  #isFull = false;
  /** The disk cannot be written at the moment. */
  isBroken = false;
  /** The process has ended: its requests never settle. */
  isClosed = false;

  constructor(disk: Disk, turns: number, faults: Faults) {
    this.#disk = disk;
    this.#turns = turns;
    this.#faults = faults;
  }

  get isBusy(): boolean {
    return !this.isClosed && (this.#open !== undefined || this.#leaving !== undefined);
  }

  append(record: Recorded, entry: JournalEntry): Promise<undefined> {
    if (this.isClosed) return new Promise(() => {});
    this.#refuse();
    const loaded = entry.seq === 1 ? this.#begin(record.id) : this.#journalOf(record.id)!;
    const text = JSON.stringify(entry);
    loaded.journal.append(entry, text.length, limits, () => text.length);
    const batch = this.#join()!;
    this.#isFull = this.#faults.refuses(entry.seq + 1);
    batch.changes.push({ record, text, seq: entry.seq, applied: record.applied });
    return batch.kept;
  }

  read(id: string, after = 0): JournalPage | undefined {
    const loaded = this.#loaded.get(id) ?? this.#load(id);
    return loaded && loaded.through > 0 ? loaded.journal.page(after, loaded.through) : undefined;
  }

  forget(id: string): void {
    this.#disk.rows.delete(id);
    this.#loaded.delete(id);
  }

  async close(): Promise<void> {
    while (this.isBusy) await new Promise(setImmediate);
    this.isClosed = true;
  }

  find(id: string): Archived | undefined {
    const loaded = this.#load(id);
    if (loaded === undefined) return undefined;
    this.#loaded.set(id, loaded);
    const { entries } = loaded.journal;
    const [started] = entries;
    const input = started?.type === 'execution.started' ? started.input : null;
    return { entries, origin: readOrigin(JSON.parse(this.#disk.rows.get(id)!.origin), input, undefined) };
  }

  bytesOf(): number {
    return 0;
  }

  release(id: string): void {
    const isPending = [this.#open, this.#leaving].some((batch) =>
      batch?.changes.some(({ record }) => record.id === id),
    );
    if (!isPending) this.#loaded.delete(id);
  }

  unfinished(): readonly string[] {
    return this.#ids(({ isDriven }) => isDriven);
  }

  due(now: number): ReturnType<Archive['due']> {
    return this.#ids(({ dueAt }) => dueAt !== null && dueAt <= now).map((id) => ({
      id,
      isSettled: this.#disk.rows.get(id)!.isSettled,
    }));
  }

  nextDueAt(): number | undefined {
    const dues = [...this.#disk.rows.values()].flatMap(({ dueAt }) => dueAt ?? []);
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  named = (): undefined => undefined;
  page = (): ReturnType<Archive['page']> => ({ rows: [], next: undefined });
  awaiting = (): ReturnType<Archive['awaiting']> => [];
  excess = (): readonly string[] => [];
  open = (): ReturnType<Archive['open']> => [];

  readonly vault: Vault = {
    seals: true,
    isShared: false,
    get: (kind, key) => this.#vault().get(`${kind} ${key}`),
    entries: (kind, prefix, after = '', limit = Number.POSITIVE_INFINITY) =>
      [...this.#vault()]
        .flatMap(([place, value]) =>
          value !== undefined && place.startsWith(`${kind} ${prefix}`)
            ? [[place.slice(kind.length + 1), value] as const]
            : [],
        )
        .filter(([key]) => key > after)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit),
    put: (kind, key, value) => this.#change(`${kind} ${key}`, value),
    remove: (kind, key) => this.#change(`${kind} ${key}`, undefined),
    change: (kind, key, next) => {
      const value = this.#vault().get(`${kind} ${key}`);
      const changed = value && next(value);
      if (changed !== value) void this.#change(`${kind} ${key}`, changed);
    },
    count: (key, counts) => {
      const before = this.#vault().get(`builder ${key}`);
      return this.#change(`builder ${key}`, JSON.stringify(before ? sumOf(JSON.parse(before), counts) : counts));
    },
    claim: (name) => !this.#claims.has(name) && this.#claims.add(name) !== undefined,
    release: (name) => void this.#claims.delete(name),
    refuseIfUnavailable: () => this.#refuse(),
  };
  readonly #claims = new Set<string>();

  #change(place: string, value: string | undefined): Promise<undefined> {
    const batch = this.#join();
    batch?.vault.set(place, value);
    return batch?.kept ?? new Promise(() => {});
  }

  /** Includes facts that are not on the disk yet. */
  #vault(): ReadonlyMap<string, string | undefined> {
    return new Map([...this.#disk.vault, ...(this.#leaving?.vault ?? []), ...(this.#open?.vault ?? [])]);
  }

  /** The next batch; undefined after the end of the process. */
  #join(): Batch | undefined {
    if (this.isClosed) return undefined;
    this.#refuse();
    if (this.#open === undefined) {
      this.#open = new Batch();
      if (this.#leaving === undefined) setImmediate(() => this.#leave());
    }
    return this.#open;
  }

  #refuse(): void {
    if (this.isBroken || this.#isFull) throw full();
  }

  #ids(holds: (row: Row) => boolean): string[] {
    return [...this.#disk.rows].flatMap(([id, row]) => (holds(row) ? [id] : []));
  }

  #begin(id: string): Loaded {
    const loaded = { journal: new Journal([], 0, 0), through: 0 };
    this.#loaded.set(id, loaded);
    return loaded;
  }

  #journalOf(id: string): Loaded | undefined {
    const loaded = this.#loaded.get(id) ?? this.#load(id);
    if (loaded !== undefined) this.#loaded.set(id, loaded);
    return loaded;
  }

  #load(id: string): Loaded | undefined {
    const row = this.#disk.rows.get(id);
    if (row === undefined) return undefined;
    const entries = row.texts.map((text): JournalEntry => JSON.parse(text));
    const journal = new Journal(entries, row.texts.join('').length, row.truncatedThrough);
    return { journal, through: entries.at(-1)?.seq ?? 0 };
  }

  async #leave(): Promise<void> {
    const batch = this.#open;
    if (batch === undefined || this.#leaving !== undefined) return;
    this.#open = undefined;
    this.#leaving = batch;
    for (let turn = 0; turn < this.#turns; turn += 1) await new Promise(setImmediate);
    if (this.isClosed) return;
    this.#commit(batch);
    if (!this.isClosed && this.#open !== undefined) setImmediate(() => this.#leave());
  }

  #commit(batch: Batch): void {
    this.#leaving = undefined;
    this.#isFull = false;
    const [first, last] = [batch.changes[0], batch.changes.at(-1)];
    if (first !== undefined && this.#faults.fails(first.seq, last!.seq)) {
      this.#fail(batch);
      return;
    }
    const lostAfter = last && this.#faults.lostAfter(last.seq);
    for (const change of batch.changes) if (change.seq <= (lostAfter ?? change.seq)) this.#write(change);
    // A part of a batch is like a whole batch: its vault values are there, and later values are missing.
    const isWhole = lostAfter === undefined || lostAfter >= last!.seq;
    for (const [place, value] of batch.vault) {
      if (value !== undefined) this.#disk.vault.set(place, value);
      else if (isWhole) this.#disk.vault.delete(place);
    }
    if (lostAfter === undefined) batch.resolve();
    else this.#faults.lost();
  }

  #fail(batch: Batch): void {
    this.isBroken = true;
    const lost = this.#open === undefined ? [batch] : [batch, this.#open];
    this.#open = undefined;
    for (const { changes } of lost) for (const { record } of changes) this.#loaded.delete(record.id);
    for (const each of lost) each.reject(full());
  }

  #write({ record, text, seq, applied }: Change): void {
    const { id, origin } = record;
    const loaded = this.#loaded.get(id);
    const row = this.#disk.rows.get(id) ?? { ...EMPTY, texts: [], origin: writeOrigin(origin, undefined) };
    row.texts.push(text);
    if (loaded !== undefined) loaded.through = seq;
    const { context, tags } = applied;
    const dueAt = firstDueAt(context, defaults.parkedTimeoutMs);
    row.isSettled = tags.has('settled');
    row.isDriven = !row.isSettled && !tags.has('waiting');
    row.dueAt = row.isSettled || dueAt === NEVER ? null : dueAt;
    this.#disk.rows.set(id, row);
  }
}

const EMPTY = { truncatedThrough: 0, dueAt: null, isDriven: true, isSettled: false };

const full = (): Failure => new Failure('store_unavailable', { detail: 'The disk is full.', retryAfterMs: 1_000 });
