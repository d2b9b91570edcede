/** The tokens users have consented to, kept in memory: the same user, provider and scopes are not asked for again. */
import { Failure } from '../errors.ts';
import type { AccessToken, Grant } from './access-token.ts';
import type { Provider } from './provider.ts';
import type { TokenAnswer } from './token-endpoint.ts';

export interface TokenCacheOptions {
  readonly now: () => number;
  /** Beyond it the token that was not used for the longest time goes. */
  readonly maxTokens: number;
  readonly refresh: (provider: Provider, scopes: readonly string[], refreshToken: string) => Promise<TokenAnswer>;
}

interface Entry extends Grant {
  readonly user: string;
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

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  keep(user: string, provider: Provider, scopes: readonly string[], { token, refreshToken }: Grant): void {
    this.#put(keyOf(user, provider, scopes), { user, provider, token, refreshToken });
  }

  /** Undefined if consent is needed. Throws `oauth_failed` if it is not, but the provider cannot refresh at the moment. */
  async token(user: string, provider: Provider, scopes: readonly string[]): Promise<AccessToken | undefined> {
    const key = keyOf(user, provider, scopes);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const { token, refreshToken } = entry;
    if (token.expiresAt === undefined || token.expiresAt > this.#options.now()) {
      this.#put(key, entry);
      return token;
    }
    if (refreshToken === undefined) {
      this.#entries.delete(key);
      return undefined;
    }
    entry.refreshing ??= this.#refresh(key, entry, refreshToken);
    return entry.refreshing;
  }

  /** Forgets all tokens of a user, also one that is being refreshed. */
  revoke(user: string): void {
    if (this.#entries.size === 0) return;
    for (const [key, entry] of this.#entries) if (entry.user === user) this.#entries.delete(key);
  }

  async #refresh(key: string, entry: Entry, refreshToken: string): Promise<AccessToken | undefined> {
    const { user, provider, token } = entry;
    const answer = await this.#options.refresh(provider, token.scopes, refreshToken);
    delete entry.refreshing;
    const isCurrent = this.#entries.get(key) === entry;
    if (answer.outcome === 'granted') {
      if (!isCurrent) return this.#entries.get(key)?.token;
      this.#put(key, { user, provider, token: answer.token, refreshToken: answer.refreshToken ?? refreshToken });
      return answer.token;
    }
    if (answer.kind === 'rejected' && !passingErrors.includes(answer.error ?? '')) {
      if (isCurrent) this.#entries.delete(key);
      return undefined;
    }
    const detail = `The token of ${provider.name} has expired and could not be refreshed; try again. ${answer.reason}`;
    throw new Failure('oauth_failed', { detail });
  }

  #put(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size > this.#options.maxTokens) this.#entries.delete(oldest);
  }
}

const keyOf = (user: string, { name, issuer }: Provider, scopes: readonly string[]): string =>
  JSON.stringify([user, name, issuer ?? null, ...[...scopes].sort()]);
