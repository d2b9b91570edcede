/** Small things that outlive the process, by kind and key. What is secret is only kept sealed. */
export interface Vault {
  /** Whether secrets can be kept: without a key they live in memory only. */
  readonly seals: boolean;
  /** Also what is not on the disk yet. Undefined for what was sealed under another key. */
  get(kind: VaultKind, key: string): string | undefined;
  /** Keys that come after this one, in their order. Keys are ASCII. */
  keys(kind: VaultKind, after: string, limit: number): readonly string[];
  /** Kept with the facts of the same moment; a secret is dropped where none can be kept. Throws `store_unavailable`. */
  put(kind: VaultKind, key: string, value: string): void;
  /** Throws `store_unavailable`. */
  remove(kind: VaultKind, key: string): void;
  /** Throws `store_unavailable` while nothing can be kept. */
  refuseIfUnavailable(): void;
}

/**
 * `flow`: a consent under way; sealed if there is a key, plain otherwise, since alone it opens nothing. `token`: what was
 * granted; a secret. `builder`: what was counted. `recovery`: who was executed when the process died.
 */
export type VaultKind = 'flow' | 'token' | 'builder' | 'recovery';
