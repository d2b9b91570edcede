/** What leaves the server by the inspector: everything that happens, and nothing that was said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact } from '../../../../machines/facts.ts';
import { type Inspected, text, workflow } from '../../../../runtime/index.ts';
import { MAX_MESSAGE, Messages } from '../../../../server/operator/inspector/messages.ts';
import { redacted } from '../../../../server/operator/inspector/redact.ts';
import { readWatch } from '../../../../server/operator/inspector/watch.ts';
import { alice, operator, turns } from '../../../support/given.ts';
import { givenWatchedRuntime } from '../../../support/inspector-server.ts';

const secret = 'tell nobody';
const { prompt } = text({ text: secret, placeholder: secret, timeoutS: 5 });
const answer = { kind: 'text', text: secret } as const;
const step = { id: 's', parentId: 'root', functionId: 'f', event: 'LLM_END', name: 'model' };

/** One of each, with something secret wherever there can be. */
const facts: { [Type in Fact['type']]: Extract<Fact, { type: Type }> } = {
  'execution.started': { type: 'execution.started', workflow: 'w', owner: 'u', form: null, input: { a: secret } },
  'slot.granted': { type: 'slot.granted' },
  'step.started': { type: 'step.started', call: 1, name: 'pay' },
  'step.completed': { type: 'step.completed', call: 1, value: secret },
  'step.failed': { type: 'step.failed', call: 1, message: secret, name: 'TypeError' },
  'value.recorded': { type: 'value.recorded', call: 1, name: 'now', value: secret },
  'interaction.requested': { type: 'interaction.requested', call: 1, id: secret, dueAt: 5, prompt, fallback: answer },
  'interaction.answered': { type: 'interaction.answered', id: secret, answer, by: 'u', key: secret },
  'interaction.withdrawn': { type: 'interaction.withdrawn', id: secret },
  'interaction.expired': { type: 'interaction.expired', id: secret },
  'oauth.requested': {
    type: 'oauth.requested',
    call: 1,
    id: secret,
    provider: 'bank',
    authUrl: `https://bank.example/?state=${secret}`,
    dueAt: 5,
  },
  'oauth.granted': { type: 'oauth.granted', id: secret },
  'oauth.refused': { type: 'oauth.refused', id: secret, reason: secret },
  'oauth.expired': { type: 'oauth.expired', id: secret },
  'sleep.started': { type: 'sleep.started', call: 1, id: secret, dueAt: 5 },
  'oauth.withdrawn': { type: 'oauth.withdrawn', id: secret },
  'sleep.withdrawn': { type: 'sleep.withdrawn', id: secret },
  'branch.started': { type: 'branch.started', call: 1, name: 'price' },
  'output.restarted': { type: 'output.restarted', step: 1 },
  'sleep.elapsed': { type: 'sleep.elapsed', id: secret },
  'notification.sent': { type: 'notification.sent', call: 1, prompt },
  'output.emitted': { type: 'output.emitted', call: 1, value: [secret] },
  'trace.emitted': {
    type: 'trace.emitted',
    call: 1,
    step: { ...step, input: secret, output: { secret }, chunk: secret, metadata: { secret } },
  },
  'trace.identified': { type: 'trace.identified', call: 1, traceId: 't' },
  'execution.parked': { type: 'execution.parked' },
  'execution.recovered': { type: 'execution.recovered' },
  'execution.resumed': { type: 'execution.resumed' },
  'execution.blocked': { type: 'execution.blocked', expected: secret, came: secret, version: '2' },
  'execution.unblocked': { type: 'execution.unblocked' },
  'execution.continued': { type: 'execution.continued', input: secret },
  'execution.completed': { type: 'execution.completed', result: { secret } },
  'execution.failed': {
    type: 'execution.failed',
    error: { code: 'workflow_error', message: secret, name: 'TypeError' },
  },
  'retention.elapsed': { type: 'retention.elapsed' },
  'record.forgotten': { type: 'record.forgotten' },
};

for (const [type, fact] of Object.entries(facts)) {
  test(`${type} is shown without what was said`, () => {
    const shown = redacted({ ...fact, seq: 7, at: 1 }) as Record<string, unknown>;

    assert.doesNotMatch(JSON.stringify(shown), new RegExp(secret));
    assert.deepEqual([shown.type, shown.seq, shown.at], [type, 7, 1]);
  });
}

test('what is shown says who, what and when', () => {
  assert.deepEqual(redacted(facts['interaction.requested']), {
    type: 'interaction.requested',
    call: 1,
    id: '(hidden)',
    dueAt: 5,
    prompt: Object.fromEntries(Object.keys(prompt).map((name) => [name, name === 'kind' ? 'text' : hidden(name)])),
    fallback: '(hidden)',
  });
  assert.deepEqual(redacted(facts['execution.failed']), {
    type: 'execution.failed',
    error: { code: 'workflow_error', message: '(hidden)', name: 'TypeError' },
  });
});

const hidden = (name: string): unknown => (prompt[name as keyof typeof prompt] === null ? null : '(hidden)');

test('new members of facts are hidden until they are listed', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{9,12}$/), fc.jsonValue({ maxDepth: 3 }), (name, value) => {
      const shown = redacted({ type: 'x', [`${name}_`]: value }) as Record<string, unknown>;
      assert.equal(shown[`${name}_`], value === null ? null : '(hidden)');
    }),
  );
});

const asking = workflow({
  name: 'asking',
  run: async (input: unknown, ctx) => {
    ctx.emit(secret);
    await ctx.step('pay', async () => secret);
    await ctx.prompt(text({ text: secret }));
    return { secret, input };
  },
});

test('of a whole run no payload is shown, nor all of an id, unless an operator asks for them', async (t) => {
  const { runtime, start, watch } = await givenWatchedRuntime(t, { workflows: [asking] });
  const [plain, full] = [watch(), watch('payloads=1')];

  const execution = await start({ by: alice, input: { amount: secret } });
  await turns();
  const [pause] = execution.context.pauses;
  await runtime.answer(execution.id, pause!.id, { kind: 'text', text: secret }, operator);
  await turns();

  assert.equal(execution.status, 'completed');
  const [hiddenText, shownText] = [plain.texts.join('\n'), full.texts.join('\n')];
  assert.doesNotMatch(hiddenText, new RegExp(`${secret}|${execution.id}|${pause!.id}`));
  assert.ok(hiddenText.includes('execution.completed'));
  for (const part of [secret, execution.id, pause!.id]) assert.ok(shownText.includes(part));
});

const actor = (context: unknown): Inspected => ({
  kind: 'builder',
  sessionId: 'x:1',
  parentId: 'x:0',
  rootId: 'x:0',
  name: 'w',
  user: null,
  isSettled: false,
  definition: '{"id":"builder"}',
  snapshot: { status: 'active', value: 'failed', context },
});

test('what a workflow has thrown is shown, whatever it is', () => {
  const messages = new Messages(readWatch('payloads=1'));
  const own: Record<string, unknown> = { name: 'own' };
  own.error = own;

  const write = (error: unknown) => messages.actor(actor({ error }), 1);

  assert.match(write(new TypeError('It broke.')), /"error":\{"name":"TypeError","message":"It broke\."\}/);
  assert.match(write(10n), /"error":"10"/);
  assert.match(write(own), /"name":"own"/);
  assert.match(write(undefined), /"context":\{\}/);
});

test('a message that would be too long leaves its payloads out', () => {
  const messages = new Messages(readWatch('payloads=1'));

  const [event, snapshot] = messages.happened(actor({ result: 'x'.repeat(MAX_MESSAGE) }), { type: 'a' }, 1);
  const many = messages.actor(actor({ pauses: Array.from({ length: 9_000 }, () => ({ kind: 'sleep' })) }), 1);

  assert.match(event, /"type":"a"/);
  assert.match(snapshot, /"result":"\(hidden\)"/);
  assert.match(many, /"context":"\(hidden\)"/);
});
