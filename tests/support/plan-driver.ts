/** A path of the execution's model as a play: each of its facts is caused by the party that causes it in reality. */

import assert from 'node:assert/strict';
import type { ExecutionEvent } from '../../machines/facts.ts';
import type { Builder } from '../../runtime/builders/builder.ts';
import { SlotRequest } from '../../runtime/builders/slots.ts';
import { AccessToken, type Response, type Runtime, text } from '../../runtime/index.ts';
import { operator } from './callers.ts';
import type { ControlledRun } from './controlled-workflow.ts';
import { engineOf, immediate } from './in-process.ts';
import type { SimulatedClock } from './simulated-clock.ts';

/** The callers that start, answer, consent and cancel. Every call is expected to succeed. */
export interface Callers {
  /** Resolves to the id of the execution. */
  start(): Promise<string>;
  answer(executionId: string, interactionId: string): Promise<void>;
  /** Come back from the provider. */
  callback(query: URLSearchParams): Promise<void>;
  cancel(executionId: string): Promise<void>;
}

export interface World {
  readonly runtime: Runtime;
  readonly clock: SimulatedClock;
  readonly runs: ReadonlyMap<string, ControlledRun>;
  readonly callers: Callers;
}

export type Failing = 'cancelled' | 'thrown' | 'abandoned';

export const reply: Response = { kind: 'text', text: 'This.' };
/** The idempotency key under which a prompt is answered. */
export const keyOf = (interactionId: string): string => `key-of-${interactionId}`;
export const callbackUrl = (query: URLSearchParams): URL => new URL(`http://127.0.0.1/auth/redirect?${query}`);

/** Holds a slot and does nothing with it. */
const idleHolder = { slotGranted: () => {} };

/** Longer than any play. */
export const BEYOND_PLAN_MS = 30 * 24 * 3_600_000;
/** From one fact of a plan to the next, where time plays a part. */
export const FACT_INTERVAL_MS = 100_000;

/** Whether it happens because time has passed. */
export const isTimed = ({ type }: ExecutionEvent): boolean => type.endsWith('.expired') || type === 'sleep.elapsed';

const textOf = (value: unknown): string =>
  value instanceof AccessToken ? value.value : String((value as { text?: string } | undefined)?.text);

export class PlanDriver {
  readonly #runtime: Runtime;
  readonly #clock: SimulatedClock;
  readonly #runs: ReadonlyMap<string, ControlledRun>;
  readonly #people: Callers;
  readonly #facts: readonly ExecutionEvent[];
  readonly #beganAt: number;
  /** The one run slot is held here until the path says that the execution gets it. */
  #slot = new SlotRequest(idleHolder);
  #work: { resolve(value: unknown): void; reject(error: Error): void } | undefined;
  readonly builder: Builder;
  executionId = '';
  /** Real ids by those of the model. */
  readonly ids = new Map<string, string>();
  readonly #outcomes = new Map<number, string>();
  readonly #signals = new Map<string, AbortController>();

  constructor(world: World, facts: readonly ExecutionEvent[]) {
    this.#runtime = world.runtime;
    this.#clock = world.clock;
    this.#runs = world.runs;
    this.#people = world.callers;
    this.#facts = facts;
    this.#beganAt = world.clock.now();
    this.builder = engineOf(world.runtime).served.get('controlled').get(null)!;
  }

  async begin(): Promise<void> {
    this.builder.slots.request(this.#slot);
    this.executionId = await this.#people.start();
  }

  get run(): ControlledRun | undefined {
    return this.#runs.get(this.executionId);
  }

  /** Leaves the slot to others. */
  end(): void {
    this.builder.slots.release(this.#slot);
  }

  /** What a call of the run, by the index of the fact that it began with, has come to: a value, or an error's name. */
  outcomeOf(index: number): string {
    return this.#outcomes.get(index) ?? 'none';
  }

  /** Brings one fact of the path about. */
  async perform(index: number, failing: Failing = 'cancelled'): Promise<void> {
    const fact = this.#facts[index]!;
    await this.#deed(fact, index, failing);
    await untilSettled(this.#runtime);
    if ('call' in fact && 'id' in fact) {
      this.ids.set(fact.id, immediate(this.#runtime.get(this.executionId, operator))!.context.pauses.at(-1)!.id);
    }
  }

  #deed(fact: ExecutionEvent, index: number, failing: Failing): unknown {
    const id = 'id' in fact ? fact.id : '';
    const { ctx, complete } = this.run ?? ({} as ControlledRun);
    switch (fact.type) {
      case 'slot.granted':
        return this.handOverSlot();
      case 'step.started':
        return this.#track(
          index,
          ctx.step('pay', () => this.#working()),
        );
      case 'step.completed':
        return this.#work?.resolve(1);
      case 'step.failed':
        return this.#work?.reject(new Error('It broke.'));
      case 'value.recorded':
        return ctx.now();
      case 'notification.sent':
        return void ctx.notify('By the way.');
      case 'output.emitted':
        return ctx.emit('a part');
      case 'trace.emitted':
        return ctx.span('TOOL', 'tool');
      case 'trace.identified':
        return ctx.observe('trace-1');
      case 'interaction.requested':
        return this.#track(index, ctx.prompt(this.#question(index, id), { signal: this.#signalFor(id) }));
      case 'branch.started':
        return void ctx.branch('branch', () => {});
      case 'interaction.withdrawn':
      case 'oauth.withdrawn':
      case 'sleep.withdrawn':
        return this.#signals.get(id)!.abort();
      case 'execution.recovered':
      case 'execution.resumed':
      case 'execution.blocked':
      case 'execution.unblocked':
      case 'execution.continued':
      case 'output.restarted':
        return undefined; // only a run that is executed again brings it about
      case 'interaction.answered':
        return this.#people.answer(this.executionId, this.ids.get(id)!);
      case 'oauth.requested':
        return this.#track(
          index,
          ctx.authorize('bank', {
            scopes: [`for-${this.executionId}-${index}`],
            signal: this.#signalFor(id),
          }),
        );
      case 'oauth.granted':
        return this.#people.callback(new URLSearchParams({ state: this.ids.get(id)!, code: 'code-1' }));
      case 'oauth.refused':
        return this.#people.callback(new URLSearchParams({ state: this.ids.get(id)!, error: 'access_denied' }));
      case 'sleep.started':
        return this.#track(
          index,
          ctx.sleep(this.#lastsMs(index, id) ?? BEYOND_PLAN_MS, { signal: this.#signalFor(id) }),
        );
      case 'interaction.expired':
      case 'oauth.expired':
      case 'sleep.elapsed':
        return this.#passTime(this.#at(index) - this.#clock.now());
      case 'execution.parked':
        return new Promise(setImmediate);
      case 'execution.completed':
        return complete('done');
      case 'execution.failed':
        return this.#fail(failing);
      case 'retention.elapsed':
        return this.#passTime(this.#runtime.options.retentionMs);
      case 'record.forgotten':
        return undefined; // follows by itself
    }
  }

  /** Who waits for it gets the slot; it is taken back once that one gives it up. */
  handOverSlot(): void {
    const next = new SlotRequest(idleHolder);
    this.builder.slots.request(next);
    this.builder.slots.release(this.#slot);
    this.#slot = next;
  }

  /** What withdraws the pause of this name. */
  #signalFor(id: string): AbortSignal {
    const abort = new AbortController();
    this.#signals.set(id, abort);
    return abort.signal;
  }

  #working(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#work = { resolve, reject };
    });
  }

  #track(index: number, call: Promise<unknown>): void {
    call.then(
      (value) => this.#outcomes.set(index, textOf(value)),
      (error: Error) => this.#outcomes.set(index, error.name),
    );
  }

  /** The second prompt has an answer of its own, in case that it expires. */
  #question(index: number, id: string) {
    const lastsMs = this.#lastsMs(index, id);
    if (lastsMs === undefined) return text({ text: id });
    const timeoutS = (lastsMs - this.#runtime.options.promptGraceMs) / 1000;
    return text({ text: id, timeoutS, ...(id === 'p2' && { default: 'Whatever.' }) });
  }

  /** Milliseconds from now until a pause is over by itself; undefined if something else ends it on this path. */
  #lastsMs(index: number, id: string): number | undefined {
    const end = this.#facts.findIndex((fact, later) => later > index && 'id' in fact && fact.id === id);
    return end >= 0 && isTimed(this.#facts[end]!) ? this.#at(end) - this.#clock.now() : undefined;
  }

  #at(index: number): number {
    return this.#beganAt + (index + 1) * FACT_INTERVAL_MS;
  }

  /** Time passes, and until its last millisecond nothing happens. */
  #passTime(ms: number): void {
    const view = immediate(this.#runtime.get(this.executionId, operator))!;
    const { seq } = view.context;
    this.#clock.advance(ms - 1);
    assert.equal(view.context.seq, seq);
    this.#clock.advance(1);
  }

  async #fail(failing: Failing): Promise<void> {
    if (failing === 'cancelled') await this.#people.cancel(this.executionId);
    else if (failing === 'thrown') this.run!.fail(new RangeError('It broke.'));
    else this.#passTime(this.#runtime.options.parkedTimeoutMs);
  }
}

/** When everything has happened that can without time, network or another turn of the event loop. */
export const untilSettled = async (runtime: Runtime): Promise<void> => {
  const engine = engineOf(runtime);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  while (engine.turns.isBusy) await new Promise<void>((resolve) => setImmediate(resolve));
};

export const stop = async (runtime: Runtime, clock: SimulatedClock): Promise<void> => {
  const stopped = runtime.stop();
  clock.advance(runtime.options.stopTimeoutMs);
  await stopped;
};
