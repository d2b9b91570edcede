/**
 * Pending consents, by their `state`. A state is unguessable, valid for one callback, and expires. All runs of a user
 * that request the same access from a provider at the same time share one consent.
 *
 * With a vault that survives the process, a flow is stored from `add` until its outcome is committed, together with the
 * facts of the same turn. If the process ends during the exchange of a code, the callback may arrive again, and the
 * provider decides that a code is used. Within the process, `take` uses a state up.
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
  /**
   * The user who may finish it; undefined if the execution has no owner. Any browser with the state may then finish it.
   */
  readonly user: string | undefined;
  /** Address of the request, if known. */
  readonly address?: string | undefined;
  /** The execution that asked first. The id of its pause is the state. */
  readonly executionId: string;
  /** The PKCE verifier. It leaves the process only for the token endpoint. */
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

/** A place may become free before the oldest flow expires. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Maximum number of pauses of one flow: each that joins writes all of them. The token of one flow ends the others too.
 */
const MAX_WAITING = 100;

export class Flows {
  readonly #now: () => number;
  readonly #maxFlows: number;
  readonly #shares: Shares;
  readonly #vault: Vault | undefined;
  readonly #provider: (name: string) => Provider | undefined;
  /** All flows have the same lifetime, so insertion order is the order of expiry. */
  readonly #pending = new Map<string, Flow>();
  /** Flows by holder. */
  readonly #byHolder = new Map<string, Set<Flow>>();
  /** Flows whose code is being exchanged. */
  readonly #used = new Map<string, Flow>();
  /** Pauses that wait for the flow of another pause: its state. */
  readonly #joined = new Map<string, string>();
  /** Granted tokens that are not claimed yet, by pause. */
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

  /**
   * Throws `store_unavailable`, and `queue_full`. Dropping an older flow instead would break a link that was just sent.
   */
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
   * Lets another pause wait for an existing flow with the same or more scopes. The flow's lifetime then starts again.
   * Undefined if there is none. Throws `store_unavailable`.
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
   * Uses the state up and returns its flow. Returns undefined, and uses nothing up, for a browser that may not finish it.
   * Throws `store_unavailable` while no outcome can be stored: the state stays valid.
   */
  take(state: string, mayFinish: (flow: Flow) => boolean): Flow | undefined {
    const flow = this.look(state);
    if (flow === undefined || !mayFinish(flow)) return undefined;
    this.#vault?.refuseIfUnavailable();
    this.#uncount(state);
    this.#used.set(state, flow);
    return flow;
  }

  /** Does not use the state up. */
  look(state: string): Flow | undefined {
    const flow = this.#find(state);
    return flow === undefined || flow.expiresAt > this.#now() ? flow : this.#drop(flow);
  }

  /** Whether the code is being exchanged while an execution still waits for it. */
  isWanted({ state }: Flow): boolean {
    return this.#used.has(state);
  }

  /**
   * Records the end of the exchange. An abandoned flow accepts no token. Returns the notified pauses besides the first:
   * a token ends all consents of the user that it satisfies. Throws `store_unavailable`.
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

  /** The grant of a flow, until it is claimed. */
  grantOf({ state }: Flow): Grant | undefined {
    return this.#granted.get(state);
  }

  /** Remembers a grant in memory, whether or not it can be stored. */
  hold(flow: Flow, grant: Grant): void {
    if (this.isWanted(flow)) this.#granted.set(flow.state, grant);
  }

  /** The commit of its end has failed. Throws `store_unavailable`. */
  removeAgain(state: string): void {
    this.#vault?.remove('flow', state);
  }

  /** The outcome could not be stored, so the callback may arrive again. */
  giveBack({ state }: Flow): void {
    this.#used.delete(state);
  }

  claim(id: string): AccessToken | undefined {
    const grant = this.#granted.get(id);
    this.#granted.delete(id);
    return grant?.token;
  }

  /** A pause has ended. Its flow ends with the last of its pauses. */
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

  /** A flow that is no longer in the vault was finished by another process. */
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

  /** Flows of earlier processes. */
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

  /** Undefined also if its provider is no longer configured. */
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

  /** It is no longer needed. If it cannot be removed now, the next start removes it. */
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

  /** Unclaimed tokens are limited: the oldest is dropped. */
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
