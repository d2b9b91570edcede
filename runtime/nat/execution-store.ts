/**
 * NAT's `ExecutionStore`: executions whose work happens elsewhere, in a program that reports their facts.
 *
 * Every method offers a fact to the actor of the execution, and the machine decides. So an ended execution does not
 * change, and a prompt stays open until it is answered, has expired, or the execution ends. `docs/from-nat.md` has the
 * table.
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

/** Seconds until the record of an ended execution is removed. */
export const DEFAULT_EXECUTION_TTL = 600;

export interface ExecutionStoreOptions {
  /** Default `DEFAULT_EXECUTION_TTL`. Records are removed automatically, without `cleanupExpired()`. */
  readonly ttlSeconds?: number;
  readonly clock?: Clock;
}

type Kept = { readonly execution: ExecutionView; readonly driver: OutsideDriver; readonly record: ExecutionRecord };

export class ExecutionStore implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #ownsRuntime: boolean;
  readonly #kept = new Map<string, Kept>();

  /**
   * Uses a given runtime, whose `retentionMs` is then the time to live, and whose other callers can see, answer and
   * cancel their executions. Without one it creates a runtime. Throws `options_invalid`.
   */
  constructor(given: Runtime | ExecutionStoreOptions = {}) {
    this.#ownsRuntime = !isRuntime(given);
    this.#runtime = isRuntime(given) ? given : ownRuntime(given);
  }

  get ttlSeconds(): number {
    return this.#runtime.options.retentionMs / 1000;
  }

  /** Without an owner, any caller with the id can read and answer. Rejects with `draining` once the runtime stops. */
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
   * Opens a prompt; other prompts stay open. It expires `promptGraceMs` after its own timeout, if it has one. Rejects
   * with `execution_not_found`, `execution_settled`, and `fact_refused` if an open prompt has the id.
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

  /** Opens a consent, which ends with `setRunning` or with the execution. Rejects like `setInteractionRequired`. */
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
   * Marks open consents as given: all of them, or the named one. Prompts stay open until an answer or their timeout.
   * With nothing open, the execution runs. Rejects with `execution_not_found`, `execution_settled`, and `fact_refused`
   * if no open consent has the state.
   */
  async setRunning(executionId: string, { oauthState }: { oauthState?: string } = {}): Promise<void> {
    const { execution, record } = this.#known(executionId);
    if (execution.isSettled) throw settled(execution);
    const given = oauthState === undefined ? record.pendingOauths.map((consent) => consent.oauthState) : [oauthState];
    for (const id of given) await this.#offer(executionId, { type: 'oauth.granted', id });
  }

  /** `result` must be JSON. Rejects with `execution_not_found` and `execution_settled`. */
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
   * Answers a prompt: its promise resolves, and the prompt closes. Rejects with `execution_not_found`,
   * `interaction_not_found`, `answer_invalid` if the response does not fit, `fact_refused` if it was answered before or
   * has expired, and `execution_settled` if the execution ended before.
   */
  async resolveInteraction(executionId: string, interactionId: string, response: Response): Promise<void> {
    const { execution, driver } = this.#known(executionId);
    if (driver.state(interactionId) === undefined) {
      const detail = `Interaction ${interactionId} not found for execution ${executionId}`;
      throw new Failure('interaction_not_found', { detail });
    }
    const outcome = await this.#runtime.answer(executionId, interactionId, response, ANY_CALLER);
    if (outcome === 'accepted') return;
    const state = driver.state(interactionId);
    if (state === 'ended') throw settled(execution);
    const ending = state === 'expired' ? 'expired' : 'already been resolved';
    throw new Failure('fact_refused', { detail: `Interaction ${interactionId} has ${ending}` });
  }

  /**
   * Removes executions that ended longer ago than the time to live, and resolves to their number. This also happens
   * automatically.
   */
  async cleanupExpired(): Promise<number> {
    const latest = this.#runtime.now() - this.#runtime.options.retentionMs;
    const expired = [...this.#kept.values()].filter(({ execution: { context } }) => {
      return context.settledAt !== null && context.settledAt <= latest;
    });
    for (const { execution } of expired) this.#runtime.expire(execution.id);
    return expired.length;
  }

  /** Removes an execution. A live one is cancelled first; an unknown one has no effect. */
  async remove(executionId: string): Promise<void> {
    if (!this.#kept.has(executionId)) return;
    const error = { code: 'cancelled', message: 'The execution was removed.', name: 'AbortError' } as const;
    await this.#runtime.offer(executionId, { type: 'execution.failed', error });
    this.#runtime.expire(executionId);
  }

  /** Stops its own runtime, which interrupts live executions. A given runtime is not affected. */
  async close(): Promise<void> {
    if (this.#ownsRuntime) await this.#runtime.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Offers a fact, and throws if it is refused. */
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

/** The program that has the store decides who may use it. */
const ANY_CALLER = { userId: undefined, isOperator: true };

const ownRuntime = ({ ttlSeconds = DEFAULT_EXECUTION_TTL, clock }: ExecutionStoreOptions): Runtime => {
  const options = { retentionMs: ttlSeconds * 1000 };
  return openRuntime({ workflows: [], options, ...(clock && { clock }) });
};

const isRuntime = (given: Runtime | ExecutionStoreOptions): given is Runtime => 'adopt' in given;

const settled = ({ id, status }: ExecutionView): Failure =>
  new Failure('execution_settled', { detail: `Execution ${id} is over: it is ${status}.` });
