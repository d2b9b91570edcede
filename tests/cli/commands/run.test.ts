/** `fermata run` where there is no terminal: in a pipe, as programs and CI use it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { consent } from '../../../examples/support/browser.ts';
import { StoredExecutions } from '../../../runtime/index.ts';
import { temporaryDirectory } from '../../support/durable.ts';
import { freePort } from '../../support/loopback.ts';
import { type FermataProcess, fermata } from '../../support/process.ts';

const hello = 'examples/01-hello.ts';
const kinds = 'tests/support/prompt-kinds.ts';
const approval = 'examples/02-approval.ts';

type Given = { variables?: Record<string, string>; input?: string };
const run = (t: TestContext, typed: readonly string[], { variables = {}, input = '' }: Given = {}): FermataProcess =>
  fermata(t, ['run', ...typed], variables, input);

const ended = async (process: FermataProcess) => ({
  code: await process.ended,
  stdout: process.stdout,
  stderr: process.stderr,
});

test('a run that completes puts its result out, and nothing else', async (t) => {
  const process = run(t, ['examples/01-hello.ts', '--input', '{"name":"Ada"}']);

  assert.deepEqual(await ended(process), { code: 0, stdout: '{"greeting":"Hello, Ada!"}\n', stderr: '' });
});

test('a run takes its input from standard input, and its answers in the order in which it asks', async (t) => {
  const input = JSON.stringify(['text', 'binary_choice', 'radio', 'dropdown', 'checkbox', 'checkbox']);
  const answers = ['Ada Lovelace', 'Yes', 'berry', 'a', 'a, Berry', ''];

  const { code, stdout, stderr } = await ended(
    run(t, [kinds, '--input', '-', ...answers.flatMap((text) => ['--answer', text])], { input }),
  );

  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'one, two\n{"three":3}\n["Ada Lovelace",true,"berry","apple",["apple","berry"],[]]\n');
  assert.equal(stderr, 'It begins.\n');
});

test('a run is kept where --data says, and nowhere else, whatever the configuration says', async (t) => {
  const [kept, other] = [temporaryDirectory(t), temporaryDirectory(t)];
  const typed = ['run', hello, '--input', '{"name":"Ada"}'];

  const codes = [
    await fermata(t, [...typed, '--data', kept]).ended,
    await fermata(t, typed, { FERMATA_DATA: other }).ended,
  ];

  const stored = new StoredExecutions(kept);
  t.after(() => stored.close());
  assert.deepEqual(codes, [0, 0]);
  assert.deepEqual(
    stored.list({ limit: 1_000 }).summaries.map(({ status }) => status),
    ['completed'],
  );
  assert.throws(() => new StoredExecutions(other), /has no executions/);
});

test('a run that says nothing puts nothing out', async (t) => {
  const process = run(t, [kinds, '--input', '"nothing"']);

  assert.deepEqual(await ended(process), { code: 0, stdout: '', stderr: '' });
});

test('a run that fails says why, without steering the terminal, with exit code 1', async (t) => {
  const process = run(t, [kinds, '--input', '"fail"']);

  assert.deepEqual(await ended(process), { code: 1, stdout: '', stderr: 'Failed: It was [31mnot[0m to be.\n' });
});

test('a prompt without an answer is named with its options, with exit code 2', async (t) => {
  const process = run(t, [approval, '--input', '{"amount":7}']);

  assert.deepEqual(await ended(process), {
    code: 2,
    stdout: '',
    stderr:
      'The run asks "Approve an expense of 7?" (binary_choice), and there is no terminal to ask in. ' +
      'Run it in a terminal, or give --answer with one of: yes (Approve), no (Reject)\n',
  });
});

test('an answer that does not fit is told what would have fitted, with exit code 2', async (t) => {
  const { code, stderr } = await ended(run(t, [approval, '--input', '{"amount":7}', '--answer', 'perhaps']));

  assert.equal(code, 2);
  assert.match(stderr, /Approve an expense of 7\?.* the answer "perhaps" does not fit.*offered were: yes, no/);
});

test('answers that were not asked for are counted', async (t) => {
  const { code, stderr } = await ended(
    run(t, [approval, '--input', '{"amount":7}', '--answer', 'no', '--answer', 'yes', '--answer', 'yes']),
  );

  assert.equal(code, 0);
  assert.equal(stderr, '2 of the given answers were not asked for.\n');
});

test('an input that is missing, is no JSON or does not fit is told what would be right, with exit code 2', async (t) => {
  const [missing, broken, misfit] = await Promise.all([
    ended(run(t, [approval])),
    ended(run(t, [approval, '--input', '{amount:1}'])),
    ended(run(t, [approval, '--input', '-'], { input: '{"amount":-1}' })),
  ]);

  assert.deepEqual([missing.code, broken.code, misfit.code], [2, 2, 2]);
  assert.match(missing.stderr, /^expense-approval needs an input, such as --input '\{"amount":1\}'\n$/);
  assert.match(broken.stderr, /^The input is not JSON: /);
  assert.equal(misfit.stderr, 'The input does not fit expense-approval:\n  amount: Input should be greater than 0\n');
});

test('Ctrl-C cancels a run, with exit code 130', async (t) => {
  const process = run(t, [kinds, '--input', '"forever"']);
  await process.printed(/waiting/);

  process.signal('SIGINT');

  assert.deepEqual(await ended(process), { code: 130, stdout: 'waiting', stderr: 'Cancelled.\n' });
});

test('a workflow of each user runs for the user of the system, or for whom one names', async (t) => {
  const { code, stdout } = await ended(
    run(t, ['examples/05-per-user.ts', '--input', '{"note":"milk"}', '--user', 'ada']),
  );

  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).notes, 1);
});

test('a run that needs a consent prints the link, and goes on when the browser has come back', async (t) => {
  const [port, identityPort] = [await freePort(), await freePort()];
  const variables = { IDENTITY_PORT: String(identityPort), PUBLIC_URL: `http://localhost:${port}` };
  const process = run(t, ['examples/04-oauth.ts', '--config', 'examples/04-oauth.yaml', '--port', String(port)], {
    variables,
  });

  const [link] = await process.printed(/^http\S+$/m, 'stderr');
  const page = await consent(link, 'ada');

  assert.match(page.text, /Authentication complete/);
  assert.equal(await process.ended, 0);
  assert.equal(process.stdout, '{"signedInAs":"ada"}\n');
});
