/** What an author forgets to await or to catch ends nothing but itself, in a program that has no handlers of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { mistakes } from '../../support/author-mistakes.ts';

const script = new URL('../../support/author-mistakes.ts', import.meta.url).pathname;
const run = promisify(execFile);

for (const end of ['return', 'cancel'] as const) {
  test(`mistakes of authors do not end the process, when executions end by ${end}`, async () => {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', script, end], { timeout: 60_000 });

    const status = end === 'cancel' ? 'failed' : 'completed';
    const outcomes = JSON.parse(stdout) as Record<string, unknown>;
    for (const name of Object.keys(mistakes)) assert.equal(outcomes[name], status, name);
    const forgotten = Object.keys(outcomes).filter((name) => name.endsWith('forgotten'));
    assert.deepEqual([forgotten.length, outcomes.shared], [3, 1]);
  });
}

test('an error from elsewhere ends a program that does not listen, as it does without a runtime', async () => {
  const program = `
    const { createRuntime, workflow } = await import(${JSON.stringify(new URL('../../../runtime/index.ts', import.meta.url).href)});
    await createRuntime({ workflows: [workflow({ name: 'w', run: () => 1 })] });
    setTimeout(() => Promise.reject(new Error('of the program')), 1);
    setTimeout(() => process.exit(0), 5_000);
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', program];

  await assert.rejects(
    run(process.execPath, args, { timeout: 60_000 }),
    ({ code, stderr }: { code: number; stderr: string }) => {
      assert.equal(code, 1);
      assert.match(stderr, /of the program/);
      return true;
    },
  );
});
