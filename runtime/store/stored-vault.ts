/** The vault of a durable store: a table whose pending writes are visible at once. */
import type { ValueChange } from './changes.ts';
import type { Batch, Commits, Part, Writer } from './group-commit.ts';
import type { Seal } from './seal.ts';
import type { Vault, VaultKind } from './vault.ts';

/** Values that were put or removed (undefined) and are not on the disk yet, by kind and key. */
type Changes = Map<string, string | undefined>;

/** Prefix of a sealed value; no plain value has it. */
const SEALED = 'sealed:';

/** The committed values, as they are stored. */
export interface StoredValues {
  vault(kind: VaultKind, key: string): string | undefined;
  vaultKeys(kind: VaultKind, after: string, limit: number): readonly string[];
}

export class StoredVault implements Vault, Writer {
  readonly #values: StoredValues;
  readonly #commits: Commits;
  readonly #seal: Seal | undefined;
  #changes: Changes = new Map();
  /** Values of the batch that is being written. */
  #leaving: Changes = new Map();
  /** Their values for the next batch. */
  #writes: ValueChange[] = [];
  #part: Part | undefined;
  readonly name = 'the vault';

  constructor(values: StoredValues, commits: Commits, seal: Seal | undefined) {
    this.#values = values;
    this.#commits = commits;
    this.#seal = seal;
  }

  get seals(): boolean {
    return this.#seal !== undefined;
  }

  get(kind: VaultKind, key: string): string | undefined {
    const place = placeOf(kind, key);
    for (const changes of [this.#changes, this.#leaving]) if (changes.has(place)) return changes.get(place);
    const value = this.#values.vault(kind, key);
    return value?.startsWith(SEALED) ? this.#seal?.open(value.slice(SEALED.length)) : value;
  }

  keys(kind: VaultKind, after: string, limit: number): readonly string[] {
    const kept = this.#values.vaultKeys(kind, after, limit + this.#leaving.size + this.#changes.size);
    const keys = new Set(kept);
    const first = placeOf(kind, '');
    for (const changes of [this.#leaving, this.#changes]) {
      for (const [place, value] of changes) {
        const key = place.slice(first.length);
        if (!place.startsWith(first) || key <= after) continue;
        if (value === undefined) keys.delete(key);
        else keys.add(key);
      }
    }
    return [...keys].sort().slice(0, limit);
  }

  put(kind: VaultKind, key: string, value: string): void {
    if (kind === 'token' && this.#seal === undefined) return;
    const isSealed = (kind === 'flow' || kind === 'token') && this.#seal !== undefined;
    const text = isSealed ? SEALED + this.#seal.close(value) : value;
    this.#join().weight += text.length;
    this.#writes.push({ change: 'value', kind, key, text });
    this.#changes.set(placeOf(kind, key), value);
  }

  remove(kind: VaultKind, key: string): void {
    this.#join();
    this.#writes.push({ change: 'value', kind, key, text: undefined });
    this.#changes.set(placeOf(kind, key), undefined);
  }

  refuseIfUnavailable(): void {
    void this.#commits.batch; // the request for a batch is refused
  }

  changes(): readonly ValueChange[] {
    const changes = this.#writes;
    this.#leave();
    return changes;
  }

  #leave(): void {
    this.#leaving = this.#changes;
    this.#changes = new Map();
    this.#writes = [];
    this.#part = undefined;
  }

  written(): void {
    this.#leaving = new Map();
  }

  /** All pending values are lost together. */
  lost(): void {
    this.#leave();
    this.written();
  }

  #join(): Batch {
    const { batch } = this.#commits;
    if (this.#part?.batch !== batch) this.#part = batch.join(this);
    return batch;
  }
}

const placeOf = (kind: VaultKind, key: string): string => `${kind} ${key}`;
