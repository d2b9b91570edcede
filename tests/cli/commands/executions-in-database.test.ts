/** `fermata executions` with a database, beside a process that has it, and without one. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { readCommandLine } from '../../../cli/command-line.ts';
import { executions } from '../../../cli/commands/executions.ts';
import type { Streams } from '../../../cli/host.ts';
import { refusal } from '../../../cli/refusals.ts';
import { text, workflow } from '../../../runtime/index.ts';
import { alice } from '../../support/callers.ts';
import { postgres, withoutPostgres } from '../../support/postgres.ts';
import { PostgresNodes } from '../../support/postgres-nodes.ts';
import { start } from '../../support/start.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

const asking = workflow({
  name: 'asking',
  run: async (input: unknown, ctx) => (input === 'instant' ? 'done' : (await ctx.prompt(text({ text: 'Who?' }))).text),
});

const look = async (data: string, command: string, ...typed: string[]) => {
  const asked = readCommandLine(['executions', command, '--data', data, ...typed]);
  assert.ok(asked.run === 'executions');
  const [stdout, stderr] = [new PassThrough({ encoding: 'utf8' }), new PassThrough({ encoding: 'utf8' })];
  let said = '';
  let code = 0;
  const streams = { stdout, stderr } as unknown as Streams;
  await executions(asked, { env: {}, streams }).catch((thrown: unknown) => {
    ({ said, exitCode: code } = refusal(thrown));
  });
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') + said };
};

/** A process with a waiting execution, and with an ended one. */
const world = async (t: TestContext) => {
  const nodes = await PostgresNodes.open(t);
  const node = await nodes.add({ workflows: [asking] });
  const { execution: live } = await start(node.runtime, { workflow: 'asking', by: alice });
  await node.runtime.waitUntil(live, ({ context }) => context.pauses.length > 0);
  const { execution: settled } = await start(node.runtime, { workflow: 'asking', by: alice, input: 'instant' });
  await node.runtime.waitUntil(settled, ({ isSettled }) => isSettled);
  await nodes.quiet();
  return {
    nodes,
    node,
    live: live.id,
    settled: settled.id,
    look: (...typed: [string, ...string[]]) => look(nodes.url, ...typed),
  };
};

it('executions of a database are listed, shown and exported beside the process that has it', async (t) => {
  const { live, settled, look } = await world(t);

  const lines = (await look('ls', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const page = await look('ls', '--limit', '1', '--json');
  const shown = await look('show', '--', live);
  const exported = (await look('export', '--all')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const unknown = await look('show', 'unknown');

  assert.deepEqual(
    lines.map(({ execution_id, status, owner }) => [execution_id, status, owner]),
    [
      [settled, 'completed', 'alice'],
      [live, 'interaction_required', 'alice'],
    ],
  );
  assert.equal(JSON.parse(page.stdout).execution_id, settled);
  assert.match(page.stderr, /There are more than 1/);
  assert.match(shown.stdout, /Who\?/);
  assert.deepEqual(
    exported.map(({ entries }) => entries.at(-1).type),
    ['execution.completed', 'interaction.requested'],
  );
  assert.deepEqual([unknown.code, /has the id unknown/.test(unknown.stderr)], [2, true]);
});

it('an ended execution is removed at any time, and a live one only while no process has the database', async (t) => {
  const { nodes, node, live, settled, look } = await world(t);

  const refused = [
    await look('rm', '--', live),
    await look('rm', '--force', '--', live),
    await look('rm', '--', 'unknown', settled),
  ];
  const removed = await look('rm', '--', settled);
  await nodes.expire(node);
  const forced = await look('rm', '--force', '--', live);

  assert.deepEqual(
    refused.map(({ code }) => code),
    [2, 2, 2],
  );
  assert.match(refused[0]!.stderr, /is live. Use --force/);
  assert.match(refused[1]!.stderr, /is in use by .*Stop the servers/);
  assert.deepEqual([removed.stderr, forced.stderr], ['1 removed.\n', '1 removed.\n']);
  assert.deepEqual(await nodes.sql('SELECT id FROM fermata.executions'), []);
  assert.deepEqual(await nodes.sql('SELECT n FROM fermata.journal'), []);
});

it('executions that ended long ago are removed', async (t) => {
  const { nodes, live, look } = await world(t);

  const removed = await look('rm', '--settled-before', 'PT0S');

  assert.equal(removed.stderr, '1 removed.\n');
  assert.deepEqual(await nodes.sql('SELECT id FROM fermata.executions'), [{ id: live }]);
});

it('a database without executions, and one that cannot be reached, are refused by name', async () => {
  const empty = await look(await (await postgres()).database(), 'ls');
  const missing = await look('postgres://ada:hidden@127.0.0.1:1/fermata', 'ls');

  assert.deepEqual([empty.code, missing.code], [2, 2]);
  assert.match(empty.stderr, /The database .* has no executions/);
  assert.match(missing.stderr, /The database 127.0.0.1:1\/fermata cannot be opened/);
  assert.doesNotMatch(missing.stderr, /hidden/);
});
