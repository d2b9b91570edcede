/**
 * Encrypted tokens in a vault. Keys are digests, so the tokens of a holder are found together, and the file contains no
 * names.
 */
import { createHash } from 'node:crypto';
import { AccessToken, type Grant } from '../authoring/access-token.ts';
import type { Vault } from '../store/vault.ts';
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
  /** A process refreshes it until this time. Epoch milliseconds. */
  readonly busyUntil?: number | undefined;
}

/** The place of a stored grant. */
interface Kept extends Omit<KeptGrant, 'providerId'> {
  readonly holder: string;
  readonly key: string;
  readonly provider: Provider;
}

/** Number of tokens that are checked with each stored one: more than one, so that expired tokens do not accumulate. */
const SWEPT = 4;
const PAGE = 1_000;

export class StoredTokens {
  readonly #vault: Vault;
  readonly #now: () => number;
  readonly #retentionMs: number;
  /** Executions with tokens, as key prefixes. */
  readonly #executions = new Set<string>();
  /** Key of the token that was checked last. */
  #sweptTo = '';

  /** `retentionMs`: how long an unused token stays. */
  constructor(vault: Vault, now: () => number, retentionMs: number) {
    this.#vault = vault;
    this.#now = now;
    this.#retentionMs = retentionMs;
    for (const key of this.#beginningWith('execution:')) this.#executions.add(key.slice(0, key.indexOf('.') + 1));
  }

  get(holder: string, key: string): KeptGrant | undefined {
    return this.#read(placeOf(holder, key));
  }

  /** All tokens of a holder. */
  all(holder: string): KeptGrant[] {
    const grants = this.#beginningWith(beginningOf(holder)).map((place) => this.#read(place));
    return grants.filter((grant) => grant !== undefined);
  }

  /** Throws `store_unavailable`. */
  put({ holder, key, provider, token, refreshToken, refreshAt, scopes: asked, generation, usedAt }: Kept): void {
    const { value, scopes, expiresAt } = token;
    this.#sweep();
    const own = { providerId: idOf(provider), generation, usedAt };
    this.#write(placeOf(holder, key), { value, scopes, expiresAt, refreshToken, refreshAt, asked, ...own });
    if (holder.startsWith(OF_EXECUTION)) this.#executions.add(beginningOf(holder));
  }

  /** Whether it is stored. */
  tryPut(grant: Kept): boolean {
    try {
      this.put(grant);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Claims the refresh of a token until this time. If another process has claimed it, nothing changes and the end of
   * its claim is returned. A store that cannot be written needs no claim: no other process has it.
   */
  claim({ holder, key }: Kept, now: number, until: number): number | undefined {
    const place = placeOf(holder, key);
    const written = this.#text(place);
    if (written === undefined) return undefined;
    const { busyUntil = 0 } = written;
    if (busyUntil > now) return busyUntil;
    this.#tryWrite(place, { ...written, busyUntil: until });
    return undefined;
  }

  /** Ends a claim without a new token. */
  release({ holder, key }: Kept): void {
    const place = placeOf(holder, key);
    const written = this.#text(place);
    if (written?.busyUntil !== undefined) this.#tryWrite(place, { ...written, busyUntil: undefined });
  }

  /** Begins the retention again. If that cannot be stored now, the next use does it. */
  tryUse({ holder, key, usedAt }: Kept): void {
    const place = placeOf(holder, key);
    const written = this.#text(place);
    if (written !== undefined) this.#tryWrite(place, { ...written, usedAt });
  }

  /** It is no longer needed. If it cannot be removed now, a sweep removes it. */
  tryRemove(holder: string, key: string): void {
    this.#tryRemove(placeOf(holder, key));
  }

  /** Throws `store_unavailable`. */
  remove(holder: string, key: string): void {
    this.#vault.remove('token', placeOf(holder, key));
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

  #text(place: string): Written | undefined {
    const text = this.#vault.get('token', place);
    return text === undefined ? undefined : (JSON.parse(text) as Written);
  }

  #read(place: string): KeptGrant | undefined {
    const written = this.#text(place);
    if (written === undefined || this.#isOver(written)) return undefined;
    const { value, scopes, expiresAt, refreshToken, refreshAt, asked = [], providerId, generation = 0 } = written;
    const { usedAt = this.#now() } = written;
    const token = new AccessToken(value, scopes, expiresAt);
    return { token, refreshToken, refreshAt, scopes: asked, providerId, generation, usedAt };
  }

  #write(place: string, written: Written): void {
    this.#vault.put('token', place, JSON.stringify(written));
  }

  #tryWrite(place: string, written: Written): void {
    try {
      this.#write(place, written);
    } catch {}
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
    const now = this.#now();
    const places = this.#vault.keys('token', this.#sweptTo, SWEPT);
    for (const place of places) {
      const written = this.#text(place);
      const isUsable = written?.refreshToken !== undefined || (written?.expiresAt ?? Number.POSITIVE_INFINITY) > now;
      if (written === undefined || !isUsable || this.#isOver(written)) this.#tryRemove(place);
      else if (written.usedAt === undefined) this.#tryWrite(place, { ...written, usedAt: now });
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
