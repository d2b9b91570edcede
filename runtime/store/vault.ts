/**
 * Small values besides executions, by kind and key. Secrets are stored encrypted only.
 *
 * V1  A change is committed with the facts of the same turn, and visible to this process at once.
 * V2  Of several processes that claim a name at the same time, one gets it. A claim ends with `release`, or 15 s after its
 *     process has ended, by the clock of the store.
 * V3  `change` and `count` lose no change of another process.
 */
import type { Awaitable } from '../awaitable.ts';
import type { Counts } from './counts.ts';

export interface Vault {
  /** Whether secrets can be stored. Without a key they are in memory only. */
  readonly seals: boolean;
  /** Other processes change the values too, so a copy in memory may be outdated. */
  readonly isShared: boolean;
  /** Undefined also for a value that was sealed under another key. */
  get(kind: VaultKind, key: string): Awaitable<string | undefined>;
  /** Values whose keys begin with a prefix, in the order of their keys, after this key. Default: all of them. Keys are ASCII. */
  entries(kind: VaultKind, prefix: string, after?: string, limit?: number): Awaitable<readonly VaultEntry[]>;
  /** Resolves once it is committed. A secret is dropped without a key. Throws `store_unavailable`. */
  put(kind: VaultKind, key: string, value: string): Promise<undefined>;
  /** Resolves once it is committed. Throws `store_unavailable`. */
  remove(kind: VaultKind, key: string): Promise<undefined>;
  /** Replaces a value, or removes it (undefined), unless it changes meanwhile. Throws, or rejects with, `store_unavailable`. */
  change(kind: VaultKind, key: string, next: (value: string | undefined) => string | undefined): Awaitable<void>;
  /** Adds to the counters of a builder. Resolves once that is committed. Throws, or rejects with, `store_unavailable`. */
  count(key: string, counts: Counts): Awaitable<undefined>;
  /** False: this process or another one has the name. Throws, or rejects with, `store_unavailable`. */
  claim(name: string): Awaitable<boolean>;
  release(name: string): void;
  /** Throws `store_unavailable` while nothing can be written. */
  refuseIfUnavailable(): void;
}

/** A value is undefined if it was sealed under another key. */
export type VaultEntry = readonly [key: string, value: string | undefined];

/**
 * `flow`: a pending consent; encrypted with a key, plain otherwise, because it is useless alone. `token`: a grant; a
 * secret. `builder`: counters. `recovery`: executions that were running when the process died.
 */
export type VaultKind = 'flow' | 'token' | 'builder' | 'recovery';
