/**
 * Pending consents, by their `state`. A state is unguessable, valid for one callback, and expires. All runs of a user
 * that request the same access from a provider at the same time share one consent.
 *
 * Flows are in a vault. With one that survives the process, a flow is stored from `add` until its outcome is committed, together
 * with the facts of the same turn. If the process ends during the exchange of a code, the callback may arrive again, at any
 * process, and the provider decides that a code is used. Until then `take` uses a state up, in all processes.
 *
 * F1  A flow is one value, which never changes. It stands for the pause that asked first too, until that ends. Each further
 *     pause is a value of its own, which is put together with the fact of the pause. So processes that join and end flows at
 *     the same time lose no pause.
 * F2  A pause may be put while another process ends its flow. Both look again after their commits: the process that has
 *     ended the flow for late pauses, and the process that has put the pause for the flow.
 */
import type { AccessToken, Grant } from '../authoring/access-token.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import type { Vault, VaultEntry } from '../store/vault.ts';
import type { Provider } from './provider.ts';
import { Shares } from './shares.ts';
import {
  beginningOf,
  ENDED,
  expiryOf,
  type Flow,
  flowOf,
  flowsIn,
  isOlder,
  isState,
  joinedTo,
  keyOf,
  type Pause,
  type Pending,
  pausesIn,
  stateOf,
  type Waiting,
  writeFlow,
  writePause,
} from './stored-flows.ts';

/** The flow that a pause waits for, and the id of the pause. */
interface Joined {
  readonly flow: Flow;
  readonly state: string;
}

/** A place may become free before the oldest flow expires. */
const LONGEST_WAIT_MS = 30_000;

/** Maximum number of pauses of one flow. The token of one flow ends the others too. */
const MAX_WAITING = 100;

/** Values that are checked with each new flow of a shared store: more than one, so that expired ones do not accumulate. */
const SWEPT = 4;

export class Flows {
  readonly #now: () => number;
  readonly #maxFlows: number;
  readonly #shares: Shares;
  readonly #vault: Vault;
  readonly #provider: (name: string) => Provider | undefined;
  /** Flows that this process has begun: they take its places. All have the same lifetime, so insertion order is the order of expiry. */
  readonly #places = new Map<string, Flow>();
  /** Granted tokens that are not claimed yet, by pause. */
  readonly #granted = new Map<string, Grant>();
  /** The last running call of `ask`, by holder and provider. */
  readonly #asking = new Map<string, Promise<void>>();
  /** The commit of the last outcome, together with its token. */
  stored: Promise<unknown> | undefined;
  /** Key of the value that was checked last. */
  #sweptTo = '';

  constructor(now: () => number, maxFlows: number, vault: Vault, provider: (name: string) => Provider | undefined) {
    this.#now = now;
    this.#maxFlows = maxFlows;
    this.#shares = new Shares(maxFlows);
    this.#vault = vault;
    this.#provider = provider;
    if (!vault.isShared) this.#load();
  }

  /** Number of those that this process has begun. */
  get pending(): number {
    return this.#places.size;
  }

  /**
   * Lets a pause wait for a pending flow with the same or more scopes, else for this one. Throws, or rejects, like `add`. Calls
   * for one holder follow each other, so that they share a flow.
   */
  ask(asked: Flow): Awaitable<Joined> {
    if (!this.#vault.isShared) return this.#ask(asked);
    const holder = beginningOf(asked);
    const answer = (this.#asking.get(holder) ?? Promise.resolve()).then(() => this.#ask(asked));
    const over = answer.then(
      () => {},
      () => {},
    );
    this.#asking.set(holder, over);
    void over.then(() => {
      if (this.#asking.get(holder) === over) this.#asking.delete(holder);
    });
    return answer;
  }

  #ask(asked: Flow): Awaitable<Joined> {
    return andThen(this.#join(asked), (joined) => {
      if (joined === undefined) this.add(asked);
      return joined ?? { flow: asked, state: asked.state };
    });
  }

  /**
   * Throws `store_unavailable`, and `queue_full`. Dropping an older flow instead would break a link that was just sent.
   */
  add(flow: Flow): void {
    this.#expire();
    if (!this.#shares.hasRoomFor(flow)) {
      const [oldest] = this.#places.values();
      const waitMs = (oldest?.expiresAt ?? Number.POSITIVE_INFINITY) - this.#now();
      const detail = `${this.#places.size} consents are pending, of ${this.#maxFlows} at most, and the share of this caller is used up; try again later.`;
      throw new Failure('queue_full', { detail, retryAfterMs: Math.min(waitMs, LONGEST_WAIT_MS) });
    }
    void this.#vault.put('flow', flow.state, writeFlow(flow));
    this.#place(flow);
    if (this.#vault.isShared) this.#sweep();
  }

  /** The flow's lifetime then starts again. Undefined if there is none. */
  #join(asked: Flow): Awaitable<Joined | undefined> {
    this.#expire();
    return andThen(this.#beginningWith(beginningOf(asked)), (all) => {
      const found = all.find(
        ({ flow, pauses }) =>
          includes(flow.scopes, asked.scopes) && pauses.length < MAX_WAITING && pauses.some(this.#isAlive),
      );
      if (found === undefined) return undefined;
      const state = joinedTo(found.flow, asked);
      void this.#vault.put('flow', keyOf(state), writePause(asked));
      const own = this.#places.get(found.flow.state);
      if (own !== undefined) {
        this.#places.delete(own.state);
        this.#places.set(own.state, { ...own, expiresAt: asked.expiresAt });
      }
      return { flow: found.flow, state };
    });
  }

  /** Whether the flow of a pause has neither been finished nor abandoned. */
  isPending(pause: string): Awaitable<boolean> {
    return andThen(this.#vault.get('flow', stateOf(pause)), (flow) => flow !== undefined);
  }

  /**
   * Uses the state up and returns its flow. Returns undefined, and uses nothing up, for a browser that may not finish it.
   * Throws, or rejects with, `store_unavailable` while no outcome can be stored: the state stays valid.
   */
  take(state: string, mayFinish: (flow: Flow) => boolean): Awaitable<Flow | undefined> {
    return andThen(this.look(state), (flow) => {
      if (flow === undefined || !mayFinish(flow)) return undefined;
      this.#vault.refuseIfUnavailable();
      return andThen(this.#vault.claim(claimOf(flow)), (isClaimed) => {
        if (!isClaimed) return undefined;
        return this.#vault.isShared ? this.#takeAgain(flow) : flow;
      });
    });
  }

  /** Another process may have finished it before it was claimed. */
  async #takeAgain(flow: Flow): Promise<Flow | undefined> {
    try {
      if ((await this.#vault.get('flow', flow.state)) !== undefined) return flow;
    } catch (error) {
      this.giveBack(flow);
      throw error;
    }
    this.giveBack(flow);
    return undefined;
  }

  /** Does not use the state up. */
  look(state: string): Awaitable<Flow | undefined> {
    return andThen(this.#find(state), (found) => {
      if (found === undefined) return undefined;
      const alive = found.pauses.filter(this.#isAlive);
      if (alive.length === 0) return this.#drop(found);
      return { ...found.flow, expiresAt: Math.max(...alive.map(({ expiresAt }) => expiresAt)) };
    });
  }

  /**
   * What ends with a flow: a token ends all consents of the user that it satisfies. The first one is the flow itself; none if
   * it was abandoned meanwhile.
   */
  endedBy(flow: Flow, token: AccessToken | undefined): Awaitable<readonly Pending[]> {
    const given = [...flow.scopes, ...(token?.scopes ?? [])];
    return andThen(this.#beginningWith(isOlder(flow) ? flow.state : beginningOf(flow)), (all) => {
      const own = all.find(({ flow: { state } }) => state === flow.state);
      if (own === undefined || own.pauses.length === 0) return [];
      if (token === undefined) return [own];
      return [own, ...all.filter((one) => one !== own && includes(given, one.flow.scopes))];
    });
  }

  /** Pauses that were put while their flow was ended. They are removed. F2 */
  async late(state: string): Promise<readonly Waiting[]> {
    const rows = await this.#vault.entries('flow', `${state}.`);
    for (const [key] of rows) void this.#vault.remove('flow', key);
    return pausesIn(rows);
  }

  /**
   * Records the end of the exchange with all that ends by it, and returns their pauses besides the first. The state is used up until
   * that is committed. Throws `store_unavailable`.
   */
  settle(flow: Flow, ended: readonly Pending[], grant: Grant | undefined): Waiting[] {
    for (const other of ended.slice(1)) this.#end(other);
    const own = ended[0] ?? { flow, pauses: [] };
    const release = (): void => this.#vault.release(claimOf(flow));
    const stored = this.#end(own);
    this.stored = stored;
    stored.then(release, release);
    const pauses = ended.flatMap(({ pauses }) => pauses);
    this.#granted.delete(flow.state);
    if (grant !== undefined) for (const { state } of pauses) this.#granted.set(state, grant);
    this.#boundGranted();
    return pauses.filter(({ state }) => state !== flow.state).map(({ state, executionId }) => ({ executionId, state }));
  }

  /** The grant of a flow, until it is claimed. */
  grantOf({ state }: Flow): Grant | undefined {
    return this.#granted.get(state);
  }

  /** Remembers a grant in memory, whether or not it can be stored. */
  hold({ state }: Flow, grant: Grant): void {
    this.#granted.set(state, grant);
  }

  /** The commit of its end has failed. Throws `store_unavailable`. */
  removeAgain(pause: string): void {
    void this.#vault.remove('flow', stateOf(pause));
    this.stored = this.#vault.remove('flow', keyOf(pause));
  }

  /** The outcome could not be stored, so the callback may arrive again. */
  giveBack(flow: Flow): void {
    this.#vault.release(claimOf(flow));
  }

  claim(pause: string): AccessToken | undefined {
    const grant = this.#granted.get(pause);
    this.#granted.delete(pause);
    return grant?.token;
  }

  /** A pause has ended. Its flow ends with the last of its pauses. */
  abandon(pause: string): void {
    this.#granted.delete(pause);
    this.#try(() =>
      andThen(this.#find(stateOf(pause)), (found) => {
        if (found === undefined) return;
        if (!found.pauses.some(({ state }) => state !== pause)) this.#drop(found);
        else if (pause === found.flow.state) void this.#vault.put('flow', keyOf(pause), ENDED);
        else void this.#vault.remove('flow', keyOf(pause));
      }),
    );
  }

  #find(state: string): Awaitable<Pending | undefined> {
    if (!isState(state)) return undefined;
    return andThen(this.#beginningWith(state), (found) => found.find(({ flow }) => flow.state === state));
  }

  #beginningWith(prefix: string): Awaitable<readonly Pending[]> {
    return andThen(this.#vault.entries('flow', prefix), (rows) => flowsIn(rows, this.#provider));
  }

  /** Flows of earlier processes, of a store that belongs to this one. */
  #load(): void {
    const rows = this.#vault.entries('flow', '') as readonly VaultEntry[];
    const found = flowsIn(rows, this.#provider).filter(({ pauses }) => pauses.some(this.#isAlive));
    const kept = new Set(found.map(({ flow }) => flow.state));
    for (const [key] of rows) if (!kept.has(flowOf(key))) this.#try(() => void this.#vault.remove('flow', key));
    for (const { flow, pauses } of found) {
      this.#place({ ...flow, expiresAt: Math.max(...pauses.map(({ expiresAt }) => expiresAt)) });
    }
  }

  readonly #isAlive = ({ expiresAt }: Pause): boolean => expiresAt > this.#now();

  #place(flow: Flow): void {
    this.#places.set(flow.state, flow);
    this.#shares.take(flow);
  }

  #free(state: string): void {
    const flow = this.#places.get(state);
    if (flow === undefined) return;
    this.#places.delete(state);
    this.#shares.give(flow);
  }

  #expire(): void {
    for (const flow of this.#places.values()) {
      if (flow.expiresAt > this.#now()) return;
      this.#free(flow.state);
      if (!this.#vault.isShared) this.#try(() => this.#dropIfOver(flow.state));
    }
  }

  /** Resolves once that is committed. Throws `store_unavailable`. */
  #end({ flow: { state }, pauses }: Pending): Promise<undefined> {
    const kept = this.#vault.remove('flow', state);
    const isFirstOver = pauses[0]?.state !== state;
    if (isFirstOver) void this.#vault.remove('flow', keyOf(state));
    for (const pause of pauses) if (pause.state !== state) void this.#vault.remove('flow', keyOf(pause.state));
    this.#free(state);
    return kept;
  }

  /** It is no longer needed. If it cannot be removed now, a sweep removes it. */
  #drop(pending: Pending): undefined {
    this.#free(pending.flow.state);
    this.#try(() => void this.#end(pending));
  }

  /** Removes what has expired. */
  #sweep(): void {
    this.#try(() =>
      andThen(this.#vault.entries('flow', '', this.#sweptTo, SWEPT), (rows) => {
        this.#sweptTo = rows.length < SWEPT ? '' : rows.at(-1)![0];
        for (const [key, value] of rows) {
          if (expiryOf(value) > this.#now()) continue;
          if (value === undefined || (key.includes('.') && value !== ENDED)) void this.#vault.remove('flow', key);
          else this.#try(() => this.#dropIfOver(flowOf(key)));
        }
      }),
    );
  }

  /** Also if its provider is no longer configured. */
  #dropIfOver(state: string): Awaitable<void> {
    return andThen(this.#vault.entries('flow', state), (rows) => {
      const isAlive = rows.some(([, value]) => expiryOf(value) > this.#now());
      if (!isAlive) for (const [key] of rows) void this.#vault.remove('flow', key);
    });
  }

  /** For what a later sweep repeats. */
  #try(act: () => Awaitable<void>): void {
    try {
      const done = act();
      if (done instanceof Promise) done.catch(() => {});
    } catch {}
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

const claimOf = ({ state }: Flow): string => `flow ${state}`;
