/** A workflow that goes by a plan: its calls are those of the plan, each as soon as the play has come to it. */
import { appendFileSync } from 'node:fs';
import type { ExecutionEvent } from '../../../machines/facts.ts';
import { AccessToken, type Context, text, workflow } from '../../../runtime/index.ts';
import type { Plan } from '../plans.ts';

/** Whether the run does it, and not a caller, the clock, or the runtime. */
export const isByRun = (fact: ExecutionEvent, { failing }: Plan): boolean =>
  fact.type === 'execution.completed' ||
  (fact.type === 'execution.failed' && failing === 'thrown') ||
  ('call' in fact && fact.type !== 'step.completed' && fact.type !== 'step.failed');

/** What closes the pause that the fact at this place has opened. */
export const closing = ({ facts }: Plan, id: string, opened: number): ExecutionEvent | undefined =>
  facts.find((fact, index) => index > opened && 'id' in fact && !('call' in fact) && fact.id === id);

/** What a run of the plan does and hears, in this process and in those before it. */
export class PlannedRun {
  readonly plan: Plan;
  readonly #name: string;
  readonly #file: string;
  /** Milliseconds from now until the pause that a fact opens is over by itself; undefined if it is not on this plan. */
  readonly #lastsMs: (index: number) => number | undefined;
  /** Calls that hear of something on this plan. */
  #closed: Promise<void>[] = [];
  #reached = -1;
  #onReached: (() => void) | undefined;
  #work: { resolve(value: unknown): void; reject(error: Error): void } | undefined;

  constructor(plan: Plan, name: string, file: string, lastsMs: (index: number) => number | undefined) {
    this.plan = plan;
    this.#name = name;
    this.#file = file;
    this.#lastsMs = lastsMs;
  }

  /** The play has come to this fact. */
  reach(index: number): void {
    this.#reached = Math.max(this.#reached, index);
    this.#onReached?.();
  }

  endStep(isDone: boolean): void {
    if (isDone) this.#work?.resolve(1);
    else this.#work?.reject(new Error('It broke.'));
  }

  async run(ctx: Context): Promise<unknown> {
    this.#closed = [];
    for (const [index, fact] of this.plan.facts.entries()) {
      if (!isByRun(fact, this.plan)) continue;
      await this.#until(index);
      if (fact.type === 'execution.completed') return 'done';
      if (fact.type === 'execution.failed') throw new RangeError('It broke.');
      this.#call(fact, index, ctx);
    }
    await this.#until(this.plan.facts.length);
    await Promise.allSettled(this.#closed);
    return 'done';
  }

  async #until(index: number): Promise<void> {
    while (this.#reached < index) {
      await new Promise<void>((resolve) => {
        this.#onReached = resolve;
      });
    }
  }

  #call(fact: ExecutionEvent, index: number, ctx: Context): unknown {
    switch (fact.type) {
      case 'step.started':
        return this.#track(
          index,
          ctx.step('pay', () => this.#working(index)),
        );
      case 'value.recorded':
        return this.#note(index, 'heard', index % 2 === 0 ? ctx.now() : ctx.random());
      case 'notification.sent':
        return this.#track(index, ctx.notify('By the way.'));
      case 'output.emitted':
        return ctx.emit('a part');
      case 'trace.emitted':
        return this.#note(index, 'heard', ctx.span('TOOL', 'tool').id);
      case 'trace.identified':
        return ctx.observe('trace-1');
      case 'interaction.requested':
        return this.#track(index, ctx.prompt(this.#question(index, fact.id)));
      case 'oauth.requested':
        return this.#track(index, ctx.authorize('bank', { scopes: [`for-${index}`] }));
      case 'sleep.started':
        return this.#track(index, ctx.sleep(this.#lastsMs(index)!));
      default:
        throw new Error(`no call of a run leads to ${fact.type}`);
    }
  }

  #question(index: number, id: string) {
    const lastsMs = this.#lastsMs(index);
    if (lastsMs === undefined) return text({ text: id });
    return text({ text: id, timeoutS: lastsMs / 1000, ...(id === 'p2' && { default: 'Whatever.' }) });
  }

  #working(index: number): Promise<unknown> {
    this.#note(index, 'began', 'pay');
    return new Promise((resolve, reject) => {
      this.#work = { resolve, reject };
    });
  }

  #track(index: number, call: Promise<unknown>): void {
    const heard = call.then(
      (value) => this.#note(index, 'heard', value instanceof AccessToken ? value.value : wordOf(value)),
      (error: Error) => this.#note(index, 'heard', error.name),
    );
    const fact = this.plan.facts[index]!;
    if ('id' in fact && closing(this.plan, fact.id, index) !== undefined) this.#closed.push(heard);
  }

  /** Written at once, as a side effect is: it outlives the process. */
  #note(index: number, what: Note['what'], value: unknown): void {
    appendFileSync(this.#file, `${JSON.stringify({ play: this.#name, index, what, value } satisfies Note)}\n`);
  }
}

export type Note = {
  readonly play: string;
  readonly index: number;
  readonly what: 'began' | 'heard';
  readonly value: unknown;
};

const wordOf = (value: unknown): string => String((value as { text?: string } | undefined)?.text ?? value);

/** Each user has a run slot of his own, so that many plays go on side by side and do not wait for each other. */
export const plannedWorkflow = (runs: ReadonlyMap<string, PlannedRun>) =>
  workflow({
    name: 'planned',
    perUser: { build: () => null },
    run: (name: unknown, ctx: Context) => runs.get(name as string)!.run(ctx),
  });
