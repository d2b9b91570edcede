/** What a watcher is sent: all of it while he keeps up, and otherwise how much he has missed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../../runtime/index.ts';
import { limits } from '../../../../server/operator/inspector/watcher.ts';
import { controlledWorkflow } from '../../../support/controlled-workflow.ts';
import { alice, bob, operator, turns } from '../../../support/given.ts';
import { givenWatchedRuntime, type InspectorMessage } from '../../../support/inspector-server.ts';

const asking = workflow({
  name: 'asking',
  run: async (_: unknown, ctx) => (await ctx.prompt(text({ text: 'Which?' }))).text,
});
const personal = workflow({ name: 'personal', perUser: { build: () => null }, run: () => 'done' });
const many = { options: { maxConcurrency: 0, maxQueued: 10_000 } };

const shown = ({ type, sessionId, event, name }: InspectorMessage) =>
  `${type.slice('@xstate.'.length)} ${type === '@xstate.actor' ? name : `${sessionId} ${event.type}`}`;
const isActor = ({ type }: InspectorMessage) => type === '@xstate.actor';

test('a watcher gets the actors there are, and then each actor before what happens to it', async (t) => {
  const { start, watch } = await givenWatchedRuntime(t, { workflows: [asking] });
  const { id: first } = await start();
  await turns();

  const { take } = watch();
  const before = take().map(shown);
  const { id: second } = await start();
  const after = take().map(shown);

  assert.deepEqual(before.slice(0, 4), ['actor inspection', 'actor manager', 'actor executions', 'actor builders']);
  assert.match(before[4] ?? '', /^actor asking builder x:\d+$/);
  assert.deepEqual(before.slice(5), [`actor asking execution ${first.slice(0, 10)}`]);
  const short = second.slice(0, 10);
  assert.deepEqual(after.slice(0, 5), [
    `actor asking execution ${short}`,
    `event ${short} execution.started`,
    `snapshot ${short} execution.started`,
    `event ${short} slot.granted`,
    `snapshot ${short} slot.granted`,
  ]);
});

test('of very many actors a watcher gets the live ones first, and how many were left out', async (t) => {
  const { start, watch } = await givenWatchedRuntime(t, { workflows: [asking, personal], ...many });
  const parked = await start();
  for (let count = 0; count < 600; count += 1) await start({ workflow: 'personal', by: alice });
  await turns();

  const { take } = watch();
  const [own, ...actors] = take();
  await start({ workflow: 'personal', by: bob });
  const news = take();

  assert.equal(own?.snapshot.context.leftOut, 1 + 600 + 5 - limits.maxFirst);
  assert.equal(actors.length, limits.maxFirst);
  assert.ok(actors.some(({ sessionId }) => sessionId === parked.id.slice(0, 10)));
  assert.ok(news.filter(isActor).length >= 2, 'a builder and an execution');
});

test('an actor that was left out is shown with its next event', async (t) => {
  const { runtime, start, watch } = await givenWatchedRuntime(t, { workflows: [asking], ...many });
  const oldest = await start();
  for (let count = 0; count < limits.maxFirst; count += 1) await start();
  await turns();
  const { take } = watch();
  const short = oldest.id.slice(0, 10);
  assert.ok(take().every(({ sessionId }) => sessionId !== short));

  await runtime.answer(oldest.id, oldest.context.pauses[0]!.id, { kind: 'text', text: 'This.' }, operator);

  assert.equal(shown(take()[0]!), `actor asking execution ${short}`);
});

test('a watcher sees only what he wants to see', async (t) => {
  const { start, watch } = await givenWatchedRuntime(t, { workflows: [asking, personal] });
  const one = await start({ by: alice });
  const names = (query: string) =>
    watch(query)
      .take()
      .slice(1)
      .map(({ name }) => name.replace(/ \S+$/, ''));
  await start({ workflow: 'personal', by: bob });
  await turns();

  assert.deepEqual(names('kind=manager'), ['manager', 'executions', 'builders']);
  assert.deepEqual(names('kind=builder'), ['asking builder', 'personal builder']);
  assert.deepEqual(names('kind=execution'), ['asking execution', 'personal execution']);
  assert.deepEqual(names('kind=execution&kind=builder&user=bob'), ['personal builder', 'personal execution']);
  assert.deepEqual(names('user=alice'), ['asking execution']);
  assert.deepEqual(names(`execution=${one.id}`), ['asking execution']);
  assert.deepEqual(names('execution=unknown'), []);
});

test('who sees no supervisors sees no actor as the child of one', async (t) => {
  const { start, watch } = await givenWatchedRuntime(t, { workflows: [asking] });
  await start();
  await turns();

  const [, alone] = watch('kind=execution').take();
  const below = watch().take().at(-1)!;

  assert.equal(alone!.parentId, undefined);
  assert.equal(alone!.rootId, alone!.sessionId);
  assert.match(`${below.parentId} ${below.rootId}`, /^x:\d+ x:\d+$/);
});

test('what comes too fast is dropped and counted, and the actors are shown as they stand when there is room', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const { start, clock, watch } = await givenWatchedRuntime(t, { workflows: [served] });
  const { take } = watch();
  const { id } = await start();
  await turns();
  const { ctx, complete } = runs.get(id)!;
  const before = take().length;

  for (let count = 0; count < 2_000; count += 1) ctx.emit('a part');
  complete('done');
  await turns();
  const fast = take();
  clock.advance(limits.tellMs);
  const late = take();

  const events = fast.filter(({ type }) => type === '@xstate.event').length;
  assert.ok(before > 0 && events < limits.eventsPerSecond * 10);
  const dropped = late.find(({ event }) => event?.type === 'inspection.dropped')!;
  assert.equal(Number(dropped.event.count) + events, 2_001);
  const again = late.findLast(({ sessionId, type }) => sessionId === id.slice(0, 10) && type === '@xstate.actor');
  assert.equal(again?.snapshot.value, 'completed');
  assert.equal(late.findLast(({ sessionId }) => sessionId === 'inspection')?.snapshot.context.dropped, 2_001 - events);
});

test('who does not read is not written to, and is told what has been in the meantime', async (t) => {
  const { start, clock, watch } = await givenWatchedRuntime(t, { workflows: [asking], ...many });
  const { watcher, sink, texts, take } = watch();
  take();

  sink.unsent = limits.maxUnsent;
  for (let count = 0; count < 1_500; count += 1) await start();
  await turns();
  for (let count = 0; count < 5; count += 1) clock.advance(limits.tellMs);
  const meanwhile = texts.length;
  sink.unsent = 0;
  watcher.drained();
  const caughtUp = take();
  clock.advance(limits.tellMs);
  const told = take();

  assert.equal(meanwhile, 0);
  assert.ok(caughtUp.length <= limits.maxDue && caughtUp.length > 500 && caughtUp.every(isActor));
  assert.equal(told.filter(({ event }) => event?.type === 'inspection.dropped').length, 2);
});

test('a watcher who has gone hears nothing more and leaves no timer', async (t) => {
  const { runtime, start, watch } = await givenWatchedRuntime(t, { workflows: [asking], ...many });
  const { watcher, sink, take } = watch();
  sink.unsent = limits.maxUnsent;
  await start();
  await turns();
  const timers = runtime.pendingTimers;

  watcher.stop();
  const left = runtime.pendingTimers;
  sink.unsent = 0;
  take();
  await start();
  watcher.drained();
  await turns();

  assert.equal(runtime.inspection.inspectors, 0);
  assert.deepEqual(take(), []);
  assert.equal(left, timers - 1);
});
