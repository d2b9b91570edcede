/**
 * The process that is killed. It continues the round of the process before, reports what it found, begins the next round,
 * and waits until it is killed.
 */

import assert from 'node:assert/strict';
import { createActor } from 'xstate';
import { executionMachine } from '../../../machines/execution.ts';
import type { JournalEntry } from '../../../machines/facts.ts';
import { createRuntime, DurableStore, defaults, type OAuthProviderConfig } from '../../../runtime/index.ts';
import { operator } from '../given.ts';
import { immediate } from '../in-process.ts';
import { Coverage } from '../machine-model.ts';
import { FACT_INTERVAL_MS } from '../plan-driver.ts';
import { performableByParts, plansForEveryFact } from '../plans.ts';
import { SimulatedClock } from '../simulated-clock.ts';
import { ParallelPlans } from './parallel-plans.ts';
import { type PlannedRun, plannedWorkflow } from './planned-run.ts';
import { expectedAfter, type PlannedExecution, roundOf } from './round.ts';
import { CONSENT_ACTS, FAR_ACTS } from './schedule.ts';
import { notesOf, verifyNotes, verifyState } from './verify.ts';

/** What the parent sends. `stop`: see `roundOf`. Null: there is no such round. */
export interface Instructions {
  readonly directory: string;
  readonly notes: string;
  readonly bank: OAuthProviderConfig;
  readonly left: { readonly round: Round; readonly now: number; readonly beganAt: number } | null;
  readonly next: Round | null;
}
export interface Round {
  readonly stop: number | undefined;
}

/** What the parent receives. */
export interface Report {
  /** Executions that were continued. */
  readonly count: number;
  readonly problems: readonly string[];
  /** Transitions of the machine that no journal has. */
  readonly missing: readonly string[];
  readonly now: number;
  readonly beganAt: number;
}

const ABANDONED_ACTS = 50;
const RETENTION_ACTS = 200;

const runProcess = async ({ directory, notes, bank, left, next }: Instructions): Promise<void> => {
  const plans = plansForEveryFact(performableByParts);
  const runs = new Map<string, PlannedRun>();
  const executionsOf = (round: Round | null): PlannedExecution[] => {
    const executions = round === null ? [] : roundOf(plans, round.stop, notes);
    for (const { name, run } of executions) runs.set(name, run);
    return executions;
  };
  const clock = new SimulatedClock(left?.now);
  const parkedTimeoutMs = ABANDONED_ACTS * FACT_INTERVAL_MS;
  const options = {
    maxConcurrency: 1,
    promptGraceMs: 0,
    oauthTimeoutMs: CONSENT_ACTS * FACT_INTERVAL_MS,
    parkedTimeoutMs,
    retentionMs: RETENTION_ACTS * FACT_INTERVAL_MS,
    hibernateAfterMs: FAR_ACTS * FACT_INTERVAL_MS,
  };
  const { maxJournalFacts, maxJournalBytes } = defaults;
  const store = await DurableStore.open({
    directory,
    parkedTimeoutMs,
    maxDataBytes: 1e9,
    maxJournalFacts,
    maxJournalBytes,
    secret: 'a secret of thirty-two characters',
  });
  const executions = executionsOf(left?.round ?? null);
  for (const { run, stop } of executions) run.reach(stop - 1);
  const runtime = await createRuntime({
    workflows: [plannedWorkflow(runs)],
    options,
    clock,
    store,
    providers: { bank },
  });
  const opened = { runtime, store, clock };
  const problems: string[] = [];
  const coverage = new Coverage(executionMachine);

  const parallel = new ParallelPlans(opened, executions, left?.beganAt);
  const check = (planned: PlannedExecution, verify: () => void): void => {
    try {
      verify();
    } catch (error) {
      const facts = planned.plan.facts.map((fact) => ('id' in fact ? `${fact.type} ${fact.id}` : fact.type));
      const { message } = error as Error;
      const journal = parallel.journal(planned).map(({ type }) => type);
      problems.push(
        `${planned.name}: ${facts.join(', ')} (${planned.plan.failing})\n${message}\n${journal.join(', ')}`,
      );
    }
  };
  await parallel.continue((planned, execution) => {
    const isOver = left?.round.stop === undefined; // and more has happened since than the plan says
    if (!isOver) check(planned, () => verifyState(planned, execution!, parallel.journal(planned)));
  });
  await parallel.finish();
  await parallel.pass(FAR_ACTS);
  await parallel.pass(ABANDONED_ACTS);
  const heard = executions.length === 0 ? new Map() : notesOf(notes);
  for (const planned of executions) {
    check(planned, () => verifyEnd(planned, parallel));
    check(planned, () => verifyNotes(planned, heard.get(planned.name) ?? []));
    cover(parallel.journal(planned), coverage);
  }
  await parallel.pass(RETENTION_ACTS);
  const kept = immediate(runtime.list(operator, { limit: 10 })).executions.map(({ id }) => id);
  if (kept.length > 0) problems.push(`${kept} are kept beyond their retention`);

  const nextRound = new ParallelPlans(opened, executionsOf(next));
  await nextRound.open();
  if (next !== null && next.stop === undefined) await nextRound.pass(CONSENT_ACTS + ABANDONED_ACTS);
  const { missing } = coverage;
  const report: Report = { count: executions.length, problems, missing, now: clock.now(), beganAt: nextRound.beganAt };
  process.send!(report);
};

/** The execution has reached the end of its plan, or completed if the plan ends while it is open. */
const verifyEnd = (planned: PlannedExecution, parallel: ParallelPlans): void => {
  const { plan, isAbandoned } = planned;
  const { isSettled, context } = parallel.execution(planned)!;
  const expectedEnd = expectedAfter(plan, plan.facts.length).end;
  assert.equal(isSettled, true, 'it is stuck');
  if (isAbandoned) assert.equal(context.error?.code, 'abandoned');
  else if (expectedEnd !== 'failed') assert.equal(context.result, 'done');
};

/** Folds a journal, so that `coverage` sees its transitions. */
const cover = (journal: readonly JournalEntry[], coverage: Coverage): void => {
  const [started] = journal;
  if (started?.type !== 'execution.started') return;
  const { workflow, owner, form, at: startedAt } = started;
  const input = { executionId: 'any', workflow, owner, form, startedAt };
  const actor = createActor(executionMachine, { input, inspect: coverage.inspect }).start();
  for (const entry of journal) if (entry.type !== 'execution.started') actor.send(entry);
};

process.once('disconnect', () => process.exit());
process.once('message', (orders) => void runProcess(orders as Instructions));
