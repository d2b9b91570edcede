/** Small things that outlive the process, by kind and key. What is secret is only kept sealed. */
export interface Vault {
  /** Whether secrets can be kept: without a key they live in memory only. */
  readonly seals: boolean;
  get(kind: VaultKind, key: string): string | undefined;
  /** Kept with the facts of the same moment. A secret is dropped where none can be kept. */
  put(kind: VaultKind, key: string, value: string): void;
  remove(kind: VaultKind, key: string): void;
}

/** `flow`: a consent under way. `token`: what was granted; a secret. `builder`: what was counted. */
export type VaultKind = 'flow' | 'token' | 'builder';
