/** One large output arrives whole, as large as a journal can store it, at subscribers that are there and keep up. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Runtime, workflow } from '../../runtime/index.ts';
import { isOnWeb } from '../support/adapter.ts';
import { DurableServer } from '../support/durable-server.ts';
import { openStream } from '../support/event-reader.ts';
import { given, type HttpReply } from '../support/given.ts';
import { until } from '../support/http.ts';
import type { RequestOptions } from '../support/http-client.ts';
import { viewsOf } from '../support/in-process.ts';
import { contentOf, isComplete, isError, isText, userMessage } from '../support/socket-server.ts';
import { openSocket } from '../support/web-socket.ts';

/** More than half of what a journal stores: there is no room in it for such an output and for the result, which repeats it. */
const LARGE = 'x'.repeat(3_500_000);

const large = workflow({
  name: 'large',
  async *run() {
    yield 'first';
    yield LARGE;
    yield 'last';
  },
});
const answering = workflow({ name: 'answering', run: async (_input: unknown, ctx) => ctx.step('large', () => LARGE) });

interface World {
  readonly server: { readonly url: string; readonly runtime: Runtime; readonly openRequests: number };
  call(line: string, options?: RequestOptions): Promise<HttpReply>;
}

const chat = { messages: [{ role: 'user', content: 'x' }], stream: true };
const adapters = isOnWeb() ? [undefined] : (['uws', 'node'] as const);
const places = adapters.flatMap((adapter) => {
  const config = { ...(adapter && { adapter }), port: 0 };
  const world: Record<string, (t: TestContext, served: typeof large | typeof answering) => Promise<World>> = {
    'in memory': (t, served) => given.server(t, { workflow: served, config }),
    'in a directory': (t, served) => DurableServer.open(t, served, config),
  };
  return Object.entries(world).map(([place, open]) => ({ place: `${place}, on ${adapter ?? 'web'}`, open }));
});

/** No subscriber, request or commit is left of it. */
const isOver = ({ server }: World) =>
  until(
    () => server.openRequests === 0 && viewsOf(server.runtime).every((view) => view.isSettled && view.watchers === 0),
    'the end',
  );

for (const { place, open } of places) {
  for (const path of ['/v1/workflow/stream', '/generate/full', '/v1/chat/completions']) {
    test(`an output of 3.5 MB arrives whole on ${path}, executions being ${place}`, async (t) => {
      const world = await open(t, large);

      const reader = await openStream(t, world.server.url + path, { method: 'POST', body: chat });
      await reader.ended;

      const said = [...reader.text.matchAll(/first|x{1000,}|last/g)].map(([text]) => text.length);
      assert.deepEqual(said.slice(0, 3), ['first'.length, LARGE.length, 'last'.length]);
      assert.doesNotMatch(reader.text, /"code"|event: (error|truncated)/);
      await isOver(world);
    });
  }

  test(`an output of 3.5 MB arrives whole on a socket, executions being ${place}`, { skip: isOnWeb() }, async (t) => {
    const world = await open(t, large);
    const { client } = await openSocket(`${world.server.url}/websocket`);
    t.after(() => client?.drop());

    client!.send(userMessage('x', { schema_type: 'generate_stream' }));
    const messages = await client!.until(isComplete, 20_000);

    assert.deepEqual(messages.filter(isError).map(contentOf), []);
    assert.deepEqual(
      messages.filter(isText).map((message) => String(contentOf(message).text).length),
      ['first'.length, LARGE.length, 'last'.length],
    );
    client!.drop();
    await isOver(world);
  });

  test(`a result of 3.5 MB is read whole by poll, wait and stream, executions being ${place}`, async (t) => {
    const world = await open(t, answering);
    const started = await world.call('POST /v1/workflow', { headers: { prefer: 'respond-async' }, body: {} });
    const { execution_id: id } = started.body as { execution_id: string };

    const waited = await world.call(`GET /executions/${id}?wait=20`);
    for (let { body } = waited; (body as { status: string }).status !== 'completed'; )
      ({ body } = await world.call(`GET /executions/${id}?wait=20`));
    const polled = await world.call(`GET /executions/${id}`);
    const stream = await openStream(t, `${world.server.url}/executions/${id}/stream`);
    await stream.ended;
    const direct = await world.call('POST /v1/workflow', { body: {} });

    assert.deepEqual((polled.body as { result: unknown }).result, { value: LARGE });
    assert.deepEqual(direct.body, { value: LARGE });
    assert.ok(stream.text.includes(LARGE) && stream.isComplete);
    assert.doesNotMatch(stream.text, /event: (error|truncated)/);
    await isOver(world);
  });
}
