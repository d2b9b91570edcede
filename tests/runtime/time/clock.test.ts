/** The clock follows the wall clock, and never goes back. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock, WallClock } from '../../../runtime/time/clock.ts';
import { TimingWheel } from '../../../runtime/time/timing-wheel.ts';

const HOUR = 3_600_000;

/** A machine: time passes in it, or while it is suspended, and its wall clock is put forward and back. */
const machine = () => {
  const state = { wall: 1_767_225_600_000, monotonic: 1_000 };
  return {
    state,
    clock: new WallClock({ wall: () => state.wall, monotonic: () => state.monotonic }),
    pass: (ms: number) => {
      state.wall += ms;
      state.monotonic += ms;
    },
    step: (ms: number) => void (state.wall += ms),
  };
};

test('after a suspend, or when the wall clock is put forward, the clock shows what the wall clock does', () => {
  const { state, clock, pass, step } = machine();
  pass(500);
  step(3 * HOUR);
  assert.equal(clock.now(), state.wall);
  pass(1_000);
  assert.equal(clock.now(), state.wall);
});

test('when the wall clock is put back, the clock goes on, and the wall clock comes up with it', () => {
  const { state, clock, pass, step } = machine();
  step(-HOUR);
  const before = clock.now();
  pass(60_000);
  assert.ok(clock.now() - before >= 50_000, 'a timer of a minute is late by seconds, not by an hour');
  for (let hour = 0; hour < 11; hour += 1) {
    pass(HOUR);
    clock.now();
  }
  assert.equal(clock.now(), state.wall);
});

test('the clock never goes back and never stands still, whatever is done to the wall clock', () => {
  const act = fc.record({ step: fc.integer({ min: -HOUR, max: HOUR }), pass: fc.integer({ min: 10, max: HOUR }) });
  fc.assert(
    fc.property(fc.array(act), (acts) => {
      const { clock, pass, step } = machine();
      for (const act of acts) {
        const before = clock.now();
        step(act.step);
        pass(act.pass);
        assert.ok(clock.now() > before);
      }
    }),
  );
});

test('a timer of hours fires within half a minute of a suspend that was longer', (t) => {
  const { clock, pass, step } = machine();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wheel = new TimingWheel({ clock, onError: (error) => assert.fail(String(error)) });
  let fired = 0;
  wheel.schedule(clock.now() + 2 * HOUR, () => void (fired += 1));
  const cancelled = wheel.schedule(clock.now() + 2 * HOUR, () => assert.fail('it was cancelled'));
  const tick = (ms: number) => {
    pass(ms);
    t.mock.timers.tick(ms);
  };

  for (let minute = 0; minute < 10; minute += 1) tick(60_000);
  wheel.cancel(cancelled);
  assert.equal(fired, 0);
  step(8 * HOUR);
  tick(30_000);
  tick(1); // what is due is moved first

  assert.equal(fired, 1);
  wheel.stop();
});

test('a timeout keeps nothing of the run that has set it', async () => {
  const storage = new AsyncLocalStorage<string>();

  const seen = await new Promise((resolve) => {
    storage.run('a run', () => systemClock.setTimeout(() => resolve(storage.getStore()), 1));
  });

  assert.equal(seen, undefined);
});
