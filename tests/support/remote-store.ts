/** A durable store as one on another machine shows it: what is not in memory is given some turns later. */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Archive, DurableStore, ExecutionFilter, Recorded, Store } from '../../runtime/index.ts';
import type { SharedArchive } from '../../runtime/store/archive.ts';
import { Refused } from '../../runtime/store/store.ts';
import type { Vault } from '../../runtime/store/vault.ts';
import { turns } from './given.ts';

export class RemoteStore implements Store, Archive {
  readonly archive = this;
  readonly #store: DurableStore;
  #batch: Promise<void> | undefined;

  constructor(store: DurableStore) {
    this.#store = store;
  }

  get vault(): Vault {
    return this.#store.vault;
  }

  append(record: Recorded, entry: JournalEntry) {
    if (!this.isOvertaken(record.id)) return this.#store.append(record, entry);
    return this.#later<undefined>(() => Promise.reject(new Refused(record.id)));
  }

  /** The store has the same facts as memory: another process has taken the execution, and given it up. */
  readonly shared: SharedArchive = {
    owns: () => false,
    isCurrent: () => true,
    refresh: async (id) => ({ isElsewhere: false, read: (after) => this.#store.read(id, after)! }),
    onChanged: () => {},
    hasHints: () => true,
    owners: async () => new Map(),
    mail: {
      post: unused,
      remind: unused,
      open: async () => [],
      outcomes: async () => new Map(),
      answers: unused,
      refuse: unused,
      remove: unused,
    },
  };

  /** Whether another process has changed an execution before this one wants to. */
  isOvertaken: (executionId: string) => boolean = () => false;

  read(executionId: string, after?: number) {
    const isInMemory = this.#store.bytesOf(executionId) > 0;
    return isInMemory ? this.#store.read(executionId, after) : this.#later(() => this.#store.read(executionId, after));
  }

  forget(executionId: string) {
    return this.#store.forget(executionId);
  }

  close() {
    return this.#store.close();
  }

  bytesOf(executionId: string) {
    return this.#store.bytesOf(executionId);
  }

  release(executionId: string) {
    this.#store.release(executionId);
  }

  find(executionId: string) {
    return this.#later(() => this.#store.find(executionId));
  }

  named(name: string) {
    return this.#later(() => this.#store.named(name));
  }

  page(owner: string | undefined, filter: ExecutionFilter) {
    return this.#later(() => this.#store.page(owner, filter));
  }

  awaiting(owner: string | undefined, limit: number) {
    return this.#later(() => this.#store.awaiting(owner, limit));
  }

  unfinished() {
    return this.#later(() => this.#store.unfinished());
  }

  due(now: number, limit: number) {
    return this.#later(() => this.#store.due(now, limit));
  }

  nextDueAt(after?: number) {
    return this.#later(() => this.#store.nextDueAt(after));
  }

  excess(limit: number) {
    return this.#later(() => this.#store.excess(limit));
  }

  open() {
    return this.#later(() => this.#store.open());
  }

  /** What is asked for within two turns is answered together, as one statement does it. */
  async #later<T>(read: () => T | Promise<T>): Promise<T> {
    this.#batch ??= turns(2).then(() => {
      this.#batch = undefined;
    });
    await this.#batch;
    return read();
  }
}

const unused = (): never => {
  throw new Error('no other process executes it');
};
