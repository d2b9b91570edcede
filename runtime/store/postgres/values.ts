/** The values of the vault, in memory as they are in the database: the process that has the database is the only one that writes them. */
import type { Part, Refusal, Target } from '../group-commit.ts';
import type { StoredValues } from '../stored-vault.ts';
import type { VaultKind } from '../vault.ts';
import type { PostgresReader } from './reader.ts';

export class Values implements StoredValues, Target {
  readonly #target: Target;
  readonly #reader: PostgresReader;
  readonly #kinds = new Map<VaultKind, Map<string, string>>();
  /** Sorted keys, until one is added or removed. */
  readonly #sorted = new Map<VaultKind, readonly string[]>();

  constructor(target: Target, reader: PostgresReader) {
    this.#target = target;
    this.#reader = reader;
  }

  /** No batch is being written meanwhile. */
  async load(): Promise<void> {
    const stored = await this.#reader.values();
    this.#kinds.clear();
    this.#sorted.clear();
    for (const [kind, key, value] of stored) this.#set(kind, key, value);
  }

  vault(kind: VaultKind, key: string): string | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  vaultKeys(kind: VaultKind, after: string, limit: number): readonly string[] {
    let keys = this.#sorted.get(kind);
    if (keys === undefined) {
      keys = [...(this.#kinds.get(kind)?.keys() ?? [])].sort();
      this.#sorted.set(kind, keys);
    }
    const first = firstAbove(keys, after);
    return keys.slice(first, first + limit);
  }

  async write(parts: readonly Part[]): Promise<readonly Refusal[]> {
    const refused = await this.#target.write(parts);
    for (const part of parts) {
      if (part.cause === undefined && !refused.some(([one]) => one === part)) this.#apply(part);
    }
    return refused;
  }

  probe(): Promise<void> {
    return this.#target.probe();
  }

  close(): Promise<void> {
    return this.#target.close();
  }

  set onLost(onLost: (cause: unknown) => void) {
    this.#target.onLost = onLost;
  }

  #apply({ changes }: Part): void {
    for (const change of changes) if (change.change === 'value') this.#set(change.kind, change.key, change.text);
  }

  #set(kind: VaultKind, key: string, text: string | undefined): void {
    const values = this.#kinds.get(kind) ?? new Map<string, string>();
    this.#kinds.set(kind, values);
    if (values.has(key) !== (text !== undefined)) this.#sorted.delete(kind);
    if (text === undefined) values.delete(key);
    else values.set(key, text);
  }
}

/** Binary search. */
const firstAbove = (keys: readonly string[], after: string): number => {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! > after) high = middle;
    else low = middle + 1;
  }
  return low;
};
