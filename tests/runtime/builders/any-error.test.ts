/** Whatever the resources of a workflow throw when they are opened, the executions that need them end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRuntime, silentLog, workflow } from '../../../runtime/index.ts';
import { throwables } from '../../support/mistaken/values.ts';
import { start } from '../../support/start.ts';

for (const [what, make] of Object.entries(throwables)) {
  test(`an execution fails when its build rejects with ${what}`, async (t) => {
    const build = () => Promise.reject(make());
    const served = workflow({ name: 'w', perUser: { build }, run: () => 1 });
    let logged = 0;
    const log = { ...silentLog, error: () => void (logged += 1) };
    const runtime = await createRuntime({ workflows: [served], log });
    t.after(() => runtime.stop());

    const { execution } = await start(runtime, { workflow: 'w' });
    for (let turn = 0; turn < 200 && !execution.isSettled; turn += 1) await new Promise(setImmediate);

    assert.deepEqual([execution.status, execution.context.error?.code], ['failed', 'build_failed']);
    assert.equal(logged, 1);
  });
}
