/** The journal in memory of an execution that several processes share, and which of them executes it. */
import type { News } from '../archive.ts';
import type { JournalChange } from '../changes.ts';
import { Kept, type KeptDeps } from '../journal-writer.ts';
import type { Journal } from '../memory-journal.ts';
import type { Node } from './nodes.ts';
import type { Standing } from './reader.ts';

export interface SharedJournalDeps extends KeptDeps {
  /** This process. */
  readonly node: Pick<Node, 'id' | 'isValid' | 'losses'>;
  /** Facts of this process were committed. */
  written(executionId: string): void;
}

export class SharedJournal extends Kept implements News {
  isSettled = false;
  /** The process that executes it; `none` while it waits, and after its end. */
  #owner: 'here' | 'elsewhere' | 'none' = 'none';
  /** How often this process had lost its lease when it became the owner. */
  #losses = 0;
  /** Of the batch that is being written. */
  #change: JournalChange | undefined;
  #lossesBefore = 0;
  /** Keys of the letters whose facts are in the next batch. */
  #letters: string[] | undefined;
  readonly #deps: SharedJournalDeps;

  constructor(n: number, id: string, journal: Journal, deps: SharedJournalDeps) {
    super(n, id, journal, deps);
    this.#deps = deps;
  }

  /** No other process can append to it. */
  get isOwn(): boolean {
    const { node } = this.#deps;
    return this.#owner === 'here' && node.isValid && this.#losses === node.losses;
  }

  get isElsewhere(): boolean {
    return this.#owner === 'elsewhere';
  }

  /** As the database has it. */
  stands({ node: owner, isSettled }: Standing): this {
    const { node } = this.#deps;
    this.#owner = owner === null ? 'none' : owner === node.id ? 'here' : 'elsewhere';
    this.#losses = node.losses;
    this.isSettled = isSettled;
    return this;
  }

  /** Others may take it. */
  letGo(): void {
    this.#owner = 'none';
  }

  /** The last appended fact is that of this letter. */
  answer(key: string): void {
    if (this.#letters === undefined) this.#letters = [key];
    else this.#letters.push(key);
  }

  override changes(): readonly [JournalChange] {
    const [change] = super.changes();
    this.#change = change;
    this.#lossesBefore = this.#deps.node.losses;
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
    this.#owner = row.works ? 'here' : 'none';
    this.#losses = this.#lossesBefore;
    this.#deps.written(this.id);
  }
}
