/** Values of a process that has no durable store. They end with it. */
import type { Counts } from './counts.ts';
import { sumOf } from './counts.ts';
import type { Vault, VaultEntry, VaultKind } from './vault.ts';

const COMMITTED = Promise.resolve(undefined);

export class MemoryVault implements Vault {
  readonly seals = false;
  readonly isShared = false;
  readonly #values = new Map<string, string>();
  /** Places of values, sorted. */
  readonly #places: string[] = [];
  readonly #claims = new Set<string>();

  get(kind: VaultKind, key: string): string | undefined {
    return this.#values.get(placeOf(kind, key));
  }

  entries(kind: VaultKind, prefix: string, after = '', limit = Number.POSITIVE_INFINITY): VaultEntry[] {
    const start = placeOf(kind, prefix);
    const found: VaultEntry[] = [];
    const behind = placeOf(kind, after);
    for (let index = this.#indexOf(behind > start ? behind : start); found.length < limit; index += 1) {
      const place = this.#places[index];
      if (place === undefined || !place.startsWith(start)) break;
      const key = place.slice(kind.length + 1);
      if (key > after) found.push([key, this.#values.get(place)]);
    }
    return found;
  }

  put(kind: VaultKind, key: string, value: string): Promise<undefined> {
    if (kind === 'token') return COMMITTED;
    const place = placeOf(kind, key);
    if (!this.#values.has(place)) this.#places.splice(this.#indexOf(place), 0, place);
    this.#values.set(place, value);
    return COMMITTED;
  }

  remove(kind: VaultKind, key: string): Promise<undefined> {
    const place = placeOf(kind, key);
    if (this.#values.delete(place)) this.#places.splice(this.#indexOf(place), 1);
    return COMMITTED;
  }

  change(kind: VaultKind, key: string, next: (value: string | undefined) => string | undefined): void {
    const value = this.get(kind, key);
    if (value === undefined) return;
    const changed = next(value);
    void (changed === undefined ? this.remove(kind, key) : this.put(kind, key, changed));
  }

  count(key: string, counts: Counts): Promise<undefined> {
    const before = this.get('builder', key);
    return this.put('builder', key, JSON.stringify(before === undefined ? counts : sumOf(JSON.parse(before), counts)));
  }

  claim(name: string): boolean {
    if (this.#claims.has(name)) return false;
    this.#claims.add(name);
    return true;
  }

  release(name: string): void {
    this.#claims.delete(name);
  }

  refuseIfUnavailable(): void {}

  /** Of the first place that is not before this one. */
  #indexOf(place: string): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle]! < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const placeOf = (kind: VaultKind, key: string): string => `${kind} ${key}`;
