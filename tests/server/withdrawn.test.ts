/** Prompts that a run does not need any more: they leave the inbox, the stream and the screens of clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../../client/index.ts';
import { type Context, text, workflow } from '../../runtime/index.ts';
import { given } from '../support/given.ts';
import {
  contentOf,
  givenSocketServer,
  interactionReply,
  isComplete,
  isError,
  isPrompt,
  textsOf,
  userMessage,
} from '../support/socket-server.ts';
import type { SocketClient, SocketMessage } from '../support/web-socket.ts';

const ask = (ctx: Context, question: string) => async () => (await ctx.prompt(text({ text: question }))).text;

/** Asks Ada and Bob, takes the first answer, and asks once more. */
const racing = workflow({
  name: 'racing',
  run: async (_: unknown, ctx) => {
    const { winner, value } = await ctx.race({ ada: ask(ctx, 'Ada?'), bob: ask(ctx, 'Bob?') });
    const { text: last } = await ctx.prompt(text({ text: 'Sure?' }));
    return `${winner} ${value} ${last}`;
  },
});

const ada = { 'x-api-key': 'ada' };

test('a prompt that has lost a race leaves the inbox, is told to readers, and takes no answer any more', async (t) => {
  const { call, server } = await given.server(t, { workflow: racing });
  const client = createClient({ baseUrl: server.url, headers: ada });
  const { executionId } = await client.start({});
  while ((await client.inbox()).length < 2);
  const [first, second] = (await client.inbox()).flatMap((item) =>
    item.status === 'interaction_required' ? [item] : [],
  );

  await client.answer(second!, 'me');
  while ((await client.inbox()).some(({ status }) => status !== 'interaction_required')); // until it asks once more
  const late = await call(`POST ${first!.response_url}`, {
    headers: ada,
    body: { response: { type: 'text', text: 'too late' } },
  });
  let inbox = await client.inbox();
  while (inbox.length === 0) inbox = await client.inbox();
  await client.answer(inbox[0] as never, 'yes');
  const result = await client.follow(executionId);
  const events: string[] = [];
  for await (const { type, data } of client.stream(executionId))
    if ('interaction_id' in data && data.interaction_id === first!.interaction_id) events.push(type);

  assert.deepEqual(
    [late.status, (late.body as { detail: string }).detail.endsWith('has already been resolved')],
    [400, true],
  );
  assert.deepEqual(
    inbox.map((item) => (item.status === 'interaction_required' ? item.prompt.text : item.status)),
    ['Sure?'],
  );
  assert.deepEqual(result, { value: 'bob me yes' });
  assert.deepEqual(events, ['interaction.requested', 'interaction.withdrawn']);
});

const promptsTo = async (client: SocketClient, count: number): Promise<SocketMessage[]> => {
  const prompts: SocketMessage[] = [];
  while (prompts.length < count) prompts.push(...(await client.until(isPrompt)).filter(isPrompt));
  return prompts;
};

/** What a client is shown: the question, and the time it has. */
const shown = (messages: readonly SocketMessage[]): unknown[] =>
  messages.filter(isPrompt).map((message) => [contentOf(message).text, contentOf(message).timeout]);

test('on a socket a prompt that is withdrawn is shown once more without any time, which closes it', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: racing });
  const client = await connect();
  client.send(userMessage('go'));
  const asked = await promptsTo(client, 2);

  client.send(interactionReply('me', { parent_id: asked.at(-1)?.id }));
  const after = await promptsTo(client, 2);
  client.send(interactionReply('too late', { parent_id: asked[0]?.id }));
  const refused = await client.until(isError);
  client.send(interactionReply('yes'));
  const end = await client.until(isComplete);

  assert.deepEqual(shown(asked), [
    ['Ada?', null],
    ['Bob?', null],
  ]);
  assert.deepEqual(shown(after), [
    ['Ada?', 0],
    ['Sure?', null],
  ]);
  assert.equal(after[0]?.id, asked[0]?.id);
  assert.equal(contentOf(after[0]!).error, 'This prompt is no longer available.');
  assert.equal(contentOf(refused.at(-1)!).message, 'No prompt is open');
  assert.deepEqual(textsOf(end), ['bob me yes']);
});

test('on a socket the prompt that is still open comes back on top of one that is withdrawn', async (t) => {
  const beside = workflow({
    name: 'beside',
    run: async (_: unknown, ctx) => {
      const { race, other } = await ctx.all({
        race: () => ctx.race({ ada: ask(ctx, 'Ada?'), bob: ask(ctx, 'Bob?') }),
        other: ask(ctx, 'Beside?'),
      });
      return `${race.value} ${other}`;
    },
  });
  const { connect } = await givenSocketServer(t, { workflow: beside });
  const client = await connect();
  client.send(userMessage('go'));
  const asked = await promptsTo(client, 3);
  const byText = new Map(asked.map((message) => [contentOf(message).text, message.id]));

  client.send(interactionReply('me', { parent_id: byText.get('Bob?') }));
  const after = await promptsTo(client, 2);
  client.send(interactionReply('too', { parent_id: byText.get('Beside?') }));

  assert.deepEqual(shown(after), [
    ['Ada?', 0],
    ['Beside?', null],
  ]);
  assert.deepEqual(textsOf(await client.until(isComplete)), ['me too']);
});

test('who comes back to a conversation is not shown what was withdrawn', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: racing });
  const cookie = { cookie: 'nat-session=ada' };
  const before = await connect('?conversation_id=c1', cookie);
  before.send(userMessage('go', { conversation_id: 'c1' }));
  const asked = await promptsTo(before, 2);
  before.send(interactionReply('me', { conversation_id: 'c1', parent_id: asked.at(-1)?.id }));
  await before.until((message) => contentOf(message)?.text === 'Sure?');
  before.close();
  await before.closed();

  const again = await connect('?conversation_id=c1', cookie);
  const seen = await again.until(isPrompt);

  assert.deepEqual(shown(seen), [['Sure?', null]]);
});
