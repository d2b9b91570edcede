/**
 * Granted tokens, by holder, provider and scopes.
 *
 * K1  A refresh token is used by one request at a time, in all processes. Providers that rotate refresh tokens revoke
 *     everything when an old one is used again.
 * K2  A newer token in the store wins: another process, or an earlier one, has refreshed it.
 */

import type { AccessToken, Grant } from '../authoring/access-token.ts';
import { Failure } from '../errors.ts';
import type { Vault } from '../store/vault.ts';
import { idOf, type Provider } from './provider.ts';
import { type KeptGrant, StoredTokens } from './stored-tokens.ts';
import type { TokenAnswer } from './token-endpoint.ts';

export interface TokenCacheOptions {
  readonly now: () => number;
  /** Maximum number in memory; the least recently used token is evicted. */
  readonly maxTokens: number;
  readonly vault: Vault | undefined;
  /** How long an unused token stays. Milliseconds. */
  readonly retentionMs: number;
  readonly refresh: (provider: Provider, scopes: readonly string[], refreshToken: string) => Promise<TokenAnswer>;
  /** Resolves to true after a delay in milliseconds; to false, immediately, when the server stops. */
  readonly pause: (ms: number) => Promise<boolean>;
}

interface Entry extends Omit<KeptGrant, 'providerId' | 'usedAt'> {
  usedAt: number;
  readonly key: string;
  readonly holder: string;
  readonly provider: Provider;
  /** Whether the store has it, or had it until another process removed it. */
  isStored: boolean;
  /** The provider's API has rejected it, so it is not returned again. */
  isRejected?: boolean;
  isRefreshing?: boolean;
  /** An early refresh has failed; the time of the next attempt. Epoch milliseconds. */
  retryAt?: number;
}

/** Errors that say nothing about the refresh token, which stays valid. */
const passingErrors = [
  'invalid_client',
  'server_error',
  'temporarily_unavailable',
  'incorrect_client_credentials',
  'invalid_client_id',
  'bad_client_secret',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'ratelimited',
];

/** Interval of writes about uses of one token; less if the retention is short. */
const NOTED_MS = 24 * 3_600_000;

const RETRY_EARLY_MS = 5_000;
/** How long a claim for a refresh lasts before another process takes over, and the interval of checks for that. */
const CLAIM_MS = 15_000;
const LOOK_MS = 250;

export class TokenCache {
  readonly #options: TokenCacheOptions;
  /** In order of use. */
  readonly #entries = new Map<string, Entry>();
  readonly #byHolder = new Map<string, Set<Entry>>();
  readonly #stored: StoredTokens | undefined;
  /** Running refreshes, by holder and refresh token. */
  readonly #refreshes = new Map<string, { entry: Entry; token: Promise<AccessToken | undefined> }>();

  constructor(options: TokenCacheOptions) {
    const { vault, now, retentionMs } = options;
    this.#options = options;
    this.#stored = vault?.seals ? new StoredTokens(vault, now, retentionMs) : undefined;
  }

  /** Throws `store_unavailable`; the token is then in memory only. */
  keep(holder: string, provider: Provider, scopes: readonly string[], grant: Grant): void {
    const key = keyOf(holder, provider, scopes);
    const before = Math.max(this.#entries.get(key)?.generation ?? 0, this.#stored?.get(holder, key)?.generation ?? 0);
    const { token, refreshToken, refreshAt } = grant;
    const generation = before + 1;
    const own = { token, refreshToken, refreshAt, generation, scopes, usedAt: this.#options.now() };
    const entry = this.#put({ ...own, key, holder, provider, isStored: false });
    this.#stored?.put(entry);
    entry.isStored = true;
  }

  /** Stores the tokens of a holder whose commit has failed. Throws `store_unavailable`. */
  storeAgain(holder: string): void {
    for (const entry of this.#byHolder.get(holder) ?? []) this.#stored?.put(entry);
  }

  /** Undefined if consent is needed. Throws `oauth_failed` if the provider cannot refresh at the moment. */
  async token(holder: string, provider: Provider, scopes: readonly string[]): Promise<AccessToken | undefined> {
    for (;;) {
      const entry = this.#find(holder, provider, scopes);
      if (entry === undefined) return undefined;
      const token = await this.#use(entry);
      if (token !== undefined) return token;
    }
  }

  /** The provider's API has rejected this token. */
  reject(holder: string, provider: Provider, value: string): void {
    for (const entry of this.#all(holder, provider)) if (entry.token.value === value) entry.isRejected = true;
  }

  /** Deletes the tokens of a holder at one provider, and returns them. Throws `store_unavailable`. */
  take(holder: string, provider: Provider): readonly Grant[] {
    const all = this.#all(holder, provider);
    for (const entry of all) {
      this.#stored?.remove(holder, entry.key);
      this.#uncache(entry);
    }
    return all;
  }

  /** Deletes all tokens of a holder, also one that is being refreshed. Throws `store_unavailable`. */
  revoke(holder: string): void {
    for (const entry of this.#byHolder.get(holder) ?? []) this.#uncache(entry);
    this.#stored?.removeAll(holder);
  }

  /** Deletes the tokens of an execution that has ended. Most executions have none, which costs nothing. */
  release(holder: string): void {
    if (!this.#byHolder.has(holder) && !this.#stored?.hasOfExecution(holder)) return;
    try {
      this.revoke(holder);
    } catch {} // it is sealed, and no run requests it any more
  }

  /** The token of exactly these scopes, or the one with the fewest scopes that include them. */
  #find(holder: string, provider: Provider, scopes: readonly string[]): Entry | undefined {
    const key = keyOf(holder, provider, scopes);
    const exact = this.#entries.get(key) ?? this.#load(holder, provider, this.#stored?.get(holder, key), key, scopes);
    if (exact !== undefined) return exact;
    const wider = this.#all(holder, provider).filter((entry) => satisfies(entry, scopes));
    return wider.sort((a, b) => a.scopes.length - b.scopes.length)[0];
  }

  /** All tokens of a holder at one provider, also those that are only in the store. */
  #all(holder: string, provider: Provider): Entry[] {
    for (const grant of this.#stored?.all(holder) ?? []) {
      const key = keyOf(holder, provider, grant.scopes);
      if (grant.providerId === idOf(provider) && !this.#entries.has(key)) this.#load(holder, provider, grant, key);
    }
    return [...(this.#byHolder.get(holder) ?? [])].filter((entry) => entry.provider === provider);
  }

  #load(holder: string, provider: Provider, grant: KeptGrant | undefined, key: string, scopes = grant?.scopes ?? []) {
    if (grant === undefined) return undefined;
    const { token, refreshToken, refreshAt, generation, usedAt } = grant;
    const entry = { token, refreshToken, refreshAt, generation, usedAt, scopes, key, holder, provider, isStored: true };
    return this.#put(entry);
  }

  /** Undefined if it has expired, and it is then dropped; or if there is a newer one. */
  #use(entry: Entry): AccessToken | undefined | Promise<AccessToken | undefined> {
    const { token, refreshToken, refreshAt = token.expiresAt, isRejected = false, retryAt = 0 } = entry;
    const now = this.#options.now();
    if (entry.usedAt + this.#options.retentionMs <= now) {
      this.#uncache(entry); // another process may have used it
      return undefined;
    }
    const isAlive = !isRejected && (token.expiresAt === undefined || token.expiresAt > now);
    const isDue = !isAlive || (refreshToken !== undefined && refreshAt !== undefined && refreshAt <= now);
    if (isDue && refreshToken !== undefined && (!isAlive || retryAt <= now)) {
      return this.#refreshOnce(entry, refreshToken, isAlive);
    }
    if (!isAlive) {
      this.#drop(entry);
      return undefined;
    }
    this.#put(entry);
    this.#noteUse(entry, now);
    return token;
  }

  #noteUse(entry: Entry, now: number): void {
    if (now - entry.usedAt < Math.min(NOTED_MS, this.#options.retentionMs / 10)) return;
    entry.usedAt = now;
    if (entry.isStored) this.#stored?.tryUse(entry);
  }

  /** K1 */
  async #refreshOnce(entry: Entry, refreshToken: string, isAlive: boolean): Promise<AccessToken | undefined> {
    const flight = JSON.stringify([entry.holder, idOf(entry.provider), refreshToken]);
    const running = this.#refreshes.get(flight);
    if (running !== undefined && running.entry !== entry) {
      await running.token.catch(() => {});
      return undefined; // it may have a newer refresh token now: `token` checks again
    }
    try {
      if (running !== undefined) return await running.token;
      entry.isRefreshing = true;
      const token = this.#refresh(entry, refreshToken);
      this.#refreshes.set(flight, { entry, token });
      return await token;
    } catch (thrown) {
      if (!isAlive || !(thrown instanceof Failure)) throw thrown;
      entry.retryAt = this.#options.now() + RETRY_EARLY_MS;
      return entry.token;
    } finally {
      entry.isRefreshing = false;
      if (running === undefined) this.#refreshes.delete(flight);
    }
  }

  async #refresh(entry: Entry, refreshToken: string): Promise<AccessToken | undefined> {
    if (!(await this.#claim(entry))) return undefined;
    const { provider, token, key } = entry;
    const answer = await this.#options.refresh(provider, token.scopes, refreshToken);
    const newest = this.#entries.get(key);
    if (newest !== entry) {
      this.#stored?.release(entry);
      return newest?.token;
    }
    if (this.#adoptNewer(entry)) return undefined; // K2
    if (answer.outcome === 'granted') {
      this.#rotate(entry, { ...answer, refreshToken: answer.refreshToken ?? refreshToken });
      return answer.token;
    }
    if (answer.kind === 'rejected' && !passingErrors.includes(answer.error ?? '')) {
      this.#end(entry);
      return undefined;
    }
    this.#stored?.release(entry);
    const detail = `The token of ${provider.name} has expired and could not be refreshed; try again. ${answer.reason}`;
    throw new Failure('oauth_failed', { detail });
  }

  /** Waits while another process refreshes. False if there is nothing left to do. K1, K2 */
  async #claim(entry: Entry): Promise<boolean> {
    for (;;) {
      if (this.#entries.get(entry.key) !== entry || this.#adoptNewer(entry)) return false;
      const now = this.#options.now();
      const busyUntil = this.#stored?.claim(entry, now, now + CLAIM_MS);
      if (busyUntil === undefined || !(await this.#options.pause(LOOK_MS))) return true;
    }
  }

  /** Whether the store has a newer token, or none any more. */
  #adoptNewer(entry: Entry): boolean {
    if (this.#stored === undefined || !entry.isStored) return false;
    const { holder, key, provider } = entry;
    const stored = this.#stored.get(holder, key);
    if (stored !== undefined && stored.generation <= entry.generation) return false;
    this.#uncache(entry);
    this.#load(holder, provider, stored, key, entry.scopes);
    return true;
  }

  /** Stores the new token, and its refresh token in all places of the old one. */
  #rotate(entry: Entry, grant: Grant): void {
    const { holder, provider, refreshToken: used } = entry;
    for (const other of this.#all(holder, provider)) {
      if (other.refreshToken !== used) continue;
      const { token, refreshAt } = other === entry ? grant : other;
      const { key, scopes, generation } = other;
      const usedAt = other === entry ? this.#options.now() : other.usedAt;
      const own = { token, refreshToken: grant.refreshToken, refreshAt, generation: generation + 1, scopes, usedAt };
      const next = this.#put({ ...own, key, holder, provider, isStored: false });
      // It is valid until the end of the process, even if it cannot be stored now.
      next.isStored = this.#stored?.tryPut(next) ?? false;
    }
  }

  /** The refresh token is no longer valid. The access token may be valid for a while. */
  #end(entry: Entry): void {
    const { expiresAt = 0 } = entry.token;
    this.#drop(entry);
    if (!entry.isRejected && expiresAt > this.#options.now()) {
      this.#put({ ...entry, refreshToken: undefined, isStored: false, isRefreshing: false });
    }
  }

  #put(entry: Entry): Entry {
    const { key, holder } = entry;
    const before = this.#entries.get(key);
    if (before !== undefined && before !== entry) this.#uncache(before);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const own = this.#byHolder.get(holder);
    if (own === undefined) this.#byHolder.set(holder, new Set([entry]));
    else own.add(entry);
    if (this.#entries.size > this.#options.maxTokens) this.#makeRoom(entry);
    return entry;
  }

  #makeRoom(newest: Entry): void {
    for (const entry of this.#entries.values()) {
      if (entry.isRefreshing || entry === newest) continue;
      this.#uncache(entry);
      return;
    }
  }

  #drop(entry: Entry): void {
    this.#uncache(entry);
    this.#stored?.tryRemove(entry.holder, entry.key);
  }

  #uncache(entry: Entry): void {
    const { key, holder } = entry;
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    const own = this.#byHolder.get(holder);
    own?.delete(entry);
    if (own?.size === 0) this.#byHolder.delete(holder);
  }
}

const satisfies = ({ scopes, token }: Entry, wanted: readonly string[]): boolean =>
  wanted.every((scope) => scopes.includes(scope) || token.scopes.includes(scope));

const keyOf = (holder: string, { name, issuer }: Provider, scopes: readonly string[]): string =>
  JSON.stringify([holder, name, issuer ?? null, ...[...scopes].sort()]);
