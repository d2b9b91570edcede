/** Small values that survive the process, by kind and key. Secrets are stored encrypted only. */
export interface Vault {
  /** Whether secrets can be stored. Without a key they are in memory only. */
  readonly seals: boolean;
  /** Includes values that are not on the disk yet. Undefined for values sealed under another key. */
  get(kind: VaultKind, key: string): string | undefined;
  /** Keys after this one, in order. Keys are ASCII. */
  keys(kind: VaultKind, after: string, limit: number): readonly string[];
  /** Stored with the facts of the same turn. A secret is dropped without a key. Throws `store_unavailable`. */
  put(kind: VaultKind, key: string, value: string): void;
  /** Throws `store_unavailable`. */
  remove(kind: VaultKind, key: string): void;
  /** Throws `store_unavailable` while nothing can be written. */
  refuseIfUnavailable(): void;
}

/**
 * `flow`: a pending consent; encrypted with a key, plain otherwise, because it is useless alone. `token`: a grant; a
 * secret. `builder`: counters. `recovery`: executions that were running when the process died.
 */
export type VaultKind = 'flow' | 'token' | 'builder' | 'recovery';
