/** Prompts of an execution that is driven from outside, and those who wait for their answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Answer,
  binaryChoice,
  checkbox,
  dropdown,
  EndedError,
  notification,
  type Question,
  radio,
  TimeoutError,
  text,
} from '../../../runtime/index.ts';
import { executionStore, question, refusal, reply } from '../../support/execution-store.ts';

const options = [
  { id: 'a', label: 'A', value: 'va' },
  { id: 'b', label: 'B', value: 'vb' },
];
const kinds = [
  { asked: text({ text: '?' }), response: { kind: 'text', text: 'hi' }, answer: { kind: 'text', text: 'hi' } },
  {
    asked: notification({ text: '!' }),
    response: { kind: 'notification', text: 'ok' },
    answer: { kind: 'notification', text: 'ok' },
  },
  {
    asked: binaryChoice({ text: '?', options }),
    response: { kind: 'binary_choice', picks: [{ id: 'b' }] },
    answer: { kind: 'binary_choice', option: options[1], value: 'vb' },
  },
  ...([radio, dropdown] as const).map((make) => {
    const asked = make({ text: '?', options });
    const kind = asked.prompt.input_type as 'radio' | 'dropdown';
    const option = { ...options[0], description: '' };
    return { asked, response: { kind, picks: [{ value: 'va' }] }, answer: { kind, option, value: 'va' } } as const;
  }),
  {
    asked: checkbox({ text: '?', options }),
    response: { kind: 'checkbox', picks: [{ id: 'a' }] },
    answer: { kind: 'checkbox', options: [{ ...options[0], description: '' }], values: ['va'] },
  },
] as const;

for (const { asked, response, answer } of kinds) {
  test(`a program that waits for a ${response.kind} gets the answer`, async (t) => {
    const { store, clock } = executionStore(t);
    const { executionId } = await store.createExecution();
    const pending = await store.setInteractionRequired(executionId, asked as Question<Answer>, 'p');

    await store.resolveInteraction(executionId, 'p', response);

    assert.deepEqual(await pending.future, answer);
    assert.deepEqual([pending.interactionId, pending.createdAt, pending.prompt], ['p', clock.now(), asked.prompt]);
  });
}

test('two prompts at once are both there, the older one first, and both can be answered', async (t) => {
  const { store } = executionStore(t);
  const record = await store.createExecution();
  const { executionId } = record;
  const first = await store.setInteractionRequired(executionId, question);
  const second = await store.setInteractionRequired(executionId, text({ text: 'And your town?' }));
  assert.deepEqual(record.pendingInteractions, [first, second]);
  assert.equal(record.pendingInteraction, first);

  await store.resolveInteraction(executionId, second.interactionId, { kind: 'text', text: 'London' });

  assert.equal(record.status, 'interaction_required');
  await store.resolveInteraction(executionId, first.interactionId, reply);
  assert.equal(record.status, 'running');
  const answers = [await first.future, await second.future];
  assert.deepEqual(answers, [reply, { kind: 'text', text: 'London' }]);
});

test('an id that is open already is refused for another prompt', async (t) => {
  const { store } = executionStore(t);
  const { executionId } = await store.createExecution();
  const first = await store.setInteractionRequired(executionId, question, 'p');

  await assert.rejects(store.setInteractionRequired(executionId, text({ text: '?' }), 'p'), refusal('fact_refused'));

  await store.resolveInteraction(executionId, 'p', reply);
  assert.deepEqual(await first.future, reply);
});

test('an answer that does not fit is refused, and the prompt can still be answered', async (t) => {
  const { store } = executionStore(t);
  const record = await store.createExecution();
  const pending = await store.setInteractionRequired(record.executionId, question, 'p');

  const unfit = store.resolveInteraction(record.executionId, 'p', { kind: 'checkbox', picks: [] });

  await assert.rejects(unfit, refusal('answer_invalid'));
  assert.equal(record.status, 'interaction_required');
  await store.resolveInteraction(record.executionId, 'p', reply);
  assert.deepEqual(await pending.future, reply);
});

test('the wait for a prompt that expires rejects, and so does a late answer', async (t) => {
  const { store, clock } = executionStore(t);
  const { executionId } = await store.createExecution();
  const pending = await store.setInteractionRequired(executionId, question, 'p');

  clock.advance(65_000);

  await assert.rejects(pending.future, TimeoutError);
  await assert.rejects(store.resolveInteraction(executionId, 'p', reply), { message: 'Interaction p has expired' });
});

test('a prompt with a default is answered with it when it expires', async (t) => {
  const { store, clock } = executionStore(t);
  const { executionId } = await store.createExecution();
  const asked = text({ text: 'Your name?', timeoutS: 60, default: 'nobody' });
  const pending = await store.setInteractionRequired(executionId, asked);

  clock.advance(65_000);

  assert.deepEqual(await pending.future, { kind: 'text', text: 'nobody' });
});

test('a prompt answered twice keeps its first answer, and the second is told in the words of NAT', async (t) => {
  const { store } = executionStore(t);
  const { executionId } = await store.createExecution();
  const pending = await store.setInteractionRequired(executionId, question, 'p');
  await store.resolveInteraction(executionId, 'p', reply);

  const again = store.resolveInteraction(executionId, 'p', { kind: 'text', text: 'Eve' });

  await assert.rejects(again, { message: 'Interaction p has already been resolved' });
  assert.deepEqual(await pending.future, reply);
});

test('what is unknown is said in the words of NAT', async (t) => {
  const { store } = executionStore(t);
  const { executionId } = await store.createExecution();

  await assert.rejects(store.setRunning('x'), { message: 'Execution x not found' });
  await assert.rejects(store.resolveInteraction(executionId, 'i', reply), {
    message: `Interaction i not found for execution ${executionId}`,
  });
});

test('an open wait rejects when the execution ends, whether it completes or is removed', async (t) => {
  const { store } = executionStore(t);
  const one = await store.createExecution();
  const other = await store.createExecution();
  const pending = [
    await store.setInteractionRequired(one.executionId, question),
    await store.setInteractionRequired(other.executionId, question),
  ];

  await store.setCompleted(one.executionId, null);
  await store.remove(other.executionId);

  for (const { future } of pending) await assert.rejects(future, EndedError);
});
