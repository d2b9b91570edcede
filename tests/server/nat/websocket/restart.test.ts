/** Clients that keep no count come back to a server that has restarted: nothing is shown twice, and what is new is shown. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { text, workflow } from '../../../../runtime/index.ts';
import { DurableServer } from '../../../support/durable-server.ts';
import { operator } from '../../../support/given.ts';
import { until } from '../../../support/http.ts';
import { immediate } from '../../../support/in-process.ts';
import {
  interactionReply,
  isComplete,
  isPrompt,
  isText,
  textsOf,
  userMessage,
} from '../../../support/socket-server.ts';
import { openSocket } from '../../../support/web-socket.ts';

const talk = (t: TestContext, served: ReturnType<typeof workflow>) => {
  const connect = async (world: DurableServer) => {
    const { client } = await openSocket(`${world.server.url}/websocket?session=ui-session&conversation_id=c1`, {});
    assert.ok(client);
    t.after(() => client.drop());
    return client;
  };
  return { open: () => DurableServer.open(t, served), connect };
};
const go = userMessage('go', { conversation_id: 'c1', schema_type: 'generate_stream' });

test('what was said before the restart is not said again when its run goes on', async (t) => {
  const asker = workflow({
    name: 'asker',
    async *run(_: unknown, ctx) {
      yield 'Working. ';
      yield `Hello ${(await ctx.prompt(text({ text: 'Who?' }))).text}.`;
    },
  });
  const { open, connect } = talk(t, asker);
  const world = await open();
  const before = await connect(world);
  before.send(go);
  const first = await before.until(isPrompt);

  await world.restart();
  const after = await connect(world);
  const again = await after.until(isPrompt);
  after.send(interactionReply('Ada', { conversation_id: 'c1' }));
  const rest = await after.until(isComplete);

  assert.deepEqual(textsOf(first), ['Working. ']);
  assert.deepEqual(textsOf([...again, ...rest]), ['Hello Ada.']);
});

test('what the run has said after the restart is shown to a client that comes later, with its end', async (t) => {
  let isAwake = false;
  const waiting = workflow({
    name: 'waiting',
    async *run(_: unknown, ctx) {
      yield 'one ';
      await ctx.step('wait', (step) =>
        isAwake ? undefined : new Promise((_resolve, reject) => step.signal.addEventListener('abort', reject)),
      );
      yield 'two';
    },
  });
  const { open, connect } = talk(t, waiting);
  const world = await open();
  const before = await connect(world);
  before.send(go);
  await before.until(isText);

  isAwake = true;
  await world.restart();
  const isOver = () => immediate(world.server.runtime.list(operator, { limit: 1 })).executions[0]?.isSettled === true;
  await until(isOver, 'the run to end without its client');
  const after = await connect(world);
  const shown = await after.until(isComplete);

  assert.deepEqual(textsOf(shown), ['two']);
});
