/** A consent whose commit fails: it is stored with its token as soon as the store works again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { Disk } from '../../../testing/disk.ts';
import { bankCallback, DiskProcess } from '../../support/disk-process.ts';
import { alice } from '../../support/given.ts';
import { engineOf, immediate } from '../../support/in-process.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';
import { start } from '../../support/start.ts';

const token = { access_token: 'token-1', token_type: 'Bearer', expires_in: 1e6 };

const served = workflow({
  name: 'w',
  run: async (_: unknown, ctx) => {
    const { value } = await ctx.authorize('bank');
    await ctx.prompt(text({ text: 'Go on?' }));
    return value;
  },
});

test('a token outlives the process, although the first commit of its consent failed', async () => {
  const given = { disk: new Disk(), served, clock: new SimulatedClock(), token };
  const first = await DiskProcess.open({ ...given, failingFact: 4 });
  const { execution } = await start(first.runtime, { workflow: 'w' });
  await first.rest();
  const [consent] = execution.context.pauses;
  assert.ok(consent?.kind === 'oauth');

  await assert.rejects(first.runtime.completeOAuth(bankCallback(consent.authUrl), alice), {
    code: 'store_unavailable',
  });
  first.store.isBroken = false;
  given.clock.advance(2_000);
  await first.rest();
  given.clock.advance(2_000);
  await first.rest();
  first.lost();
  const second = await DiskProcess.open(given);
  const pauses = (): readonly { readonly id: string; readonly kind: string }[] =>
    immediate(engineOf(second.runtime).executions.get(execution.id))!.context.pauses;
  assert.deepEqual(
    pauses().map(({ kind }) => kind),
    ['interaction'],
  );
  await second.runtime.answer(execution.id, pauses()[0]!.id, { kind: 'text', text: 'yes' }, alice);
  await second.rest();

  assert.equal(immediate(engineOf(second.runtime).executions.get(execution.id))!.context.result, 'token-1');
  await second.stop();
});
