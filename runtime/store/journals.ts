/** The executions of a durable store that are in memory, and those whose removal is not committed yet. */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Archived, ListedRow } from './archive.ts';
import { type Batch, type Commits, unwritable } from './group-commit.ts';
import type { Kept } from './journal-writer.ts';
import { Journal } from './memory-journal.ts';
import { RemovalWriter } from './removal-writer.ts';
import type { Seal } from './seal.ts';
import { readOrigin } from './start-request-text.ts';
import type { Fullness, Recorded } from './store.ts';
import type { StoredFacts } from './stored-facts.ts';

export interface Loaded<J extends Kept> {
  readonly kept: J;
  readonly origin: Archived['origin'];
}

export class Journals<J extends Kept> {
  readonly inMemory = new Map<string, J>();
  readonly #commits: Commits;
  readonly #seal: Seal | undefined;
  readonly #create: (n: number, id: string, journal: Journal) => J;
  readonly #forgotten = new Set<string>();

  /** `create`: with its number in the order of starts. */
  constructor(commits: Commits, seal: Seal | undefined, create: (n: number, id: string, journal: Journal) => J) {
    this.#commits = commits;
    this.#seal = seal;
    this.#create = create;
  }

  begin(n: number, id: string): J {
    const kept = this.#create(n, id, new Journal([], 0, 0));
    this.inMemory.set(id, kept);
    return kept;
  }

  /** Its journal, as the store has it. It is not in memory yet. */
  load(n: number, id: string, { entries, bytes, origin, truncated }: StoredFacts & { truncated: number }): Loaded<J> {
    const [started] = entries;
    const input = started?.type === 'execution.started' ? started.input : null;
    const kept = this.#create(n, id, new Journal(entries, bytes, truncated));
    return { kept, origin: readOrigin(origin, input, this.#seal) };
  }

  append(kept: J, record: Recorded, entry: JournalEntry, batch: Batch): Fullness | Promise<Fullness> {
    try {
      return kept.append(record, entry, batch);
    } catch (cause) {
      throw unwritable(kept.name, cause); // other executions are not affected
    }
  }

  /** Resolves once its removal is committed. `n`: its number in the order of starts, if the store needs it. */
  async forget(id: string, n?: number): Promise<void> {
    const { batch } = this.#commits;
    const part = batch.join(new RemovalWriter(id, n));
    this.inMemory.delete(id);
    this.#forgotten.add(id);
    try {
      await part.kept;
    } finally {
      this.#forgotten.delete(id);
    }
  }

  isForgotten(id: string): boolean {
    return this.#forgotten.has(id);
  }

  present(rows: readonly ListedRow[]): readonly ListedRow[] {
    return this.#forgotten.size === 0 ? rows : rows.filter(({ id }) => !this.#forgotten.has(id));
  }

  bytesOf(id: string): number {
    return this.inMemory.get(id)?.journal.bytes ?? 0;
  }

  /** Unless facts are on their way to the store. */
  release(id: string): void {
    if (this.inMemory.get(id)?.isIdle) this.inMemory.delete(id);
  }
}
