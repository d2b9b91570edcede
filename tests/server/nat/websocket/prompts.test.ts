import assert from 'node:assert/strict';
import test from 'node:test';
import { binaryChoice, checkbox, text, workflow } from '../../../../runtime/index.ts';
import { immediate } from '../../../support/in-process.ts';
import {
  contentOf,
  givenSocketServer,
  interactionReply,
  isComplete,
  isError,
  isPrompt,
  isText,
  textsOf,
  userMessage,
} from '../../../support/socket-server.ts';

const pair = workflow({
  name: 'pair',
  async run(_: unknown, ctx) {
    const [left, right] = await Promise.all([
      ctx.prompt(text({ text: 'Left?' })),
      ctx.prompt(text({ text: 'Right?' })),
    ]);
    return `${left.text} ${right.text}`;
  },
});

test('of two prompts at once, an answer is for the one it names, and else for the oldest', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: pair });
  const client = await connect();
  client.send(userMessage('go'));
  await client.until(isPrompt);
  const [right] = (await client.until(isPrompt)).slice(-1);

  client.send(interactionReply('second', { parent_id: right?.id }));
  client.send(interactionReply('first'));

  assert.deepEqual(textsOf(await client.until(isComplete)), ['first second']);
});

test('values that are no texts are shown as texts, and understood when they come back', async (t) => {
  const decide = workflow({
    name: 'decide',
    async run(_: unknown, ctx) {
      const options = [
        { id: 'yes', label: 'Yes', value: true },
        { id: 'no', label: 'No', value: false },
      ];
      return typeof (await ctx.prompt(binaryChoice({ text: 'Ship?', options }))).value;
    },
  });
  const { connect } = await givenSocketServer(t, { workflow: decide });
  const client = await connect();
  client.send(userMessage('go'));
  const [prompt] = (await client.until(isPrompt)).slice(-1);

  client.send(interactionReply('true'));

  const { options } = contentOf(prompt!) as { options: { value: unknown }[] };
  assert.deepEqual(
    options.map(({ value }) => value),
    ['true', 'false'],
  );
  assert.deepEqual(textsOf(await client.until(isComplete)), ['boolean']);
});

test('several texts are several options, by value or by id; what was not offered is refused, and asked again', async (t) => {
  const choose = workflow({
    name: 'choose',
    async run(_: unknown, ctx) {
      const options = ['a', 'b', 'c'].map((id) => ({ id, label: id, value: `value-${id}` }));
      return (await ctx.prompt(checkbox({ text: 'Which?', options }))).values.join(' ');
    },
  });
  const { connect } = await givenSocketServer(t, { workflow: choose });
  const client = await connect();
  client.send(userMessage('go'));
  const [asked] = (await client.until(isPrompt)).slice(-1);

  client.send(interactionReply(['value-a', 'value-z']));
  const [refused] = (await client.until(isError)).slice(-1);
  const [again] = await client.until(isPrompt);
  client.send(interactionReply(['value-a', 'c']));

  assert.match(String(contentOf(refused!).details), /value-z.+was not offered/);
  assert.equal(again?.id, asked?.id);
  assert.deepEqual(textsOf(await client.until(isComplete)), ['value-a value-c']);
});

test('an answer to what is closed gets an error, and neither the socket nor the run suffers', async (t) => {
  const { connect, runtime, call } = await givenSocketServer(t, { workflow: pair });
  const client = await connect('', { cookie: 'nat-session=alice' });
  client.send(userMessage('go'));
  await client.until(isPrompt);
  const [right] = (await client.until(isPrompt)).slice(-1);
  const [execution] = immediate(runtime.list({ userId: undefined, isOperator: true }, { limit: 1 })).executions;
  const open = execution?.context.pauses ?? [];

  for (const { id } of open) {
    const body = { response: { type: 'text', text: id === right?.id ? 'b' : 'a' } };
    const headers = { cookie: 'nat-session=alice' };
    await call(`POST /executions/${execution?.id}/interactions/${id}/response`, { body, headers });
  }
  client.send(interactionReply('late'));

  assert.deepEqual(textsOf(await client.until(isComplete)), ['a b']);
  const [error] = await client.until(isError);
  assert.equal(contentOf(error!).code, 'invalid_message');
  assert.equal(client.code, undefined);
});

test('a new message takes the place of a run that waits: that one ends, and is heard of no more', async (t) => {
  const { connect, runtime } = await givenSocketServer(t, {
    workflow: workflow({
      name: 'ask_or_echo',
      run: async (input: string, ctx) => (input === 'ask' ? (await ctx.prompt(text({ text: 'Name?' }))).text : input),
    }),
  });
  const client = await connect();
  client.send(userMessage('ask', { id: 'first' }));
  await client.until(isPrompt);

  client.send(userMessage('echo', { id: 'second' }));
  const heard = await client.until(isComplete);
  client.send(interactionReply('for nobody'));

  assert.deepEqual(
    new Set(heard.filter((message) => 'status' in message && isText(message)).map((m) => m.parent_id)),
    new Set(['second']),
  );
  assert.ok(heard.every(({ parent_id: parent }) => parent !== 'first'));
  assert.equal(contentOf((await client.until(isError))[0]!).code, 'invalid_message');
  const { executions } = immediate(runtime.list({ userId: undefined, isOperator: true }, { limit: 9 }));
  assert.deepEqual(executions.map(({ context }) => context.error?.code ?? 'completed').sort(), [
    'cancelled',
    'completed',
  ]);
});
