/** Tokens in a vault, sealed. Keys are digests, so that a holder's are found together and nobody's name is in the file. */
import { createHash } from 'node:crypto';
import type { Vault } from '../store/vault.ts';
import { AccessToken, type Grant } from './access-token.ts';

/** How a holder begins that is an execution; others are users. */
export const OF_EXECUTION = '\0';

interface Written {
  readonly value: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: number | undefined;
  readonly refreshToken?: string | undefined;
}

/** Tokens that are looked at whenever one is stored: more than are stored, so that dead ones do not pile up. */
const SWEPT = 4;
const PAGE = 1_000;

export class StoredTokens {
  readonly #vault: Vault;
  readonly #now: () => number;
  /** Executions of which there are tokens, as their keys begin. */
  readonly #executions = new Set<string>();
  /** Key of the token that was looked at last. */
  #sweptTo = '';

  constructor(vault: Vault, now: () => number) {
    this.#vault = vault;
    this.#now = now;
    for (const key of this.#beginningWith('execution:')) this.#executions.add(key.slice(0, key.indexOf('.') + 1));
  }

  get(holder: string, key: string): Grant | undefined {
    return this.#read(placeOf(holder, key));
  }

  /** Throws `store_unavailable`. */
  put(holder: string, key: string, { token, refreshToken }: Grant): void {
    const { value, scopes, expiresAt } = token;
    this.#sweep();
    const written: Written = { value, scopes, expiresAt, refreshToken };
    this.#vault.put('token', placeOf(holder, key), JSON.stringify(written));
    if (holder.startsWith(OF_EXECUTION)) this.#executions.add(beginningOf(holder));
  }

  tryPut(holder: string, key: string, grant: Grant): void {
    try {
      this.put(holder, key, grant);
    } catch {}
  }

  /** It is no use any more: if it cannot be removed now, a sweep finds it. */
  tryRemove(holder: string, key: string): void {
    this.#tryRemove(placeOf(holder, key));
  }

  /** Throws `store_unavailable`. */
  removeAll(holder: string): void {
    const beginning = beginningOf(holder);
    for (const place of this.#beginningWith(beginning)) this.#vault.remove('token', place);
    this.#executions.delete(beginning);
  }

  hasOfExecution(holder: string): boolean {
    return this.#executions.size > 0 && this.#executions.has(beginningOf(holder));
  }

  #read(place: string): Grant | undefined {
    const text = this.#vault.get('token', place);
    if (text === undefined) return undefined;
    const { value, scopes, expiresAt, refreshToken } = JSON.parse(text) as Written;
    return { token: new AccessToken(value, scopes, expiresAt), refreshToken };
  }

  /** What has expired and cannot be refreshed, or was sealed under another key. */
  #sweep(): void {
    const places = this.#vault.keys('token', this.#sweptTo, SWEPT);
    for (const place of places) {
      const grant = this.#read(place);
      const expiresAt = grant?.token.expiresAt ?? Number.POSITIVE_INFINITY;
      const isDead = grant === undefined || (grant.refreshToken === undefined && expiresAt <= this.#now());
      if (isDead) this.#tryRemove(place);
    }
    this.#sweptTo = places.length < SWEPT ? '' : places.at(-1)!;
  }

  #tryRemove(place: string): void {
    try {
      this.#vault.remove('token', place);
    } catch {}
  }

  #beginningWith(beginning: string): string[] {
    const all: string[] = [];
    for (let after = beginning; ; after = all.at(-1)!) {
      const page = this.#vault.keys('token', after, PAGE);
      for (const key of page) {
        if (!key.startsWith(beginning)) return all;
        all.push(key);
      }
      if (page.length < PAGE) return all;
    }
  }
}

const placeOf = (holder: string, key: string): string => beginningOf(holder) + digest(key);

const beginningOf = (holder: string): string =>
  `${holder.startsWith(OF_EXECUTION) ? 'execution' : 'user'}:${digest(holder)}.`;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
