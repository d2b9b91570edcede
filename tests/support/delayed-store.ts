/** A store that keeps what it is given some turns later, as one that writes to a disk does. */
import type { JournalEntry } from '../../machines/facts.ts';
import { type JournalLimits, MemoryStore, type Recorded, type Store } from '../../runtime/index.ts';
import type { Fullness } from '../../runtime/store/store.ts';
import { turns } from './given.ts';

export class DelayedStore implements Store {
  readonly #kept: MemoryStore;
  readonly #pending = new Map<string, Promise<unknown>>();
  #count = 0;

  constructor(limits: JournalLimits) {
    this.#kept = new MemoryStore(limits);
  }

  /** Entries of one execution one after the other; those of several overtake each other. */
  append(record: Recorded, entry: JournalEntry): Promise<Fullness> {
    this.#count += 1;
    const delay = this.#count % 3;
    const before = this.#pending.get(record.id) ?? Promise.resolve();
    const kept = before.then(() => turns(delay)).then(() => this.#kept.append(record, entry));
    this.#pending.set(record.id, kept);
    return kept;
  }

  /** Resolves when everything is kept, and nothing more has come of that. */
  async settled(): Promise<void> {
    for (let seen = -1; seen !== this.#count; ) {
      seen = this.#count;
      await Promise.all(this.#pending.values());
      await turns(2);
    }
  }

  read(executionId: string, after?: number) {
    return this.#kept.read(executionId, after);
  }

  async forget(executionId: string): Promise<void> {
    await this.#pending.get(executionId);
    this.#pending.delete(executionId);
    this.#kept.forget(executionId);
  }

  async close(): Promise<void> {
    await this.settled();
    this.#kept.close();
  }
}
