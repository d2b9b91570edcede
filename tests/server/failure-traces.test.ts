/** Where a workflow has thrown: operators see it, callers never. The routes are the server's own list. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Log, StoredExecutions, silentLog, text, workflow } from '../../runtime/index.ts';
import { createServer } from '../../server/index.ts';
import { temporaryDirectory } from '../support/durable.ts';
import { openStream } from '../support/event-reader.ts';
import { call, given } from '../support/given.ts';
import { until } from '../support/http.ts';
import { viewsOf } from '../support/in-process.ts';

const operator = { 'x-operator-key': 'the key of the operator' };
const ada = { cookie: 'nat-session=ada-who-has-a-long-name' };

/** Its name is in the stack, and nowhere else. */
function brokenInside(): never {
  throw new RangeError('It broke.');
}
const broken = workflow({ name: 'broken', run: async () => brokenInside() });

const givenFailed = async (t: TestContext) => {
  const logged: object[] = [];
  const log: Log = { ...silentLog, error: (fields, message) => void logged.push({ ...fields, message }) };
  const data = temporaryDirectory(t);
  const config = {
    ...{ host: '127.0.0.1', port: 0, data, asyncJobs: true, monitorUsers: true, objectStore: 'memory' as const },
    identity: { operatorKey: operator['x-operator-key'] },
  };
  const server = await createServer({ workflow: broken, config, log });
  t.after(() => server.close());
  const started = await call(server.url, 'POST /v1/workflow', { body: {}, headers: ada });
  const id = started.headers.get('execution-id') ?? '';
  return { server, data, logged, started, id };
};

test('a workflow that throws is logged with its stack and the id of its execution', async (t) => {
  const { logged, id } = await givenFailed(t);

  const [line] = logged as { executionId: string; workflow: string; err: Error }[];
  assert.deepEqual([logged.length, line?.executionId, line?.workflow], [1, id, 'broken']);
  assert.match(line?.err.stack ?? '', /RangeError: It broke\.\n.*brokenInside/);
});

test('operators find the stack in the journal, as a page and as a stream, and in the directory', async (t) => {
  const { server, data, id } = await givenFailed(t);

  const page = await call(server.url, `GET /executions/${id}/journal`, { headers: operator });
  const stream = await call(server.url, `GET /executions/${id}/journal`, {
    headers: { ...operator, accept: 'text/event-stream' },
  });
  const stored = new StoredExecutions(data);
  t.after(() => stored.close());

  for (const shown of [page.body, stream.body, stored.journal(id)]) assert.match(JSON.stringify(shown), /brokenInside/);
});

test('no route shows its caller the stack, whichever way it shows the failure', async (t) => {
  const { server, id, started } = await givenFailed(t);
  const { body } = await call(server.url, 'GET /openapi.json');
  const lines = Object.entries((body as { paths: Record<string, object> }).paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{execution_?id\}/i, id)}`),
  );
  assert.ok(lines.some((line) => line.includes(id)) && lines.length > 30, 'the list has the routes of executions');
  let failures = 0;

  for (const line of lines.map((one) => one.replaceAll(/\{[^}]*\}/g, 'x'))) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const asked = { headers: { ...ada, accept }, ...(line.startsWith('POST') && { body: bodyOf(line) }) };
      const stops = AbortSignal.timeout(3_000);
      const reply = await call(server.url, line, { ...asked, signal: stops }).catch(() => undefined);
      const text = JSON.stringify([reply?.body, [...(reply?.headers ?? [])]]);
      assert.doesNotMatch(text, /brokenInside|failure-traces/, `${line} (${accept})`);
      if (text.includes('It broke.')) failures += 1;
    }
  }
  assert.doesNotMatch(JSON.stringify(started.body), /brokenInside/);
  assert.ok(failures >= 8, `${failures} replies showed the failure`);
});

const bodyOf = (line: string): object =>
  line.includes('chat')
    ? { messages: [{ role: 'user', content: 'x' }], model: 'x', stream: line.includes('stream') }
    : {};

test('an owner that follows the journal of a run gets its failure without the stack, operators with it', async (t) => {
  const asking = workflow({
    name: 'asking',
    run: async (_input: unknown, ctx) => {
      await ctx.prompt(text({ text: 'Go on?' }));
      return brokenInside();
    },
  });
  const config = { identity: { operatorKey: operator['x-operator-key'] } };
  const { server, runtime } = await given.server(t, { workflow: asking, config });
  const { body } = await call(server.url, 'POST /v1/workflow', { body: {}, headers: ada });
  const { execution_id: id } = body as { execution_id: string };
  const streams = await Promise.all(
    [ada, operator].map((headers) =>
      openStream(t, `${server.url}/executions/${id}/journal`, { headers: { ...headers, accept: 'text/event-stream' } }),
    ),
  );
  const [view] = viewsOf(runtime);
  await until(() => view?.watchers === 2, 'both subscribers');

  const [pause] = view!.context.pauses;
  await runtime.answer(id, pause!.id, { kind: 'text', text: 'yes' }, { userId: undefined, isOperator: true });
  await Promise.all(streams.map(({ ended }) => ended));

  assert.deepEqual(
    streams.map(({ text: shown }) => [/It broke/.test(shown), /brokenInside/.test(shown)]),
    [
      [true, false],
      [true, true],
    ],
  );
});
