/** Looking after executions beside a runtime: what is removed is gone, and what goes on does not notice. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoredExecutions, text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { immediate } from '../../support/in-process.ts';

const asking = workflow({
  name: 'asking',
  run: async (input: unknown, ctx) => (input === 'instant' ? 'done' : (await ctx.prompt(text({ text: 'Who?' }))).text),
});

const beside = (world: DurableWorld, act: (stored: StoredExecutions) => void): void => {
  const stored = new StoredExecutions(world.directory);
  try {
    act(stored);
  } finally {
    stored.close();
  }
};

test('an execution that was removed while it is in memory leaves nothing behind when its time is over', async (t) => {
  const world = await DurableWorld.open(t, [asking], { options: { retentionMs: 1_000 } });
  const removed = await world.start({ workflow: 'asking', input: 'instant' });
  beside(world, (stored) => stored.remove([removed], false));

  await world.pass(2_000);
  await world.crashAndReopen(asking);
  const next = await world.start({ workflow: 'asking' });
  await world.answer(next);

  assert.equal(immediate(world.runtime.get(removed, { userId: 'alice' })), undefined);
  assert.equal(world.get(next).status, 'completed');
});

test('an execution that was removed frees its idempotency key', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const asked = { workflow: 'asking', input: 'instant', idempotencyKey: 'once' };
  const first = await world.start(asked);
  await world.stop();
  beside(world, (stored) => stored.remove([first], false));
  await world.open(asking);

  assert.notEqual(await world.start(asked), first);
});

test('all of several are removed, or none', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const settled = await world.start({ workflow: 'asking', input: 'instant' });
  const live = await world.start({ workflow: 'asking' });

  beside(world, (stored) => {
    assert.throws(() => stored.remove([settled, live], false), /is live/);
    assert.throws(() => stored.remove([settled, 'nothing'], false), /has the id nothing/);
    assert.equal(stored.get(settled).status, 'completed');
  });
});

test('what is read beside a runtime is what it has kept, and where it stands', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const id = await world.start({ workflow: 'asking' });

  beside(world, (stored) => {
    const journal = stored.journal(id)!;
    assert.deepEqual(journal.entries, world.store.read(id)?.entries);
    assert.deepEqual(stored.standing(id, journal), world.get(id).context);
    assert.deepEqual(
      stored.list({ limit: 1_000 }).summaries.map((summary) => summary.id),
      [id],
    );
  });
});

/** Locks a file against all readers, says so, and lets it go after a while. */
const HOLDER = `
import Database from 'libsql';
const database = new Database(process.argv[1]);
database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
console.log('locked');
setTimeout(() => database.close(), 500);
`;

test('a file that another process has locked is read when the lock is gone', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const live = await world.start({ workflow: 'asking' });
  await world.stop();
  const copy = `${world.directory}-copy`;
  cpSync(world.directory, copy, { recursive: true });
  t.after(() => rmSync(copy, { recursive: true }));
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, join(copy, 'fermata.db')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');

  const stored = new StoredExecutions(copy);
  t.after(() => stored.close());

  assert.equal(stored.get(live).status, 'interaction_required');
});
