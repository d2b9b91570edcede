/** The tokens that were consented to: the same holder, provider and scopes are not asked for again. */
import { Failure } from '../errors.ts';
import type { Vault } from '../store/vault.ts';
import type { AccessToken, Grant } from './access-token.ts';
import type { Provider } from './provider.ts';
import { StoredTokens } from './stored-tokens.ts';
import type { TokenAnswer } from './token-endpoint.ts';

export interface TokenCacheOptions {
  readonly now: () => number;
  /** In memory; beyond it the token that was not used for the longest time goes. */
  readonly maxTokens: number;
  readonly vault: Vault | undefined;
  readonly refresh: (provider: Provider, scopes: readonly string[], refreshToken: string) => Promise<TokenAnswer>;
}

interface Entry extends Grant {
  readonly holder: string;
  readonly provider: Provider;
  /** Under way, and shared by everybody who needs this token meanwhile: a rotated refresh token is good once. */
  refreshing?: Promise<AccessToken | undefined>;
}

/** Errors that do not speak about the refresh token: it is kept for when they are over. */
const passingErrors = ['invalid_client', 'server_error', 'temporarily_unavailable'];

export class TokenCache {
  readonly #options: TokenCacheOptions;
  /** In order of use. */
  readonly #entries = new Map<string, Entry>();
  /** Keys of the entries above. */
  readonly #byHolder = new Map<string, Set<string>>();
  readonly #stored: StoredTokens | undefined;

  constructor(options: TokenCacheOptions) {
    const { vault, now } = options;
    this.#options = options;
    this.#stored = vault?.seals ? new StoredTokens(vault, now) : undefined;
  }

  /** Throws `store_unavailable`; the token is in memory even so. */
  keep(holder: string, provider: Provider, scopes: readonly string[], { token, refreshToken }: Grant): void {
    const key = keyOf(holder, provider, scopes);
    this.#put(key, { holder, provider, token, refreshToken });
    this.#stored?.put(holder, key, { token, refreshToken });
  }

  /** Undefined if consent is needed. Throws `oauth_failed` if it is not, but the provider cannot refresh at the moment. */
  async token(holder: string, provider: Provider, scopes: readonly string[]): Promise<AccessToken | undefined> {
    const key = keyOf(holder, provider, scopes);
    const entry = this.#entries.get(key) ?? this.#load(key, holder, provider);
    if (entry === undefined) return undefined;
    const { token, refreshToken } = entry;
    if (token.expiresAt === undefined || token.expiresAt > this.#options.now()) {
      this.#put(key, entry);
      return token;
    }
    if (refreshToken === undefined) {
      this.#drop(key, entry);
      return undefined;
    }
    this.#put(key, entry); // so that it does not make room meanwhile
    entry.refreshing ??= this.#refresh(key, entry, refreshToken);
    return entry.refreshing;
  }

  /** Forgets all tokens of a holder, also one that is being refreshed. Throws `store_unavailable`. */
  revoke(holder: string): void {
    for (const key of this.#byHolder.get(holder) ?? []) this.#entries.delete(key);
    this.#byHolder.delete(holder);
    this.#stored?.removeAll(holder);
  }

  /** The same for an execution that is over. Most have no token, and there is nothing to do for them. */
  release(holder: string): void {
    if (!this.#byHolder.has(holder) && !this.#stored?.hasOfExecution(holder)) return;
    try {
      this.revoke(holder);
    } catch {} // it is sealed, and nobody asks for it any more
  }

  #load(key: string, holder: string, provider: Provider): Entry | undefined {
    const grant = this.#stored?.get(holder, key);
    if (grant === undefined) return undefined;
    const entry = { holder, provider, ...grant };
    this.#put(key, entry);
    return entry;
  }

  async #refresh(key: string, entry: Entry, refreshToken: string): Promise<AccessToken | undefined> {
    const { holder, provider, token } = entry;
    const answer = await this.#options.refresh(provider, token.scopes, refreshToken);
    delete entry.refreshing;
    const isCurrent = this.#entries.get(key) === entry;
    if (answer.outcome === 'granted') {
      if (!isCurrent) return this.#entries.get(key)?.token;
      const grant = { token: answer.token, refreshToken: answer.refreshToken ?? refreshToken };
      this.#put(key, { holder, provider, ...grant });
      // It is good for as long as the process lives, also if it cannot be stored now.
      this.#stored?.tryPut(holder, key, grant);
      return answer.token;
    }
    if (answer.kind === 'rejected' && !passingErrors.includes(answer.error ?? '')) {
      if (isCurrent) this.#drop(key, entry);
      return undefined;
    }
    const detail = `The token of ${provider.name} has expired and could not be refreshed; try again. ${answer.reason}`;
    throw new Failure('oauth_failed', { detail });
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const keys = this.#byHolder.get(entry.holder);
    if (keys === undefined) this.#byHolder.set(entry.holder, new Set([key]));
    else keys.add(key);
    if (this.#entries.size <= this.#options.maxTokens) return;
    const [oldest] = this.#entries;
    if (oldest !== undefined) this.#uncache(...oldest);
  }

  #drop(key: string, entry: Entry): void {
    this.#uncache(key, entry);
    this.#stored?.tryRemove(entry.holder, key);
  }

  #uncache(key: string, { holder }: Entry): void {
    this.#entries.delete(key);
    const keys = this.#byHolder.get(holder);
    keys?.delete(key);
    if (keys?.size === 0) this.#byHolder.delete(holder);
  }
}

const keyOf = (holder: string, { name, issuer }: Provider, scopes: readonly string[]): string =>
  JSON.stringify([holder, name, issuer ?? null, ...[...scopes].sort()]);
