/**
 * The process that is killed: it goes on with the round that the one before it has left, says what it found, begins the next
 * one, and waits for its end.
 */

import assert from 'node:assert/strict';
import { createActor } from 'xstate';
import { executionMachine } from '../../../machines/execution.ts';
import type { JournalEntry } from '../../../machines/facts.ts';
import { createRuntime, DurableStore, defaults, type OAuthProviderConfig } from '../../../runtime/index.ts';
import { operator } from '../given.ts';
import { immediate } from '../here.ts';
import { Coverage } from '../model.ts';
import { everyWay, performableByParts } from '../plans.ts';
import { ACT_MS } from '../play.ts';
import { SimulatedClock } from '../simulated-clock.ts';
import { Ensemble } from './ensemble.ts';
import { acting, type Part } from './part.ts';
import { type Cue, roundOf, standAfter } from './round.ts';
import { CONSENT_ACTS, FAR_ACTS } from './timetable.ts';
import { notesOf, verifyNotes, verifyStand } from './verify.ts';

/** What the parent tells. `stop`: see `roundOf`; null: none. */
export interface Orders {
  readonly directory: string;
  readonly notes: string;
  readonly bank: OAuthProviderConfig;
  readonly left: { readonly round: Round; readonly now: number; readonly beganAt: number } | null;
  readonly next: Round | null;
}
export interface Round {
  readonly stop: number | undefined;
}

/** What the parent hears. */
export interface Report {
  /** Plays that were gone on with. */
  readonly count: number;
  readonly problems: readonly string[];
  /** Problems of the machine that were not reported. */
  readonly missing: readonly string[];
  readonly now: number;
  readonly beganAt: number;
}

const ABANDONED_ACTS = 50;
const RETENTION_ACTS = 200;

const live = async ({ directory, notes, bank, left, next }: Orders): Promise<void> => {
  const plans = everyWay(performableByParts);
  const parts = new Map<string, Part>();
  const cuesOf = (round: Round | null): Cue[] => {
    const cues = round === null ? [] : roundOf(plans, round.stop, notes);
    for (const { name, part } of cues) parts.set(name, part);
    return cues;
  };
  const clock = new SimulatedClock(left?.now);
  const parkedTimeoutMs = ABANDONED_ACTS * ACT_MS;
  const options = {
    maxConcurrency: 1,
    promptGraceMs: 0,
    oauthTimeoutMs: CONSENT_ACTS * ACT_MS,
    parkedTimeoutMs,
    retentionMs: RETENTION_ACTS * ACT_MS,
    hibernateAfterMs: FAR_ACTS * ACT_MS,
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
  const cues = cuesOf(left?.round ?? null);
  for (const { part, stop } of cues) part.come(stop - 1);
  const runtime = await createRuntime({ workflows: [acting(parts)], options, clock, store, providers: { bank } });
  const scene = { runtime, store, clock };
  const problems: string[] = [];
  const coverage = new Coverage(executionMachine);

  const ensemble = new Ensemble(scene, cues, left?.beganAt);
  const check = (cue: Cue, verify: () => void): void => {
    try {
      verify();
    } catch (error) {
      const facts = cue.plan.facts.map((fact) => ('id' in fact ? `${fact.type} ${fact.id}` : fact.type));
      const { message } = error as Error;
      const journal = ensemble.journal(cue).map(({ type }) => type);
      problems.push(`${cue.name}: ${facts.join(', ')} (${cue.plan.failing})\n${message}\n${journal.join(', ')}`);
    }
  };
  await ensemble.goOn((cue, execution) => {
    const isOver = left?.round.stop === undefined; // and more has happened since than the plan says
    if (!isOver) check(cue, () => verifyStand(cue, execution!, ensemble.journal(cue)));
  });
  await ensemble.finish();
  await ensemble.pass(FAR_ACTS);
  await ensemble.pass(ABANDONED_ACTS);
  const heard = cues.length === 0 ? new Map() : notesOf(notes);
  for (const cue of cues) {
    check(cue, () => verifyEnd(cue, ensemble));
    check(cue, () => verifyNotes(cue, heard.get(cue.name) ?? []));
    see(ensemble.journal(cue), coverage);
  }
  await ensemble.pass(RETENTION_ACTS);
  const kept = immediate(runtime.list(operator, { limit: 10 })).executions.map(({ id }) => id);
  if (kept.length > 0) problems.push(`${kept} are kept beyond their retention`);

  const opening = new Ensemble(scene, cuesOf(next));
  await opening.open();
  if (next !== null && next.stop === undefined) await opening.pass(CONSENT_ACTS + ABANDONED_ACTS);
  const { missing } = coverage;
  const report: Report = { count: cues.length, problems, missing, now: clock.now(), beganAt: opening.beganAt };
  process.send!(report);
};

/** It has come to the end of the plan; who was still under way has come to a good one. */
const verifyEnd = (cue: Cue, ensemble: Ensemble): void => {
  const { plan, isAbandoned } = cue;
  const { isSettled, context } = ensemble.execution(cue)!;
  const planned = standAfter(plan, plan.facts.length).end;
  assert.equal(isSettled, true, 'it is stuck');
  if (isAbandoned) assert.equal(context.error?.code, 'abandoned');
  else if (planned !== 'failed') assert.equal(context.result, 'done');
};

/** Folds what has really happened. */
const see = (journal: readonly JournalEntry[], coverage: Coverage): void => {
  const [started] = journal;
  if (started?.type !== 'execution.started') return;
  const { workflow, owner, form, at: startedAt } = started;
  const input = { executionId: 'any', workflow, owner, form, startedAt };
  const actor = createActor(executionMachine, { input, inspect: coverage.inspect }).start();
  for (const entry of journal) if (entry.type !== 'execution.started') actor.send(entry);
};

process.once('disconnect', () => process.exit());
process.once('message', (orders) => void live(orders as Orders));
