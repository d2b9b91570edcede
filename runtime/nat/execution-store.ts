/**
 * NAT's `ExecutionStore`: executions whose work is done elsewhere, by a program that reports what happens to it.
 *
 * Every method offers a fact to the actor of the execution, and the machine decides. So what is over stays as it is,
 * and a prompt stays open until it is answered, has expired, or the execution is over. `docs/from-nat.md` has the table.
 */

import type { Answer, Question, Response } from '../authoring/prompts.ts';
import { Failure } from '../errors.ts';
import type { NewFact } from '../executions/execution.ts';
import { newId } from '../executions/ids.ts';
import type { ExecutionView } from '../executions/view.ts';
import { openRuntime } from '../local-runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { Clock } from '../time/clock.ts';
import { ExecutionRecord } from './execution-record.ts';
import { OutsideDriver, type PendingInteraction } from './pending-interactions.ts';

/** Seconds for which the record of an execution that is over is kept. */
export const DEFAULT_EXECUTION_TTL = 600;

export interface ExecutionStoreOptions {
  /** Default `DEFAULT_EXECUTION_TTL`. Retention ends by itself; it needs no `cleanupExpired()`. */
  readonly ttlSeconds?: number;
  readonly clock?: Clock;
}

type Kept = { readonly execution: ExecutionView; readonly driver: OutsideDriver; readonly record: ExecutionRecord };

export class ExecutionStore implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #ownsRuntime: boolean;
  readonly #kept = new Map<string, Kept>();

  /**
   * Over a runtime, whose `retentionMs` is then the time to live: its other callers see, answer and cancel what they own.
   * Or over one of its own. Throws `options_invalid`.
   */
  constructor(given: Runtime | ExecutionStoreOptions = {}) {
    this.#ownsRuntime = !isRuntime(given);
    this.#runtime = isRuntime(given) ? given : ownRuntime(given);
  }

  get ttlSeconds(): number {
    return this.#runtime.options.retentionMs / 1000;
  }

  /** Without an owner, whoever knows the id may look and answer. Rejects with `draining` once the runtime stops. */
  async createExecution({ owner = null }: { owner?: string | null } = {}): Promise<ExecutionRecord> {
    await this.#runtime.started;
    const driver = new OutsideDriver(this.#runtime);
    const execution = await this.#runtime.adopt(owner, (executionId) => driver.of(executionId));
    const record = new ExecutionRecord(execution, driver);
    execution.watch(({ type }) => type === 'retention.elapsed' && this.#kept.delete(execution.id));
    this.#kept.set(execution.id, { execution, driver, record });
    return record;
  }

  async get(executionId: string): Promise<ExecutionRecord | undefined> {
    return this.#kept.get(executionId)?.record;
  }

  /**
   * Opens a prompt; others that are open stay open. It expires `promptGraceMs` after its own timeout, if it has one.
   * Rejects with `execution_not_found`, `execution_settled`, and `fact_refused` if an open one has the id.
   */
  async setInteractionRequired<A extends Answer>(
    executionId: string,
    { prompt, fallback }: Question<A>,
    interactionId: string = newId(),
  ): Promise<PendingInteraction<A>> {
    const { driver } = this.#known(executionId);
    const { timeout } = prompt;
    const dueAt = timeout === null ? null : this.#runtime.now() + timeout * 1000 + this.#runtime.options.promptGraceMs;
    const asked = { type: 'interaction.requested', call: 0, id: interactionId, prompt, dueAt } as const;
    await this.#offer(executionId, fallback === undefined ? asked : { ...asked, fallback });
    return driver.pending(interactionId) as PendingInteraction<A>;
  }

  /** Opens a consent, which ends with `setRunning` or with the execution. Rejects as `setInteractionRequired` does. */
  async setOauthRequired(executionId: string, authUrl: string, oauthState: string): Promise<void> {
    const asked = {
      type: 'oauth.requested',
      call: 0,
      id: oauthState,
      provider: 'external',
      authUrl,
      dueAt: null,
    } as const;
    await this.#offer(executionId, asked);
  }

  /**
   * The consents that were open have been given: all of them, or the one named. Prompts stay open, because only their
   * answer or their time ends them; once nothing is open, the execution runs. Rejects with `execution_not_found`,
   * `execution_settled`, and `fact_refused` if no open consent has the state.
   */
  async setRunning(executionId: string, { oauthState }: { oauthState?: string } = {}): Promise<void> {
    const { execution, record } = this.#known(executionId);
    if (execution.isSettled) throw settled(execution);
    const given = oauthState === undefined ? record.pendingOauths.map((consent) => consent.oauthState) : [oauthState];
    for (const id of given) await this.#offer(executionId, { type: 'oauth.granted', id });
  }

  /** `result` has to be JSON. Rejects with `execution_not_found` and `execution_settled`. */
  async setCompleted(executionId: string, result: unknown): Promise<void> {
    await this.#offer(executionId, { type: 'execution.completed', result: result ?? null });
  }

  /** Rejects with `execution_not_found` and `execution_settled`. */
  async setFailed(executionId: string, error: string | Error): Promise<void> {
    const { message, name } = typeof error === 'string' ? { message: error, name: 'Error' } : error;
    const failed = { type: 'execution.failed', error: { code: 'workflow_error', message, name } } as const;
    await this.#offer(executionId, failed);
  }

  /**
   * Answers a prompt: its promise resolves, and it is no longer open. Rejects with `execution_not_found`,
   * `interaction_not_found`, `answer_invalid` if the response does not fit, `fact_refused` if it was answered before or
   * has expired, and `execution_settled` if the execution had ended before it was answered.
   */
  async resolveInteraction(executionId: string, interactionId: string, response: Response): Promise<void> {
    const { execution, driver } = this.#known(executionId);
    if (driver.state(interactionId) === undefined) {
      const detail = `Interaction ${interactionId} not found for execution ${executionId}`;
      throw new Failure('interaction_not_found', { detail });
    }
    const outcome = await this.#runtime.answer(executionId, interactionId, response, ANYBODY);
    if (outcome === 'accepted') return;
    const state = driver.state(interactionId);
    if (state === 'ended') throw settled(execution);
    const ending = state === 'expired' ? 'expired' : 'already been resolved';
    throw new Failure('fact_refused', { detail: `Interaction ${interactionId} has ${ending}` });
  }

  /** Removes what is over for longer than the time to live, and resolves to its number. Retention does that by itself. */
  async cleanupExpired(): Promise<number> {
    const latest = this.#runtime.now() - this.#runtime.options.retentionMs;
    const expired = [...this.#kept.values()].filter(({ execution: { context } }) => {
      return context.settledAt !== null && context.settledAt <= latest;
    });
    for (const { execution } of expired) this.#runtime.expire(execution.id);
    return expired.length;
  }

  /** Drops an execution. One that is not over ends as cancelled; an unknown one is fine. */
  async remove(executionId: string): Promise<void> {
    if (!this.#kept.has(executionId)) return;
    const error = { code: 'cancelled', message: 'The execution was removed.', name: 'AbortError' } as const;
    await this.#runtime.offer(executionId, { type: 'execution.failed', error });
    this.#runtime.expire(executionId);
  }

  /** Stops a runtime of its own, and so ends what is not over as interrupted. Does nothing to another's. */
  async close(): Promise<void> {
    if (this.#ownsRuntime) await this.#runtime.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Offers a fact, and says why if it is refused. */
  async #offer(executionId: string, fact: NewFact): Promise<void> {
    const { execution } = this.#known(executionId);
    if (await this.#runtime.offer(executionId, fact)) return;
    if (execution.isSettled) throw settled(execution);
    const about = 'id' in fact ? ` about ${fact.id}` : '';
    throw new Failure('fact_refused', { detail: `Execution ${executionId} cannot take ${fact.type}${about} now.` });
  }

  #known(executionId: string): Kept {
    const kept = this.#kept.get(executionId);
    if (kept !== undefined) return kept;
    throw new Failure('execution_not_found', { detail: `Execution ${executionId} not found` });
  }
}

/** The store is asked by whoever holds it; who that may be is for them to say. */
const ANYBODY = { userId: undefined, isOperator: true };

const ownRuntime = ({ ttlSeconds = DEFAULT_EXECUTION_TTL, clock }: ExecutionStoreOptions): Runtime => {
  const options = { retentionMs: ttlSeconds * 1000 };
  return openRuntime({ workflows: [], options, ...(clock && { clock }) });
};

const isRuntime = (given: Runtime | ExecutionStoreOptions): given is Runtime => 'adopt' in given;

const settled = ({ id, status }: ExecutionView): Failure =>
  new Failure('execution_settled', { detail: `Execution ${id} is over: it is ${status}.` });
