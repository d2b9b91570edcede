/**
 * Many executions at once, whose runs, people and time do whatever a script says, in any order. What must hold of all
 * of them at all times is checked after each line.
 */
import assert from 'node:assert/strict';
import { createActor } from 'xstate';
import { executionMachine } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Execution } from '../../runtime/executions/execution.ts';
import { Failure, type Response, type Runtime, text } from '../../runtime/index.ts';
import type { ControlledRun } from './controlled-workflow.ts';
import type { DelayedStore } from './delayed-store.ts';
import { alice, type RuntimeWorld, turns } from './given.ts';
import type { ScriptLine } from './script.ts';

/** So many calls after the end of an execution are answered at once. */
const CALLS_AFTER_END = 16;

/** A call of a run that waits. */
type Call = {
  readonly of: Execution;
  readonly id: string | undefined;
  /** It was made when the execution had ended. */
  readonly isLate: boolean;
  outcome: string | undefined;
};
type Step = { readonly of: Execution; resolve(value: unknown): void; reject(error: Error): void };

export class ScriptedExecutions {
  readonly #runtime: Runtime;
  readonly #world: RuntimeWorld;
  readonly #runs: ReadonlyMap<string, ControlledRun>;
  readonly #executions: Execution[] = [];
  readonly #calls: Call[] = [];
  readonly #steps: Step[] = [];
  /** Entries as they were told. */
  readonly #told = new Map<Execution, JournalEntry[]>();
  readonly #unwatch: (() => void)[] = [];
  /** Answers that were accepted, by prompt. */
  readonly #accepted = new Map<string, { says: string; key: string | undefined }>();

  readonly #store: DelayedStore | undefined;

  /** With a late store most things hold only once it has caught up; that is waited for at each `turn`. */
  constructor(world: RuntimeWorld, runs: ReadonlyMap<string, ControlledRun>, store?: DelayedStore) {
    this.#store = store;
    this.#world = world;
    this.#runtime = world.runtime;
    this.#runs = runs;
  }

  async perform(next: ScriptLine): Promise<void> {
    if ('who' in next) {
      const execution = this.#executions[next.who % Math.max(1, this.#executions.length)];
      if (execution !== undefined) await this.#perform(next, execution);
    } else if (next.does === 'start') await this.#start();
    else if (next.does === 'turn') await this.#turn();
    else this.#world.clock.advance(next.ms);
    if (this.#store === undefined || next.does === 'turn') this.#verify();
    else this.#verifyOrder();
  }

  async #turn(): Promise<void> {
    await turns(2); // one that is woken parks in the turn behind the one in which it goes on
    await this.#store?.settled();
  }

  async #perform(next: Extract<ScriptLine, { who: number }>, execution: Execution): Promise<void> {
    if (next.does === 'answer') return this.#answer(execution, next);
    if (next.does === 'cancel') return this.#cancel(execution);
    const run = this.#runs.get(execution.id);
    if (run === undefined) return;
    const { ctx } = run;
    switch (next.does) {
      case 'complete':
        return run.complete('done');
      case 'fail':
        return run.fail(new Error('It broke.'));
      case 'emit':
      case 'note':
        return void (next.does === 'emit' ? ctx.emit('a part') : ctx.now());
      case 'step':
        return this.#call(execution, () =>
          ctx.step(
            'work',
            () => new Promise((resolve, reject) => this.#steps.push({ of: execution, resolve, reject })),
          ),
        );
      case 'stepEnds':
      case 'stepFails': {
        const step = this.#steps.find(({ of }) => of === execution);
        if (step === undefined) return;
        this.#steps.splice(this.#steps.indexOf(step), 1);
        return next.does === 'stepEnds' ? step.resolve(1) : step.reject(new Error('It broke.'));
      }
      case 'sleep':
        return this.#call(execution, () => ctx.sleep(next.ms));
      case 'prompt': {
        const { timeoutS } = next;
        const more = timeoutS === undefined ? {} : { timeoutS, ...(next.hasDefault && { default: 'by default' }) };
        return this.#call(execution, () => ctx.prompt(text({ text: '?', ...more })));
      }
    }
  }

  async #start(): Promise<void> {
    const { slots } = this.#builder;
    const isFull =
      slots.queued >= this.#runtime.options.maxQueued && slots.held >= this.#runtime.options.maxConcurrency;
    try {
      const execution = await this.#world.start({ by: alice });
      assert.equal(isFull, false, 'a start is refused when the queue is full');
      this.#executions.push(execution);
      const told: JournalEntry[] = [];
      this.#told.set(execution, told);
      this.#unwatch.push(execution.watch((entry) => told.push(entry)));
    } catch (thrown) {
      assert.equal(Failure.from(thrown).code, 'queue_full');
      assert.equal(isFull, true, 'and only then');
    }
  }

  async #answer(execution: Execution, { which, says, key }: Extract<ScriptLine, { does: 'answer' }>): Promise<void> {
    const prompts = this.#calls.filter(({ of, id }) => of === execution && id !== undefined);
    const id = prompts[which % Math.max(1, prompts.length)]?.id;
    const isKnown = this.#told.get(execution)?.some((fact) => 'id' in fact && fact.id === id) === true;
    if (id === undefined || !isKnown) return;
    const isOpen = execution.applied.context.pauses.some((pause) => pause.id === id);
    const isShownOpen = execution.context.pauses.some((pause) => pause.id === id);
    const before = this.#accepted.get(id);
    const isRepeated = key !== undefined && before?.key === key;
    const response: Response = { kind: 'text', text: says };

    const outcome = await this.#runtime
      .answer(execution.id, id, response, alice, key)
      .catch((thrown) => Failure.from(thrown).code);

    if (isShownOpen && says === ' ') assert.equal(outcome, 'answer_invalid');
    else if (isOpen) assert.equal(outcome, 'accepted');
    else if (!isRepeated) assert.equal(outcome, 'already_answered');
    else if (says === ' ') assert.equal(outcome, 'answer_invalid');
    else assert.equal(outcome, before!.says === says ? 'accepted' : 'idempotency_key_reused');
    if (isOpen && outcome === 'accepted') this.#accepted.set(id, { says, key });
  }

  async #cancel(execution: Execution): Promise<void> {
    const { hasEnded } = execution;
    const outcome = await this.#runtime.cancel(execution.id, alice).then(
      () => 'cancelled',
      (thrown) => Failure.from(thrown).code,
    );
    assert.equal(outcome, hasEnded ? 'execution_settled' : 'cancelled');
  }

  #call(of: Execution, act: () => Promise<unknown>): void {
    // A run that calls again and again after its end is answered later and later, and at last not at all.
    if (of.hasEnded && this.#calls.filter((call) => call.of === of && call.isLate).length === CALLS_AFTER_END) return;
    const { pauses } = of.applied.context;
    const made = act();
    const opened = of.applied.context.pauses.find((pause) => !pauses.includes(pause));
    const id = opened?.kind === 'interaction' ? opened.id : undefined;
    const call: Call = { of, id, isLate: of.hasEnded, outcome: undefined };
    this.#calls.push(call);
    made.then(
      (value) => (call.outcome = (value as { text?: string } | undefined)?.text ?? 'went on'),
      (error: Error) => (call.outcome = error.name),
    );
  }

  get #builder() {
    return this.#runtime.builders('controlled').get(null)!;
  }

  #verify(): void {
    const { slots, refCount } = this.#builder;
    const { maxConcurrency, maxQueued } = this.#runtime.options;
    const count = (phase: Execution['phase']) => this.#executions.filter((one) => one.phase === phase).length;
    assert.ok(slots.held <= maxConcurrency, 'never more slots than there are');
    assert.deepEqual([slots.held, slots.queued], [count('executing'), count('queued')], 'who is parked holds none');
    assert.equal(refCount, this.#executions.length - count('settled'));
    const neverStarted = this.#executions.filter(({ id, phase }) => phase === 'queued' && !this.#runs.has(id));
    // With a late store a start may be let in while others, which come before it, are about to be kept.
    if (this.#store === undefined) assert.ok(neverStarted.length <= maxQueued, 'the queue is bounded');
    for (const [execution, told] of this.#told) {
      if (told.length > 0) assert.equal(told.at(-1)!.seq, execution.applied.context.seq, 'everything is told');
    }
    this.#verifyOrder();
  }

  #verifyOrder(): void {
    assert.ok(this.#builder.slots.held <= this.#runtime.options.maxConcurrency);
    for (const told of this.#told.values()) {
      const numbers = told.map(({ seq }) => seq);
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => numbers[0]! + index),
        'whatever is told is told once, and in order',
      );
    }
  }

  /** Everything comes to its end: runs return, and parked executions get no answer. */
  async finish(): Promise<void> {
    const isOver = () => this.#executions.every(({ isSettled }) => isSettled);
    for (let round = 0; round < 50 && !isOver(); round += 1) {
      for (const { id } of this.#executions) this.#runs.get(id)?.complete('done');
      await this.#turn();
      this.#world.clock.advance(this.#runtime.options.parkedTimeoutMs);
      await this.#turn();
      this.#verify();
    }
    for (const step of this.#steps.splice(0)) step.resolve(1);
    await this.#turn();
    for (const unwatch of this.#unwatch) unwatch();
    assert.deepEqual(
      this.#executions.filter(({ isSettled }) => !isSettled).map(({ status }) => status),
      [],
      'everything settles in the end',
    );
    for (const { outcome } of this.#calls) assert.notEqual(outcome, undefined, 'no call waits for ever');
    for (const execution of this.#executions) await this.#verifyJournal(execution);
  }

  /** How often each fact has happened. */
  get facts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { type } of [...this.#told.values()].flat()) counts.set(type, (counts.get(type) ?? 0) + 1);
    return counts;
  }

  async #verifyJournal(execution: Execution): Promise<void> {
    const { entries } = (await this.#runtime.facts(execution.id, 0, alice))!;
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      entries.map((_, index) => index + 1),
      'numbers have no gaps',
    );
    const ends = entries.filter(({ type }) => type === 'execution.completed' || type === 'execution.failed');
    assert.deepEqual(ends, [entries.at(-1)], 'nothing happens after the end');

    const folded = createActor(executionMachine, { input: execution.context }).start();
    for (const fact of entries) if (fact.type !== 'execution.started') folded.send(fact);
    assert.deepEqual({ ...folded.getSnapshot().context }, { ...execution.context }, 'the journal is all there is');
    assert.equal(folded.getSnapshot().value, execution.status);

    for (const { id, outcome } of this.#calls.filter(({ of }) => of === execution)) {
      if (id !== undefined) this.#verifyPrompt(id, outcome!, entries);
    }
  }

  /** It was closed once at most, and its run was told so or has ended before. */
  #verifyPrompt(id: string, outcome: string, entries: readonly JournalEntry[]): void {
    const [asked, closed, ...more] = entries.filter((entry) => 'id' in entry && entry.id === id);
    assert.deepEqual(more, [], 'one answer, and no other');
    assert.equal(asked?.type, 'interaction.requested');
    const accepted = this.#accepted.get(id);
    assert.equal(closed?.type === 'interaction.answered', accepted !== undefined);
    const hasDefault = 'fallback' in asked! && asked.fallback !== undefined;
    const expected =
      accepted?.says ?? (closed === undefined ? 'AbortError' : hasDefault ? 'by default' : 'TimeoutError');
    assert.ok(outcome === expected || outcome === 'AbortError', `${outcome} instead of ${expected}`);
  }
}
