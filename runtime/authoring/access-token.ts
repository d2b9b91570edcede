import { inspect } from 'node:util';

/**
 * A bearer token of a user. Only `value` has the secret: a token that is logged, journaled or returned by accident does
 * not show it.
 */
export class AccessToken {
  readonly #value: string;
  /** The granted scopes, or the requested scopes if the provider does not report any. */
  readonly scopes: readonly string[];
  /** Epoch milliseconds; undefined if the provider does not say. */
  readonly expiresAt: number | undefined;

  constructor(value: string, scopes: readonly string[], expiresAt: number | undefined) {
    this.#value = value;
    this.scopes = scopes;
    this.expiresAt = expiresAt;
  }

  /** The secret: for `Authorization: Bearer ${token.value}`. Do not store it. */
  get value(): string {
    return this.#value;
  }

  toJSON(): { scopes: readonly string[]; expiresAt: number | null } {
    return { scopes: this.scopes, expiresAt: this.expiresAt ?? null };
  }

  [inspect.custom](): string {
    return `AccessToken ${JSON.stringify(this)}`;
  }
}

/** The reply of a token endpoint. */
export interface Grant {
  readonly token: AccessToken;
  readonly refreshToken: string | undefined;
  /** When it is refreshed, if possible. Epoch milliseconds; undefined if it does not expire. */
  readonly refreshAt: number | undefined;
}
