/** Deadlines as clients see them: those that were asked for, and never more than a date can show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../runtime/index.ts';
import { DurableServer } from '../support/durable-server.ts';

const ada = { cookie: 'nat-session=ada' };

const served = workflow({
  name: 'served',
  run: async (input: unknown, ctx) => {
    if ((input as { sleeps?: boolean }).sleeps)
      return Promise.all([ctx.sleep(9e15), ctx.prompt(text({ text: 'Go on?' }))]);
    return (await ctx.prompt(text({ text: 'Name?', timeoutS: 60 }))).text;
  },
});

type Listed = { readonly executions: readonly { readonly due_at: string | null; readonly started_at: string }[] };
type Inbox = { readonly interactions: readonly { readonly due_at: string; readonly opened_at: string }[] };

test('the deadline that is shown is the one that was asked for', async (t) => {
  const world = await DurableServer.open(t, served);
  const { execution_id: id } = await world.startPrompting({}, ada);

  const inbox = (await world.call('GET /interactions', { headers: ada })).body as Inbox;
  const list = (await world.call('GET /executions', { headers: ada })).body as Listed;
  const [{ due_at, opened_at } = assert.fail('nothing waits')] = inbox.interactions;

  assert.equal(Date.parse(due_at) - Date.parse(opened_at), 60_000);
  assert.equal(list.executions[0]?.due_at, due_at);
  assert.equal((await world.call(`DELETE /executions/${id}`, { headers: ada })).status, 204);
  const stream = await world.call(`GET /executions/${id}/stream`, { headers: ada });
  assert.ok(String(stream.body).includes(`"due_at":"${due_at}"`), String(stream.body));
});

test('a sleep that ends after all dates can be listed, and does not take the list from its owner', async (t) => {
  const world = await DurableServer.open(t, served);
  await world.startPrompting({ sleeps: true }, ada);

  const { status, body } = await world.call('GET /executions', { headers: ada });

  assert.equal(status, 200);
  assert.equal((body as Listed).executions[0]?.due_at, '+275760-09-13T00:00:00.000Z');
});
