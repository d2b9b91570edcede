/** One run within a session: NAT's `Runner`. */
import type { ExecutionStatus } from '../../machines/execution.ts';
import type { ExecutionError, ExecutionErrorCode } from '../../machines/facts.ts';
import { voidIn } from '../../machines/void-facts.ts';
import { Failure } from '../errors.ts';
import { follow } from '../executions/follow.ts';
import type { ExecutionView } from '../executions/view.ts';
import type { Caller } from '../journal/caller.ts';
import type { Runtime } from '../runtime.ts';
import { GivenOutput } from './given-output.ts';

/** A run has failed. Name and message are those of the error of its workflow. */
export class RunFailedError extends Error {
  override readonly name: string;
  readonly code: ExecutionErrorCode;
  readonly executionId: string;

  constructor({ code, message, name }: ExecutionError, executionId: string) {
    super(message);
    this.name = name;
    this.code = code;
    this.executionId = executionId;
  }
}

export class SessionRun<Output = unknown> {
  readonly #runtime: Runtime;
  readonly #execution: ExecutionView;
  readonly #by: Caller;

  constructor(runtime: Runtime, execution: ExecutionView, by: Caller) {
    this.#runtime = runtime;
    this.#execution = execution;
    this.#by = by;
  }

  /** The id in the runtime, for others to poll, answer or cancel it. */
  get executionId(): string {
    return this.#execution.id;
  }

  get status(): ExecutionStatus {
    return this.#execution.status;
  }

  /**
   * The result of the workflow. Rejects with a `RunFailedError`. It can be called any number of times, before and after
   * the end.
   */
  async result(): Promise<Output> {
    await this.#runtime.waitUntil(this.#execution, ({ isSettled }) => isSettled);
    const { error, result } = this.#execution.context;
    if (error !== null) throw new RunFailedError(error, this.executionId);
    return result as Output;
  }

  /**
   * The emitted values, from the first one, in the order of the journal. A late reader misses nothing. Throws a
   * `RunFailedError` at the end of a failed run, `output_truncated` if values were dropped before they were read,
   * `output_restarted` if an interrupted step emits something else in its next attempt, and `execution_not_found` once
   * the record is deleted. Leaving the iteration does not end the run.
   */
  async *resultStream(): AsyncGenerator<unknown, void> {
    const given = new GivenOutput();
    for await (const { entries, truncatedThrough } of follow(this.#execution, (after) => this.#read(after))) {
      if (truncatedThrough !== null) throw truncated(this.executionId, truncatedThrough);
      const voids = voidIn(entries);
      for (const entry of entries) {
        if (voids?.has(entry)) continue;
        const { values, isChanged } = given.hear(entry);
        if (isChanged) throw restarted(this.executionId);
        yield* values;
        if (entry.type === 'execution.completed') return;
        if (entry.type === 'execution.failed') throw new RunFailedError(entry.error, this.executionId);
      }
    }
    throw new Failure('execution_not_found', { detail: `Execution ${this.executionId} not found` });
  }

  /** Cancels it; the session counts as failed. Throws `execution_settled` if it has ended. */
  cancel(): Promise<void> {
    return this.#runtime.cancel(this.executionId, this.#by);
  }

  #read(after: number) {
    return this.#runtime.facts(this.executionId, after, this.#by);
  }
}

const restarted = (executionId: string): Failure =>
  new Failure('output_restarted', {
    detail: `A step of execution ${executionId} was interrupted and ran again with other output: read it from the beginning.`,
  });

const truncated = (executionId: string, through: number): Failure =>
  new Failure('output_truncated', {
    detail: `Execution ${executionId} has no output up to fact ${through} any more: read faster, or raise maxJournalFacts.`,
  });
