import assert from 'node:assert/strict';
import test from 'node:test';
import { type Caller, workflow } from '../../../../runtime/index.ts';
import { Conversations } from '../../../../server/nat/websocket/conversation.ts';
import { beginning, endOf, readCursor, type Turn, writeCursor } from '../../../../server/nat/websocket/turn.ts';
import { alice, bob, given, turns } from '../../../support/given.ts';
import { heapUsed } from '../../../support/heap.ts';
import { immediate } from '../../../support/in-process.ts';

const echo = workflow({ name: 'echo', run: async (input: unknown) => input });

const world = async (t: Parameters<typeof given.runtime>[0]) => {
  const { runtime, start, clock } = await given.runtime(t, { workflows: [echo] });
  const conversations = new Conversations(runtime);
  const keep = async (conversationId: string | null, by: Caller): Promise<Turn> => {
    const execution = await start({ by, ...(conversationId !== null && { conversation: conversationId }) });
    const refers = { parentId: 'm', conversationId };
    const progress = { executionId: execution.id, seen: beginning, view: undefined };
    const turn: Turn = { execution, by, refers, streaming: false, progress };
    conversations.keep('echo', turn);
    return turn;
  };
  return { runtime, clock, conversations, keep };
};

test('the same id is one conversation for each identity and each workflow, and its last turn counts', async (t) => {
  const { conversations, keep } = await world(t);
  await keep('c', alice);
  const last = await keep('c', alice);
  const bobs = await keep('c', bob);
  await keep(null, alice);

  assert.equal(immediate(conversations.find('echo', alice, 'c'))?.progress, last.progress);
  assert.equal(immediate(conversations.find('echo', bob, 'c'))?.progress, bobs.progress);
  assert.equal(immediate(conversations.find('echo', { userId: undefined }, 'c')), undefined);
  assert.equal(immediate(conversations.find('other', alice, 'c')), undefined);
  assert.equal(conversations.size, 2);
});

test('conversations go with the executions they show', async (t) => {
  const { runtime, clock, conversations, keep } = await world(t);
  await keep('old', alice);
  await turns();

  clock.advance(runtime.options.retentionMs + 1);
  await turns();

  assert.equal(immediate(conversations.find('echo', alice, 'old')), undefined);
  assert.equal(conversations.size, 0);
});

test('an execution that is forgotten is not held by the conversation it was part of', async (t) => {
  const { runtime, clock, keep, conversations } = await world(t);
  const ref = new WeakRef((await keep('c', alice)).execution);

  clock.advance(runtime.options.retentionMs + 1);
  await turns();
  heapUsed();

  assert.equal(conversations.size, 1, 'no client has asked for it since');
  assert.equal(ref.deref()?.id, undefined);
});

test('a turn that has ended, and whose place is not remembered any more, is not shown again', async (t) => {
  const { runtime, conversations, keep } = await world(t);
  const turn = await keep('c', alice);
  turn.progress.seen = { seq: 3, part: 1 };
  for (let index = 0; index < 1_000; index += 1) conversations.keep('other', { ...turn, refers: refersTo(index) });

  const found = immediate(conversations.find('echo', alice, 'c'));

  assert.equal(found?.execution, immediate(runtime.get(turn.execution.id, alice)));
  assert.deepEqual(found?.progress.seen, endOf(turn.execution));
  assert.ok(conversations.size <= 1_000);
});

const refersTo = (index: number) => ({ parentId: 'm', conversationId: `c${index}` });

test('a cursor is a place in the run it was given for, and the beginning of any other', async (t) => {
  const { keep } = await world(t);
  const [{ execution: one }, { execution: other }] = [await keep('c', alice), await keep('c', alice)];
  const place = { seq: 17, part: 2 };

  assert.deepEqual(readCursor(one, writeCursor(one, place)), place);
  assert.deepEqual(readCursor(other, writeCursor(one, place)), beginning);
  for (const text of ['0', '', 'x.1', `${one.id}.1`, `${one.id}.-1.0`])
    assert.deepEqual(readCursor(one, text), beginning);
});
