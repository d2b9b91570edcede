/** Inspection of the actors from outside, which leaves nothing behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine, type EventObject } from 'xstate';
import { type Inspected, type Runtime, text, workflow } from '../../../runtime/index.ts';
import { controlledWorkflow } from '../../support/controlled-workflow.ts';
import { alice, given, operator, turns } from '../../support/given.ts';
import { engineOf, immediate } from '../../support/in-process.ts';

const asking = workflow({
  name: 'asking',
  run: async (_: unknown, ctx) => (await ctx.prompt(text({ text: 'Which?' }))).text,
});
const personal = workflow({ name: 'personal', perUser: { build: () => null }, run: () => 'done' });

/** What is told of the actors from now on, as `kind value: event`. */
const told = (runtime: Runtime) => {
  const lines: string[] = [];
  const stop = runtime.inspection.watch((actor, { type }) => lines.push(line(actor, type)));
  return { lines, stop };
};

const line = ({ kind, snapshot }: Inspected, type: string) => `${kind} ${JSON.stringify(snapshot.value)}: ${type}`;

/** How often XState's own inspection is attached at the moment. */
const attachments = (runtime: Runtime) => {
  const { system } = engineOf(runtime).served.get(runtime.workflows[0]!.name).list()[0]!.actor!;
  const count = { now: 0, ever: 0 };
  const inspect = system.inspect.bind(system);
  system.inspect = (observer) => {
    const subscription = inspect(observer);
    count.now += 1;
    count.ever += 1;
    return {
      unsubscribe: () => {
        count.now -= 1;
        subscription.unsubscribe();
      },
    };
  };
  return count;
};

const answer = async (runtime: Runtime, id: string) => {
  const [pause] = immediate(runtime.get(id, operator))!.context.pauses;
  await runtime.answer(id, pause!.id, { kind: 'text', text: 'This.' }, operator);
};

test('an execution is one actor from its start to its end, also while its own actor rests', async (t) => {
  const { runtime, start, clock } = await given.runtime(t, { workflows: [asking] });
  const ids = new Set<string>();
  const types: string[] = [];
  const stop = runtime.inspection.watch(({ kind, sessionId }, { type }) => {
    if (kind !== 'execution') return;
    ids.add(sessionId);
    types.push(type);
  });

  const { id } = await start();
  await turns();
  clock.advance(runtime.options.restAfterMs);
  await answer(runtime, id);
  await turns();
  clock.advance(runtime.options.retentionMs);
  await turns();
  stop();

  assert.deepEqual([...ids], [id]);
  assert.deepEqual(types, [
    'execution.started',
    'slot.granted',
    'interaction.requested',
    'interaction.answered',
    'slot.granted',
    'execution.completed',
    'retention.elapsed',
  ]);
});

test('an actor is shown in the state that its event has led to', async (t) => {
  const { runtime, start, clock } = await given.runtime(t, { workflows: [asking, personal] });
  const { lines, stop } = told(runtime);

  await start({ workflow: 'personal', by: alice });
  await turns();
  clock.advance(0);
  clock.advance(runtime.options.builderIdleMs);
  await turns();
  stop();

  assert.deepEqual(
    lines.filter((one) => one.startsWith('execution') && one.includes('slot.granted')),
    ['execution {"active":{"running":"executing"}}: slot.granted'],
  );
  const builders = lines.filter((one) => one.startsWith('builder'));
  assert.equal(builders[0], 'builder "building": xstate.init');
  assert.ok(builders.includes('builder {"ready":"in_use"}: use.began'), builders.join('\n'));
  assert.equal(builders.at(-1), 'builder "done": xstate.done.actor.0.builder.idle-expiring');
});

test('the end of a runtime is seen to its end', async (t) => {
  const { runtime } = await given.runtime(t, { workflows: [asking] });
  const { lines, stop } = told(runtime);

  await runtime.stop();
  stop();

  assert.equal(lines[0], 'manager {"draining":"executions"}: manager.stop');
  assert.match(lines.at(-1) ?? '', /^manager "stopped": /);
});

test('the actors there are stand under their supervisors, the newest executions first, each with its machine', async (t) => {
  const { runtime, start } = await given.runtime(t, { workflows: [asking, personal] });
  const ids = [(await start()).id, (await start({ workflow: 'personal', by: alice })).id];
  await turns();

  const actors = [...runtime.inspection.actors()];

  const nameOf = (id: string | undefined) => actors.find(({ sessionId }) => sessionId === id)?.name;
  assert.deepEqual(
    actors.map(({ kind, name, user, parentId }) => `${kind} ${name} ${user} under ${nameOf(parentId)}`),
    [
      'manager manager null under undefined',
      'manager executions null under manager',
      'manager builders null under manager',
      'builder asking null under builders',
      'builder personal alice under builders',
      'execution personal alice under executions',
      'execution asking null under executions',
    ],
  );
  assert.deepEqual(
    actors.slice(-2).map(({ sessionId }) => sessionId),
    ids.reverse(),
  );
  assert.deepEqual([...new Set(actors.map(({ rootId }) => nameOf(rootId)))], ['manager']);
  for (const { definition, snapshot } of actors.filter(({ snapshot: { value } }) => value !== undefined)) {
    const drawn = createMachine(JSON.parse(definition));
    assert.doesNotThrow(() => drawn.resolveState({ value: snapshot.value!, context: {} }));
  }
});

test('a watcher who comes and goes among many executions leaves nothing attached', async (t) => {
  const { runtime, start } = await given.runtime(t, {
    workflows: [asking],
    options: { maxQueued: 0, maxConcurrency: 0 },
  });
  for (let count = 0; count < 5_000; count += 1) await start();
  await turns();
  const attached = attachments(runtime);
  let seen = 0;
  const count = () => (seen += 1);

  const stops = [runtime.inspection.watch(count), runtime.inspection.watch(() => {})];
  const during = attached.now;
  await start();
  const then = seen;
  for (const stop of stops) stop();
  await start();

  assert.deepEqual([during, attached.now, attached.ever], [1, 0, 1]);
  assert.ok(then > 0);
  assert.equal(seen, then);
  assert.equal(runtime.inspection.inspectors, 0);
});

test('without a watcher nothing is subscribed', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const { runtime, start } = await given.runtime(t, { workflows: [served] });
  const attached = attachments(runtime);

  const { id } = await start();
  await turns();
  runs.get(id)!.complete('done');
  await turns();

  assert.deepEqual(attached, { now: 0, ever: 0 });
});

test('an inspector that throws is reported and removed, without an effect on others', async (t) => {
  const { runtime, start, errors } = await given.runtime(t, { workflows: [asking] });
  const events: EventObject[] = [];
  const stop = runtime.inspection.watch((_, event) => events.push(event));
  const stopThrowing = runtime.inspection.watch(() => {
    throw new Error('It broke.');
  });

  const { id } = await start();
  await turns();
  await answer(runtime, id);
  await turns();
  stop();
  stopThrowing();

  assert.equal(immediate(runtime.get(id, operator))?.status, 'completed');
  assert.equal(errors.splice(0).length, 1);
  assert.equal(events.at(-1)?.type, 'execution.completed');
});
