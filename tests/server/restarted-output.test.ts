/** A step that streams and is cut off by a failure of the store: what readers on each wire get when it runs again. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { createClient } from '../../client/index.ts';
import { type Step, workflow } from '../../runtime/index.ts';
import { DurableServer } from '../support/durable-server.ts';
import { type EventReader, openStream } from '../support/event-reader.ts';
import { until } from '../support/http.ts';
import { immediate } from '../support/in-process.ts';
import { contentOf, isComplete, isError, isText, textsOf, userMessage } from '../support/socket-server.ts';
import { openSocket } from '../support/web-socket.ts';

interface Attempt {
  readonly step: Step;
  end(): void;
}

/** Runs whose only step says what the test wants. */
const givenWriter = async (t: TestContext) => {
  /** By id of the execution. */
  const attempts = new Map<string, Attempt[]>();
  const writing = workflow({
    name: 'writing',
    input: z.object({ input_message: z.string() }),
    output: z.string(),
    run: async (_, ctx) => {
      await ctx.step('write', async (step) => {
        const of = attempts.get(ctx.executionId) ?? [];
        attempts.set(ctx.executionId, of);
        await new Promise<void>((end) => of.push({ step, end }));
      });
      return 'done';
    },
  });
  const world = await DurableServer.open(t, writing, { runtime: { stopTimeoutMs: 100 } });
  const at = async (id: string, attempt: number): Promise<Attempt> => {
    await until(() => attempts.get(id)?.[attempt - 1] !== undefined, `attempt ${attempt} of ${id}`);
    return attempts.get(id)![attempt - 1]!;
  };
  return {
    world,
    /** What the step says in its attempts, of which the first is cut off. */
    say: async (
      ids: string | readonly string[],
      first: readonly string[],
      again: readonly string[],
      hasCome: () => boolean,
    ) => {
      const all = [ids].flat();
      const cut = await Promise.all(all.map((id) => at(id, 1)));
      for (const text of first) for (const { step } of cut) step.emit(text);
      await until(hasCome, 'the first attempt is shown');
      world.executeSql('ALTER TABLE journal RENAME TO away');
      for (const { step } of cut) step.emit('lost');
      await until(() => cut.every(({ step }) => step.signal.aborted), 'it is cut off');
      world.executeSql('ALTER TABLE away RENAME TO journal');
      for (const { step, end } of await Promise.all(all.map((id) => at(id, 2)))) {
        for (const text of again) step.emit(text);
        end();
      }
    },
  };
};

const body = { input_message: 'x', messages: [{ role: 'user', content: 'x' }], stream: true };
const dataIn = (reader: EventReader): string[] => [...reader.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data!);
const idOf = (reader: EventReader): string => String(reader.headers['execution-id']);

/** What a client of chunks has read. */
const contentIn = (reader: EventReader): string =>
  dataIn(reader)
    .filter((data) => data.includes('"choices"'))
    .map((data) => JSON.parse(data).choices[0]?.delta.content ?? '')
    .join('');

const wires: readonly [path: string, read: (reader: EventReader) => string][] = [
  [
    '/v1/workflow/stream',
    (reader) =>
      dataIn(reader)
        .flatMap((data) => JSON.parse(data).value ?? [])
        .join(''),
  ],
  ['/v1/chat/stream', contentIn],
  ['/v1/chat/completions', contentIn],
];

test('readers of every stream get nothing twice of a step that runs again and says the same', async (t) => {
  const { world, say } = await givenWriter(t);
  const readers = await Promise.all(
    wires.map(async ([path, read]) => {
      const reader = await openStream(t, world.server.url + path, { method: 'POST', body });
      return { path, reader, said: () => read(reader) };
    }),
  );

  const ids = readers.map(({ reader }) => idOf(reader));
  await say(ids, ['Hel', 'lo'], ['Hello wo', 'rld'], () => readers.every(({ said }) => said() === 'Hello'));
  await Promise.all(readers.map(({ reader }) => reader.ended));

  for (const { path, reader, said } of readers) {
    assert.equal(said(), 'Hello world', path);
    assert.doesNotMatch(reader.text, /event: error/, path);
  }
});

test('a reader of a stream whose step says something else when it runs again is told so, and hears no more', async (t) => {
  const { world, say } = await givenWriter(t);
  const headers = { 'user-agent': 'OpenAI/JS 5.0.0' };
  const path = '/v1/chat/completions';
  const reader = await openStream(t, world.server.url + path, { method: 'POST', body, headers });

  await say(idOf(reader), ['Hello'], ['Hel', 'p'], () => contentIn(reader) === 'Hello');
  await reader.ended;

  assert.equal(contentIn(reader), 'Hello');
  const error = JSON.parse(dataIn(reader).at(-1)!);
  assert.equal(error.details, 'OutputRestarted');
  assert.match(error.error.message, /cut off and ran again/);
  assert.doesNotMatch(reader.text, /DONE/);
});

test('our own stream says that the output of a step begins anew; a reader who comes later has the last attempt alone', async (t) => {
  const { world, say } = await givenWriter(t);
  const client = createClient({ baseUrl: world.server.url });
  const { executionId } = await client.start({ input_message: 'x' });
  const url = `${world.server.url}/executions/${executionId}/stream`;
  const live = await openStream(t, url);

  await say(executionId, ['Hel', 'lo'], ['Help'], () => live.text.includes('"lo"'));
  await live.ended;
  const late = await openStream(t, url);
  await late.ended;
  const back = [];
  const after = Number(/^id: (\d+)\nevent: output.emitted\ndata: .*"Hel"/m.exec(live.text)?.[1]);
  for await (const event of client.stream(executionId, { after })) back.push(event);
  const journal = await openStream(t, `${world.server.url}/executions/${executionId}/journal`, {
    headers: { accept: 'text/event-stream' },
  });
  await journal.ended;

  const shown = (reader: EventReader) =>
    [...reader.text.matchAll(/^event: output.(\w+)\ndata: (.*)$/gm)].map(([, type, data]) => {
      const { value, step } = JSON.parse(data!);
      return [type, value, step].filter((part) => part !== undefined);
    });
  const [[, , step] = []] = shown(live);
  assert.equal(typeof step, 'number');
  const anew = [
    ['restarted', step],
    ['emitted', 'Help', step],
  ];
  assert.deepEqual(shown(live), [['emitted', 'Hel', step], ['emitted', 'lo', step], ...anew]);
  assert.deepEqual(shown(late), anew);
  assert.deepEqual(
    back.flatMap(({ type, data }) =>
      type === 'output.emitted' ? [data.value] : type === 'output.restarted' ? [type] : [],
    ),
    ['output.restarted', 'Help'],
  );
  assert.match(journal.text, /"Hel"/, 'the journal has every fact');
});

const givenSocket = async (t: TestContext, world: DurableServer) => {
  const { client } = await openSocket(`${world.server.url}/websocket?conversation_id=c1`, {
    cookie: 'nat-session=ada',
  });
  assert.ok(client);
  t.after(() => client.drop());
  client.send(userMessage('x', { conversation_id: 'c1', schema_type: 'generate_stream' }));
  const id = () =>
    immediate(world.server.runtime.list({ userId: undefined, isOperator: true }, { limit: 1 })).executions[0]?.id;
  await until(() => id() !== undefined, 'it has begun');
  return { client, id: id()! };
};

test('on a socket nothing is said twice of a step that runs again and says the same', async (t) => {
  const { world, say } = await givenWriter(t);
  const { client, id } = await givenSocket(t, world);

  await say(id, ['Hel', 'lo'], ['Hello wo', 'rld'], () => client.messages.filter(isText).length === 2);
  const messages = await client.until(isComplete);

  assert.deepEqual(textsOf(messages), ['Hel', 'lo', ' wo', 'rld']);
  assert.equal(messages.filter(isError).length, 0);
});

test('on a socket a step that says something else when it runs again is said anew, behind an error', async (t) => {
  const { world, say } = await givenWriter(t);
  const { client, id } = await givenSocket(t, world);

  await say(id, ['Hello'], ['He', 'y'], () => client.messages.filter(isText).length === 1);
  const messages = await client.until(isComplete);

  const said = messages.filter((message) => isText(message) || isError(message));
  assert.deepEqual(
    said.map((message) => contentOf(message)[isError(message) ? 'message' : 'text']),
    ['Hello', 'The output begins anew', 'He', 'y'],
  );
});
