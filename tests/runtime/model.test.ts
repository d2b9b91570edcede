/** The model of the execution machine as plays: a real runtime, a run that does as it is told, people, and time. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createActor } from 'xstate';
import { executionMachine } from '../../machines/execution.ts';
import { createRuntime } from '../../runtime/index.ts';
import { bank } from '../support/bank-provider.ts';
import { alice } from '../support/callers.ts';
import { controlledWorkflow } from '../support/controlled-workflow.ts';
import { expectedStatus } from '../support/execution-model.ts';
import { tryForbiddenActions } from '../support/forbidden-actions.ts';
import { immediate } from '../support/in-process.ts';
import { callbackUrl, type Failing, keyOf, reply, stop, type World } from '../support/plan-driver.ts';
import { PlanRun } from '../support/plan-run.ts';
import {
  coverageOf,
  isReplayed,
  oauthTimeoutFor,
  type Plan,
  performable,
  plansForEveryFact,
  plansForEveryState,
  randomPlan,
} from '../support/plans.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';
import { start } from '../support/start.ts';

/** A world of its own for each play, with one run slot. */
const worlds = async (t: TestContext) => {
  const providers = { bank: await bank(t) };

  return async (plan: Plan): Promise<World> => {
    const clock = new SimulatedClock();
    const { workflow, runs } = controlledWorkflow();
    const options = { maxConcurrency: 1, oauthTimeoutMs: oauthTimeoutFor(plan) };
    const runtime = await createRuntime({ workflows: [workflow], options, clock, providers });
    const people: World['callers'] = {
      start: async () => (await start(runtime, { workflow: 'controlled', input: { some: 'input' } })).execution.id,
      answer: async (id, interaction) => {
        assert.equal(await runtime.answer(id, interaction, reply, alice, keyOf(interaction)), 'accepted');
      },
      callback: async (query) => {
        const { outcome } = await runtime.completeOAuth(callbackUrl(query), alice);
        assert.equal(outcome, query.has('code') ? 'granted' : 'refused');
      },
      cancel: (id) => runtime.cancel(id, alice),
    };
    return { runtime, clock, runs, callers: people };
  };
};

/** As its owner sees it, as it was written down, as the run has noticed, and what it holds. */
const verify = async (stage: PlanRun): Promise<void> => {
  const { expected, driver: play, factTypes: told } = stage;
  const { runtime } = stage.world;
  const { executionId, builder } = play;
  const { end, seq, open, steps, parked } = expected;
  const view = immediate(runtime.get(executionId, alice));
  const journal = await runtime.facts(executionId, 0, alice);
  stage.verifyCalls();
  const isLive = end === 'live';
  assert.equal(
    builder.slots.queued,
    isLive && !parked ? 1 : 0,
    'either the execution waits for the slot, or the test does',
  );
  assert.equal(builder.refCount, isLive ? 1 : 0);
  if (end === 'expiring' || end === 'gone') {
    assert.deepEqual([view, journal], [undefined, undefined]);
    return;
  }
  assert.ok(view);
  const { context, status } = view;
  const ids = context.pauses.map(({ id, kind }) => ({ id, kind }));
  assert.deepEqual(
    { status, seq: context.seq, steps: context.steps, ids },
    {
      status: expectedStatus(expected),
      seq,
      steps,
      ids: open.map(({ id, kind }) => ({ id: play.ids.get(id), kind })),
    },
  );
  assert.equal(context.result, end === 'completed' ? 'done' : null);
  assert.equal(context.error?.code, end === 'failed' ? CODES[stage.failing] : undefined);
  const inbox = (await runtime.inbox(alice, 10)).map(({ pause }) => pause.id);
  assert.deepEqual(
    inbox,
    ids.filter(({ kind }) => kind !== 'sleep').map(({ id }) => id),
  );
  assert.ok(journal);
  assert.deepEqual(
    journal.entries.map(({ type }) => type),
    told,
  );
  const folded = createActor(executionMachine, { input: context }).start();
  for (const fact of journal.entries) if (fact.type !== 'execution.started') folded.send(fact);
  assert.deepEqual({ ...folded.getSnapshot().context }, { ...context });
};

const CODES = {
  cancelled: 'cancelled',
  thrown: 'workflow_error',
  abandoned: 'abandoned',
} as const satisfies Record<Failing, string>;

/** The runtime stops: what was live is interrupted and hears of it, and nothing is left that would happen later. */
const close = async (stage: PlanRun): Promise<void> => {
  const { runtime, clock } = stage.world;
  const view = immediate(runtime.get(stage.driver.executionId, alice));
  const isLive = stage.expected.end === 'live';
  await stop(runtime, clock);
  stage.failed();
  stage.verifyCalls();
  if (isLive) assert.equal(view?.context.error?.code, 'interrupted');
  assert.equal(clock.pending, 0);
};

test('an execution goes every way that its model knows, as people, its run and time bring it about', async (t) => {
  const world = await worlds(t);
  const plans = plansForEveryFact(performable);

  for (const plan of plans) {
    const stage = await PlanRun.perform(await world(plan), plan);

    await verify(stage);
    await close(stage);
  }

  const { summary, missing } = coverageOf(plans);
  t.diagnostic(`${plans.length} plays; covered ${summary}`);
  const without = missing.filter((transition) => !isReplayed(transition));
  assert.deepEqual(without, [], 'all but what only a crash brings about');
});

test('no caller can make an execution do what its state does not allow', async (t) => {
  const world = await worlds(t);

  for (const plan of plansForEveryState(performable)) {
    const stage = await PlanRun.perform(await world(plan), plan);
    const signal = stage.driver.run?.ctx.signal;
    assert.notEqual(signal?.aborted, stage.expected.end === 'live');

    await tryForbiddenActions(stage);

    await verify(stage);
    await close(stage);
    assert.notEqual(signal?.aborted, false);
  }
});

test('a step that begins in the moment in which its execution ends is not done, and hears of it', async (t) => {
  const world = await worlds(t);
  const plan = plansForEveryState(performable).find(({ facts }) => facts.at(-1)?.type === 'interaction.requested')!;
  const stage = await PlanRun.perform(await world(plan), plan);
  const { run, executionId } = stage.driver;

  const step = run!.ctx.step('pay', () => assert.fail('the step was done'));
  const cancelled = stage.world.callers.cancel(executionId);

  await assert.rejects(step, { name: 'AbortError' });
  await cancelled;
  stage.failed();
  await close(stage);
});

test('an execution with a long history is like one with a short one', async (t) => {
  const world = await worlds(t);
  const plans = fc.array(fc.nat(), { minLength: 40, maxLength: 80 }).map(randomPlan);

  const property = fc.asyncProperty(plans, async (plan) => {
    const stage = await PlanRun.perform(await world(plan), plan);
    await verify(stage);
    await close(stage);
  });
  await fc.assert(property, { numRuns: 50 });
});
