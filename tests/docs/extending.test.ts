/** The route and the protocol of the page on extending work as they stand there. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { nat, openApi, type Protocol } from '../../server/index.ts';
import { given } from '../support/given.ts';
import { readPage } from '../support/markdown.ts';

/** The function of the page. Its files are saved elsewhere, and import the server of this repository. */
const toyOf = async (t: TestContext): Promise<(options?: { path?: string }) => Protocol> => {
  const folder = await mkdtemp(join(tmpdir(), 'fermata-extending-'));
  t.after(() => rm(folder, { recursive: true }));
  const server = new URL('../../server/', import.meta.url).href;
  const { blocks } = await readPage('docs/extending.md');
  await mkdir(join(folder, 'server/toy'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const { info, code } of blocks.filter((block) => block.info.startsWith('ts server/'))) {
    const text = code.replaceAll("'../", `'${server}`).replaceAll("'zod'", `'${import.meta.resolve('zod')}'`);
    await writeFile(join(folder, info.slice('ts '.length)), text);
  }
  return (await import(join(folder, 'server/toy/toy.ts'))).toy;
};

const echo = workflow({ name: 'echo', run: (input) => input });

test('the protocol of the page starts an execution and shows it', async (t) => {
  const toy = await toyOf(t);
  const { call } = await given.server(t, { workflow: echo, protocols: [nat(), toy({ path: '/play' }), openApi()] });

  const started = await call('POST /play', { body: { input: 'hello' } });
  const { id } = started.body as { id: string };

  assert.equal(started.status, 200);
  assert.deepEqual((await call(`GET /play/${id}`)).body, {
    execution_id: id,
    status: 'completed',
    result: { value: 'hello' },
  });
  assert.equal((await call('GET /play/none')).status, 404);
});

test('the schema of the route is its parser, and its entry in the OpenAPI document', async (t) => {
  const toy = await toyOf(t);
  const { call } = await given.server(t, { workflow: echo, protocols: [toy(), openApi()] });

  const refused = await call('POST /toy', { body: [] });
  const { paths } = (await call('GET /openapi.json')).body as {
    paths: Record<string, { post: { requestBody: object; responses: Record<string, { content: object }> } }>;
  };

  assert.equal(refused.status, 422);
  assert.deepEqual(refused.body, {
    detail: [
      {
        type: 'model_attributes_type',
        loc: ['body'],
        msg: 'Input should be a valid dictionary or object to extract fields from',
        input: [],
      },
    ],
  });
  const { requestBody, responses } = paths['/toy']!.post;
  assert.match(JSON.stringify(requestBody), /"properties":\{"input":\{\}\}/);
  assert.match(JSON.stringify(responses[200]), /"properties":\{"id":\{"type":"string"\}\}/);
  assert.ok(responses[422]);
});
