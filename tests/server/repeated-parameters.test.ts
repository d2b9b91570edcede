/**
 * Parameters of a query that come twice, or as lists of other frameworks write them. Our routes refuse a repeated parameter,
 * because readers on the way may take another one. On NAT's routes the last one counts, as on NAT.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../runtime/index.ts';
import { given, operator, type ServerWorld } from '../support/given.ts';
import { openRequest } from '../support/http-client.ts';

const alice = { 'x-api-key': 'alice' };
const ask = workflow({ name: 'ask', run: async (_: unknown, ctx) => (await ctx.prompt(text({ text: 'Who?' }))).text });

type Described = Record<string, Record<string, { parameters?: readonly { name: string; in: string }[] }>>;

/** Each route of the document, with the parameters that its query may have. */
const routesOf = async ({ call }: ServerWorld): Promise<[line: string, parameters: string[]][]> => {
  const { body } = await call('GET /openapi.json');
  const { paths } = body as { paths: Described };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters = [] }]) =>
      method === 'parameters'
        ? []
        : [[`${method.toUpperCase()} ${path}`, parameters.flatMap((one) => (one.in === 'query' ? one.name : []))]],
    ),
  ) as [string, string[]][];
};

const givenServer = async (t: Parameters<typeof given.server>[0]) => {
  const world = await given.server(t, {
    workflow: ask,
    config: { asyncJobs: true, monitorUsers: true, objectStore: 'memory' },
  });
  const { headers } = await world.call('POST /v1/workflow', { headers: alice, body: {} });
  const id = headers.get('execution-id')!;
  /** The status; `headers` are those of alice by default. The connection is closed then: some replies never end. */
  const statusOf = async (line: string, query: string, headers: Record<string, string> = alice): Promise<number> => {
    const path = line.replace(/\{execution_?id\}/i, id).replace(/\{[^}]*\}/g, 'x');
    const reply = await openRequest(world.server.url, `${path}${query}`, {
      headers,
      ...(line.startsWith('P') && { body: {} }),
    });
    reply.destroy();
    return reply.statusCode ?? 0;
  };
  return { ...world, id, statusOf };
};

/** Of our own interface. All others are NAT's, or extend its routes. */
const isOurs = (line: string): boolean => /\/(executions|interactions|inspect)\b/.test(line);
/** The inspector takes several kinds. */
const REPEATABLE: ReadonlySet<string> = new Set(['kind']);
const VALID: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['wait', ['0', '0']],
  ['after', ['0', '1']],
  ['limit', ['1', '2']],
  ['status', ['completed', 'failed']],
  ['payloads', ['0', '1']],
]);

test('a repeated parameter is refused on our routes, and the last one counts on those of NAT', async (t) => {
  const world = await givenServer(t);
  const routes = await routesOf(world);
  const tried: string[] = [];

  for (const [line, parameters] of routes) {
    for (const name of parameters) {
      const [one, other] = VALID.get(name) ?? ['x', 'y'];
      tried.push(`${line}?${name}`);
      const plain = await world.statusOf(line, `?${name}=${other}`);
      const repeated = await world.statusOf(line, `?${name}=${one}&${name}=${other}`);
      const isRefused = isOurs(line) && !REPEATABLE.has(name);
      assert.equal(repeated, isRefused ? 422 : plain, `${line} ${name}`);
      if (!line.includes('/inspect')) continue;
      assert.equal(await world.statusOf(line, `?${name}[]=${one}`), 422);
    }
  }
  assert.ok(tried.length > 10, tried.join());
});

test('lists as other frameworks write them are parameters that no route has', async (t) => {
  const world = await givenServer(t);
  const routes = (await routesOf(world)).filter(([line]) => !line.startsWith('DELETE') && !line.includes('/inspect'));
  for (const [line, parameters] of routes) {
    const plain = await world.statusOf(line, '');
    for (const name of [...parameters, 'a', '__proto__']) {
      const [one, other] = VALID.get(name) ?? ['x', 'y'];
      for (const query of [
        `${name}[]=${one}&${name}[]=${other}`,
        `${name}[0]=${one}`,
        `${name}[x]=${one}`,
        'a=1&a=2',
      ]) {
        assert.equal(await world.statusOf(line, `?${query}`), plain, `${line} ${query}`);
      }
    }
  }
  for (const { id } of (await world.runtime.list(operator, { limit: 1_000 })).executions) {
    await world.runtime.cancel(id, operator).catch(() => {});
  }
});
