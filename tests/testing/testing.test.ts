/** The kit finds what is wrong with a workflow, and says where. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What node:test says of the workflows in a file of bad ones, by the name of the workflow. */
const run = async (...names: string[]): Promise<{ said: string; exitCode: number }> => {
  const file = fileURLToPath(new URL('../support/bad-workflows.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter=spec', file, ...names], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let said = '';
  child.stdout.on('data', (part) => (said += part));
  child.stderr.on('data', (part) => (said += part));
  const [exitCode] = (await once(child, 'exit')) as [number];
  return { said, exitCode };
};

const found = run();

const cases: Readonly<Record<string, RegExp>> = {
  'another call each time': /does not make the same calls when it is executed again[\s\S]*Put what may be different/,
  'an effect outside of a step': /✖ null > "Go on\?" yes > crash after \d+[\s\S]*After a crash it ends in another way/,
  'what is no call of ctx': /has neither ended nor asked for anything for 100 ms/,
  'a wrong end': /✖ null > "Go on\?" no \([\s\S]*a no is no yes/,
  'a text that nobody has given': /add answers: \{ "Your name\?": \['\.\.\.'\] \}/,
};

for (const [name, words] of Object.entries(cases)) {
  test(`it finds ${name}`, async () => {
    const { said } = await found;
    const part = said.slice(said.indexOf(`▶ ${name}`), said.indexOf(`✖ ${name} (`));
    assert.match(`${part}\n${said.slice(said.indexOf('failing tests'))}`, words);
  });
}

test('a path that has failed can be played alone', async () => {
  const { said } = await found;
  assert.match(said, /To play this path alone: testWorkflow\(\.\.\., \{ only: "null > \\"Go on\?\\" no" \}\)/);

  const alone = await run('null > "Go on?" no');

  assert.equal(alone.exitCode, 1);
  assert.match(alone.said, /✖ null > "Go on\?" no/);
  assert.match(alone.said, /ℹ tests 2/, 'the workflow, and its path');
});

test('a workflow that has nothing wrong about it passes, and a bound is told', async () => {
  const { said } = await found;
  assert.match(said, /✔ everything there is/);
  assert.match(said, /paths or more were left out: raise maxPaths/);
});
