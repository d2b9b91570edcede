import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { workflow } from '../../../../runtime/index.ts';
import { operator, turns } from '../../../support/given.ts';
import { immediate } from '../../../support/in-process.ts';
import {
  contentOf,
  givenSocketServer,
  interactionReply,
  isComplete,
  isError,
  textsOf,
  userMessage,
} from '../../../support/socket-server.ts';
import type { SocketClient } from '../../../support/web-socket.ts';

const echo = workflow({ name: 'echo', run: async (input: string) => input });

const isAlive = async (client: SocketClient): Promise<void> => {
  client.send(userMessage('still here', { id: 'check' }));
  const heard = await client.until((message) => isComplete(message) && message.parent_id === 'check');
  assert.ok(textsOf(heard).includes('still here'));
};

/** More than can be written by recursion. */
const deep = JSON.parse(`${'['.repeat(3_000)}${']'.repeat(3_000)}`);

const bytes = (text: string): Buffer => Buffer.from(text);

test('whatever cannot be used is answered with an error, and the socket lives on', async (t) => {
  const { connect } = await givenSocketServer(t, {
    workflow: echo,
    config: { sockets: { ...limits, maxMessageBytes: 7_000 } },
  });
  const client = await connect();
  const bad: [send: () => void, details: RegExp][] = [
    [() => client.frame(bytes('hello')), /not JSON/],
    [() => client.frame(bytes('')), /not JSON/],
    [() => client.frame(bytes('[1]')), /not an object/],
    [() => client.frame(bytes('null')), /not an object/],
    [() => client.frame(bytes('"text"')), /not an object/],
    [() => client.frame(bytes('{"type":"__proto__"}')), /^type: /],
    [() => client.send(userMessage('x', { unknown: deep })), /more than 200 levels/],
    [() => client.frame(bytes('{"__proto__":{"type":"user_message"}}')), /^type: /],
    [() => client.frame(Buffer.from([1, 2, 3]), { opcode: 2 }), /Binary/],
    [() => client.frame(bytes(`"${'x'.repeat(8_000)}"`)), /7000 bytes/],
    [() => client.send({ ...userMessage('x'), id: 7 }), /^id: /],
    [() => client.send({ ...userMessage('x'), content: 'x' }), /^content: /],
    [() => client.send({ ...userMessage('x'), schema_type: 'shout' }), /^schema_type: /],
    [() => client.send({ type: 'auth_message', payload: { method: 'jwt', token: '' } }), /^payload/],
    [() => client.send(interactionReply('to nothing')), /No prompt waits/],
  ];

  for (const [send, details] of bad) {
    send();
    const [error] = (await client.until(isError)).slice(-1);
    assert.equal(contentOf(error!).code, 'invalid_message');
    assert.match(String(contentOf(error!).details), details);
  }
  client.send({ type: 'system_response_message' }); // ignored, as on NAT

  await isAlive(client);
});

const limits = { maxMessageBytes: 1024 * 1024, messagesPerSecond: 1_000_000, idleTimeoutMs: 120_000 };

test('a message may come in pieces, with pings between them', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: echo });
  const client = await connect();
  const whole = bytes(JSON.stringify(userMessage('in pieces')));

  client.frame(whole.subarray(0, 10), { isLast: false });
  client.frame(bytes('ping'), { opcode: 9 });
  client.frame(whole.subarray(10, 11), { opcode: 0, isLast: false });
  client.frame(whole.subarray(11), { opcode: 0 });

  assert.deepEqual(textsOf(await client.until(isComplete)), ['in pieces']);
});

test('what breaks the protocol ends that socket and no other', async (t) => {
  const { connect } = await givenSocketServer(t, {
    workflow: echo,
    config: { sockets: { ...limits, maxMessageBytes: 7_000 } },
  });
  const healthy = await connect();
  const broken: ((client: SocketClient) => void)[] = [
    (client) => client.frame(Buffer.from([0xc3, 0x28])), // no UTF-8
    (client) => client.frame(bytes('{}'), { opcode: 0 }), // goes on with nothing
    (client) => client.frame(bytes('{}'), { opcode: 5 }), // an opcode that there is not
    (client) => client.frame(bytes('x'.repeat(200)), { opcode: 9 }), // a ping that is too long
    (client) => client.frame(bytes('x'.repeat(20_000))), // too long to be read
    (client) => client.drop(),
    (client) => client.close(),
  ];

  for (const breakIt of broken) {
    const client = await connect();
    client.send(userMessage('before'));
    await client.until(isComplete);
    breakIt(client);
    assert.ok((await client.closed()) >= 1000);
    await isAlive(healthy);
  }
});

test('no JSON and no sequence of messages ends the socket or the process', async (t) => {
  const { connect, server } = await givenSocketServer(t, { workflow: echo, config: { sockets: limits } });
  const client = await connect();
  const part = fc.oneof(
    fc.record({ type: fc.constant('text'), text: fc.string() }, { requiredKeys: ['type'] }),
    fc.constant({ type: 'image_url' }),
    fc.jsonValue(),
  );
  const message = fc.record(
    {
      type: fc.constantFrom('user_message', 'user_interaction_message', 'auth_message', 'error_message'),
      schema_type: fc.constantFrom('generate', 'generate_stream', 'chat', 'chat_stream', 'nonsense'),
      id: fc.oneof(fc.string(), fc.jsonValue()),
      conversation_id: fc.oneof(fc.constant(null), fc.constantFrom('c1', 'c2'), fc.jsonValue()),
      content: fc.oneof(
        fc.record({
          messages: fc.array(
            fc.record({ role: fc.constantFrom('user', 'system'), content: fc.array(part, { maxLength: 3 }) }),
            { maxLength: 3 },
          ),
        }),
        fc.jsonValue(),
      ),
      payload: fc.oneof(fc.constant({ method: 'api_key', token: 'k' }), fc.jsonValue()),
      timestamp: fc.oneof(fc.string(), fc.jsonValue()),
    },
    { requiredKeys: ['type'] },
  );

  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(message, fc.jsonValue()), { maxLength: 5 }), async (sent) => {
      for (const value of sent) client.send(value);
      await isAlive(client);
    }),
    { numRuns: 60 },
  );
  assert.equal(server.openRequests, 1);
});

test('who sends more than is allowed is told once, and heard again after a while', async (t) => {
  const { connect, clock } = await givenSocketServer(t, {
    workflow: echo,
    config: { sockets: { ...limits, messagesPerSecond: 1 } },
  });
  const client = await connect();

  for (let count = 0; count < 30; count += 1) client.send({ type: 'error_message' });
  const [error] = await client.until(isError);
  clock.advance(2_500);
  await isAlive(client);

  assert.match(String(contentOf(error!).details), /1 messages a second/);
  assert.equal(client.messages.filter(isError).length, 0);
});

test('a reader that does not read slows no other down, and gets everything in order later', async (t) => {
  const count = 400;
  const flood = workflow({
    name: 'flood',
    async *run(input: string) {
      for (let index = 0; index < count; index += 1) yield `${index} ${input === 'flood' ? 'x'.repeat(50_000) : ''}`;
      return undefined;
    },
  });
  const { connect, runtime } = await givenSocketServer(t, {
    workflow: flood,
    config: { runtime: { maxJournalBytes: 2 ** 26 }, sockets: limits },
  });
  const [stalled, healthy] = [await connect(), await connect()];

  stalled.pause();
  stalled.send(userMessage('flood', { schema_type: 'generate_stream' }));
  while (immediate(runtime.list(operator, { limit: 1 })).executions[0]?.isSettled !== true) await turns();
  healthy.send(userMessage('small', { schema_type: 'generate_stream' }));
  assert.equal(textsOf(await healthy.until(isComplete)).length, count);
  stalled.resume();

  const texts = textsOf(await stalled.until(isComplete, 20_000));
  assert.deepEqual(
    texts.map((text) => Number(String(text).split(' ')[0])),
    Array.from({ length: count }, (_, index) => index),
  );
});

test('a reader who comes too late for some of it is told that something is missing, and gets the rest and the end', async (t) => {
  const count = 1_200; // 60 MB: more than the server, the network and a proxy hold for the reader
  const flood = workflow({
    name: 'flood',
    async *run() {
      for (let index = 0; index < count; index += 1) yield `${index} ${'x'.repeat(50_000)}`;
      return undefined;
    },
  });
  const { connect, runtime } = await givenSocketServer(t, {
    workflow: flood,
    config: { runtime: { maxJournalBytes: 8_000_000 }, sockets: limits },
  });
  const client = await connect();

  client.pause();
  client.send(userMessage('flood', { schema_type: 'generate_stream' }));
  while (immediate(runtime.list(operator, { limit: 1 })).executions[0]?.isSettled !== true) await turns();
  client.resume();

  const heard = await client.until(isComplete, 20_000);
  assert.match(String(contentOf(heard.find(isError)!).details), /not everything is kept/);
  assert.match(String(textsOf(heard).at(-1)), /^1199 /);
});

test('what comes after a message that fills the socket is not lost', async (t) => {
  const huge = workflow({
    name: 'huge',
    async run(_: unknown, ctx) {
      ctx.observe('trace-1');
      return 'x'.repeat(8_000_000);
    },
  });
  const { connect, runtime } = await givenSocketServer(t, {
    workflow: huge,
    config: { runtime: { maxJournalBytes: 2 ** 26 }, sockets: limits },
  });
  const client = await connect();

  client.pause();
  client.send(userMessage('go'));
  while (immediate(runtime.list(operator, { limit: 1 })).executions[0]?.isSettled !== true) await turns();
  await turns();
  client.resume();

  const heard = await client.until(({ type }) => type === 'observability_trace_message');
  assert.equal(String(textsOf(heard)[0]).length, 8_000_000);
  assert.equal(heard.filter(isComplete).length, 1);
});

test('a run that cannot start is an error and an end; who asks for a user gets to know what to send', async (t) => {
  const { connect, runtime } = await givenSocketServer(t, {
    workflow: workflow({
      name: 'own',
      perUser: { build: () => ({}) },
      run: (_: unknown, ctx) => new Promise((_, reject) => ctx.signal.addEventListener('abort', reject)),
    }),
    config: { runtime: { maxConcurrency: 1, maxQueued: 1 } },
  });
  const reasonOf = async (client: SocketClient): Promise<unknown> => {
    const [error, end] = await client.until(isComplete);
    assert.equal(end?.parent_id, 'message-1');
    return contentOf(error!).details;
  };
  const own = { 'x-api-key': 'a key' };

  const anonymous = await connect();
  anonymous.send(userMessage('go'));
  assert.match(String(await reasonOf(anonymous)), /user_id is required/);

  const running = () => immediate(runtime.list(operator, { limit: 9 })).executions;
  for (const count of [1, 2]) {
    (await connect('', own)).send(userMessage('go'));
    while (running().length < count || running().every(({ phase }) => phase !== 'executing')) await turns();
  }
  const third = await connect('', own);
  third.send(userMessage('go'));
  assert.match(String(await reasonOf(third)), /1 runs execute and 1 wait/);
  for (const { id } of running()) await runtime.cancel(id, operator);
});

test('a socket is pinged every 25 seconds, also when it is not silent', async (t) => {
  const { connect, clock } = await givenSocketServer(t, { workflow: echo });
  const client = await connect();

  for (let pings = 1; pings <= 3; pings += 1) {
    await isAlive(client);
    clock.advance(24_999);
    await turns();
    clock.advance(1);
    await client.when(() => client.pings === pings);
  }
});
