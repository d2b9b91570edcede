/** An execution of a durable store while it is in memory: its journal, and the part that is not on the disk yet. */

import { firstDueAt, NEVER } from '../../machines/deadlines.ts';
import type { ExecutionContext } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import { firstAwaited, standOf } from '../../machines/standing.ts';
import type { JournalChange, SearchedRow } from './changes.ts';
import type { Batch, Part, Writer } from './group-commit.ts';
import type { Journal } from './memory-journal.ts';
import { writeOutline } from './outline.ts';
import type { Seal } from './seal.ts';
import { writeOrigin } from './start-request-text.ts';
import type { Fullness, JournalLimits, JournalPage, Recorded } from './store.ts';

export interface KeptDeps {
  readonly limits: JournalLimits;
  readonly parkedTimeoutMs: number;
  readonly seal: Seal | undefined;
  /** It could not be written, so the journal in memory differs from the disk. */
  lost(executionId: string): void;
}

export class Kept implements Writer {
  /** Its number in the order of starts. */
  readonly n: number;
  readonly id: string;
  readonly journal: Journal;
  readonly #deps: KeptDeps;
  /** Number of the last entry that is on the disk. */
  #through: number;
  /** The same after the batch that is being written; 0 if there is none. */
  #leaving = 0;
  /** Number of the last entry. */
  #last: number;
  #record: Recorded | undefined;
  /** Entries as text, since the last batch. */
  #texts: string[] = [];
  /** Whether it is in the next batch. */
  #part: Part | undefined;
  #isTruncated = false;
  /** A writer of the batch reports a full journal one turn later, and so do the writers after it. */
  #isLate = false;

  constructor(n: number, id: string, journal: Journal, deps: KeptDeps) {
    this.n = n;
    this.id = id;
    this.journal = journal;
    this.#through = Math.max(journal.entries.at(-1)?.seq ?? 0, journal.truncatedThrough);
    this.#last = this.#through;
    this.#deps = deps;
  }

  get name(): string {
    return `execution ${this.id}`;
  }

  /** Number of the last entry that is on the disk. */
  get through(): number {
    return this.#through;
  }

  /** Number of the last entry. */
  get last(): number {
    return this.#last;
  }

  /** A part of it is on the disk. */
  get isBegun(): boolean {
    return this.#through > 0;
  }

  /** A batch with its facts was sent: whether they are on the disk is not known yet. */
  get isBeingWritten(): boolean {
    return this.#leaving > 0;
  }

  get isIdle(): boolean {
    return this.#part === undefined && this.#leaving === 0;
  }

  append(record: Recorded, entry: JournalEntry, batch: Batch): Fullness | Promise<Fullness> {
    const text = JSON.stringify(entry);
    if (entry.seq !== this.#last + 1) throw new Error(`Entry ${entry.seq} came after entry ${this.#last}.`); // S1
    this.#record = record;
    this.#last = entry.seq;
    this.#texts.push(text);
    batch.weight += text.length;
    if (this.#part?.batch !== batch) this.#part = batch.join(this);
    const part = this.#part;
    const { limits } = this.#deps;
    if (!this.journal.append(entry, text.length, limits, weigh)) {
      if (this.journal.isNearlyFull(limits, weigh)) {
        this.#isLate = true;
        return part.kept.then(nearlyFull);
      }
      return this.#isLate ? part.kept.then(nothing) : part.kept;
    }
    this.#isTruncated = true;
    this.#isLate = true;
    const full = this.journal.truncate(limits, weigh);
    return part.kept.then(() => full);
  }

  read(after: number): JournalPage {
    return this.journal.page(after, this.#through);
  }

  changes(): readonly [JournalChange] {
    const { journal, n, id } = this;
    const expected = this.#through;
    const truncatedThrough = this.#isTruncated ? journal.truncatedThrough : 0;
    const texts = truncatedThrough > 0 ? journal.entries.map((entry) => JSON.stringify(entry)) : this.#texts;
    const isWhole = truncatedThrough > 0 || expected === 0;
    const facts = isWhole ? this.#whole(texts) : `[${texts.join()}]`;
    const row = this.#row();
    this.#leaving = this.#last;
    this.#texts = [];
    this.#isTruncated = false;
    this.#isLate = false;
    this.#part = undefined;
    return [
      { change: 'journal', id, n, record: this.#record!, row, expected, last: this.#leaving, facts, truncatedThrough },
    ];
  }

  written(): void {
    this.#through = this.#leaving;
    this.#leaving = 0;
  }

  lost(): void {
    this.#deps.lost(this.id);
  }

  /** The first row, which begins with the start request. */
  #whole(texts: readonly string[]): string {
    return `[${[writeOrigin(this.#record!.origin, this.#deps.seal), ...texts].join()}]`;
  }

  #row(): SearchedRow {
    const { applied, origin } = this.#record!;
    const { context, tags } = applied;
    const isSettled = tags.has('settled');
    const works = !isSettled && (origin.recover === 'fail' || !tags.has('waiting'));
    const isUnfinished = works || tags.has('blocked');
    const awaitingSince = firstAwaited(context)?.openedAt ?? null;
    const dueAt = isSettled ? context.settledAt! + origin.retentionMs : this.#dueAt(context);
    const outline = writeOutline(context, tags, this.journal.bytes);
    const { settledAt } = context;
    return { stand: standOf(context), isUnfinished, works, awaitingSince, dueAt, settledAt, outline };
  }

  #dueAt(context: ExecutionContext): number | null {
    const dueAt = firstDueAt(context, this.#deps.parkedTimeoutMs);
    return dueAt === NEVER ? null : dueAt;
  }
}

/** Length of an entry in the file or the database. */
export const weigh = (entry: JournalEntry): number => JSON.stringify(entry).length;

const nothing = (): undefined => undefined;

const nearlyFull = (): Fullness => 'nearly_full';
