import { inspect } from 'node:util';

/** A bearer token of a user. It shows its secret only as `value`: logged, journaled or returned by accident, it has none. */
export class AccessToken {
  readonly #value: string;
  /** What the provider granted, or what was asked for if it does not say. */
  readonly scopes: readonly string[];
  /** Epoch milliseconds; undefined if the provider does not say. */
  readonly expiresAt: number | undefined;

  constructor(value: string, scopes: readonly string[], expiresAt: number | undefined) {
    this.#value = value;
    this.scopes = scopes;
    this.expiresAt = expiresAt;
  }

  /** The secret: for `Authorization: Bearer ${token.value}`, and for nothing that is kept. */
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

/** What a token endpoint gives. */
export interface Grant {
  readonly token: AccessToken;
  readonly refreshToken: string | undefined;
  /** From when on it is refreshed, if it can be. Epoch milliseconds; undefined if it has no end. */
  readonly refreshAt: number | undefined;
}
