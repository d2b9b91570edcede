/**
 * Consents under way, by their `state`. A state is unguessable, is good for one callback, and is good for a while. All
 * that a user's runs want of one provider at a time waits for the same consent.
 *
 * Where a vault outlives the process, a flow is in it from `add` until its outcome is kept with the facts of the same
 * turn: if the process ends while a code is exchanged, the callback may come once more, and it is the provider who says
 * that a code is used. Within the process a state is used up by `take`.
 */

import type { AccessToken, Grant } from '../authoring/access-token.ts';
import { Failure } from '../errors.ts';
import type { Vault } from '../store/vault.ts';
import type { Provider } from './provider.ts';
import { Shares } from './shares.ts';
import { holderOf } from './stored-tokens.ts';

export interface Flow {
  readonly state: string;
  readonly provider: Provider;
  readonly scopes: readonly string[];
  /** Who may finish it; undefined if the execution has no owner, and then whoever has the state. */
  readonly user: string | undefined;
  /** From where it was asked for, if that is known. */
  readonly address?: string | undefined;
  /** The execution that asked first. Its pause has the state as its id. */
  readonly executionId: string;
  /** The PKCE secret: it never leaves the process but for the token endpoint. */
  readonly verifier: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Executions that wait for it, by the ids of their pauses. */
  readonly waiting: Map<string, string>;
}

export type NewFlow = Omit<Flow, 'waiting'>;

/** A pause of an execution. */
export interface Waiting {
  readonly executionId: string;
  readonly state: string;
}

const PAGE = 1_000;

/** A place may be free before the oldest flow is over. */
const LONGEST_WAIT_MS = 30_000;

/** Pauses that wait for one flow; each that joins writes all of them. The token of one flow ends the others as well. */
const MAX_WAITING = 100;

export class Flows {
  readonly #now: () => number;
  readonly #maxFlows: number;
  readonly #shares: Shares;
  readonly #vault: Vault | undefined;
  readonly #provider: (name: string) => Provider | undefined;
  /** All flows live equally long, so that insertion order is the order in which they expire. */
  readonly #pending = new Map<string, Flow>();
  /** The same, by holder. */
  readonly #byHolder = new Map<string, Set<Flow>>();
  /** Flows whose code is being exchanged. */
  readonly #used = new Map<string, Flow>();
  /** Of pauses that wait for a flow of another one: its state. */
  readonly #joined = new Map<string, string>();
  /** What was granted and is not claimed, by pause. */
  readonly #granted = new Map<string, Grant>();

  constructor(
    now: () => number,
    maxFlows: number,
    vault: Vault | undefined,
    provider: (name: string) => Provider | undefined,
  ) {
    this.#now = now;
    this.#maxFlows = maxFlows;
    this.#shares = new Shares(maxFlows);
    this.#vault = vault;
    this.#provider = provider;
    this.#load();
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Throws `store_unavailable`, and `queue_full`: dropping an older flow instead would break a link that was just sent. */
  add(asked: NewFlow): void {
    this.#expire();
    if (!this.#shares.hasRoomFor(asked)) {
      const [oldest] = this.#pending.values();
      const waitMs = (oldest?.expiresAt ?? Number.POSITIVE_INFINITY) - this.#now();
      const detail = `${this.#pending.size} consents are pending, of ${this.#maxFlows} at most, and the share of this caller is used up; try again later.`;
      throw new Failure('queue_full', { detail, retryAfterMs: Math.min(waitMs, LONGEST_WAIT_MS) });
    }
    const flow: Flow = { ...asked, waiting: new Map([[asked.state, asked.executionId]]) };
    this.#vault?.put('flow', flow.state, writeFlow(flow));
    this.#count(flow);
  }

  /**
   * Lets another pause wait for a flow that asks for the same or more. The flow then lives as long as one that was added
   * now. Undefined if there is none. Throws `store_unavailable`.
   */
  join({ state: id, executionId, ...asked }: Omit<NewFlow, 'verifier'>): Flow | undefined {
    this.#expire();
    const own = this.#byHolder.get(holderOf({ ...asked, executionId })) ?? [];
    const flow = [...own].find(
      ({ provider, scopes, waiting }) =>
        provider === asked.provider && includes(scopes, asked.scopes) && waiting.size < MAX_WAITING,
    );
    if (flow === undefined) return undefined;
    const joined: Flow = {
      ...flow,
      expiresAt: asked.expiresAt,
      waiting: new Map([...flow.waiting, [id, executionId]]),
    };
    this.#vault?.put('flow', flow.state, writeFlow(joined));
    this.#uncount(flow.state);
    this.#count(joined);
    return joined;
  }

  /**
   * Uses the state up and gives its flow; undefined, and nothing is used up, for a browser of another user. Throws
   * `store_unavailable` while no outcome could be kept: the state stays good.
   */
  take(state: string, browser: string | undefined): Flow | undefined {
    const flow = this.#find(state);
    if (flow === undefined) return undefined;
    if (flow.expiresAt <= this.#now()) return this.#drop(flow);
    if (flow.user !== undefined && browser !== undefined && flow.user !== browser) return undefined;
    this.#vault?.refuseIfUnavailable();
    this.#uncount(state);
    this.#used.set(state, flow);
    return flow;
  }

  /** Whether the code is being exchanged, and an execution still waits for it. */
  isWanted({ state }: Flow): boolean {
    return this.#used.has(state);
  }

  /**
   * How the exchange of the code ended; an abandoned flow takes no token any more. Gives the pauses that have heard it
   * besides the first: a token ends all consents of the user that it satisfies. Throws `store_unavailable`.
   */
  settle(flow: Flow, grant: Grant | undefined): Waiting[] {
    if (!this.#used.has(flow.state)) return [];
    this.#vault?.remove('flow', flow.state);
    this.#used.delete(flow.state);
    const satisfied = grant === undefined ? [] : this.#satisfiedBy(flow, grant.token);
    for (const other of satisfied) this.#drop(other);
    const pauses = [flow, ...satisfied].flatMap(({ waiting }) => [...waiting]);
    for (const [id] of pauses) {
      this.#joined.delete(id);
      if (grant !== undefined) this.#granted.set(id, grant);
    }
    this.#boundGranted();
    return pauses.filter(([id]) => id !== flow.state).map(([state, executionId]) => ({ executionId, state }));
  }

  /** What the provider has given for a flow, until that is claimed. */
  grantOf({ state }: Flow): Grant | undefined {
    return this.#granted.get(state);
  }

  /** Remembers what the provider has given, whether or not that can be kept. */
  hold(flow: Flow, grant: Grant): void {
    if (this.isWanted(flow)) this.#granted.set(flow.state, grant);
  }

  /** The outcome could not be kept: the callback may come again. */
  giveBack({ state }: Flow): void {
    this.#used.delete(state);
  }

  claim(id: string): AccessToken | undefined {
    const grant = this.#granted.get(id);
    this.#granted.delete(id);
    return grant?.token;
  }

  /** A pause is over. Its flow is, when no other pause waits for it. */
  abandon(id: string): void {
    this.#granted.delete(id);
    const state = this.#joined.get(id) ?? id;
    this.#joined.delete(id);
    const flow = this.#pending.get(state) ?? this.#used.get(state) ?? this.#stored(state);
    if (flow === undefined) return;
    flow.waiting.delete(id);
    if (flow.waiting.size > 0) return;
    this.#drop(flow);
    this.#used.delete(state);
  }

  /** What the vault does not have any more has ended in another process. */
  #find(state: string): Flow | undefined {
    if (this.#used.has(state)) return undefined;
    const flow = this.#pending.get(state);
    if (this.#vault === undefined) return flow;
    const stored = this.#stored(state);
    if (stored === undefined) this.#uncount(state);
    return stored && (flow ?? stored);
  }

  #satisfiedBy({ provider, scopes, ...flow }: Flow, token: AccessToken): Flow[] {
    const given = [...scopes, ...token.scopes];
    const own = this.#byHolder.get(holderOf(flow)) ?? [];
    return [...own].filter((one) => one.provider === provider && includes(given, one.scopes));
  }

  /** Flows of the processes before this one. */
  #load(): void {
    const found: Flow[] = [];
    for (let after = ''; ; ) {
      const states = this.#vault?.keys('flow', after, PAGE) ?? [];
      for (const state of states) {
        const flow = this.#stored(state);
        if (flow === undefined || flow.expiresAt <= this.#now()) this.#remove(state);
        else found.push(flow);
      }
      if (states.length < PAGE) break;
      after = states.at(-1)!;
    }
    for (const flow of found.sort((a, b) => a.expiresAt - b.expiresAt)) this.#count(flow);
  }

  /** Undefined also if its provider is not configured any more. */
  #stored(state: string): Flow | undefined {
    const text = this.#vault?.get('flow', state);
    if (text === undefined) return undefined;
    const { provider: name, others = [], ...flow } = JSON.parse(text) as StoredFlow;
    const provider = this.#provider(name);
    return provider && { ...flow, state, provider, waiting: new Map([[state, flow.executionId], ...others]) };
  }

  #expire(): void {
    for (const flow of this.#pending.values()) {
      if (flow.expiresAt > this.#now()) return;
      this.#drop(flow);
    }
  }

  #drop({ state, waiting }: Flow): undefined {
    this.#uncount(state);
    for (const id of waiting.keys()) this.#joined.delete(id);
    this.#remove(state);
  }

  /** It is no use any more: if it cannot be removed now, the next start does it. */
  #remove(state: string): void {
    try {
      this.#vault?.remove('flow', state);
    } catch {}
  }

  #count(flow: Flow): void {
    this.#shares.take(flow);
    const { state, waiting } = flow;
    this.#pending.set(state, flow);
    for (const id of waiting.keys()) if (id !== state) this.#joined.set(id, state);
    const holder = holderOf(flow);
    const own = this.#byHolder.get(holder);
    if (own === undefined) this.#byHolder.set(holder, new Set([flow]));
    else own.add(flow);
  }

  #uncount(state: string): void {
    const flow = this.#pending.get(state);
    if (flow === undefined) return;
    this.#pending.delete(state);
    this.#shares.give(flow);
    const holder = holderOf(flow);
    const own = this.#byHolder.get(holder);
    own?.delete(flow);
    if (own?.size === 0) this.#byHolder.delete(holder);
  }

  /** A caller that never claims must not keep tokens for ever: the oldest goes. */
  #boundGranted(): void {
    for (const id of this.#granted.keys()) {
      if (this.#granted.size <= this.#maxFlows) return;
      this.#granted.delete(id);
    }
  }
}

const includes = (scopes: readonly string[], wanted: readonly string[]): boolean =>
  wanted.every((scope) => scopes.includes(scope));

type StoredFlow = Omit<Flow, 'state' | 'provider' | 'waiting'> & {
  readonly provider: string;
  /** Pauses besides the first, by id. */
  readonly others?: readonly (readonly [id: string, executionId: string])[];
};

const writeFlow = ({ state, provider, waiting, ...flow }: Flow): string => {
  const others = [...waiting].filter(([id]) => id !== state);
  const stored: StoredFlow = { ...flow, provider: provider.name };
  return JSON.stringify(others.length === 0 ? stored : { ...stored, others });
};
