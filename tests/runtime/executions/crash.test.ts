/**
 * The model of the execution machine with crashes: all its plays side by side in a process that is killed after every single
 * fact of theirs, and the same plays in the next process, to their end.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bank } from '../../support/bank-provider.ts';
import type { Instructions, Report, Round } from '../../support/crash/process.ts';
import { performable, plansForEveryFact } from '../../support/plans.ts';

const directory = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

/** A process that does what it is told, and then waits for its end. */
const life = async (t: TestContext, orders: Instructions): Promise<{ child: ChildProcess; report: Report }> => {
  const child = fork(new URL('../../support/crash/process.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
  t.after(() => child.kill('SIGKILL'));
  child.send(orders);
  const ended = once(child, 'exit').then(([code]) => assert.fail(`a process ended by itself, with ${code}`));
  const [report] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {}); // by a signal, soon
  return { child, report: report as Report };
};

test('an execution whose process is killed after any of its facts comes to the same end in the next one', async (t) => {
  const path = directory(t);
  const longest = Math.max(...plansForEveryFact(performable).map(({ facts }) => facts.length));
  const stops = Array.from({ length: longest + 1 }, (_, stop): Round => ({ stop }));
  const rounds: readonly Round[] = [...stops, { stop: undefined }];
  const given = { directory: join(path, 'data'), notes: join(path, 'notes'), bank: await bank(t) };
  let left: Instructions['left'] = null;
  let count = 0;
  let missing: readonly string[] | undefined;

  for (const next of [...rounds, null]) {
    const { child, report } = await life(t, { ...given, left, next });
    child.kill('SIGKILL');
    await once(child, 'close');

    assert.deepEqual(report.problems, []);
    count += report.count;
    if (left !== null) missing = (missing ?? report.missing).filter((name) => report.missing.includes(name));
    if (next !== null) left = { round: next, now: report.now, beganAt: report.beganAt };
  }

  t.diagnostic(`${count} plays were killed in ${rounds.length} processes`);
  assert.deepEqual(
    missing?.filter((transition) => transition.includes('execution.recovered')),
    [],
  );
});
