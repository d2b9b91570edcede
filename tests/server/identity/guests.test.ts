/** Names that callers without identity choose: no other caller gets their executions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { text, workflow } from '../../../runtime/index.ts';
import { given } from '../../support/given.ts';
import {
  givenSocketServer,
  interactionReply,
  isComplete,
  isPrompt,
  textsOf,
  userMessage,
} from '../../support/socket-server.ts';

const echo = workflow({ name: 'echo', input: z.object({ say: z.string() }), run: ({ say }) => ({ said: say }) });
const asker = workflow({
  name: 'asker',
  run: async (_: unknown, ctx) => (await ctx.prompt(text({ text: 'Which?' }))).text,
});
const start = 'POST /v1/workflow/async';
const look = (id: string) => `GET /v1/workflow/async/job/${id}`;

test('a short job id of a caller without identity is theirs by the token that comes with the reply', async (t) => {
  const { call } = await given.server(t, { workflow: echo, config: { asyncJobs: true } });
  const body = { say: 'secret', job_id: 'job-1', sync_timeout: 5 };

  const mine = await call(start, { body });
  const token = mine.headers.get('guest-token') ?? '';
  const cookie = mine.headers.get('set-cookie') ?? '';
  const found = [
    await call(look('job-1'), { headers: { 'guest-token': token } }),
    await call(look('job-1'), { headers: { cookie: cookie.split(';')[0]! } }),
  ];
  const strangers = [
    await call(look('job-1')),
    await call(look('job-1'), { headers: { 'guest-token': 'x'.repeat(32) } }),
    await call(look('job-1'), { headers: { 'x-api-key': 'alice' } }),
    await call(look('job-1'), { headers: { cookie: 'fermata-guest=everybody' } }),
  ];
  const theirs = await call(start, { body: { ...body, say: 'another' } });
  const again = await call(start, { body: { ...body, say: 'another' }, headers: { 'guest-token': token } });

  assert.match(token, /^[\w-]{32}$/);
  assert.match(cookie, /^fermata-guest=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
  for (const { status, body: job } of found) {
    assert.deepEqual([status, (job as { output: unknown }).output], [200, { said: 'secret' }]);
  }
  for (const { status } of strangers) assert.equal(status, 404);
  assert.deepEqual((theirs.body as { output: unknown }).output, { said: 'another' });
  assert.notEqual(theirs.headers.get('guest-token'), token);
  assert.equal(again.headers.get('execution-id'), mine.headers.get('execution-id'));
});

test('a job id that cannot be guessed needs no token', async (t) => {
  const { call } = await given.server(t, { workflow: echo, config: { asyncJobs: true } });
  const id = '5d7a1c9e-0b42-4f0f-9c61-2f6b8a3d1e77';

  const mine = await call(start, { body: { say: 'x', job_id: id, sync_timeout: 5 } });

  assert.equal(mine.headers.get('guest-token'), null);
  assert.equal((await call(look(id))).status, 200);
  assert.notEqual((await call(start, { body: { say: 'x', job_id: 'a'.repeat(40) } })).headers.get('guest-token'), null);
});

test('a short idempotency key of a caller without identity needs the token', async (t) => {
  const { call } = await given.server(t, { workflow: echo });
  const guest = { 'guest-token': 'the-token-of-one-guest-32-chars_' };
  const send = (headers: Record<string, string>) =>
    call('POST /v1/workflow', { headers: { 'idempotency-key': 'short', ...headers }, body: { say: 'x' } });

  const refused = await send({});
  const [first, second] = [await send(guest), await send(guest)];
  const other = await send({ 'guest-token': 'the-token-of-other-guest-32-char' });

  assert.equal(refused.status, 422);
  assert.match(JSON.stringify(refused.body), /Guest-Token/);
  assert.equal(first.headers.get('execution-id'), second.headers.get('execution-id'));
  assert.equal(first.status, 200);
  assert.notEqual(other.headers.get('execution-id'), first.headers.get('execution-id'));
});

test('a conversation that can be guessed is neither taken over nor shown nor answered by another anonymous socket', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: asker });
  const conversation = { conversation_id: 'chat-1' };
  const cookie = { cookie: 'fermata-guest=the-token-of-one-guest-32-chars_' };
  const mine = await connect('', cookie);
  mine.send(userMessage('go', conversation));
  await mine.until(isPrompt);

  const stranger = await connect('?conversation_id=chat-1');
  stranger.send(interactionReply('stolen', conversation));
  const [refusal] = await stranger.until(({ type }) => type === 'error_message');
  stranger.send(userMessage('go', conversation)); // and does not end what it cannot see
  await stranger.until(isPrompt);
  mine.drop();
  const again = await connect('?conversation_id=chat-1', cookie);
  await again.until(isPrompt);
  again.send(interactionReply('mine', conversation));

  assert.equal((refusal?.content as { message: string }).message, 'No prompt is open');
  assert.deepEqual(textsOf(await again.until(isComplete)), ['mine']);
});

test('with an option names are shared, as on NAT', async (t) => {
  const config = { asyncJobs: true, sharedAnonymousNames: true };
  const { call } = await given.server(t, { workflow: echo, config });

  const { headers } = await call(start, { body: { say: 'x', job_id: 'job-1', sync_timeout: 5 } });

  assert.equal(headers.get('guest-token'), null);
  assert.equal((await call(look('job-1'))).status, 200);
});
