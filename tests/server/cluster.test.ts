/** Three `fermata serve` on one database, as the README starts them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openStream } from '../support/event-reader.ts';
import { postgres, withoutPostgres } from '../support/postgres.ts';
import { type FermataProcess, fermata } from '../support/process.ts';
import { roundRobin } from '../support/round-robin.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

type Started = { readonly execution_id: string; readonly status_url: string; readonly response_url: string };
type Status = { readonly status: string; readonly result?: unknown };

const json = { 'content-type': 'application/json' };
const yes = JSON.stringify({ response: { type: 'binary_choice', selected_option: { id: 'yes' } } });

const threeServers = async (t: TestContext) => {
  const data = await (await postgres()).database();
  const serve = (): FermataProcess =>
    fermata(t, ['serve', 'examples/02-approval.ts', '--port', '0', '--data', data], { FERMATA_DATA: data });
  const processes = [serve(), serve(), serve()];
  const urls = await Promise.all(processes.map((one) => one.url()));
  return { processes, urls: urls as [string, string, string] };
};

const begin = async (origin: string): Promise<Started> => {
  const reply = await fetch(`${origin}/v1/workflow`, { method: 'POST', headers: json, body: '{"amount": 5000}' });
  assert.equal(reply.status, 202);
  return (await reply.json()) as Started;
};

const answer = async (url: string): Promise<number> =>
  (await fetch(url, { method: 'POST', headers: json, body: yes })).status;

const settled = async (url: string): Promise<Status> => {
  for (;;) {
    const status = (await (await fetch(`${url}?wait=10`)).json()) as Status;
    if (status.status !== 'running' && status.status !== 'interaction_required') return status;
  }
};

it('an execution starts at one server, is answered at another, and is streamed at a third; each may be killed', async (t) => {
  const { processes, urls } = await threeServers(t);
  const [first, second, third] = urls;
  const started = await begin(first);
  const stream = await openStream(t, `${third}${started.status_url}/stream`);
  await stream.frames(2);
  const polled = settled(third + started.status_url);

  processes[0]!.signal('SIGKILL');
  assert.equal(await answer(second + started.response_url), 204);

  assert.deepEqual(await polled.then(({ status, result }) => [status, result]), ['completed', { approved: true }]);
  await stream.ended;
  const events = (await stream.frames()).map((frame) => /^event: (.*)$/m.exec(frame)?.[1]);
  assert.deepEqual(events, [
    'execution.started',
    'interaction.requested',
    'interaction.answered',
    'execution.completed',
  ]);
  assert.ok(stream.isComplete);
  const [, , last] = await stream.frames();
  const id = /^id: (.*)$/m.exec(last!)![1]!;
  const rest = await openStream(t, `${second}${started.status_url}/stream`, { headers: { 'last-event-id': id } });
  await rest.ended;
  assert.deepEqual(
    (await rest.frames()).map((frame) => /^event: (.*)$/m.exec(frame)?.[1]),
    ['execution.completed'],
    'the number of an event is good at every server',
  );
});

it('behind a round-robin that knows nothing of executions, a client needs to know nothing of servers', async (t) => {
  const { processes, urls } = await threeServers(t);
  const ports = urls.map((url) => Number(new URL(url).port));
  const balancer = await roundRobin(t, ports);
  const executions = await Promise.all(Array.from({ length: 6 }, () => begin(balancer)));
  for (const { status_url } of executions) {
    for (let each = 0; each < ports.length; each += 1) {
      const status = (await (await fetch(balancer + status_url)).json()) as Status;
      assert.equal(status.status, 'interaction_required');
    }
  }

  processes[1]!.signal('SIGKILL');
  await processes[1]!.ended;
  const answers = await Promise.all(executions.map(({ response_url }) => answer(balancer + response_url)));

  assert.deepEqual(answers, Array(6).fill(204));
  for (const { status_url } of executions)
    assert.deepEqual((await settled(balancer + status_url)).result, { approved: true });
});
