/** The example of the page on tests is a test. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the example of docs/testing.md runs as it stands there', (t) => {
  const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(page)!;
  const file = fileURLToPath(new URL(`testing-example-${process.pid}.ts`, import.meta.url));
  t.after(() => rmSync(file));
  writeFileSync(file, code!.replace('../examples/', '../../examples/'));

  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const ran = spawnSync(process.execPath, ['--import', 'tsx', '--test-reporter=tap', file], { env, encoding: 'utf8' });

  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /# pass 45\n/, 'the workflow and its paths');
});
