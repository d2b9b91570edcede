/**
 * Granted tokens, by holder, provider and scopes.
 *
 * K1  A refresh token is used by one request at a time, in all processes. Providers that rotate refresh tokens revoke
 *     everything when an old one is used again.
 * K2  A newer token in the store wins: another process, or an earlier one, has refreshed it.
 * K3  A token whose commit fails stays in memory, and is stored again until that succeeds or another one takes its place.
 */

import type { AccessToken, Grant } from '../authoring/access-token.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import type { Vault } from '../store/vault.ts';
import { idOf, type Provider } from './provider.ts';
import { type KeptGrant, placeOf, StoredTokens } from './stored-tokens.ts';
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

interface Entry extends Omit<KeptGrant, 'providerId' | 'usedAt' | 'place'> {
  usedAt: number;
  readonly key: string;
  readonly holder: string;
  readonly provider: Provider;
  /** Whether the store has or gets it, or had it until another process removed it. */
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
/** Interval of checks whether another process has refreshed a token, or has lost its claim. */
const LOOK_MS = 250;
/** Interval of attempts to store a token whose commit has failed. */
const SAVE_MS = 1_000;

export class TokenCache {
  readonly #options: TokenCacheOptions;
  /** In order of use. */
  readonly #entries = new Map<string, Entry>();
  readonly #byHolder = new Map<string, Set<Entry>>();
  readonly #stored: StoredTokens | undefined;
  /** Running refreshes, by holder and refresh token. */
  readonly #refreshes = new Map<string, { entry: Entry; token: Promise<AccessToken | undefined> }>();
  /** Those that could not be stored. K3 */
  readonly #unsaved = new Set<Entry>();

  constructor(options: TokenCacheOptions) {
    const { vault, now, retentionMs } = options;
    this.#options = options;
    this.#stored = vault?.seals ? new StoredTokens(vault, now, retentionMs) : undefined;
  }

  /** The generation of the next token in this place. Rejects with `store_unavailable`. */
  nextGeneration(holder: string, provider: Provider, scopes: readonly string[]): Awaitable<number> {
    const key = keyOf(holder, provider, scopes);
    return andThen(this.#stored?.get(holder, key), (stored) => {
      return Math.max(this.#entries.get(key)?.generation ?? 0, stored?.generation ?? 0) + 1;
    });
  }

  /** Throws `store_unavailable`; the token is then in memory only. */
  keep(holder: string, provider: Provider, scopes: readonly string[], grant: Grant, generation: number): void {
    const key = keyOf(holder, provider, scopes);
    const { token, refreshToken, refreshAt } = grant;
    const own = { token, refreshToken, refreshAt, generation, scopes, usedAt: this.#options.now() };
    const entry = this.#put({ ...own, key, holder, provider, isStored: false });
    const kept = this.#stored?.put(entry);
    entry.isStored = true;
    kept?.catch(() => this.#saveLater(entry));
  }

  /** Stores the tokens of a holder whose commit has failed. Throws `store_unavailable`. */
  storeAgain(holder: string): void {
    for (const entry of this.#byHolder.get(holder) ?? []) this.#stored?.put(entry).catch(() => {});
  }

  /** Undefined if consent is needed. Throws `oauth_failed` if the provider cannot refresh at the moment. */
  async token(holder: string, provider: Provider, scopes: readonly string[]): Promise<AccessToken | undefined> {
    for (;;) {
      const found = this.#find(holder, provider, scopes);
      const entry = found instanceof Promise ? await found : found;
      if (entry === undefined) return undefined;
      const token = await this.#use(entry);
      if (token !== undefined) return token;
    }
  }

  /** The provider's API has rejected this token. Rejects with `store_unavailable`. */
  reject(holder: string, provider: Provider, value: string): Awaitable<void> {
    return andThen(this.#all(holder, provider), (all) => {
      for (const entry of all) if (entry.token.value === value) entry.isRejected = true;
    });
  }

  /** Deletes the tokens of a holder at one provider, and returns them. Throws, or rejects with, `store_unavailable`. */
  take(holder: string, provider: Provider): Awaitable<readonly Grant[]> {
    return andThen(this.#all(holder, provider), (all) => {
      for (const entry of all) {
        this.#stored?.remove(holder, entry.key);
        this.#uncache(entry);
      }
      return all;
    });
  }

  /** Deletes all tokens of a holder, also one that is being refreshed. Throws, or rejects with, `store_unavailable`. */
  revoke(holder: string): Awaitable<void> {
    for (const entry of this.#byHolder.get(holder) ?? []) this.#uncache(entry);
    return this.#stored?.removeAll(holder);
  }

  /** Deletes the tokens of an execution that has ended. Most executions have none, which costs nothing. */
  release(holder: string): void {
    if (!this.#byHolder.has(holder) && !this.#stored?.hasOfExecution(holder)) return;
    try {
      const done = this.revoke(holder);
      if (done instanceof Promise) done.catch(() => {});
    } catch {} // it is sealed, and no run requests it any more
  }

  /** The token of exactly these scopes, or the one with the fewest scopes that include them. */
  #find(holder: string, provider: Provider, scopes: readonly string[]): Awaitable<Entry | undefined> {
    const key = keyOf(holder, provider, scopes);
    const exact = this.#entries.get(key);
    if (exact !== undefined && !this.#stored?.isShared) return exact;
    return andThen(this.#all(holder, provider, scopes), (all) => {
      const wider = all.filter((entry) => satisfies(entry, scopes));
      return all.find((entry) => entry.key === key) ?? wider.sort((a, b) => a.scopes.length - b.scopes.length)[0];
    });
  }

  /** All tokens of a holder at one provider, also those that are only in the store. `asked`: scopes that a caller asks for. */
  #all(holder: string, provider: Provider, asked?: readonly string[]): Awaitable<Entry[]> {
    return andThen(this.#stored?.all(holder) ?? [], (grants) => {
      const kept = new Set<string>();
      for (const grant of grants) {
        const scopes = grant.providerId === undefined ? asked : grant.scopes;
        const key = scopes && keyOf(holder, provider, scopes);
        const isOurs = grant.providerId === idOf(provider) || (key && grant.place === placeOf(holder, key));
        if (key === undefined || !isOurs) continue;
        kept.add(key);
        const present = this.#entries.get(key);
        if (present === undefined || present.generation < grant.generation)
          this.#load(holder, provider, grant, key, scopes);
      }
      const all = [...(this.#byHolder.get(holder) ?? [])].filter((entry) => entry.provider === provider);
      if (!this.#stored?.isShared) return all;
      return all.filter((entry) => kept.has(entry.key) || !this.#wasRemoved(entry));
    });
  }

  /** Another process has removed it. */
  #wasRemoved(entry: Entry): boolean {
    if (!entry.isStored || this.#unsaved.has(entry)) return false;
    this.#uncache(entry);
    return true;
  }

  /** One that has expired, without a refresh token, is left to a sweep. */
  #load(holder: string, provider: Provider, grant: KeptGrant, key: string, scopes = grant.scopes): void {
    const { token, refreshToken, refreshAt, generation, usedAt } = grant;
    if (refreshToken === undefined && token.expiresAt !== undefined && token.expiresAt <= this.#options.now()) return;
    this.#put({ token, refreshToken, refreshAt, generation, usedAt, scopes, key, holder, provider, isStored: true });
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
    if (!isAlive) return andThen(this.#drop(entry), () => undefined);
    this.#put(entry);
    this.#noteUse(entry, now);
    return token;
  }

  #noteUse(entry: Entry, now: number): void {
    if (now - entry.usedAt < Math.min(NOTED_MS, this.#options.retentionMs / 10)) return;
    entry.usedAt = now;
    if (entry.isStored) this.#stored?.use(entry);
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
      const token = this.#refresh(entry, refreshToken, flight);
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

  async #refresh(entry: Entry, refreshToken: string, flight: string): Promise<AccessToken | undefined> {
    if (!(await this.#claim(entry, flight))) return undefined;
    let saved: Promise<unknown> | undefined;
    try {
      const { provider, token, key } = entry;
      const answer = await this.#options.refresh(provider, token.scopes, refreshToken);
      const newest = this.#entries.get(key);
      if (newest !== entry) return newest?.token;
      if (await this.#adoptNewer(entry)) return undefined; // K2
      if (answer.outcome === 'granted') {
        saved = this.#rotate(entry, await this.#sharing(entry), {
          ...answer,
          refreshToken: answer.refreshToken ?? refreshToken,
        });
        return answer.token;
      }
      if (answer.kind === 'rejected' && !passingErrors.includes(answer.error ?? '')) {
        await this.#end(entry);
        return undefined;
      }
      const detail = `The token of ${provider.name} has expired and could not be refreshed; try again. ${answer.reason}`;
      throw new Failure('oauth_failed', { detail });
    } finally {
      // Until the new token is stored, another process would use the old one.
      void Promise.resolve(saved).then(() => this.#stored?.release(flight));
    }
  }

  /** Waits while another process refreshes. False if there is nothing left to do. K1, K2 */
  async #claim(entry: Entry, flight: string): Promise<boolean> {
    for (;;) {
      if (this.#entries.get(entry.key) !== entry || (await this.#adoptNewer(entry))) return false;
      if (this.#stored === undefined || (await this.#stored.claim(flight))) break;
      if (!(await this.#options.pause(LOOK_MS))) throw new Failure('oauth_failed', { detail: 'The server stops.' });
    }
    if (!this.#stored?.isShared || !(await this.#isOutdated(entry, flight))) return true;
    this.#stored.release(flight);
    return false;
  }

  /** Another process may have refreshed it before it was claimed. */
  async #isOutdated(entry: Entry, flight: string): Promise<boolean> {
    try {
      return await this.#adoptNewer(entry);
    } catch (error) {
      this.#stored?.release(flight);
      throw error;
    }
  }

  /** Whether the store has a newer token, or none any more. */
  #adoptNewer(entry: Entry): Awaitable<boolean> {
    if (this.#stored === undefined || !entry.isStored || this.#unsaved.has(entry)) return false;
    const { holder, key, provider } = entry;
    return andThen(this.#stored.get(holder, key), (stored) => {
      if (stored !== undefined && stored.generation <= entry.generation) return false;
      this.#uncache(entry);
      if (stored !== undefined) this.#load(holder, provider, stored, key, entry.scopes);
      return true;
    });
  }

  /** The tokens with the same refresh token, this one included. What cannot be read keeps the old one. */
  async #sharing(entry: Entry): Promise<readonly Entry[]> {
    const { holder, provider, refreshToken } = entry;
    const cached = [...(this.#byHolder.get(holder) ?? [])].filter((other) => other.provider === provider);
    const all = await Promise.resolve(this.#all(holder, provider)).catch(() => cached);
    return [...new Set([entry, ...all])].filter((other) => other.refreshToken === refreshToken);
  }

  /** Puts the new token, and its refresh token in all places of the old one. Resolves once they are stored. */
  #rotate(entry: Entry, sharing: readonly Entry[], grant: Grant): Promise<unknown> {
    const next = sharing.map((other) => {
      const { token, refreshAt } = other === entry ? grant : other;
      const { key, holder, provider, scopes, generation } = other;
      const usedAt = other === entry ? this.#options.now() : other.usedAt;
      const own = { token, refreshToken: grant.refreshToken, refreshAt, generation: generation + 1, scopes, usedAt };
      return this.#put({ ...own, key, holder, provider, isStored: false });
    });
    return Promise.all(next.map((entry) => this.#save(entry)));
  }

  /** Resolves once it is stored, or needs no longer be. K3 */
  async #save(entry: Entry): Promise<void> {
    if (this.#stored === undefined) return;
    try {
      const kept = this.#stored.put(entry);
      entry.isStored = true;
      await kept;
    } catch {
      await this.#saveLater(entry);
    }
  }

  async #saveLater(entry: Entry): Promise<void> {
    this.#unsaved.add(entry);
    for (let isLast = false; !isLast && this.#entries.get(entry.key) === entry; ) {
      isLast = !(await this.#options.pause(SAVE_MS)); // the server stops: there is one more attempt
      if (this.#entries.get(entry.key) !== entry) break;
      try {
        await this.#stored!.put(entry);
        entry.isStored = true;
        break;
      } catch {}
    }
    this.#unsaved.delete(entry);
  }

  /** The refresh token is no longer valid. The access token may be valid for a while. */
  #end(entry: Entry): Awaitable<void> {
    return andThen(this.#drop(entry), () => {
      const { expiresAt = 0 } = entry.token;
      if (entry.isRejected || expiresAt <= this.#options.now()) return;
      this.#put({ ...entry, refreshToken: undefined, isStored: false, isRefreshing: false });
    });
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
      if (entry.isRefreshing || entry === newest || this.#unsaved.has(entry)) continue;
      this.#uncache(entry);
      return;
    }
  }

  /** Throws, or rejects with, `store_unavailable`: the store would give it again. */
  #drop(entry: Entry): Awaitable<void> {
    this.#uncache(entry);
    return this.#stored?.discard(entry);
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
