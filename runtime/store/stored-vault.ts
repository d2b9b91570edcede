/** The vault of a durable store: a table, of which what was put is seen at once. */
import type { Commits } from './commits.ts';
import type { Reader } from './reader.ts';
import type { Seal } from './seal.ts';
import type { Vault, VaultKind } from './vault.ts';

const SECRET: readonly VaultKind[] = ['token', 'flow'];

export class StoredVault implements Vault {
  readonly #reader: Reader;
  readonly #commits: Commits;
  readonly #seal: Seal | undefined;

  constructor(reader: Reader, commits: Commits, seal: Seal | undefined) {
    this.#reader = reader;
    this.#commits = commits;
    this.#seal = seal;
  }

  get seals(): boolean {
    return this.#seal !== undefined;
  }

  get(kind: VaultKind, key: string): string | undefined {
    const value = this.#reader.vault(kind, key);
    return value !== undefined && SECRET.includes(kind) ? this.#seal?.open(value) : value;
  }

  put(kind: VaultKind, key: string, value: string): void {
    const isSecret = SECRET.includes(kind);
    if (isSecret && this.#seal === undefined) return;
    this.#commits.batch.add('put', kind, key, isSecret ? this.#seal!.close(value) : value);
  }

  remove(kind: VaultKind, key: string): void {
    this.#commits.batch.add('remove', kind, key);
  }
}
