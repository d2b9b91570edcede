/** A file belongs to one process, and everything that it has acknowledged is in it: both are checked by the file itself. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createRuntime, StoredExecutions, text, workflow } from '../../../runtime/index.ts';
import { openDatabase } from '../../support/database.ts';
import { DurableWorld, openStore, temporaryDirectory } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
});
const inUse = { code: 'options_invalid', message: new RegExp(`in use by process ${process.pid} `) };

const loseLock = ({ directory }: DurableWorld): void => {
  for (const name of ['fermata.lock', 'owner.json']) rmSync(join(directory, name));
};

test('a directory whose lock file was removed is still in use', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const id = await world.start({ workflow: 'asking' });
  loseLock(world);

  await assert.rejects(openStore(world.directory), inUse);

  const stored = new StoredExecutions(world.directory);
  t.after(() => stored.close());
  assert.throws(() => stored.remove([id], true), inUse);
  await world.answer(id);
  assert.equal(world.get(id).context.result, 'yes');
});

test('a process from which the file was taken writes nothing more to it', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const id = await world.start({ workflow: 'asking' });
  loseLock(world);
  const database = openDatabase(world.directory);
  const count = () => (database.prepare('SELECT count FROM ledger').get([]) as { count: number }).count;
  const before = count();
  database.exec(`UPDATE ledger SET owner = '{"token":"another"}'`);

  const refused = world.runtime.answer(id, world.get(id).context.pauses[0]!.id, { kind: 'text', text: 'x' }, alice);
  await assert.rejects(refused, { code: 'store_unavailable' });

  assert.equal(count(), before);
  database.close();
});

test('a file whose process was killed, or that is a copy, can be opened', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  await world.crash();
  const owner = { token: 'x', pid: process.pid, host: 'this', boot: 'another', startedAt: '1', file: 'elsewhere' };
  const database = openDatabase(world.directory);
  database.prepare('UPDATE ledger SET owner = ?').run([JSON.stringify(owner)]);
  database.close();

  await world.open(asking);
});

/** A directory as it is found after its process was killed. */
const killed = async (t: TestContext, flip: (wal: Buffer) => void) => {
  const world = await DurableWorld.open(t, [asking]);
  for (let count = 0; count < 5; count += 1) await world.start({ workflow: 'asking' });
  const path = temporaryDirectory(t);
  for (const name of ['fermata.db', 'fermata.db-wal', 'fermata.commits']) {
    const bytes = readFileSync(join(world.directory, name));
    if (name.endsWith('-wal')) flip(bytes);
    writeFileSync(join(path, name), bytes);
  }
  return path;
};
const executionsIn = async (t: TestContext, path: string) => {
  const runtime = await createRuntime({ workflows: [asking], store: await openStore(path) });
  t.after(() => runtime.stop());
  return immediate(runtime.list(alice, { limit: 9 })).executions;
};

test('what was killed is opened with all that was acknowledged', async (t) => {
  const path = await killed(t, () => {});

  assert.equal((await executionsIn(t, path)).length, 5);
});

for (const [where, place] of [
  ['the middle', 0.5],
  ['the last commit', 0.999],
] as const) {
  test(`a bit that is flipped in ${where} of the log is noticed: what is missing is said, and the log is kept`, async (t) => {
    const path = await killed(t, (bytes) => {
      bytes[Math.floor(bytes.length * place)]! ^= 1;
    });

    await assert.rejects(openStore(path), {
      code: 'options_invalid',
      message: /\d+ acknowledged commits? .*missing.*fermata\.db-wal\.damaged.*fermata\.commits/s,
    });
    assert.ok(existsSync(join(path, 'fermata.db-wal.damaged')));
    await assert.rejects(openStore(path), { code: 'options_invalid' }, 'also the next time');

    rmSync(join(path, 'fermata.commits')); // the operator goes on with what is there
    assert.ok((await executionsIn(t, path)).length <= 5);
  });
}
