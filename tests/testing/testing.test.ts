/** The kit finds what is wrong with a workflow, and says where. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What node:test says of the workflows in a file of bad ones, or of one path of one of them. */
const run = async (...words: string[]): Promise<{ readonly said: string; readonly exitCode: number }> => {
  const file = fileURLToPath(new URL('../support/bad-workflows.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter=tap', file, ...words], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let said = '';
  child.stdout.on('data', (part) => (said += part));
  child.stderr.on('data', (part) => (said += part));
  const [exitCode] = (await once(child, 'exit')) as [number];
  return { said, exitCode };
};

const all = run();

/** Of one workflow, and of no other: its paths, whether it has passed, and what is told of all of its paths. */
const saidOf = async (name: string): Promise<{ readonly said: string; readonly hasPassed: boolean }> => {
  const { said } = await all;
  const parts = said.split(/^(?=# Subtest: )/m).filter((part) => part.startsWith(`# Subtest: ${name}\n`));
  assert.equal(parts.length, 1, `${name} was played once: ${said.slice(0, 2_000)}`);
  const [, verdict] = new RegExp(`^(ok|not ok) \\d+ - ${name}$`, 'm').exec(parts[0]!) ?? [];
  assert.ok(verdict, `${name} has a verdict`);
  return { said: parts[0]!, hasPassed: verdict === 'ok' };
};

const cases: Readonly<Record<string, readonly RegExp[]>> = {
  'another call each time': [
    /does not make the same calls when it is executed again[^\n]*it is blocked/,
    /its journal has prompt [^\n]*"Go on\?"; now came step "now and then" at tests\/support\/bad-workflows\.ts:\d+:\d+/,
    /Put values that may differ between replays/,
  ],
  'an effect outside of a step': [/not ok \d+ - null > "Go on\?" yes > killed after \d+[\s\S]*It ends in another way/],
  'a memory in its resources': [
    /not ok \d+ - null > "Go on\?" yes > killed after \d+ step\.completed/,
    /It ends in another way: [^\n]*"result":0[^\n]*"result":1/,
    /gone after a restart/,
  ],
  'what is no call of ctx': [
    /has neither ended nor asked for anything for 1000 ms\. No call of ctx is open/,
    /Its last call was step "first" \(key \S+:0\) at tests\/support\/bad-workflows\.ts:\d+:\d+/,
  ],
  'a step that hangs': [
    /has neither ended nor asked for anything for 1000 ms\. Open are: step "pay" \(key \S+:0\) at tests\/support\/bad-workflows\.ts:\d+:\d+/,
  ],
  'a question without end': [
    /paths were not followed to their end[^\n]*Its last call was prompt "Again\?" \(key again\) at tests\/support\/bad-workflows\.ts/,
  ],
  'answers that overtake each other': [
    /not ok \d+ - null > "[^\n]* > hibernated at each wait/,
    /It ends in another way|it is blocked/,
  ],
  'a wrong end': [/not ok \d+ - null > "Go on\?" no\n[\s\S]*a no is no yes/],
  'a text that is not given': [/add answers: \{ "Your name\?": \['\.\.\.'\] \}/],
};

for (const [name, words] of Object.entries(cases)) {
  test(`it finds ${name}`, async () => {
    const { said, hasPassed } = await saidOf(name);

    assert.equal(hasPassed, name === 'a question without end', 'a bound is told, and is no failure');
    for (const expected of words) assert.match(said, expected);
  });
}

test('what is said of one workflow is not taken for what is said of another, nor of one that is not there', async () => {
  await assert.rejects(saidOf('no workflow has this name'), /was played once/);
  assert.doesNotMatch((await saidOf('a wrong end')).said, /add answers|It ends in another way/);
});

test('a path that has failed can be played alone', async () => {
  const { said } = await saidOf('a wrong end');
  assert.match(said, /To play this path alone: testWorkflow\(\.\.\., \{ only: "null > \\"Go on\?\\" no" \}\)/);

  const alone = await run('null > "Go on?" no');

  assert.equal(alone.exitCode, 1);
  assert.match(alone.said, /not ok 1 - null > "Go on\?" no/);
  assert.match(alone.said, /# tests 2\n/, 'the workflow, and its path');
});

test('a workflow that has nothing wrong about it passes, and a bound is told', async () => {
  const { said, hasPassed } = await saidOf('everything there is');

  assert.ok(hasPassed, said);
  assert.match(said, /paths or more were left out: raise maxPaths/);
});

test('prompts side by side pass: with all answers in one commit, in both orders, in every life', async () => {
  const { said, hasPassed } = await saidOf('prompts side by side');

  assert.ok(hasPassed, said);
  assert.match(said, /^ +ok \d+ - null > "Legal\?" yes & "Price\?" no > killed after \d+/m);
  assert.match(said, /^ +ok \d+ - null > "Price\?" no & "Legal\?" yes > store fails at \d+ interaction\.answered/m);
  assert.match(said, /^ +ok \d+ - null > "Price\?" no & "Legal\?" yes > hibernated at each wait/m);
});

test('a run that lets nothing else happen is named, with the call before', async (t) => {
  const kit = new URL('../../testing/index.ts', import.meta.url).href;
  const runtime = new URL('../../runtime/index.ts', import.meta.url).href;
  const program = `
    import { workflow } from ${JSON.stringify(runtime)};
    import { testWorkflow } from ${JSON.stringify(kit)};
    const run = async (_, ctx) => {
      await ctx.step('last of all', () => 1);
      for (;;) await null;
    };
    testWorkflow(workflow({ name: 'spins', run }), { patienceMs: 500 });
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_TEST_CONTEXT: undefined } });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for await (const part of child.stderr) {
    said += part;
    if (said.includes('\n')) break;
  }

  assert.match(
    said,
    /A run has let nothing else happen in the process for 500 ms[^\n]*Its last call was step "last of all"/,
  );
});
