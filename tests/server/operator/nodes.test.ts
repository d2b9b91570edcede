/** Servers that share a database: who they are, and whether they take work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import type { Told } from '../../../runtime/store/postgres/beats.ts';
import { createHandler } from '../../../server/index.ts';
import { openPostgres, postgres, withoutPostgres } from '../../support/postgres.ts';

const hello = workflow({ name: 'hello', version: '3', run: () => 'hello' });
const operatorKey = 'the key of the operator';

test('a server lists the others, and is not ready while its lease is over', { skip: withoutPostgres }, async (t) => {
  const server = await postgres();
  const url = await server.database();
  const time = { now: 1_000, monotonic: () => time.now, wall: () => time.now };
  let told: (what: Told) => void = () => {};
  const other = await openPostgres(url);
  t.after(() => other.close());
  const store = await openPostgres(url, {
    time,
    beat: (beating) => {
      told = (what) => beating.told(what);
      return { begun: Promise.resolve(), close: async () => {} };
    },
  });
  const handler = await createHandler({ workflow: hello, store, config: { identity: { operatorKey: [operatorKey] } } });
  t.after(() => handler.close());
  const get = (path: string, headers: Record<string, string> = {}) =>
    handler(new Request(`http://localhost${path}`, { headers: { host: 'localhost', ...headers } }));

  const { nodes } = (await (await get('/nodes', { 'x-operator-key': operatorKey })).json()) as {
    nodes: { id: string; address: string; lease_ms: number; serves: unknown; executions: number; is_this: boolean }[];
  };

  assert.deepEqual(
    nodes.map(({ id, serves, executions, is_this }) => ({ id, serves, executions, is_this })),
    [
      { id: other.cluster.id, serves: [], executions: 0, is_this: false },
      { id: store.cluster.id, serves: [{ workflow: 'hello', version: '3' }], executions: 0, is_this: true },
    ],
  );
  assert.ok(nodes.every(({ address, lease_ms }) => address.endsWith(` ${process.pid}`) && lease_ms > 3_000_000));
  assert.equal((await get('/nodes')).status, 403);
  assert.equal((await get('/metrics')).status, 403);

  assert.equal((await get('/health/ready')).status, 200);
  time.now += 3_600_000;
  const unready = await get('/health/ready');
  assert.deepEqual([unready.status, unready.headers.get('retry-after')], [503, '1']);
  assert.equal((await get('/health')).status, 200);
  const metrics = await get('/metrics', { 'x-operator-key': operatorKey });
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const text = await metrics.text();
  assert.deepEqual(
    text.split('\n').filter((line) => /^fermata/.test(line)),
    ['fermata_ready 0', 'fermata_lost_writes_total 0', 'fermata_lease_losses_total 1', 'fermata_taken_total 0'],
  );
  await server.sql("UPDATE fermata.nodes SET expires_at = 'infinity'", url);
  time.now = 1_000;
  told('extended');
  assert.equal((await get('/health/ready')).status, 200);
});
