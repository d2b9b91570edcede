/**
 * Consents under way, by their `state`. A state is unguessable, is good for one callback, and is good for a while.
 *
 * Where a vault outlives the process, a flow is in it from `add` until its outcome is kept with the facts of the same
 * turn: if the process ends while a code is exchanged, the callback may come once more, and it is the provider who says
 * that a code is used. Within the process a state is used up by `take`.
 */
import { Failure } from '../errors.ts';
import type { Vault } from '../store/vault.ts';
import type { AccessToken } from './access-token.ts';
import type { Provider } from './provider.ts';

export interface Flow {
  readonly state: string;
  readonly provider: Provider;
  readonly scopes: readonly string[];
  /** Who may finish it; undefined if the execution has no owner, and then whoever has the state. */
  readonly user: string | undefined;
  readonly executionId: string;
  /** The PKCE secret: it never leaves the process but for the token endpoint. */
  readonly verifier: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface FlowLimits {
  readonly maxFlows: number;
  readonly maxFlowsPerUser: number;
}

/** Flows in the vault that are looked at whenever one is added: more than are added, so that old ones do not pile up. */
const SWEPT = 8;

export class Flows {
  readonly #now: () => number;
  readonly #limits: FlowLimits;
  readonly #vault: Vault | undefined;
  readonly #provider: (name: string) => Provider | undefined;
  /** Key of the flow in the vault that was looked at last. */
  #sweptTo = '';
  /** All flows live equally long, so that insertion order is the order in which they expire. */
  readonly #pending = new Map<string, Flow>();
  readonly #perUser = new Map<string, number>();
  /** Flows whose state is used: without a token while the code is exchanged, then until it is claimed. */
  readonly #used = new Map<string, { readonly flow: Flow; token?: AccessToken }>();

  constructor(
    now: () => number,
    limits: FlowLimits,
    vault: Vault | undefined,
    provider: (name: string) => Provider | undefined,
  ) {
    this.#now = now;
    this.#limits = limits;
    this.#vault = vault;
    this.#provider = provider;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Throws `store_unavailable`, and `queue_full`: dropping an older flow instead would break a link that somebody has just been sent. */
  add(flow: Flow): void {
    this.#expire();
    const { maxFlows, maxFlowsPerUser } = this.#limits;
    const ofUser = flow.user === undefined ? 0 : (this.#perUser.get(flow.user) ?? 0);
    if (this.#pending.size >= maxFlows || ofUser >= maxFlowsPerUser) {
      const detail = `${this.#pending.size} consents are pending, ${ofUser} of them of this user; try again later.`;
      throw new Failure('queue_full', { detail, retryAfterMs: 1_000 });
    }
    this.#sweep();
    this.#vault?.put('flow', flow.state, writeFlow(flow));
    this.#pending.set(flow.state, flow);
    if (flow.user !== undefined) this.#perUser.set(flow.user, ofUser + 1);
  }

  /**
   * Uses the state up and gives its flow; undefined, and nothing is used up, for a browser of somebody else. Throws
   * `store_unavailable` while no outcome could be kept: the state stays good.
   */
  take(state: string, browser: string | undefined): Flow | undefined {
    const flow = this.#find(state);
    if (flow === undefined) return undefined;
    if (flow.expiresAt <= this.#now()) return this.#drop(flow);
    if (flow.user !== undefined && browser !== undefined && flow.user !== browser) return undefined;
    this.#vault?.refuseIfUnavailable();
    this.#uncount(flow);
    this.#used.set(state, { flow });
    return flow;
  }

  /** Whether the code is being exchanged, and the execution has not ended meanwhile. */
  isWanted({ state }: Flow): boolean {
    return this.#used.has(state);
  }

  /** How the exchange of the code ended; an abandoned flow takes no token any more. Throws `store_unavailable`. */
  settle(flow: Flow, token: AccessToken | undefined): void {
    if (!this.#used.has(flow.state)) return;
    this.#vault?.remove('flow', flow.state);
    this.#used.delete(flow.state);
    if (token === undefined) return;
    this.#used.set(flow.state, { flow, token });
    this.#boundUnclaimed();
  }

  /** The outcome could not be kept: the callback may come again. */
  giveBack({ state }: Flow): void {
    this.#used.delete(state);
  }

  claim(state: string): AccessToken | undefined {
    const token = this.#used.get(state)?.token;
    if (token !== undefined) this.#used.delete(state);
    return token;
  }

  abandon(state: string): void {
    const flow = this.#pending.get(state) ?? this.#used.get(state)?.flow ?? this.#stored(state);
    if (flow !== undefined) this.#drop(flow);
    this.#used.delete(state);
  }

  #find(state: string): Flow | undefined {
    const used = this.#used.get(state);
    if (used !== undefined && used.token === undefined) return undefined;
    return this.#pending.get(state) ?? this.#stored(state);
  }

  /** A flow of a process before this one; undefined also if its provider is not configured any more. */
  #stored(state: string): Flow | undefined {
    const text = this.#vault?.get('flow', state);
    if (text === undefined) return undefined;
    const { provider: name, ...flow } = JSON.parse(text) as StoredFlow;
    const provider = this.#provider(name);
    return provider && { ...flow, state, provider };
  }

  #expire(): void {
    for (const flow of this.#pending.values()) {
      if (flow.expiresAt > this.#now()) return;
      this.#drop(flow);
    }
  }

  /** Those that nobody came back for, of executions that are not in memory, or have ended. */
  #sweep(): void {
    const states = this.#vault?.keys('flow', this.#sweptTo, SWEPT) ?? [];
    for (const state of states) {
      const flow = this.#stored(state);
      if (flow === undefined || flow.expiresAt <= this.#now()) this.#remove(state);
    }
    this.#sweptTo = states.length < SWEPT ? '' : states.at(-1)!;
  }

  #drop(flow: Flow): undefined {
    this.#uncount(flow);
    this.#remove(flow.state);
  }

  /** It is no use any more: if it cannot be removed now, a sweep finds it. */
  #remove(state: string): void {
    try {
      this.#vault?.remove('flow', state);
    } catch {}
  }

  #uncount({ state, user }: Flow): void {
    if (!this.#pending.delete(state) || user === undefined) return;
    const left = (this.#perUser.get(user) ?? 1) - 1;
    if (left > 0) this.#perUser.set(user, left);
    else this.#perUser.delete(user);
  }

  /** A caller that never claims must not keep tokens for ever: the oldest goes. */
  #boundUnclaimed(): void {
    for (const [state, { token }] of this.#used) {
      if (this.#used.size <= this.#limits.maxFlows) return;
      if (token !== undefined) this.#used.delete(state);
    }
  }
}

type StoredFlow = Omit<Flow, 'state' | 'provider'> & { readonly provider: string };

const writeFlow = ({ provider, scopes, user, executionId, verifier, expiresAt }: Flow): string =>
  JSON.stringify({ provider: provider.name, scopes, user, executionId, verifier, expiresAt } satisfies StoredFlow);
