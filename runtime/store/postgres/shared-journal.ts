/** The journal in memory of an execution that several processes share, and which of them executes it. */
import type { News } from '../archive.ts';
import type { JournalChange } from '../changes.ts';
import { Kept, type KeptDeps } from '../journal-writer.ts';
import type { Journal } from '../memory-journal.ts';
import type { Standing } from './reader.ts';

/** The process that executes an execution. `none`: it waits, or has settled. */
type Owner = 'here' | 'elsewhere' | 'none';

export interface SharedJournalDeps extends KeptDeps {
  /** Facts of this process were committed. */
  written(executionId: string): void;
}

export class SharedJournal extends Kept implements News {
  owner: Owner = 'none';
  isSettled = false;
  /** Of the batch that is being written. */
  #change: JournalChange | undefined;
  /** Keys of the letters whose facts are in the next batch. */
  #letters: string[] | undefined;
  readonly #written: (executionId: string) => void;

  constructor(n: number, id: string, journal: Journal, deps: SharedJournalDeps) {
    super(n, id, journal, deps);
    this.#written = deps.written;
  }

  get isElsewhere(): boolean {
    return this.owner === 'elsewhere';
  }

  /** As the database has it. */
  stands({ node, isSettled }: Standing, self: string): void {
    this.owner = node === null ? 'none' : node === self ? 'here' : 'elsewhere';
    this.isSettled = isSettled;
  }

  /** The last appended fact is that of this letter. */
  answer(key: string): void {
    if (this.#letters === undefined) this.#letters = [key];
    else this.#letters.push(key);
  }

  override changes(): readonly [JournalChange] {
    const [change] = super.changes();
    this.#change = change;
    if (this.#letters === undefined) return [change];
    const letters = this.#letters;
    this.#letters = undefined;
    return [{ ...change, letters }];
  }

  override written(): void {
    super.written();
    const { row } = this.#change!;
    this.#change = undefined;
    this.isSettled = row.settledAt !== null;
    this.owner = row.isUnfinished ? 'here' : 'none';
    this.#written(this.id);
  }
}
