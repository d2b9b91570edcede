/**
 * Encrypted tokens in a vault. Keys are digests, so the tokens of a holder are found together, and the file contains no
 * names.
 */
import { createHash } from 'node:crypto';
import { AccessToken, type Grant } from '../authoring/access-token.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import type { Vault, VaultEntry } from '../store/vault.ts';
import { idOf, type Provider } from './provider.ts';

/** Prefix of a holder that is an execution. Other holders are users. */
const OF_EXECUTION = '\0';

/** Tokens belong to a user, or to an execution without owner. No user id has this prefix. */
export const holderOf = ({ user, executionId }: { user: string | undefined; executionId: string }): string =>
  user ?? `${OF_EXECUTION}${executionId}`;

export interface KeptGrant extends Grant {
  /** The requested scopes. */
  readonly scopes: readonly string[];
  /** `idOf` the provider. Undefined for a token of an older version, which is found by its key only. */
  readonly providerId: string | undefined;
  /** Grows with each token that replaces another. */
  readonly generation: number;
  /** When a run was last given it, to within a day. Epoch milliseconds. */
  readonly usedAt: number;
  /** Its key in the vault. */
  readonly place: string;
}

interface Written {
  readonly value: string;
  /** The scopes of the token. */
  readonly scopes: readonly string[];
  readonly expiresAt?: number | undefined;
  readonly refreshToken?: string | undefined;
  readonly refreshAt?: number | undefined;
  readonly asked?: readonly string[];
  readonly providerId?: string | undefined;
  readonly generation?: number;
  /** Undefined for a token of an older version. */
  readonly usedAt?: number;
}

/** The place of a stored grant. */
interface Kept extends Omit<KeptGrant, 'providerId' | 'place'> {
  readonly holder: string;
  readonly key: string;
  readonly provider: Provider;
}

/** Number of tokens that are checked with each stored one: more than one, so that expired tokens do not accumulate. */
const SWEPT = 4;

export class StoredTokens {
  readonly #vault: Vault;
  readonly #now: () => number;
  readonly #retentionMs: number;
  /** Executions that this process knows to have tokens, as key prefixes. */
  readonly #executions = new Set<string>();
  /** Key of the token that was checked last. */
  #sweptTo = '';

  /** `retentionMs`: how long an unused token stays. */
  constructor(vault: Vault, now: () => number, retentionMs: number) {
    this.#vault = vault;
    this.#now = now;
    this.#retentionMs = retentionMs;
    if (vault.isShared) return; // an execution that ends reads its tokens before, at the process where it ends
    for (const [key] of vault.entries('token', OF_EXECUTIONS) as readonly VaultEntry[])
      this.#executions.add(holderIn(key));
  }

  /** Other processes change them too. */
  get isShared(): boolean {
    return this.#vault.isShared;
  }

  get(holder: string, key: string): Awaitable<KeptGrant | undefined> {
    const place = placeOf(holder, key);
    return andThen(this.#vault.get('token', place), (text) => this.#read(place, text));
  }

  /** All tokens of a holder. */
  all(holder: string): Awaitable<readonly KeptGrant[]> {
    return andThen(this.#vault.entries('token', beginningOf(holder)), (rows) => {
      if (rows.length > 0 && holder.startsWith(OF_EXECUTION)) this.#executions.add(beginningOf(holder));
      return rows.flatMap(([place, text]) => this.#read(place, text) ?? []);
    });
  }

  /** Resolves once it is committed. Throws `store_unavailable`. */
  put({
    holder,
    key,
    provider,
    token,
    refreshToken,
    refreshAt,
    scopes: asked,
    generation,
    usedAt,
  }: Kept): Promise<undefined> {
    const { value, scopes, expiresAt } = token;
    this.#sweep();
    const own = { providerId: idOf(provider), generation, usedAt };
    const written: Written = { value, scopes, expiresAt, refreshToken, refreshAt, asked, ...own };
    const kept = this.#vault.put('token', placeOf(holder, key), JSON.stringify(written));
    if (holder.startsWith(OF_EXECUTION)) this.#executions.add(beginningOf(holder));
    return kept;
  }

  /** Claims a refresh token. False: another request uses it. Throws, or rejects with, `store_unavailable`. */
  claim(flight: string): Awaitable<boolean> {
    return this.#vault.claim(`refresh ${digest(flight)}`);
  }

  release(flight: string): void {
    this.#vault.release(`refresh ${digest(flight)}`);
  }

  /** Begins the retention again. If that cannot be stored now, the next use does it. */
  use({ holder, key, usedAt }: Kept): void {
    this.#try(() => this.#change(placeOf(holder, key), (written) => ({ ...written, usedAt })));
  }

  /** Removes it, unless a newer one has its place. Throws, or rejects with, `store_unavailable`. */
  discard({ holder, key, generation }: Kept): Awaitable<void> {
    return this.#change(placeOf(holder, key), (written) =>
      (written.generation ?? 0) > generation ? written : undefined,
    );
  }

  /** Throws `store_unavailable`. */
  remove(holder: string, key: string): void {
    void this.#vault.remove('token', placeOf(holder, key));
  }

  /** Throws, or rejects with, `store_unavailable`. */
  removeAll(holder: string): Awaitable<void> {
    return andThen(this.#vault.entries('token', beginningOf(holder)), (rows) => {
      for (const [place] of rows) void this.#vault.remove('token', place);
      this.#executions.delete(beginningOf(holder));
    });
  }

  hasOfExecution(holder: string): boolean {
    return this.#executions.size > 0 && this.#executions.has(beginningOf(holder));
  }

  #read(place: string, text: string | undefined): KeptGrant | undefined {
    const written = parsed(text);
    if (written === undefined || this.#isOver(written)) return undefined;
    const { value, scopes, expiresAt, refreshToken, refreshAt, asked = [], providerId, generation = 0 } = written;
    const { usedAt = this.#now() } = written;
    const token = new AccessToken(value, scopes, expiresAt);
    return { token, refreshToken, refreshAt, scopes: asked, providerId, generation, usedAt, place };
  }

  /** Undefined: it is removed. */
  #change(place: string, next: (written: Written) => Written | undefined): Awaitable<void> {
    return this.#vault.change('token', place, (text) => {
      const written = parsed(text);
      const changed = written && next(written);
      return changed && (changed === written ? text : JSON.stringify(changed));
    });
  }

  /** Whether its retention has ended. */
  #isOver({ usedAt }: Written): boolean {
    return usedAt !== undefined && usedAt + this.#retentionMs <= this.#now();
  }

  /**
   * Expired tokens without a refresh token, tokens that were not used for long, and tokens sealed under another key.
   * Users may never come back, so a refresh token is no reason to store a token for ever.
   */
  #sweep(): void {
    this.#try(() =>
      andThen(this.#vault.entries('token', '', this.#sweptTo, SWEPT), (rows) => {
        this.#sweptTo = rows.length < SWEPT ? '' : rows.at(-1)![0];
        for (const [place, text] of rows) {
          const written = parsed(text);
          if (written !== undefined && this.#isUsable(written) && written.usedAt !== undefined) continue;
          const kept = (written: Written) =>
            this.#isUsable(written) ? { usedAt: this.#now(), ...written } : undefined;
          this.#try(() => this.#change(place, kept));
        }
      }),
    );
  }

  #isUsable(written: Written): boolean {
    const { refreshToken, expiresAt = Number.POSITIVE_INFINITY } = written;
    return (refreshToken !== undefined || expiresAt > this.#now()) && !this.#isOver(written);
  }

  /** For what a later call repeats. */
  #try(act: () => Awaitable<void>): void {
    try {
      const done = act();
      if (done instanceof Promise) done.catch(() => {});
    } catch {}
  }
}

const parsed = (text: string | undefined): Written | undefined => (text === undefined ? undefined : JSON.parse(text));

/** Where the tokens of executions begin. */
const OF_EXECUTIONS = 'execution:';

export const placeOf = (holder: string, key: string): string => beginningOf(holder) + digest(key);

const beginningOf = (holder: string): string =>
  `${holder.startsWith(OF_EXECUTION) ? 'execution' : 'user'}:${digest(holder)}.`;

/** The beginning of a key, up to its holder. */
const holderIn = (place: string): string => place.slice(0, place.indexOf('.') + 1);

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
