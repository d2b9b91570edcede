/** A store that keeps what it is given some turns later, as one that writes to a disk does. */
import type { JournalEntry } from '../../machines/facts.ts';
import { type JournalLimits, MemoryStore, type Store } from '../../runtime/index.ts';
import { turns } from './given.ts';

export class LateStore implements Store {
  readonly #kept: MemoryStore;
  readonly #pending = new Map<string, Promise<unknown>>();
  #count = 0;

  constructor(limits: JournalLimits) {
    this.#kept = new MemoryStore(limits);
  }

  /** Entries of one execution one after the other; those of several overtake each other. */
  append(executionId: string, entry: JournalEntry): Promise<undefined | 'full'> {
    this.#count += 1;
    const delay = this.#count % 3;
    const before = this.#pending.get(executionId) ?? Promise.resolve();
    const kept = before.then(() => turns(delay)).then(() => this.#kept.append(executionId, entry));
    this.#pending.set(executionId, kept);
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

  async read(executionId: string, after?: number) {
    await turns(1);
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
