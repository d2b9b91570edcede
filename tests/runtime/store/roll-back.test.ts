/** What is undone when a store refuses a fact: that fact, what was appended after it, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalEntry } from '../../../machines/facts.ts';
import { createRuntime, Failure, MemoryStore, text, workflow } from '../../../runtime/index.ts';
import type { Recorded, Store } from '../../../runtime/store/store.ts';
import { openDatabase } from '../../support/database.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice, turns } from '../../support/given.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';
import { start } from '../../support/start.ts';

/** Commits when it is told to, and refuses at once while it is told so. */
class HeldStore implements Store {
  readonly #kept = new MemoryStore({ maxJournalFacts: 1_000, maxJournalBytes: 1e6 });
  #waiting: (() => void)[] = [];
  isHolding = false;
  isRefusing = false;

  append(record: Recorded, entry: JournalEntry): undefined | Promise<undefined> {
    if (this.isRefusing) throw new Failure('store_unavailable');
    const text = JSON.stringify(entry);
    const keep = () => void this.#kept.append(record, JSON.parse(text));
    if (!this.isHolding) return void keep();
    return new Promise((resolve) => this.#waiting.push(() => resolve(keep() as undefined)));
  }
  commit(): void {
    for (const keep of this.#waiting.splice(0)) keep();
  }
  read(id: string, after?: number) {
    return this.#kept.read(id, after);
  }
  forget(id: string): void {
    this.#kept.forget(id);
  }
  close(): void {
    this.commit();
  }
}

const seqs = (entries: readonly JournalEntry[] = []) => entries.map(({ seq }) => seq);
const numbered = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('a fact that is refused at once leaves those before it, which are still being committed', async (t) => {
  const store = new HeldStore();
  const clock = new SimulatedClock();
  let lives = 0;
  const counting = workflow({
    name: 'counting',
    run: async (_input: unknown, ctx) => {
      const { text: name } = await ctx.prompt(text({ text: 'Name?' }));
      lives += 1;
      store.isHolding = lives === 1;
      ctx.emit('one');
      store.isRefusing = lives === 1;
      ctx.emit('two');
      store.isRefusing = false;
      await ctx.step('three', () => 3);
      return name;
    },
  });
  const runtime = await createRuntime({ workflows: [counting], store, clock });
  t.after(async () => {
    const stopped = runtime.stop();
    clock.advance(10_000);
    await stopped;
  });
  const { execution } = await start(runtime, { workflow: 'counting' });
  await turns(5);

  await runtime.answer(execution.id, execution.context.pauses[0]!.id, { kind: 'text', text: 'Ada' }, alice);
  await turns(5);
  store.isHolding = false;
  store.commit();
  await turns(5);
  clock.advance(1_000);
  await turns(50);

  const { entries } = store.read(execution.id)!;
  assert.deepEqual(seqs(entries), numbered(entries.length));
  assert.deepEqual([execution.context.result, lives], ['Ada', 2]);
  const emitted = entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.value] : []));
  assert.deepEqual(emitted, ['one', 'two']);
});

const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
});

/** A row stands where the next one of this execution is to be inserted: every batch with it violates a constraint. */
const poison = (world: DurableWorld, id: string): void => {
  const database = openDatabase(world.directory);
  const { n } = database.prepare('SELECT n FROM executions WHERE id = ?').get([id]) as { n: number };
  const seq = world.get(id).context.seq + 1;
  database.prepare('INSERT INTO journal (n, seq, facts) VALUES (?, ?, ?)').run([n, seq, '[]']);
  database.close();
};

test('an execution that the file refuses is refused alone and by name; those committed with it are kept', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const [poisoned, innocent] = [await world.start({ workflow: 'asking' }), await world.start({ workflow: 'asking' })];
  poison(world, poisoned);

  const answers = [poisoned, innocent].map((id) =>
    world.runtime.answer(id, world.get(id).context.pauses[0]!.id, { kind: 'text', text: 'Ada' }, alice),
  );
  const [refused, accepted] = await Promise.allSettled(answers);
  await world.quiet();

  assert.equal(accepted?.status, 'fulfilled');
  assert.equal(world.get(innocent).context.result, 'Ada');
  const failure = (refused as PromiseRejectedResult).reason as Failure;
  assert.equal(failure.code, 'execution_damaged');
  assert.match(failure.message, new RegExp(poisoned));
  assert.equal(world.get(poisoned).status, 'awaiting_interaction');
  const named = world.logged.filter((line) => 'executionId' in line && line.executionId === poisoned);
  assert.equal(named.filter(({ message }) => /cannot be stored$/.test(message ?? '')).length, 1);
});

test('an execution that the file refuses again and again is set aside, and others are not kept from going on', async (t) => {
  const emitting = workflow({
    name: 'emitting',
    run: async (_input: unknown, ctx) => {
      await ctx.sleep(1_000);
      await ctx.step('work', () => 1);
    },
  });
  const world = await DurableWorld.open(t, [asking, emitting]);
  const id = await world.start({ workflow: 'emitting' });
  poison(world, id);

  for (let second = 0; second < 10; second += 1) await world.pass(1_000);

  const named = world.logged.filter((line) => 'executionId' in line && line.executionId === id);
  assert.equal(named.filter(({ message }) => /set aside/.test(message ?? '')).length, 1);
  assert.ok(named.length < 10, 'it is not tried for ever');
  const other = await world.start({ workflow: 'asking' });
  await world.answer(other);
  assert.equal(world.get(other).context.result, 'yes');
});

test('a value that cannot be written as JSON is refused alone, and the process lives', async (t) => {
  let isBad = false;
  const bad = workflow({
    name: 'bad',
    run: async (input: unknown, ctx) => {
      await ctx.prompt(text({ text: 'Go on?' }));
      return input;
    },
  });
  const world = await DurableWorld.open(t, [asking, bad]);
  const [id, other] = [await world.start({ workflow: 'bad' }), await world.start({ workflow: 'asking' })];
  const pause = world.get(id).context.pauses[0]!;
  const { stringify } = JSON;
  t.mock.method(JSON, 'stringify', (value: unknown, ...more: []) => {
    if (isBad && (value as { key?: string } | null)?.key === 'deep')
      throw new RangeError('Maximum call stack exceeded');
    return stringify(value, ...more);
  });

  isBad = true;
  const refused = world.runtime.answer(id, pause.id, { kind: 'text', text: 'x' }, alice, 'deep');
  await assert.rejects(refused, { code: 'execution_damaged' });
  await world.answer(other);

  assert.equal(world.get(other).context.result, 'yes');
  assert.equal(world.get(id).status, 'awaiting_interaction');
});
