/** `fermata serve --data postgres://...`: a process that is killed, and the one that continues. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { postgres, withoutPostgres } from '../support/postgres.ts';
import { type FermataProcess, fermata } from '../support/process.ts';

const serve = (t: TestContext, data: string): FermataProcess =>
  fermata(t, ['serve', 'examples/02-approval.ts', '--port', '0', '--data', data], { FERMATA_DATA: data });

type Status = {
  readonly status: string;
  readonly interaction?: { readonly response_url: string };
  readonly result?: unknown;
};

const json = async (url: string, init?: RequestInit): Promise<Status> => {
  const reply = await fetch(url, { headers: { 'content-type': 'application/json' }, ...init });
  assert.ok(reply.ok, `${reply.status} ${url}`);
  return reply.status === 204 ? { status: '' } : ((await reply.json()) as Status);
};

test('what one process has started, another one shows and finishes after the first was killed', {
  skip: withoutPostgres,
}, async (t) => {
  const data = await (await postgres()).database();
  const first = serve(t, data);
  const origin = await first.url();
  const started = await fetch(`${origin}/v1/workflow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"amount": 5000}',
  });
  const { status_url, response_url } = (await started.json()) as { status_url: string; response_url: string };
  assert.equal(started.status, 202);
  const second = serve(t, data);

  first.signal('SIGKILL');

  const next = await second.url();
  assert.equal((await json(next + status_url)).status, 'interaction_required');
  const answer = { response: { type: 'binary_choice', selected_option: { id: 'yes' } } };
  await json(next + response_url, { method: 'POST', body: JSON.stringify(answer) });
  const now = () => json(`${next}${status_url}?wait=10`);
  let { status, result } = await now();
  while (status === 'running') ({ status, result } = await now());
  assert.deepEqual([status, result], ['completed', { approved: true }]);
  assert.deepEqual(
    second.log.find(({ msg }) => msg === 'executions are stored in a database')?.database,
    'localhost/test1',
  );
  assert.doesNotMatch(second.stdout, /postgres:\/\//);
});
