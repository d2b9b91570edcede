/** `fermata executions`, beside a server that has the directory, and without one. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { readCommandLine } from '../../../cli/command-line.ts';
import { type ExecutionsAsked, executions } from '../../../cli/commands/executions.ts';
import type { Variables } from '../../../cli/config/interpolate.ts';
import type { Streams } from '../../../cli/host.ts';
import { refusal } from '../../../cli/refusals.ts';
import { text, workflow } from '../../../runtime/index.ts';
import { temporaryDirectory } from '../../support/durable.ts';
import { DurableServer } from '../../support/durable-server.ts';
import { fermata } from '../../support/process.ts';

const asking = workflow({
  name: 'asking',
  async run(input: unknown, ctx) {
    if ((input as { instant?: boolean } | null)?.instant) return 'done';
    return (await ctx.prompt(text({ text: 'Who \u001b[31mare\u001b[0m you?' }))).text;
  },
});

const ada = { cookie: 'nat-session=ada' };

/** A server with a waiting execution of Ada's, and an ended one without an owner. */
const givenServer = async (t: TestContext) => {
  const world = await DurableServer.open(t, asking);
  const live = await world.startPrompting({}, ada);
  const reply = await world.call('POST /v1/workflow', { body: { instant: true } });
  const settled = reply.headers.get('execution-id') ?? '';
  return { world, live: live.execution_id, settled };
};

type Looked = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** As a process of its own. */
const lookBeside = async (t: TestContext, data: string, command: string, ...typed: string[]): Promise<Looked> => {
  const process = fermata(t, ['executions', command, '--data', data, ...typed]);
  const code = await process.ended;
  return { code, stdout: process.stdout, stderr: process.stderr };
};

/** The same in this process. */
const look = async (data: string, command: string, ...typed: string[]): Promise<Looked> => {
  const asked = readCommandLine(['executions', command, '--data', data, ...typed]);
  assert.ok(asked.run === 'executions');
  return perform(asked, {});
};

const perform = async (asked: ExecutionsAsked, env: Variables): Promise<Looked> => {
  const [stdout, stderr] = [new PassThrough({ encoding: 'utf8' }), new PassThrough({ encoding: 'utf8' })];
  let said = '';
  let code = 0;
  await executions(asked, { env, streams: { stdout, stderr } as unknown as Streams }).catch((thrown: unknown) => {
    ({ said, exitCode: code } = refusal(thrown));
  });
  return { code, stdout: stdout.read() ?? '', stderr: (stderr.read() ?? '') + said };
};

test('executions are listed beside the server that has them, for people and for programs', async (t) => {
  const { world, live, settled } = await givenServer(t);

  const [table, lines, waiting, first] = await Promise.all([
    lookBeside(t, world.directory, 'ls'),
    look(world.directory, 'ls', '--json'),
    look(world.directory, 'ls', '--status', 'interaction_required', '--workflow', 'asking', '--json'),
    look(world.directory, 'ls', '--limit', '1', '--json'),
  ]);

  const [head = '', ...rows] = table.stdout.trimEnd().split('\n');
  assert.match(head, /^EXECUTION +STATUS +WORKFLOW +OWNER +STARTED +NEXT$/);
  assert.match(rows[0] ?? '', new RegExp(`^${settled} +completed +asking +- .* forgotten in 6 d 23 h$`));
  assert.match(rows[1] ?? '', new RegExp(`^${live} +interaction_required +asking .* due in 6 d 23 h$`));
  const [over, open] = jsonIn(lines.stdout);
  assert.deepEqual([over?.execution_id, over?.status, over?.owner], [settled, 'completed', null]);
  assert.deepEqual([open?.execution_id, open?.settled_at, open?.forgotten_at], [live, null, null]);
  assert.deepEqual(jsonIn(waiting.stdout), [open]);
  assert.deepEqual(jsonIn(first.stdout), [over]);
  assert.equal(first.stderr, 'There are more than 1: --limit shows them.\n');
  assert.deepEqual(
    [table, lines, waiting, first].map(({ code }) => code),
    [0, 0, 0, 0],
  );
});

const jsonIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

test('one that waits is shown with what it waits for and what has happened, and does not steer the terminal', async (t) => {
  const { world, live } = await givenServer(t);

  const { code, stdout } = await look(world.directory, 'show', '--', live);

  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Execution ${live}\n  status +interaction_required\n  workflow +asking, version`));
  assert.match(stdout, /\nWaits for\n {2}an answer to "Who .*you\?" \(text\): without limit, since \d/);
  assert.match(
    stdout,
    /\nJournal\n {2}1 .*Z {2}execution\.started by [\da-f-]+: \{\}\n {2}2 {2}\+\d+ ms +slot\.granted\n/,
  );
  assert.ok(!stdout.includes('\u001b'));
});

test('what is exported are whole journals', async (t) => {
  const { world, live, settled } = await givenServer(t);

  const [all, one] = await Promise.all([
    look(world.directory, 'export', '--all'),
    look(world.directory, 'export', '--', live),
  ]);

  assert.deepEqual(
    jsonIn(all.stdout).map(({ execution_id }) => execution_id),
    [settled, live],
  );
  const [{ entries = [] } = {}] = jsonIn(one.stdout) as { entries?: { type: string }[] }[];
  assert.deepEqual(
    entries.map(({ type }) => type),
    ['execution.started', 'slot.granted', 'interaction.requested'],
  );
});

test('a server goes on when a settled execution is removed, and loses no live one', async (t) => {
  const { world, live, settled } = await givenServer(t);

  const [refused, inUse] = await Promise.all([
    look(world.directory, 'rm', '--', live, settled),
    lookBeside(t, world.directory, 'rm', '--force', '--', live, settled),
  ]);
  const removed = await lookBeside(t, world.directory, 'rm', '--', settled);
  const after = await world.call('POST /v1/workflow', { body: { instant: true } });
  await world.restart();
  const gone = await world.call(`GET /executions/${settled}`);
  const left = await world.call(`GET /executions/${live}`, { headers: ada });

  assert.deepEqual([refused.code, inUse.code, removed.code], [2, 2, 0]);
  assert.match(refused.stderr, new RegExp(`Execution ${live} is live\\. Use --force to remove it`));
  assert.match(inUse.stderr, /in use by process \d+ on .*\. Stop the server before you remove live executions/);
  assert.equal(removed.stderr, '1 removed.\n');
  assert.deepEqual([after.status, gone.status, left.status], [200, 404, 200]);
});

test('while no server runs, live executions go with --force, and old ones by their age', async (t) => {
  const { world, live, settled } = await givenServer(t);
  await world.server.close();

  const forced = await look(world.directory, 'rm', '--force', '--', live);
  const young = await look(world.directory, 'rm', '--settled-before', 'PT1H');
  const old = await look(world.directory, 'rm', '--settled-before', '0');
  const left = await look(world.directory, 'ls');
  await world.restart();

  assert.deepEqual([forced.stderr, young.stderr, old.stderr], ['1 removed.\n', '0 removed.\n', '1 removed.\n']);
  assert.deepEqual(left, { code: 0, stdout: '', stderr: '' });
  for (const id of [live, settled]) assert.equal((await world.call(`GET /executions/${id}`)).status, 404);
  assert.equal((await world.call('POST /v1/workflow', { body: {} })).status, 202);
});

test('what cannot be looked after is named, with what to do', async (t) => {
  const world = await DurableServer.open(t, asking);
  const empty = temporaryDirectory(t);
  const asked = { run: 'executions', wanted: { what: 'ls', limit: 1 }, file: undefined, flags: {} } as const;

  const inMemory = await perform(asked, { FERMATA_MEMORY: 'true' });
  const nothing = await look(empty, 'ls');
  const unknown = await look(world.directory, 'show', 'nothing');

  assert.match(inMemory.stderr, /^This configuration keeps executions in memory\. Name a directory .* --data\.$/);
  assert.equal(nothing.stderr, `The directory ${empty} has no executions.`);
  assert.equal(unknown.stderr, `No execution in ${world.directory} has the id nothing.`);
  assert.deepEqual([inMemory.code, nothing.code, unknown.code], [2, 2, 2]);
});

test('a damaged execution is named, can be removed, and does not keep others from being exported', async (t) => {
  const { world, live, settled } = await givenServer(t);
  await world.server.close();
  world.executeSql(`UPDATE journal SET facts = CAST(X'FF' AS TEXT) WHERE n = 1`);

  const [listed, shown, exported] = [
    await look(world.directory, 'ls'),
    await look(world.directory, 'show', '--', live),
    await look(world.directory, 'export', '--all'),
  ];

  assert.match(listed.stdout, new RegExp(live));
  assert.deepEqual([shown.code, shown.stderr.includes(`execution ${live} is damaged`)], [1, true]);
  assert.doesNotMatch(shown.stderr, /at .*ts:/, 'it is no bug of ours');
  assert.deepEqual(
    jsonIn(exported.stdout).map(({ execution_id }) => execution_id),
    [settled],
  );
  assert.match(exported.stderr, new RegExp(`${live} is damaged.*1 of them could not be exported`, 's'));
  assert.equal((await look(world.directory, 'rm', '--force', '--', live)).code, 0);
  assert.equal((await look(world.directory, 'export', '--all')).code, 0);
});
