import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Clock, systemClock } from '../../../runtime/time/clock.ts';
import { TimingWheel } from '../../../runtime/time/timing-wheel.ts';
import { heapUsed } from '../../support/heap.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

const DAY = 86_400_000;

/** An error of a timer is thrown to the test that advances the time, unless the test handles it. */
const rethrow = (error: unknown): void => {
  throw error;
};

const givenWheel = (startAt = 0, onError = rethrow) => {
  const clock = new SimulatedClock(startAt);
  return { clock, wheel: new TimingWheel({ clock, onError }) };
};

const ms = fc.oneof(
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 70 * DAY }),
  fc.constantFrom(31, 32, 1_023, 1_024, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 3 * 2 ** 32),
);

test('a wheel wakes at most once per level on its way to a timer, and not at all when it has none', () => {
  fc.assert(
    fc.property(ms, ms, ms, (startAt, idle, delay) => {
      const clock = new SimulatedClock(startAt);
      let wakes = 0;
      const counted: Clock = {
        now: () => clock.now(),
        setTimeout: (fn, ms) => {
          const wake = () => {
            wakes += 1;
            fn();
          };
          return clock.setTimeout(wake, ms);
        },
        clearTimeout: (handle) => clock.clearTimeout(handle),
      };
      const wheel = new TimingWheel({ clock: counted, onError: rethrow });

      clock.advance(idle);
      assert.equal(wakes, 0);
      wheel.schedule(clock.now() + delay, () => {});
      clock.advance(delay);

      const most = 8 + 3 * Math.floor(delay / 2 ** 31); // a clock sleeps for 2^31 - 1 ms at most
      assert.ok(wakes <= most, `${wakes} wakes for ${delay} ms`);
      const wakesUntilThen = wakes;
      clock.advance(100 * DAY);
      assert.equal(wakes, wakesUntilThen);
    }),
  );
});

test('a timer whose time is a fraction, or never, is not early', () => {
  const { clock, wheel } = givenWheel();
  const fired: string[] = [];
  wheel.schedule(Number.POSITIVE_INFINITY, () => fired.push('never'));
  wheel.schedule(10.2, () => fired.push('10.2'));
  wheel.schedule(10, () => fired.push('10'));

  clock.advance(10);
  assert.deepEqual(fired, ['10']);
  clock.advance(1);
  assert.deepEqual(fired, ['10', '10.2']);
  clock.advance(1_000 * DAY);

  assert.deepEqual(fired, ['10', '10.2']);
  assert.equal(wheel.size, 1);
});

test('a time that is not a number is refused, and nothing is scheduled', () => {
  const { clock, wheel } = givenWheel();

  assert.throws(() => wheel.schedule(Number.NaN, () => {}), RangeError);

  assert.equal(wheel.size, 0);
  assert.equal(clock.pending, 0);
});

test('a timeout of the clock that comes too early fires nothing, and is set again', () => {
  let now = 0;
  const timeouts: { fn: () => void; ms: number }[] = [];
  const clock: Clock = { now: () => now, setTimeout: (fn, ms) => timeouts.push({ fn, ms }), clearTimeout: () => {} };
  const wheel = new TimingWheel({ clock, onError: rethrow });
  let fired = 0;
  wheel.schedule(20, () => fired++);

  now = 19;
  timeouts[0]!.fn();
  assert.equal(fired, 0);
  now = 20;
  timeouts[1]!.fn();

  assert.equal(fired, 1);
  assert.deepEqual(
    timeouts.map(({ ms }) => ms),
    [20, 1],
  );
});

test('after a long pause every timer fires once, in order, and others get their turn in between', () => {
  const { clock, wheel } = givenWheel();
  const fired: number[] = [];
  const dueAts = Array.from({ length: 1_000 }, (_, i) => 1 + ((i * 7_919) % 1_000) * 60_000);
  for (const dueAt of dueAts) wheel.schedule(dueAt, () => fired.push(dueAt));
  let firedBefore = 0;
  clock.setTimeout(() => {
    firedBefore = fired.length;
  }, 1);

  clock.block(DAY);
  clock.advance(0);

  assert.deepEqual(
    fired,
    dueAts.sort((a, b) => a - b),
  );
  assert.ok(firedBefore > 0 && firedBefore < 1_000, `${firedBefore} fired before another timeout of the clock`);
});

test('timers that were overdue when they were scheduled fire in the order in which they were due', () => {
  const { clock, wheel } = givenWheel(1_000);
  const fired: number[] = [];
  for (const dueAt of [1_000, 500, -3, 999, 500.5]) wheel.schedule(dueAt, () => fired.push(dueAt));

  assert.deepEqual(fired, []);
  clock.advance(0);

  assert.deepEqual(fired, [-3, 500, 500.5, 999, 1_000]);
});

test('a timer that schedules the past from inside fires it in a later turn, after all that was due', () => {
  const { clock, wheel } = givenWheel();
  const fired: string[] = [];
  wheel.schedule(10, () => {
    wheel.schedule(5, () => fired.push('scheduled inside'));
    fired.push('first');
  });
  wheel.schedule(10, () => fired.push('second'));

  clock.advance(10);

  assert.deepEqual(fired, ['first', 'second', 'scheduled inside']);
});

test('a timer that is cancelled by another one of the same turn does not fire', () => {
  const { clock, wheel } = givenWheel();
  const fired: string[] = [];
  wheel.schedule(10, () => {
    fired.push('first');
    wheel.cancel(second);
    wheel.cancel(second);
  });
  const second = wheel.schedule(10, () => fired.push('second'));
  wheel.schedule(10, () => fired.push('third'));

  clock.advance(10);

  assert.deepEqual(fired, ['first', 'third']);
  assert.equal(wheel.size, 0);
});

test('a timer that throws is reported, and the others fire', () => {
  const errors: unknown[] = [];
  const { clock, wheel } = givenWheel(0, (error) => errors.push(error));
  const fired: string[] = [];
  const bang = new Error('bang');
  wheel.schedule(10, () => {
    throw bang;
  });
  wheel.schedule(10, () => fired.push('same moment'));
  wheel.schedule(20, () => fired.push('later'));

  clock.advance(20);

  assert.deepEqual(errors, [bang]);
  assert.deepEqual(fired, ['same moment', 'later']);
});

test('a report that throws reaches the clock, and the other timers fire all the same', () => {
  const { clock, wheel } = givenWheel(0, rethrow);
  const fired: string[] = [];
  wheel.schedule(10, () => assert.fail('bang'));
  wheel.schedule(10, () => fired.push('same moment'));
  wheel.schedule(20, () => fired.push('later'));

  assert.throws(() => clock.advance(20), /bang/);
  clock.advance(20);

  assert.deepEqual(fired, ['same moment', 'later']);
});

test('a stopped wheel has dropped its timers, leaves the clock alone and takes no more', () => {
  const { clock, wheel } = givenWheel();
  const timers = [1, 1_000, 90 * DAY].map((dueAt) => wheel.schedule(dueAt, assert.fail));

  wheel.stop();
  timers.push(wheel.schedule(5, assert.fail));
  assert.equal(wheel.size, 0);
  for (const timer of timers) wheel.cancel(timer);

  assert.equal(wheel.size, 0);
  assert.equal(clock.pending, 0);
});

test('a wheel that is stopped by one of its timers fires no other', () => {
  const { clock, wheel } = givenWheel();
  wheel.schedule(10, () => wheel.stop());
  wheel.schedule(10, assert.fail);
  wheel.schedule(11, assert.fail);

  clock.advance(20);

  assert.equal(wheel.size, 0);
  assert.equal(clock.pending, 0);
});

test('on the system clock a timer fires when that shows its time, and a wall clock that steps back is not noticed', async (t) => {
  const wheel = new TimingWheel({ clock: systemClock, onError: rethrow });
  t.after(() => wheel.stop());
  const before = systemClock.now();
  t.mock.method(Date, 'now', () => 0);

  const firedAt = await new Promise<number>((resolve) => {
    wheel.schedule(before + 3, () => resolve(systemClock.now()));
  });

  assert.ok(firedAt >= before + 3, `due at ${before + 3}, fired at ${firedAt}`);
});

test('a wheel keeps the process alive while it waits, and no longer than that', () => {
  const timeouts = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const wheel = new TimingWheel({ clock: systemClock, onError: rethrow });
  const before = timeouts();

  const timer = wheel.schedule(systemClock.now() + DAY, assert.fail);
  assert.equal(timeouts(), before + 1);
  wheel.cancel(timer);
  assert.equal(timeouts(), before);
  wheel.schedule(systemClock.now() + DAY, assert.fail);
  wheel.stop();

  assert.equal(timeouts(), before);
});

test('two million timers that are scheduled and cancelled leave nothing behind', (t) => {
  const { clock, wheel } = givenWheel();
  const fire = () => {};
  const timed = (what: string, count: number, work: () => void) => {
    const before = performance.now();
    work();
    t.diagnostic(`${what}: ${Math.round(((performance.now() - before) * 1e6) / count)} ns each`);
  };
  const heapEmpty = heapUsed();
  timed('schedule', 100_000, () => {
    for (let i = 0; i < 100_000; i += 1) wheel.schedule(1 + ((i * 7_919) % (7 * DAY)), fire);
  });
  const heapParked = heapUsed();
  t.diagnostic(`${Math.round((heapParked - heapEmpty) / 100_000)} bytes per pending timer`);

  timed('schedule and cancel beside 100,000 others', 2_000_000, () => {
    for (let i = 0; i < 2_000_000; i += 1) wheel.cancel(wheel.schedule(1 + ((i * 104_729) % DAY), fire));
  });

  const grown = heapUsed() - heapParked;
  assert.ok(grown < 2_000_000, `the heap grew by ${grown} bytes`);
  assert.equal(wheel.size, 100_000);
  timed('fire', 100_000, () => clock.advance(7 * DAY));
  assert.equal(wheel.size, 0);
});
