/** The kit finds what is wrong with a workflow, and says where. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

type Ran = { readonly said: string; readonly exitCode: number };

/** What node:test says of the workflow of this name in the file of bad ones, and of no other. */
const run = async (...words: string[]): Promise<Ran> => {
  const file = fileURLToPath(new URL('../support/bad-workflows.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter=spec', file, ...words], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let said = '';
  child.stdout.on('data', (part) => (said += part));
  child.stderr.on('data', (part) => (said += part));
  const [exitCode] = (await once(child, 'exit')) as [number];
  return { said, exitCode };
};

const cases: Readonly<Record<string, readonly RegExp[]>> = {
  'another call each time': [
    /does not make the same calls when it is executed again[^\n]*it is blocked/,
    /its journal has prompt [^\n]*"Go on\?"; now came step "now and then" at tests\/support\/bad-workflows\.ts:\d+:\d+/,
    /Put what may be different/,
  ],
  'an effect outside of a step': [/✖ null > "Go on\?" yes > killed after \d+[\s\S]*It ends in another way/],
  'a memory in its resources': [
    /✖ null > "Go on\?" yes > killed after \d+ step\.completed/,
    /It ends in another way: [^\n]*"result":0[^\n]*"result":1/,
    /gone after a restart/,
  ],
  'what is no call of ctx': [
    /has neither ended nor asked for anything for 100 ms\. No call of ctx is open/,
    /Its last call was step "first" \(key \S+:0\) at tests\/support\/bad-workflows\.ts:\d+:\d+/,
  ],
  'a step that hangs': [
    /has neither ended nor asked for anything for 100 ms\. Open are: step "pay" \(key \S+:0\) at tests\/support\/bad-workflows\.ts:\d+:\d+/,
  ],
  'a question without end': [
    /paths were not followed to their end[^\n]*Its last call was prompt "Again\?" \(key again\) at tests\/support\/bad-workflows\.ts/,
  ],
  'answers that overtake each other': [
    /✖ null > "Legal\?" yes & "Price\?" no[^\n]*killed after \d+/,
    /It ends in another way|it is blocked/,
  ],
  'a wrong end': [/✖ null > "Go on\?" no \([\s\S]*a no is no yes/],
  'a text that is not given': [/add answers: \{ "Your name\?": \['\.\.\.'\] \}/],
};

for (const [name, words] of Object.entries(cases)) {
  test(`it finds ${name}`, async () => {
    const { said } = await run(name);

    assert.match(said, new RegExp(`[▶✔✖] ${name}`), 'the workflow was played');
    for (const expected of words) assert.match(said, expected);
  });
}

test('a name that no workflow has is found by no test', async () => {
  const { said, exitCode } = await run('no workflow has this name');

  assert.equal(exitCode, 1);
  assert.match(said, /no workflow is called no workflow has this name/);
});

test('a path that has failed can be played alone', async () => {
  const { said } = await run('a wrong end');
  assert.match(said, /To play this path alone: testWorkflow\(\.\.\., \{ only: "null > \\"Go on\?\\" no" \}\)/);

  const alone = await run('a wrong end', 'null > "Go on?" no');

  assert.equal(alone.exitCode, 1);
  assert.match(alone.said, /✖ null > "Go on\?" no/);
  assert.match(alone.said, /ℹ tests 2/, 'the workflow, and its path');
});

test('workflows that have nothing wrong about them pass, and a bound is told', async () => {
  const { said, exitCode } = await run('everything there is');

  assert.equal(exitCode, 0, said);
  assert.match(said, /paths or more were left out: raise maxPaths/);
});

test('prompts side by side pass: with all answers in one commit, in both orders, in every life', async () => {
  const { said, exitCode } = await run('prompts side by side');

  assert.equal(exitCode, 0, said);
  assert.match(said, /✔ null > "Legal\?" yes & "Price\?" no > killed after \d+/);
  assert.match(said, /✔ null > "Price\?" no & "Legal\?" yes > store fails at \d+ interaction\.answered/);
  assert.match(said, /✔ null > "Price\?" no & "Legal\?" yes > hibernated at each wait/);
});
