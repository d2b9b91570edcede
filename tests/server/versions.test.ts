/** Several versions of one workflow behind one server. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { text, workflow } from '../../runtime/index.ts';
import { temporaryDirectory } from '../support/durable.ts';
import { DurableServer } from '../support/durable-server.ts';
import { given } from '../support/given.ts';
import { fermata } from '../support/process.ts';

const runtime = new URL('../../runtime/index.ts', import.meta.url).href;

const first = workflow({
  name: 'asking',
  version: '1',
  input: z.object({ name: z.string() }),
  run: async ({ name }, ctx) => `1: ${name} ${(await ctx.prompt(text({ text: 'Well?' }))).text}`,
});
const second = workflow({
  name: 'asking',
  version: '2',
  input: z.object({ person: z.string() }),
  run: async ({ person }, ctx) => `2: ${person} ${(await ctx.prompt(text({ text: 'Well?' }))).text}`,
});

test('new executions take the newest version, and open ones go on with their own', async (t) => {
  const world = await DurableServer.open(t, first);
  const old = await world.startPrompting({ name: 'Ada' });

  await world.restart(second, first);
  const young = await world.startPrompting({ person: 'Bob' });
  await world.answer(old, 'yes');
  await world.answer(young, 'no');
  const ended = await Promise.all(
    [old, young].map((one) => world.statusWhen(one, ({ status }) => status === 'completed')),
  );

  assert.deepEqual(
    ended.map(({ result }) => result),
    [{ value: '1: Ada yes' }, { value: '2: Bob no' }],
  );
});

test('a workflow that an endpoint names is served in the version that is listed last', async (t) => {
  const other = workflow({ name: 'other', run: () => 'other' });
  const endpoints = [{ functionName: 'asking', method: 'POST', path: '/v1/asking', legacyPath: null }] as const;
  const { call } = await given.server(t, { workflow: other, workflows: [first, second], config: { endpoints } });

  const { status } = await call('POST /v1/asking', { body: { person: 'Bob' } });
  const listed = (await call('GET /workflows')).body as { workflows: { input: { required?: string[] } | null }[] };

  assert.equal(status, 202);
  assert.deepEqual(
    listed.workflows.map(({ input }) => input?.required),
    [undefined, ['person']],
  );
});

/** A module whose default export is that version, and which has the one before beside it. */
const moduleOf = (version: number): string => `
  import { workflow } from '${runtime}';
  const of = (version) => workflow({ name: 'greeting', version, run: () => 'version ' + version });
  export default of('${version}');
  export const older = of('${version - 0.5}');
`;

test('fermata serve takes several modules, and says which versions it serves', async (t) => {
  const folder = temporaryDirectory(t);
  for (const version of [1, 2]) await writeFile(join(folder, `v${version}.mjs`), moduleOf(version));
  const process = fermata(t, ['serve', 'v1.mjs', 'v2.mjs', '--port', '0'], {}, '', folder);
  const url = await process.url();

  const reply = await fetch(`${url}/v1/workflow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  await process.printed(
    /New executions of greeting use version 2\. Open executions of 0\.5, 1, 1\.5 continue/,
    'stderr',
  );
  const listening = process.log.find(({ msg }) => msg === 'listening');

  assert.deepEqual(await reply.json(), { value: 'version 2' });
  assert.deepEqual([listening?.version, listening?.olderVersions], ['2', ['0.5', '1', '1.5']]);
});

test('two modules with the same version of a workflow are refused by name', async (t) => {
  const folder = temporaryDirectory(t);
  for (const file of ['a.mjs', 'b.mjs']) await writeFile(join(folder, file), moduleOf(1));
  const process = fermata(t, ['serve', 'a.mjs', 'b.mjs', '--port', '0'], {}, '', folder);

  assert.equal(await process.ended, 2);
  assert.match(process.stderr, /two workflows have the name greeting and the version (0\.5|1)/);
});
