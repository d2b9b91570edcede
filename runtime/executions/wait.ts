import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';

/** Waits for a condition of an execution. It ends once, and releases everything. */
export class Wait {
  readonly wheel: TimingWheel;
  readonly #resolve: (held: boolean) => void;
  unwatch: (() => void) | undefined;
  timer: WheelTimer | undefined;

  constructor(resolve: (held: boolean) => void, wheel: TimingWheel) {
    this.#resolve = resolve;
    this.wheel = wheel;
  }

  end(held: boolean): void {
    this.unwatch?.();
    if (this.timer !== undefined) this.wheel.cancel(this.timer);
    this.#resolve(held);
  }
}
