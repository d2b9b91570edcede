/** A play beside what is expected of it. */
import assert from 'node:assert/strict';
import type { ExecutionEvent } from '../../machines/facts.ts';
import { afterFact, startedExecution } from './execution-model.ts';
import { type Failing, PlanDriver, type World } from './plan-driver.ts';
import type { Plan } from './plans.ts';

/** A call of the run that waits: what closed its pause, and whether the run has gone on since. */
type Call = { readonly id: string; readonly index: number; closedBy?: ExecutionEvent['type']; isResumed: boolean };

export class PlanRun {
  readonly driver: PlanDriver;
  readonly world: World;
  /** How the execution is made to fail, if it is. */
  readonly failing: Failing;
  readonly #calls: Call[] = [];
  /** Types of the facts that have happened. */
  readonly factTypes: string[] = ['execution.started'];
  expected = startedExecution;

  private constructor(world: World, { facts, failing }: Plan) {
    this.world = world;
    this.driver = new PlanDriver(world, facts);
    this.failing = failing;
  }

  /** Plays to the end of the plan. */
  static async perform(world: World, plan: Plan): Promise<PlanRun> {
    const stage = new PlanRun(world, plan);
    await stage.driver.begin();
    for (const [index, fact] of plan.facts.entries()) {
      await stage.driver.perform(index, plan.failing);
      stage.#expect(fact, index);
    }
    return stage;
  }

  #expect(fact: ExecutionEvent, index: number): void {
    this.expected = afterFact(this.expected, fact)!;
    this.factTypes.push(fact.type);
    if ('call' in fact && 'id' in fact) this.#calls.push({ id: fact.id, index, isResumed: false });
    else if ('id' in fact) this.#calls.findLast(({ id }) => id === fact.id)!.closedBy = fact.type;
    if (this.expected.slot) for (const call of this.#calls) call.isResumed = call.closedBy !== undefined;
  }

  /** What has closed the newest pause of this name. */
  closedBy(name: string): ExecutionEvent['type'] | undefined {
    return this.#calls.findLast(({ id }) => id === name)?.closedBy;
  }

  /** Something that is not in the plan has ended it, unless it was over. */
  failed(): void {
    if (this.expected.end === 'live') this.expected = { ...this.expected, end: 'failed' };
  }

  /** The run has heard what it should have by now, and nothing else. */
  verifyCalls(): void {
    for (const { id, index, closedBy, isResumed } of this.#calls) {
      const outcome = this.driver.outcomeOf(index);
      if (isResumed) assert.equal(outcome, OUTCOMES[`${id} ${closedBy}`]);
      else assert.equal(outcome, this.expected.end === 'live' ? 'none' : 'AbortError', `${id} ${closedBy}`);
    }
  }
}

/** What the run is told about what it has waited for. */
export const OUTCOMES: Readonly<Record<string, string>> = {
  'p1 interaction.answered': 'This.',
  'p2 interaction.answered': 'This.',
  'p1 interaction.expired': 'TimeoutError',
  'p2 interaction.expired': 'Whatever.',
  'o1 oauth.granted': 'token-1',
  'o1 oauth.refused': 'AuthorizationError',
  'o1 oauth.expired': 'AuthorizationError',
  's1 sleep.elapsed': 'undefined',
  'p1 interaction.withdrawn': 'WithdrawnError',
  'p2 interaction.withdrawn': 'WithdrawnError',
  'o1 oauth.withdrawn': 'WithdrawnError',
  's1 sleep.withdrawn': 'WithdrawnError',
};
