/** The power is lost: of what was not on the disk any part may be missing, and nothing that was acknowledged. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRuntime, text, workflow } from '../../../runtime/index.ts';
import { foldJournal } from '../../../runtime/journal/fold-journal.ts';
import { openStore, temporaryDirectory } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';
import { start } from '../../support/start.ts';

const asker = workflow({
  name: 'asker',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
});

/** Few side by side, so that there are many commits to be cut between. */
const ABREAST = 4;
const ROUNDS = 10;
const CUTS = 25;

test('whatever part of the log is lost, the rest opens, folds, and has all that was acknowledged in it', async (t) => {
  const path = temporaryDirectory(t);
  const wal = join(path, 'fermata.db-wal');
  const runtime = await createRuntime({ workflows: [asker], store: await openStore(path) });
  t.after(() => runtime.stop());
  /** The length of the log at the last acknowledgement. */
  const acknowledged: { id: string; seq: number; size: number }[] = [];
  const noted = (id: string, seq: number) => acknowledged.push({ id, seq, size: statSync(wal).size });

  const serve = async () => {
    const { execution } = await start(runtime, { workflow: 'asker' });
    await runtime.waitUntil(execution, ({ context }) => context.pauses.length > 0);
    const { id, context } = execution;
    noted(id, context.seq);
    await runtime.answer(id, context.pauses[0]!.id, { kind: 'text', text: 'Ada' }, alice);
    await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
    noted(id, execution.context.seq);
  };
  for (let round = 0; round < ROUNDS; round += 1) await Promise.all(Array.from({ length: ABREAST }, serve));
  const sizes = new Set(acknowledged.map(({ size }) => size));
  assert.ok(sizes.size > ROUNDS, 'the log has grown from one acknowledgement to the next');

  const { size } = statSync(wal);
  for (let cut = 0; cut <= CUTS; cut += 1) {
    const copy = join(path, `copy-${cut}`);
    mkdirSync(copy);
    copyFileSync(join(path, 'fermata.db'), join(copy, 'fermata.db'));
    copyFileSync(wal, join(copy, 'fermata.db-wal'));
    const left = cut === CUTS ? size : Math.floor(((cut * 0.618_034) % 1) * size);
    truncateSync(join(copy, 'fermata.db-wal'), left);

    const store = await openStore(copy);
    for (const { id, seq, size: needed } of acknowledged) {
      const found = store.find(id);
      if (found === undefined) assert.ok(needed > left, `${id} was acknowledged, and is lost`);
      else {
        const snapshot = foldJournal(id, found.entries);
        if (needed <= left) assert.ok(snapshot.context.seq >= seq, 'a fact that was acknowledged is lost');
      }
    }
    await store.close();
  }
});
