/** The builder machine on every path that its model knows, with ports and a clock that do what the model says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActor, fromPromise, type Snapshot } from 'xstate';
import { type BuilderEvent, type BuilderInput, type BuilderSnapshot, builderMachine } from '../../machines/builder.ts';
import { Coverage, modelOf, pathsOf } from '../support/machine-model.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';

const IDLE_MS = 1_000;
const LONG_MS = 2 ** 31 - 1;
const input: BuilderInput = { builderId: 'b1', workflow: 'w', user: 'alice', idleMs: IDLE_MS };

/** What may happen where, and where it leads; said once more. */
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  building: { built: 'idle', 'not built': 'failed', 'builder.stop': 'idle-expiring' },
  idle: { 'use.began': 'in_use', idle: 'idle-expiring', 'builder.stop': 'idle-expiring' },
  in_use: { 'use.ended': 'idle', 'builder.stop': 'idle-expiring' },
  'idle-expiring': { disposed: 'done', 'not disposed': 'done' },
  failed: {},
  done: {},
};

/** Names of XState for what the table says in words. */
const words: Readonly<Record<string, string>> = {
  'xstate.done.actor.0.builder.building': 'built',
  'xstate.error.actor.0.builder.building': 'not built',
  'xstate.after.idle.builder.ready.idle': 'idle',
  'xstate.done.actor.0.builder.idle-expiring': 'disposed',
  'xstate.error.actor.0.builder.idle-expiring': 'not disposed',
};
const plain = ['use.began', 'use.ended', 'builder.stop'] as const;
const everything = [...plain, ...Object.values(words)];

const tags: Readonly<Record<string, readonly string[]>> = {
  building: ['open', 'busy'],
  idle: ['open'],
  in_use: ['open', 'busy'],
  'idle-expiring': ['closing'],
};

type Call = { resolve(): void; reject(error: Error): void; readonly signal: AbortSignal };

const coverage = new Coverage(builderMachine);

/** A builder whose build and disposal take until they are told to end. */
class World {
  readonly clock = new SimulatedClock();
  readonly calls: Record<'build' | 'dispose', Call[]> = { build: [], dispose: [] };
  readonly actor;

  constructor({
    idleMs = IDLE_MS as number | null,
    snapshot,
  }: { idleMs?: number | null; snapshot?: Snapshot<unknown> } = {}) {
    const machine = builderMachine.provide({ actors: { build: this.#port('build'), dispose: this.#port('dispose') } });
    const options = { input: { ...input, idleMs }, clock: this.clock, inspect: coverage.inspect };
    this.actor = createActor(machine, snapshot === undefined ? options : { ...options, snapshot }).start();
  }

  #port(name: 'build' | 'dispose') {
    return fromPromise<void, BuilderInput>(
      ({ signal }) => new Promise<void>((resolve, reject) => this.calls[name].push({ resolve, reject, signal })),
    );
  }

  get state(): string {
    return leafOf(this.actor.getSnapshot());
  }

  /** Makes it happen, or at least tries: results of a port that was never called cannot come. */
  async happen(what: string): Promise<void> {
    const [build, dispose] = [this.calls.build.at(-1), this.calls.dispose.at(-1)];
    if (what === 'built') build?.resolve();
    else if (what === 'not built') build?.reject(new Error('the build failed'));
    else if (what === 'disposed') dispose?.resolve();
    else if (what === 'not disposed') dispose?.reject(new Error('the disposal failed'));
    else if (what === 'idle') this.clock.advance(LONG_MS);
    else this.actor.send({ type: what } as BuilderEvent);
    await new Promise(setImmediate);
  }
}

const leafOf = ({ value }: BuilderSnapshot): string => (typeof value === 'string' ? value : value.ready);

/** The shortest ways to every state, in words. */
const pathsWith = (idleMs: number | null) => {
  const model = modelOf(builderMachine);
  const types = [...plain, ...Object.keys(words)];
  const events = types.map((type) => ({ type, error: new Error('failed') }) as unknown as BuilderEvent);
  const paths = pathsOf(model, { input: { ...input, idleMs }, events: () => events, key: leafOf });
  return paths.map(({ events, state }) => ({
    state: leafOf(state),
    path: events.map(({ type }) => words[type] ?? type),
  }));
};

test('a builder does what may happen to it, and nothing else, in every state', async (t) => {
  const paths = pathsWith(IDLE_MS);

  for (const { path, state } of paths) {
    for (const what of everything) {
      const world = new World();
      for (const step of path) await world.happen(step);
      assert.equal(world.state, state);

      await world.happen(what);

      const expected = table[state]?.[what] ?? state;
      assert.equal(world.state, expected, `${what} while ${state}`);
      assert.deepEqual([...world.actor.getSnapshot().tags], tags[expected] ?? []);
    }
  }

  t.diagnostic(`reached ${paths.length} states; covered ${coverage.summary}`);
  assert.deepEqual(coverage.missing, []);
});

test('a builder is built once and disposed once, and a build that was given up hears of it', async () => {
  for (const { path, state } of pathsWith(IDLE_MS)) {
    const world = new World();

    for (const step of path) await world.happen(step);

    const { build, dispose } = world.calls;
    const isOver = state === 'idle-expiring' || state === 'done';
    assert.deepEqual([build.length, dispose.length], [1, isOver ? 1 : 0], state);
    assert.equal(build[0]?.signal.aborted, path[0] === 'builder.stop');
    assert.equal(dispose[0]?.signal.aborted ?? false, false);
  }
});

test('a builder that fails keeps the error', async () => {
  const [unbuilt, undisposed] = [new World(), new World()];

  await unbuilt.happen('not built');
  for (const what of ['built', 'builder.stop', 'not disposed']) await undisposed.happen(what);

  assert.match(String(unbuilt.actor.getSnapshot().context.error), /the build failed/);
  assert.match(String(undisposed.actor.getSnapshot().context.error), /the disposal failed/);
  assert.deepEqual([unbuilt.actor.getSnapshot().status, undisposed.actor.getSnapshot().status], ['done', 'done']);
});

test('a builder expires when it was idle for long enough in one piece', async () => {
  const world = new World();
  await world.happen('built');

  world.clock.advance(IDLE_MS - 1);
  await world.happen('use.began');
  world.clock.advance(10 * IDLE_MS);
  await world.happen('use.ended');
  world.clock.advance(IDLE_MS - 1);
  const stateBefore = world.state;
  world.clock.advance(1);

  assert.deepEqual([stateBefore, world.state], ['idle', 'idle-expiring']);
});

test('a builder without an idle time never expires, and does everything else', async () => {
  for (const { path, state } of pathsWith(null)) {
    const world = new World({ idleMs: null });
    for (const step of path) await world.happen(step);

    await world.happen('idle');

    assert.ok(!path.includes('idle'));
    assert.equal(world.state, state);
  }
});

test('a builder that is restored calls the port again that it waited for, and goes on from there', async () => {
  for (const { path, state } of pathsWith(IDLE_MS)) {
    for (const what of Object.keys(table[state] ?? {}).filter((type) => type !== 'idle')) {
      const stored = new World();
      for (const step of path) await stored.happen(step);
      const snapshot = stored.actor.getPersistedSnapshot();

      const restored = new World({ snapshot });
      const calls = [restored.calls.build.length, restored.calls.dispose.length];
      await restored.happen(what);

      assert.deepEqual(calls, [state === 'building' ? 1 : 0, state === 'idle-expiring' ? 1 : 0]);
      assert.equal(restored.state, table[state]?.[what]);
    }
  }
});
