/** What the table says of facts is what becomes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Actor, createActor } from 'xstate';
import { executionMachine } from '../../machines/execution.ts';
import { closedBy, FACTS, type FactType, isLast } from '../../machines/fact-table.ts';
import type { ExecutionEvent } from '../../machines/facts.ts';

const types = Object.keys(FACTS) as FactType[];
const prompt = {
  input_type: 'text',
  text: 'Name?',
  timeout: null,
  error: null,
  placeholder: null,
  required: true,
} as const;

const OPENING = {
  interaction: { type: 'interaction.requested', call: 1, id: 'p', prompt, dueAt: null, at: 1 },
  oauth: { type: 'oauth.requested', call: 1, id: 'p', provider: 'bank', authUrl: 'https://bank', dueAt: null, at: 1 },
  sleep: { type: 'sleep.started', call: 1, id: 'p', dueAt: 9, at: 1 },
} as const satisfies Record<string, ExecutionEvent>;

/** An execution that waits for one pause, which is named p. */
const waiting = (kind: keyof typeof OPENING): Actor<typeof executionMachine> => {
  const input = { executionId: 'e', workflow: 'w', owner: null, form: null, startedAt: 0 };
  const actor = createActor(executionMachine, { input }).start();
  actor.send({ type: 'slot.granted', at: 0 });
  actor.send(OPENING[kind]);
  return actor;
};

for (const kind of ['interaction', 'oauth', 'sleep'] as const) {
  test(`a pause of kind ${kind} is closed by the facts that close this kind, and by no other`, () => {
    const closing = types.filter((type) => {
      const actor = waiting(kind);
      actor.send({ type, id: 'p', at: 2, error: {}, result: null } as unknown as ExecutionEvent);
      const { context, tags } = { context: actor.getSnapshot().context, tags: actor.getSnapshot().tags };
      return context.pauses.length === 0 && !tags.has('settled') && type !== 'execution.continued';
    });

    assert.deepEqual(
      closing,
      types.filter((type) => closedBy(type) === kind),
    );
  });
}

test('the facts that are the last ones are those that settle an execution', () => {
  const settling = types.filter((type) => {
    const actor = waiting('interaction');
    actor.send({ type, id: 'other', at: 2, error: {}, result: null } as unknown as ExecutionEvent);
    return actor.getSnapshot().hasTag('settled');
  });

  assert.deepEqual(
    settling,
    types.filter((type) => isLast({ type })),
  );
});
