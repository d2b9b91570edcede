/** The store without persistence: journals in a map. */
import type { JournalEntry } from '../../machines/facts.ts';
import { Journal } from './memory-journal.ts';
import type { Fullness, JournalLimits, JournalPage, Recorded, Store } from './store.ts';

export class MemoryStore implements Store {
  readonly #journals = new Map<string, Journal>();
  readonly #limits: JournalLimits;

  constructor(limits: JournalLimits) {
    this.#limits = limits;
  }

  append({ id }: Pick<Recorded, 'id'>, entry: JournalEntry): Fullness {
    let journal = this.#journals.get(id);
    if (journal === undefined) {
      journal = new Journal([], 0, 0);
      this.#journals.set(id, journal);
    }
    if (journal.append(entry, weigh(entry), this.#limits, weigh)) return journal.truncate(this.#limits, weigh);
    return journal.isNearlyFull(this.#limits, weigh) ? 'nearly_full' : undefined;
  }

  read(executionId: string, after = 0): JournalPage | undefined {
    return this.#journals.get(executionId)?.page(after, Number.POSITIVE_INFINITY);
  }

  forget(executionId: string): void {
    this.#journals.delete(executionId);
  }

  close(): void {
    this.#journals.clear();
  }
}

/** The approximate length of the value as JSON. */
const weigh = (value: unknown): number => {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += weigh(item) + 1;
  else for (const key in value) bytes += key.length + 4 + weigh((value as Record<string, unknown>)[key]);
  return bytes;
};
