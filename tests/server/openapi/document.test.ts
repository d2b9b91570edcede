/** The OpenAPI document is a good one, and leaves nothing out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { z } from 'zod';
import { workflow } from '../../../runtime/index.ts';
import type { Route } from '../../../server/http/route.ts';
import { openApiOf } from '../../../server/openapi/document.ts';
import { route as routeOf } from '../../../server/wire/route.ts';
import { given } from '../../support/given.ts';
import type { Document } from '../../support/openapi-replies.ts';

const node = z.object({
  label: z.string(),
  get children() {
    return z.array(node);
  },
});
const tree = workflow({ name: 'a tree', input: node, output: z.string(), run: ({ label }) => label });
const open = workflow({ name: 'open', run: () => 1 });

const everything = { monitorUsers: true, asyncJobs: true, objectStore: 'memory', rootPath: '/api' } as const;
const endpoint = {
  functionName: 'open',
  method: 'GET',
  path: '/open',
  legacyPath: '/older',
} as const;

const described = { title: 'Test', version: '1', rootPath: '' };
const route = (path: string, more: Partial<Route> = {}, reply?: z.ZodType): Route => ({
  ...routeOf({
    method: 'GET',
    path,
    ...(reply && { reply }),
    about: { tag: 'server', summary: 'One', answers: { 204: 'Done.' } },
    handle: () => ({ status: 204 }),
  }),
  ...more,
});

test('the document of a server that serves everything is without fault to a linter', async (t) => {
  const world = await given.server(t, {
    workflow: tree,
    workflows: [open],
    config: { ...everything, endpoints: [endpoint], enableInteractiveExtensions: true },
  });

  const { status, body } = await world.call('GET /openapi.json');

  const config = await createConfig({ extends: ['recommended-strict'] });
  const found = await lintFromString({ source: JSON.stringify(body), config });
  assert.equal(status, 200);
  assert.deepEqual(
    found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  );
  assert.equal((body as Document).servers[0]?.url, '/api');
});

test('the linter finds what is wrong', async () => {
  const document = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths: { '/a/{b}': { get: {} } } };

  const found = await lintFromString({
    source: JSON.stringify(document),
    config: await createConfig({ extends: ['recommended-strict'] }),
  });

  assert.ok(found.some(({ ruleId }) => ruleId === 'path-parameters-defined' || ruleId === 'operation-summary'));
});

test('each workflow is described where it is served, by its own schemas', async (t) => {
  const { call } = await given.server(t, { workflow: tree, workflows: [open], config: { endpoints: [endpoint] } });

  const { paths, components } = (await call('GET /openapi.json')).body as Document;

  const input = components.schemas['a.20.tree.input'] as { properties: { children: { items: unknown } } };
  assert.deepEqual(input.properties.children.items, { $ref: '#/components/schemas/a.20.tree.input' });
  assert.deepEqual(components.schemas['a.20.tree.output'], {
    type: 'object',
    properties: { value: { type: 'string' } },
    required: ['value'],
  });
  assert.deepEqual(Object.keys(paths['/v1/workflow']!.post!.responses), ['200', '202', '422', '429', '4XX', '5XX']);
  assert.deepEqual(Object.keys(paths['/generate']!.post!.responses), ['200', '422', '429', '4XX', '5XX']);
  assert.ok(paths['/open']?.get);
  assert.ok(!('job' in components.schemas));
});

test('the input of a workflow may contain schemas that contain themselves', async (t) => {
  const forest = workflow({ name: 'forest', input: z.object({ trees: z.array(node) }), run: () => 1 });
  const { call } = await given.server(t, { workflow: forest });

  const { status, body } = await call('GET /openapi.json');

  const inner = '#/components/schemas/forest.input/$defs/__schema0';
  assert.equal(status, 200);
  assert.deepEqual((body as Document).components.schemas['forest.input'], {
    type: 'object',
    properties: { trees: { type: 'array', items: { $ref: inner } } },
    required: ['trees'],
    $defs: {
      __schema0: {
        type: 'object',
        properties: { label: { type: 'string' }, children: { type: 'array', items: { $ref: inner } } },
        required: ['label', 'children'],
      },
    },
  });
});

test('a parameter and a rest of a path become parameters, and operations have names of their own', () => {
  const routes = [route('/a/:b'), route('/a-b'), route('/a_b'), route('/files/*', { method: 'DELETE' })];

  const { paths } = openApiOf(routes, described) as unknown as Document;

  assert.deepEqual(Object.keys(paths), ['/a/{b}', '/a-b', '/a_b', '/files/{path}']);
  const names = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  assert.deepEqual(names, ['getAByB', 'getAB', 'getAB2', 'deleteFilesByPath']);
});

test('a route that says nothing about itself is noticed, one that is there to refuse is left out', () => {
  const { about: _, ...silent } = route('/silent');

  assert.throws(() => openApiOf([silent], described), /GET \/silent has no description/);
  assert.deepEqual(openApiOf([route('/', { about: null })], described).paths, {});
});

test('a schema with a name is listed once, and both routes refer to it', () => {
  const leaf = z.object({ name: z.string() }).meta({ id: 'Leaf' });
  const routes = [route('/a', {}, z.object({ leaf })), route('/b', {}, z.array(leaf))];

  const document = openApiOf(routes, described);

  const schemaOf = (path: string) => (document as unknown as Document).paths[path]!.get!.responses[200]!.content;
  const reference = { $ref: '#/components/schemas/Leaf' };
  assert.deepEqual(schemaOf('/a'), {
    'application/json': { schema: { type: 'object', properties: { leaf: reference }, required: ['leaf'] } },
  });
  assert.deepEqual(schemaOf('/b'), { 'application/json': { schema: { type: 'array', items: reference } } });
  assert.deepEqual(document.components.schemas.Leaf, {
    type: 'object',
    properties: { name: { type: 'string' } },
    required: ['name'],
  });
});

test('a schema that contains itself is listed under its name, and refused without one', () => {
  const named: z.ZodType = z.object({ items: z.array(z.lazy(() => named)) }).meta({ id: 'Named' });

  const { components } = openApiOf([route('/a', {}, named)], described);

  const items = { type: 'array', items: { $ref: '#/components/schemas/Named' } };
  assert.deepEqual(components.schemas.Named, { type: 'object', properties: { items }, required: ['items'] });
  for (const nameless of [node, z.array(node)]) {
    assert.throws(() => openApiOf([route('/a', {}, nameless)], described), /needs a name/);
  }
});

test('two schemas with one name are refused', () => {
  const [one, other] = [z.object({}).meta({ id: 'Same' }), z.array(z.string()).meta({ id: 'Same' })];

  assert.throws(() => openApiOf([route('/a', {}, one), route('/b', {}, other)], described), /are named Same/);
});
