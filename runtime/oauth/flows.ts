/** Consents under way, by their `state`. A state is unguessable, is good for one callback, and is good for a while. */
import { Failure } from '../errors.ts';
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

export class Flows {
  readonly #now: () => number;
  readonly #limits: FlowLimits;
  /** All flows live equally long, so that insertion order is the order in which they expire. */
  readonly #pending = new Map<string, Flow>();
  readonly #perUser = new Map<string, number>();
  /** Flows whose state is used: without a token while the code is exchanged, then until it is claimed. */
  readonly #used = new Map<string, { readonly flow: Flow; token?: AccessToken }>();

  constructor(now: () => number, limits: FlowLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** Throws `queue_full`: dropping an older flow instead would break a link that somebody has just been sent. */
  add(flow: Flow): void {
    this.#expire();
    const { maxFlows, maxFlowsPerUser } = this.#limits;
    const ofUser = flow.user === undefined ? 0 : (this.#perUser.get(flow.user) ?? 0);
    if (this.#pending.size >= maxFlows || ofUser >= maxFlowsPerUser) {
      const detail = `${this.#pending.size} consents are pending, ${ofUser} of them of this user; try again later.`;
      throw new Failure('queue_full', { detail, retryAfterMs: 1_000 });
    }
    this.#pending.set(flow.state, flow);
    if (flow.user !== undefined) this.#perUser.set(flow.user, ofUser + 1);
  }

  /** Uses the state up and gives its flow; undefined, and nothing is used up, for a browser of somebody else. */
  take(state: string, browser: string | undefined): Flow | undefined {
    const flow = this.#pending.get(state);
    if (flow === undefined) return undefined;
    if (flow.expiresAt <= this.#now()) return this.#drop(flow);
    if (flow.user !== undefined && browser !== undefined && flow.user !== browser) return undefined;
    this.#drop(flow);
    this.#used.set(state, { flow });
    return flow;
  }

  /** How the exchange of the code ended; an abandoned flow takes no token any more. */
  settle(flow: Flow, token: AccessToken | undefined): void {
    const used = this.#used.get(flow.state);
    if (used === undefined) return;
    this.#used.delete(flow.state);
    if (token === undefined) return;
    this.#used.set(flow.state, { flow, token });
    this.#boundUnclaimed();
  }

  claim(state: string): AccessToken | undefined {
    const token = this.#used.get(state)?.token;
    if (token !== undefined) this.#used.delete(state);
    return token;
  }

  abandon(state: string): void {
    const flow = this.#pending.get(state);
    if (flow !== undefined) this.#drop(flow);
    this.#used.delete(state);
  }

  #expire(): void {
    for (const flow of this.#pending.values()) {
      if (flow.expiresAt > this.#now()) return;
      this.#drop(flow);
    }
  }

  #drop(flow: Flow): undefined {
    this.#pending.delete(flow.state);
    if (flow.user === undefined) return;
    const left = (this.#perUser.get(flow.user) ?? 1) - 1;
    if (left > 0) this.#perUser.set(flow.user, left);
    else this.#perUser.delete(flow.user);
  }

  /** A caller that never claims must not keep tokens for ever: the oldest goes. */
  #boundUnclaimed(): void {
    for (const [state, { token }] of this.#used) {
      if (this.#used.size <= this.#limits.maxFlows) return;
      if (token !== undefined) this.#used.delete(state);
    }
  }
}
