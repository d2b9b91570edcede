/** The timing wheel beside a list that is sorted anew for every turn: whatever happens, both must do the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimingWheel, type WheelTimer } from '../../../runtime/time/timing-wheel.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

const DAY = 86_400_000;

class SortedList {
  readonly #clock: { now(): number };
  #timers: { dueAt: number; fire: () => void }[] = [];

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  get size() {
    return this.#timers.length;
  }

  get nextDueAt() {
    return Math.min(...this.#timers.map(({ dueAt }) => dueAt));
  }

  schedule(dueAt: number, fire: () => void) {
    const timer = { dueAt, fire };
    this.#timers.push(timer);
    return timer;
  }

  cancel(timer: { dueAt: number }) {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  turn() {
    const due = this.#timers.filter(({ dueAt }) => dueAt <= this.#clock.now());
    for (const timer of due.sort((a, b) => a.dueAt - b.dueAt)) {
      if (!this.#timers.includes(timer)) continue;
      this.cancel(timer);
      timer.fire();
    }
  }
}

class ModelTime {
  #now: number;
  readonly list = new SortedList(this);

  constructor(startAt: number) {
    this.#now = startAt;
  }

  now() {
    return this.#now;
  }

  advance(ms: number) {
    const end = this.#now + ms;
    while (this.list.nextDueAt <= end) {
      this.block(Math.max(this.list.nextDueAt - this.#now, 0));
      this.list.turn();
    }
    this.#now = end;
  }

  block(ms: number) {
    this.#now += ms;
  }
}

// What may happen. A timer may do the same things when it fires, except that time stands still.

type Deed = { do: 'schedule'; ms: number; deeds: Deed[] } | { do: 'cancel'; which: number };
type Step = Deed | { do: 'advance'; ms: number } | { do: 'block'; ms: number };

const ms = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 70 * DAY }),
  fc.constantFrom(31, 32, 33, 1_023, 1_024, 2 ** 30, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 3 * 2 ** 32),
);
const delay = fc.oneof({ weight: 5, arbitrary: ms }, { weight: 1, arbitrary: fc.integer({ min: -2_000, max: 0 }) });
const { deed } = fc.letrec<{ deed: Deed }>((tie) => ({
  deed: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'deed' },
    fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }),
    fc.record({
      do: fc.constant('schedule' as const),
      ms: delay,
      deeds: fc.array(tie('deed'), { maxLength: 3, depthIdentifier: 'deed' }),
    }),
  ),
}));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: deed },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('block' as const), ms }) },
);
const startAt = fc.oneof(
  fc.constantFrom(0, Date.UTC(2026, 0, 1)),
  fc.integer({ min: -50, max: 50 }).map((offset) => 400 * 2 ** 32 + offset),
);

interface Timers<Timer> {
  readonly size: number;
  schedule(dueAt: number, fire: () => void): Timer;
  cancel(timer: Timer): void;
}

const rethrow = (error: unknown): void => {
  throw error;
};

/** Does steps one by one and keeps what can be seen: who fired when, and how many are left after each step. */
const play = <Timer>(steps: Step[], time: Pick<SimulatedClock, 'now' | 'advance' | 'block'>, on: Timers<Timer>) => {
  const seen: string[] = [];
  const timers: Timer[] = [];
  const act = (deed: Deed) => {
    if (deed.do === 'cancel') {
      if (timers.length > 0) on.cancel(timers[deed.which % timers.length]!);
    } else {
      const name = timers.length;
      const fire = () => {
        seen.push(`${name} at ${time.now()}`);
        for (const next of deed.deeds) act(next);
      };
      timers.push(on.schedule(time.now() + deed.ms, fire));
    }
  };
  for (const step of steps) {
    if (step.do === 'advance') time.advance(step.ms);
    else if (step.do === 'block') time.block(step.ms);
    else act(step);
    seen.push(`${on.size} left`);
  }
  return seen;
};

test('whatever is scheduled, cancelled and waited for, a wheel does what a sorted list would do', () => {
  fc.assert(
    fc.property(startAt, fc.array(step, { maxLength: 60, size: 'max' }), (startAt, steps) => {
      const clock = new SimulatedClock(startAt);
      const wheel = new TimingWheel({ clock, onError: rethrow });
      const model = new ModelTime(startAt);

      const seen = play<WheelTimer>(steps, clock, wheel);

      assert.deepEqual(seen, play(steps, model, model.list));
      assert.equal(clock.pending, wheel.size === 0 ? 0 : 1);
    }),
    { numRuns: 1_000 },
  );
});
