/** The vault of a durable store: a table whose pending writes are visible at once. */
import { type Awaitable, andThen } from '../awaitable.ts';
import type { ValueChange } from './changes.ts';
import { type Counts, sumOf } from './counts.ts';
import type { Commits, Part, Writer } from './group-commit.ts';
import type { Seal } from './seal.ts';
import type { Vault, VaultEntry, VaultKind } from './vault.ts';

/** Values that were put or removed (undefined) and are not committed yet, by kind and key. */
type Changes = Map<string, string | undefined>;

/** Prefix of a sealed value; no plain value has it. */
const SEALED = 'sealed:';

const NOT_STORED = Promise.resolve(undefined);

/** The committed values, as they are stored. */
export interface StoredValues {
  vault(kind: VaultKind, key: string): Awaitable<string | undefined>;
  vaultEntries(
    kind: VaultKind,
    prefix: string,
    after: string,
    limit: number | undefined,
  ): Awaitable<readonly StoredEntry[]>;
  /** Of a store that several processes have. */
  readonly claims?: Claims;
}

type StoredEntry = readonly [key: string, text: string];

/** Names that one process has at a time. */
export interface Claims {
  claim(name: string): Promise<boolean>;
  release(name: string): void;
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
  /** Names that this process has. */
  readonly #claimed = new Set<string>();
  readonly name = 'the vault';

  constructor(values: StoredValues, commits: Commits, seal: Seal | undefined) {
    this.#values = values;
    this.#commits = commits;
    this.#seal = seal;
  }

  get seals(): boolean {
    return this.#seal !== undefined;
  }

  get isShared(): boolean {
    return this.#values.claims !== undefined;
  }

  get(kind: VaultKind, key: string): Awaitable<string | undefined> {
    const pending = this.#pendingWith(placeOf(kind, key));
    if (pending !== undefined) return pending.get(placeOf(kind, key));
    const stored = this.#values.vault(kind, key);
    return stored instanceof Promise ? stored.then((text) => this.#open(text)) : this.#open(stored);
  }

  entries(kind: VaultKind, prefix: string, after = '', limit?: number): Awaitable<readonly VaultEntry[]> {
    // A change may be committed after the rows were read, and before they arrive.
    const before = this.#pendingOf(kind, prefix, after);
    const stored = this.#values.vaultEntries(kind, prefix, after, limit && limit + before.size);
    return andThen(stored, (rows) => {
      const found = new Map(rows.map(([key, text]) => [key, this.#open(text)]));
      for (const [key, value] of [...before, ...this.#pendingOf(kind, prefix, after)]) {
        if (value === undefined) found.delete(key);
        else found.set(key, value);
      }
      return [...found].sort(byKey).slice(0, limit);
    });
  }

  put(kind: VaultKind, key: string, value: string): Promise<undefined> {
    if (kind === 'token' && this.#seal === undefined) return NOT_STORED;
    this.#changesNow().set(placeOf(kind, key), value);
    return this.#write({ change: 'value', kind, key, text: this.#close(kind, value) });
  }

  remove(kind: VaultKind, key: string): Promise<undefined> {
    this.#changesNow().set(placeOf(kind, key), undefined);
    return this.#write({ change: 'value', kind, key, text: undefined });
  }

  change(kind: VaultKind, key: string, next: (value: string | undefined) => string | undefined): Awaitable<void> {
    if (this.#isPending(kind, key)) return this.#changePending(kind, key, next);
    return andThen(this.#values.vault(kind, key), (stored) => {
      if (stored === undefined || this.#isPending(kind, key)) return;
      const value = this.#open(stored);
      const changed = next(value);
      if (changed === value && value !== undefined) return;
      this.#changesNow().set(placeOf(kind, key), changed);
      const text = changed === undefined ? undefined : this.#close(kind, changed);
      void this.#write({ change: 'value', kind, key, text, ...(this.isShared && { replaced: stored }) });
    });
  }

  /** What this process puts meanwhile, it replaces itself. If the store is shared, its change may not be the last one. */
  #changePending(kind: VaultKind, key: string, next: (value: string) => string | undefined): void {
    const value = this.#pendingWith(placeOf(kind, key))?.get(placeOf(kind, key));
    if (value === undefined || this.isShared) return;
    const changed = next(value);
    if (changed !== value) void (changed === undefined ? this.remove(kind, key) : this.put(kind, key, changed));
  }

  count(key: string, counts: Counts): Awaitable<undefined> {
    if (this.isShared) {
      return this.#write({ change: 'value', kind: 'builder', key, text: JSON.stringify(counts), isAdded: true });
    }
    return andThen(this.get('builder', key), (before) =>
      this.put('builder', key, JSON.stringify(before === undefined ? counts : sumOf(JSON.parse(before), counts))),
    );
  }

  claim(name: string): Awaitable<boolean> {
    if (this.#claimed.has(name)) return false;
    this.#claimed.add(name);
    return this.#values.claims === undefined ? true : this.#claimInAll(name, this.#values.claims);
  }

  async #claimInAll(name: string, claims: Claims): Promise<boolean> {
    let isClaimed = false;
    try {
      isClaimed = await claims.claim(name);
    } finally {
      if (!isClaimed) this.#claimed.delete(name);
    }
    return isClaimed;
  }

  release(name: string): void {
    if (this.#claimed.delete(name)) this.#values.claims?.release(name);
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

  #isPending(kind: VaultKind, key: string): boolean {
    return this.#pendingWith(placeOf(kind, key)) !== undefined;
  }

  /** The changes that have this place. */
  #pendingWith(place: string): Changes | undefined {
    if (this.#changes.has(place)) return this.#changes;
    return this.#leaving.has(place) ? this.#leaving : undefined;
  }

  #pendingOf(kind: VaultKind, prefix: string, after: string): Changes {
    const found: Changes = new Map();
    const first = placeOf(kind, prefix);
    for (const changes of [this.#leaving, this.#changes]) {
      for (const [place, value] of changes) {
        const key = place.slice(kind.length + 1);
        if (place.startsWith(first) && key > after) found.set(key, value);
      }
    }
    return found;
  }

  /** Those of the next batch, which may be refused. */
  #changesNow(): Changes {
    const { batch } = this.#commits;
    if (this.#part?.batch !== batch) this.#part = batch.join(this);
    return this.#changes;
  }

  #write(change: ValueChange): Promise<undefined> {
    this.#changesNow();
    const part = this.#part!;
    part.batch.weight += change.text?.length ?? 0;
    this.#writes.push(change);
    return part.kept;
  }

  #open(text: string | undefined): string | undefined {
    return text?.startsWith(SEALED) ? this.#seal?.open(text.slice(SEALED.length)) : text;
  }

  #close(kind: VaultKind, value: string): string {
    const isSealed = (kind === 'flow' || kind === 'token') && this.#seal !== undefined;
    return isSealed ? SEALED + this.#seal.close(value) : value;
  }
}

const placeOf = (kind: VaultKind, key: string): string => `${kind} ${key}`;

const byKey = ([a]: VaultEntry, [b]: VaultEntry): number => (a < b ? -1 : 1);
