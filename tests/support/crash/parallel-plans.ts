/** The plays of a round, performed side by side: in one process up to where it is killed, in the next to their end. */

import assert from 'node:assert/strict';
import type { ExecutionEvent } from '../../../machines/facts.ts';
import { SlotRequest } from '../../../runtime/builders/slots.ts';
import type { DurableStore, ExecutionView, Runtime } from '../../../runtime/index.ts';
import { operator, turns } from '../given.ts';
import { engineOf, immediate } from '../in-process.ts';
import { callbackUrl, FACT_INTERVAL_MS, isTimed, reply, untilSettled } from '../plan-driver.ts';
import type { SimulatedClock } from '../simulated-clock.ts';
import { start } from '../start.ts';
import { isByRun } from './planned-run.ts';
import type { PlannedExecution } from './round.ts';
import { TICK_MS } from './schedule.ts';

export interface OpenedRuntime {
  readonly runtime: Runtime;
  readonly store: DurableStore;
  readonly clock: SimulatedClock;
}

const MOMENT_MS = 100;
const MOMENTS = 10;

/** Holds a slot and does nothing with it. */
const idleHolder = { slotGranted: () => {} };

export class ParallelPlans {
  readonly executions: readonly PlannedExecution[];
  readonly #opened: OpenedRuntime;
  /** Epoch milliseconds of act 0. */
  readonly beganAt: number;
  readonly #ids = new Map<PlannedExecution, string>();
  /** The one slot of each user, held here until the plan grants it to the execution; free after a crash. */
  readonly #slots = new Map<PlannedExecution, SlotRequest>();
  #deeds: Promise<unknown>[] = [];

  constructor(opened: OpenedRuntime, executions: readonly PlannedExecution[], beganAt?: number) {
    this.#opened = opened;
    this.executions = executions;
    const first = Math.min(0, ...executions.map(({ groups }) => groups[0]?.act ?? 0));
    this.beganAt = beganAt ?? opened.clock.now() + (1 - first) * FACT_INTERVAL_MS;
  }

  /** All that happens before the process ends. */
  async open(): Promise<void> {
    for (const planned of this.executions) this.#holdSlot(planned);
    await this.start(true);
    await this.#perform((act) => act <= 0);
  }

  /** All that happens after that. `onEnd` is told of each play when it has come to the end of its plan. */
  async continue(onEnd: (planned: PlannedExecution, execution: ExecutionView | undefined) => void): Promise<void> {
    await this.quiet();
    await this.start(false);
    const ended = (act: number) => {
      for (const planned of this.executions)
        if (Math.max(0, planned.groups.at(-1)?.act ?? 0) === act) onEnd(planned, this.execution(planned));
    };
    ended(0);
    await this.#perform((act) => act > 0, ended);
  }

  /** Twice is once: the key of a play stands for its execution, also in another process. */
  async start(isNew: boolean): Promise<void> {
    const started = this.executions.map(async (planned) => {
      const { name } = planned;
      const options = { workflow: 'planned', by: { userId: name }, input: name, idempotencyKey: name };
      const begun = await start(this.#opened.runtime, options);
      assert.equal(begun.isNew, isNew, `${name} was started ${isNew ? 'before' : 'and is not known'}`);
      this.#ids.set(planned, begun.execution.id);
    });
    await Promise.all(started);
    await this.quiet();
  }

  execution(planned: PlannedExecution): ExecutionView | undefined {
    return immediate(this.#opened.runtime.get(this.#ids.get(planned)!, operator));
  }

  journal(planned: PlannedExecution) {
    return this.#opened.store.read(this.#ids.get(planned)!)?.entries ?? [];
  }

  /** What is open gets an answer, steps end, and the run ends when it has heard of that. Who sleeps is woken by time. */
  async finish(): Promise<void> {
    for (const planned of this.executions) {
      const execution = this.execution(planned)!;
      if (execution.isSettled || planned.isAbandoned) continue;
      planned.run.reach(planned.plan.facts.length);
      planned.run.endStep(true);
      for (const { id, kind } of execution.context.pauses) {
        if (kind === 'interaction') this.#deeds.push(this.#answer(planned, id));
        if (kind === 'oauth') this.#deeds.push(this.#return(planned, { state: id, code: 'code-1' }));
      }
    }
    await this.#done();
  }

  /** Much time passes at once, and then a little, for whatever comes of it: so many are seen to in one go. */
  async pass(acts: number): Promise<void> {
    const { clock } = this.#opened;
    clock.block(acts * FACT_INTERVAL_MS);
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      clock.advance(MOMENT_MS);
      await this.quiet();
    }
  }

  /** Resolves when everything has happened that can without time. */
  async quiet(): Promise<void> {
    const { runtime, store } = this.#opened;
    const facts = () =>
      engineOf(runtime)
        .executions.all()
        .reduce((sum, { applied }) => sum + applied.context.seq, 0);
    for (let seen = -1; seen !== facts(); ) {
      seen = facts();
      await turns(20);
      await store.forget('unknown'); // earlier writes are done then
      await turns(20);
    }
  }

  #holdSlot(planned: PlannedExecution): void {
    const slot = new SlotRequest(idleHolder);
    this.#slots.set(planned, slot);
    engineOf(this.#opened.runtime).served.get('planned').lease(planned.name).builder.slots.request(slot);
  }

  #passSlot(planned: PlannedExecution): void {
    const slot = this.#slots.get(planned);
    if (slot === undefined) return;
    const { slots } = engineOf(this.#opened.runtime).served.get('planned').get(planned.name)!;
    const next = new SlotRequest(idleHolder);
    this.#slots.set(planned, next);
    slots.request(next);
    slots.release(slot);
  }

  async #perform(isTime: (act: number) => boolean, ended: (act: number) => void = () => {}): Promise<void> {
    const acts = [...new Set(this.executions.flatMap(({ groups }) => groups.map(({ act }) => act)))].filter(isTime);
    for (const act of acts.sort((a, b) => a - b)) {
      this.#advanceTo(this.beganAt + act * FACT_INTERVAL_MS);
      const now = this.executions.flatMap((planned) =>
        planned.groups.filter((group) => group.act === act).map((group) => ({ planned, group })),
      );
      const first = Math.min(...now.map(({ group }) => group.tick));
      const last = Math.max(...now.map(({ group }) => group.tick + group.last - group.first));
      this.#opened.clock.advance(first * TICK_MS);
      for (let tick = first; tick <= last; tick += 1) {
        for (const { planned, group } of now) {
          const index = group.first + tick - group.tick;
          if (index >= group.first && index <= group.last) this.#deed(planned, index);
        }
        await untilSettled(this.#opened.runtime);
        this.#opened.clock.advance(TICK_MS);
      }
      await this.#done();
      ended(act);
    }
  }

  #advanceTo(time: number): void {
    this.#opened.clock.advance(Math.max(0, time - this.#opened.clock.now()));
  }

  async #done(): Promise<void> {
    await this.quiet();
    await Promise.all(this.#deeds.splice(0));
    await this.quiet();
  }

  #deed(planned: PlannedExecution, index: number): void {
    const { run, plan } = planned;
    const fact = plan.facts[index]!;
    if (isByRun(fact, plan)) run.reach(index);
    else if (fact.type === 'slot.granted') this.#passSlot(planned);
    else if (fact.type === 'step.completed') run.endStep(true);
    else if (fact.type === 'step.failed') run.endStep(false);
    else if (fact.type === 'execution.failed')
      this.#deeds.push(this.#opened.runtime.cancel(this.#ids.get(planned)!, { userId: planned.name }));
    else if (!isTimed(fact) && 'id' in fact) this.#deeds.push(this.#close(planned, fact, index));
  }

  #close(
    planned: PlannedExecution,
    { type, id }: ExecutionEvent & { readonly id: string },
    index: number,
  ): Promise<void> {
    const state = this.#realId(planned, id, index);
    if (type === 'interaction.answered') return this.#answer(planned, state);
    return this.#return(
      planned,
      type === 'oauth.granted' ? { state, code: 'code-1' } : { state, error: 'access_denied' },
    );
  }

  async #answer(planned: PlannedExecution, id: string): Promise<void> {
    const by = { userId: planned.name };
    assert.equal(await this.#opened.runtime.answer(this.#ids.get(planned)!, id, reply, by, `key-${id}`), 'accepted');
  }

  /** From the provider. */
  async #return(planned: PlannedExecution, query: Record<string, string>): Promise<void> {
    const url = callbackUrl(new URLSearchParams(query));
    const { outcome } = await this.#opened.runtime.completeOAuth(url, { userId: planned.name });
    assert.equal(outcome, 'code' in query ? 'granted' : 'refused');
  }

  /** Of the pause that was last opened under a name of the model: the journal has them in the same order. */
  #realId(planned: PlannedExecution, id: string, before: number): string {
    const opening = planned.plan.facts.slice(0, before).filter((fact) => 'call' in fact && 'id' in fact);
    const place = opening.findLastIndex((fact) => 'id' in fact && fact.id === id);
    const opened = this.journal(planned).filter((entry) => 'call' in entry && 'id' in entry)[place]!;
    return 'id' in opened ? opened.id : '';
  }
}
