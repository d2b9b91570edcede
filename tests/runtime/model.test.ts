/** The model of the execution machine as plays: a real runtime, a run that does as it is told, people, and time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createActor } from 'xstate';
import { type ExecutionEvent, type ExecutionSnapshot, executionMachine } from '../../machines/execution.ts';
import { createRuntime } from '../../runtime/index.ts';
import { noRequest } from '../../runtime/run-metadata.ts';
import { bank } from '../support/bank.ts';
import { executionPaths, expectedStatus, input } from '../support/execution-model.ts';
import { pester } from '../support/pester.ts';
import {
  alice,
  callbackUrl,
  type Failing,
  keyOf,
  oauthTimeoutFor,
  performable,
  reply,
  stop,
  type World,
} from '../support/play.ts';
import { puppetry } from '../support/puppet.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';
import { Stage } from '../support/stage.ts';

const asked = {
  workflow: 'puppet',
  by: alice,
  input: { some: 'input' },
  conversationId: undefined,
  userMessageId: undefined,
  request: noRequest,
  trace: { traceId: '0'.repeat(32), runId: 'run-1', parentId: null, parentName: null },
  interactive: true,
  streaming: false,
} as const;

/** A world of its own for each play, with one run slot. */
const worlds = async (t: TestContext) => {
  const providers = { bank: await bank(t) };

  return async (facts: readonly ExecutionEvent[]): Promise<World> => {
    const clock = new SimulatedClock();
    const { workflow, puppets } = puppetry();
    const options = { maxConcurrency: 1, oauthTimeoutMs: oauthTimeoutFor(facts) };
    const runtime = await createRuntime({ workflows: [workflow], options, clock, providers });
    const people: World['people'] = {
      start: async () => (await runtime.start(asked)).execution.id,
      answer: async (id, interaction) => {
        assert.equal(await runtime.answer(id, interaction, reply, alice, keyOf(interaction)), 'accepted');
      },
      callback: async (query) => {
        const { outcome } = await runtime.completeOAuth(callbackUrl(query), alice);
        assert.equal(outcome, query.has('code') ? 'granted' : 'refused');
      },
      cancel: (id) => runtime.cancel(id, alice),
    };
    return { runtime, clock, puppets, people };
  };
};

/** As its owner sees it, as it was written down, as the run has noticed, and what it holds. */
const verify = async (stage: Stage): Promise<void> => {
  const { expected, play, told } = stage;
  const { runtime } = stage.world;
  const { executionId, builder } = play;
  const { end, seq, open, steps, parked } = expected;
  const view = runtime.get(executionId, alice);
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
  const inbox = runtime.inbox(alice, 10).map(({ pause }) => pause.id);
  assert.deepEqual(
    inbox,
    ids.filter(({ kind }) => kind !== 'sleep').map(({ id }) => id),
  );
  if (journal === undefined) return; // the store is closed
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
  interrupted: 'interrupted',
} as const satisfies Record<Failing, string>;

const paths = executionPaths(performable);

const possible = (state: ExecutionSnapshot): ExecutionEvent[] => performable(state).filter((fact) => state.can(fact));

const ENDS = /^execution\.(completed|failed)$/;

/** The runtime stops: what still waits hears of it, and nothing is left that would happen later. */
const close = async (stage: Stage): Promise<void> => {
  const { runtime, clock } = stage.world;
  await stop(runtime, clock);
  stage.interrupted();
  stage.verifyCalls();
  assert.equal(clock.pending, 0);
};

test('an execution goes every way that its model knows, as people, its run and time bring it about', async (t) => {
  const world = await worlds(t);
  let played = 0;

  for (const { events, state } of paths) {
    for (const next of continuations(state)) {
      for (const failing of next[0]?.type === 'execution.failed' ? waysToFail(state) : [undefined]) {
        const facts = [...events, ...next];
        const stage = new Stage(await world(facts), facts);

        await stage.follow(failing);

        await verify(stage);
        await close(stage);
        played += 1;
      }
    }
  }

  t.diagnostic(`${paths.length} states, ${played} plays`);
});

/** Each fact by itself, but those that lead nowhere else in one go. */
const continuations = (state: ExecutionSnapshot): ExecutionEvent[][] => {
  const facts = possible(state);
  return [facts.filter(isNote), ...facts.filter((fact) => !isNote(fact)).map((fact) => [fact])];
};

const isNote = ({ type }: ExecutionEvent): boolean =>
  type === 'value.recorded' || type === 'notification.sent' || type === 'output.emitted' || type.startsWith('trace.');

const waysToFail = ({ context, tags }: ExecutionSnapshot): Failing[] => {
  const isBegun = context.seq > 1;
  const isAwaited = tags.has('waiting') && context.pauses.some(({ kind }) => kind !== 'sleep');
  return (['cancelled', 'interrupted', 'thrown', 'abandoned'] as const).filter(
    (way) => (way !== 'thrown' || isBegun) && (way !== 'abandoned' || isAwaited),
  );
};

test('nobody gets an execution to do what it may not where it stands', async (t) => {
  const world = await worlds(t);
  const endings = paths.flatMap(({ events, state }) =>
    possible(state)
      .filter(({ type }) => ENDS.test(type))
      .map((fact) => [...events, fact]),
  );

  for (const facts of [...paths.map(({ events }) => events), ...endings]) {
    const stage = new Stage(await world(facts), facts);
    await stage.follow();
    const signal = stage.play.puppet?.ctx.signal;
    assert.notEqual(signal?.aborted, stage.expected.end === 'live');

    await pester(stage);

    await verify(stage);
    await close(stage);
    assert.notEqual(signal?.aborted, false);
  }
});

test('a step that begins in the moment in which its execution ends is not done, and hears of it', async (t) => {
  const world = await worlds(t);
  const parked = paths.find(({ state }) => state.matches({ active: 'awaiting_interaction' }))!;
  const stage = new Stage(await world(parked.events), parked.events);
  await stage.follow();
  const { puppet, executionId } = stage.play;

  const step = puppet!.ctx.step('pay', () => assert.fail('the step was done'));
  const cancelled = stage.world.people.cancel(executionId);

  await assert.rejects(step, { name: 'AbortError' });
  await cancelled;
  await close(stage);
});

test('an execution with a long history is like one with a short one', async (t) => {
  const world = await worlds(t);
  const choices = fc.array(fc.nat(), { minLength: 40, maxLength: 80 });

  const property = fc.asyncProperty(choices, async (some) => {
    const facts = wander(some);
    const stage = new Stage(await world(facts), facts);
    await stage.follow();
    await verify(stage);
    await close(stage);
  });
  await fc.assert(property, { numRuns: 50 });
});

/** A long way through the model. Consents do not expire on it: all of them would have to at the same age. */
const wander = (choices: readonly number[]): ExecutionEvent[] => {
  const actor = createActor(executionMachine, { input }).start();
  return choices.map((choice) => {
    const state = actor.getSnapshot();
    const facts = possible(state).filter(({ type }) => !ENDS.test(type) && type !== 'oauth.expired');
    const fact = facts[choice % facts.length]!;
    actor.send(fact);
    return fact;
  });
};
