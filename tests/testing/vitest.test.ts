/** The kit under vitest, as a user runs it, in a folder of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const skip = existsSync(vitest) ? false : 'vitest is not installed: npm ci installs it';

const WORKFLOW = `
  import { binaryChoice, workflow } from 'fermata';
  import { testWorkflow } from 'fermata/testing';

  const options = [{ id: 'yes', label: 'Yes', value: true }, { id: 'no', label: 'No', value: false }];
  const ask = (ctx) => ctx.prompt(binaryChoice({ text: 'Go on?', options }));
`;
const RIGHT = `testWorkflow(workflow({ name: 'right', run: async (_, ctx) => (await ask(ctx)).value }), { inputs: [null] });`;
const WRONG = `testWorkflow(
  workflow({
    name: 'wrong',
    build: () => ({ asked: 0 }),
    run: async (_, ctx, memory) => {
      await ctx.step('count', () => void (memory.asked += 1));
      await ask(ctx);
      return memory.asked;
    },
  }),
  { inputs: [null] },
);`;

type Ran = { readonly code: number; readonly said: string };

const run = (t: TestContext, ...tests: string[]): Promise<Ran> => {
  // Below the project, so that its packages are found.
  mkdirSync(join(root, 'node_modules/.fermata-tests'), { recursive: true });
  const folder = mkdtempSync(join(root, 'node_modules/.fermata-tests/vitest-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const alias = Object.entries({ 'fermata/testing': 'testing/index.ts', fermata: 'runtime/index.ts' }).map(
    ([find, file]) => ({ find, replacement: join(root, file) }),
  );
  const config = { test: { include: ['*.test.ts'], pool: 'threads' }, resolve: { alias } };
  writeFileSync(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)};`);
  writeFileSync(join(folder, 'workflow.test.ts'), [WORKFLOW, ...tests].join('\n'));
  const args = [vitest, 'run', '--root', folder, '--reporter=verbose', '--no-color'];
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), said: stdout + stderr }),
    );
  });
};

test('under vitest each path is a test, and those that are right pass', { skip }, async (t) => {
  const { code, said } = await run(t, RIGHT);

  assert.equal(code, 0, said);
  assert.match(said, /✓ [^\n]*right > null > "Go on\?" yes > killed after \d+/);
  assert.match(said, /Tests +\d{2} passed/);
});

test('under vitest a path that is wrong fails, and the others pass', { skip }, async (t) => {
  const { code, said } = await run(t, RIGHT, WRONG);

  assert.equal(code, 1, said);
  assert.match(said, /(×|FAIL) [^\n]*wrong > null > "Go on\?" yes > killed after \d+ step\.completed/);
  assert.match(said, /It ends in another way/);
  assert.doesNotMatch(said, /(×|FAIL) [^\n]*right/);
});
