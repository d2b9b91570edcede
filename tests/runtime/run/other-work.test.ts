/**
 * A branch that asks while another branch has work: a loss of the process after any fact, and the other branch goes on
 * all the same. It need not wait until the question is answered.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, text, type Workflow, workflow } from '../../../runtime/index.ts';
import { Disk } from '../../../testing/disk.ts';
import { bankCallback, DiskProcess, turns } from '../../support/disk-process.ts';
import { alice } from '../../support/given.ts';
import { engineOf, immediate } from '../../support/in-process.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';
import { start } from '../../support/start.ts';

const ask = (ctx: Context, words: string, signal?: AbortSignal) =>
  ctx.prompt(text({ text: words }), signal === undefined ? {} : { signal });

const stepThenAsk = async (ctx: Context, name: string): Promise<string> => {
  await ctx.step(name, async () => name);
  return (await ask(ctx, `${name}?`)).text;
};

const askTwice = async (ctx: Context, name: string): Promise<string> => {
  await ask(ctx, `${name} 1?`);
  return (await ask(ctx, `${name} 2?`)).text;
};

const authorizeThenAsk = async (ctx: Context, name: string): Promise<string> => {
  await ctx.authorize('bank');
  return (await ask(ctx, `${name}?`)).text;
};

const programs: Readonly<Record<string, (ctx: Context) => Promise<unknown>>> = {
  'two steps end together, and each branch asks': (ctx) =>
    Promise.all([stepThenAsk(ctx, 'a'), stepThenAsk(ctx, 'b'), stepThenAsk(ctx, 'c')]),
  'two answers come together, and each branch asks again': (ctx) =>
    Promise.all([askTwice(ctx, 'a'), askTwice(ctx, 'b')]),
  'a prompt is withdrawn, and both branches ask': (ctx) => {
    const abort = new AbortController();
    const loser = ask(ctx, 'loser?', abort.signal).catch(() => ask(ctx, 'after the loser?'));
    const winner = ctx
      .step('winner', async () => 1)
      .then(() => {
        abort.abort();
        return ask(ctx, 'winner?');
      });
    return Promise.all([loser, winner]);
  },
  'a branch asks while another reads a token': async (ctx) => {
    await ctx.authorize('bank');
    return Promise.all([authorizeThenAsk(ctx, 'a'), ask(ctx, 'b?'), authorizeThenAsk(ctx, 'c')]);
  },
  'a step ends while the run is about to park': (ctx) =>
    Promise.all([ask(ctx, 'a?'), stepThenAsk(ctx, 'b'), ctx.sleep(1).then(() => stepThenAsk(ctx, 'c'))]),
};

/** Each call of `ctx.authorize` refreshes it. */
const token = { access_token: 'token', token_type: 'Bearer', expires_in: 1, refresh_token: 'refresh' };

const work = (disk: Disk, id: string): string[] =>
  disk.facts(id).flatMap((fact) => ('call' in fact ? [`${fact.type} ${fact.call}`] : []));

/** The calls that a run of this journal would make beyond it. None, if the execution waits. */
const workLeft = async (disk: Disk, id: string, served: Workflow): Promise<string[]> => {
  const copy = new Disk();
  const row = disk.rows.get(id)!;
  const seq = disk.facts(id).length + 1;
  const texts = [...row.texts, JSON.stringify({ type: 'execution.resumed', seq, at: Date.now() })];
  copy.rows.set(id, { ...row, texts, isDriven: true });
  for (const [key, value] of disk.vault) copy.vault.set(key, value);
  const probe = await DiskProcess.open({ disk: copy, served, clock: new SimulatedClock(), token });
  await probe.rest();
  await probe.stop();
  return work(copy, id).slice(work(disk, id).length);
};

const answerAll = async ({ runtime }: DiskProcess, id: string): Promise<void> => {
  const { pauses } = immediate(engineOf(runtime).executions.get(id))!.context;
  for (const pause of pauses) {
    const done =
      pause.kind === 'oauth'
        ? runtime.completeOAuth(bankCallback(pause.authUrl), alice)
        : runtime.answer(id, pause.id, { kind: 'text', text: 'yes' }, alice);
    Promise.resolve(done).catch(() => {});
  }
};

/** Plays three rounds of answers, with a loss after one fact. Returns the number of facts. */
const play = async (served: Workflow, commitTurns: number, lastFact = Number.POSITIVE_INFINITY): Promise<number> => {
  const disk = new Disk();
  const given = { disk, served, clock: new SimulatedClock(), commitTurns, token };
  let current = await DiskProcess.open({ ...given, lastFact });
  start(current.runtime, { workflow: 'w' }).catch(() => {});
  await turns(1);
  const [{ id } = { id: '' }] = engineOf(current.runtime).executions.all();
  for (let round = 0; round < 3; round += 1) {
    await current.rest();
    if (current.isLost) {
      current = await DiskProcess.open(given);
      await current.rest();
    }
    const { status } = immediate(engineOf(current.runtime).executions.get(id))!;
    if (status === 'completed') break;
    assert.notEqual(status, 'running', `it is at rest after ${disk.facts(id).length} facts`);
    assert.deepEqual(await workLeft(disk, id, served), [], `it is ${status} after a loss at fact ${lastFact}`);
    await answerAll(current, id);
  }
  await current.rest();
  if (!current.isLost) await current.stop();
  return disk.facts(id).length;
};

for (const [name, run] of Object.entries(programs)) {
  for (const commitTurns of [0, 1, 3]) {
    test(`${name} (a commit takes ${commitTurns} turns)`, async () => {
      const served = workflow({ name: 'w', run: async (_: unknown, ctx) => run(ctx) });
      const facts = await play(served, commitTurns);
      for (let lastFact = 1; lastFact < facts; lastFact += 1) await play(served, commitTurns, lastFact);
    });
  }
}
