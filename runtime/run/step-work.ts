/** A running step: its output belongs to it, and its end is journaled. */

import type { Context, Log, Span, SpanKind, SpanOptions, Step } from '../authoring/context.ts';
import { dataOf, stackOf, wordsOf } from '../authoring/errors.ts';
import { toJson } from '../json.ts';
import type { CallFact, MadeCall } from './calls.ts';
import type { RunCalls } from './run-calls.ts';
import { type Position, runAt } from './thread.ts';

/** The idempotency key of a step, the same in all replays and attempts. */
export const stepKey = (run: RunCalls, call: number): string => `${run.execution.id}:${call}`;

export class StepWork<T> implements Step {
  readonly #run: RunCalls;
  readonly #started: Extract<MadeCall, { type: 'step.started' }>;
  readonly #position: Position;
  readonly #work: (step: Step) => Promise<T> | T;
  /** The error that it throws in this replay. */
  readonly #own: { stack?: string | undefined };
  readonly #ctx: Context;
  readonly attempt: number;
  #signal: AbortSignal | undefined;

  constructor(
    run: RunCalls,
    ctx: Context,
    started: Extract<MadeCall, { type: 'step.started' }>,
    { branch }: Position,
    work: (step: Step) => Promise<T> | T,
    own: { stack?: string | undefined },
  ) {
    this.#run = run;
    this.#started = started;
    const { call, name } = started;
    this.#position = { run, after: call, branch, step: { call, name } };
    this.#work = work;
    this.#own = own;
    this.#ctx = ctx;
    this.attempt = run.attemptsOf(call) + 1;
  }

  get signal(): AbortSignal {
    const { branch } = this.#position;
    this.#signal ??= branch === undefined ? this.#run.signal : AbortSignal.any([this.#run.signal, branch.abort.signal]);
    return this.#signal;
  }

  get idempotencyKey(): string {
    return stepKey(this.#run, this.#started.call);
  }

  get log(): Log {
    return this.#ctx.log;
  }

  emit(value: unknown): void {
    runAt(this.#position, () => this.#ctx.emit(value));
  }

  span(kind: SpanKind, name: string, options?: SpanOptions): Span {
    return runAt(this.#position, () => this.#ctx.span(kind, name, options));
  }

  /** Its end wakes the call of `ctx.step`. */
  start(): void {
    this.#perform().catch(() => {});
  }

  async #perform(): Promise<void> {
    const run = this.#run;
    const { call, name } = this.#started;
    await run.begun(this.#started);
    if (this.attempt > 1 && run.isVoid(call)) run.record({ type: 'output.restarted', step: call });
    let end: CallFact;
    try {
      const value = await runAt(this.#position, () => this.#work(this));
      end = { type: 'step.completed', call };
      if (value !== undefined) end = { ...end, value: toJson(value, `The value of step ${JSON.stringify(name)}`) };
    } catch (error) {
      this.#own.stack = stackOf(error);
      const data = dataOf(error);
      end = { type: 'step.failed', call, ...wordsOf(error), ...(data && { data }) };
    }
    run.record(end);
  }
}
