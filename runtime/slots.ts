/** The run slots of one builder: a bounded number, and a bounded first-in-first-out queue before them. */
import { Failure } from './errors.ts';

/** Who wants a slot. */
export interface SlotHolder {
  slotGranted(): void;
}

/** One place in the queue, or in a slot. */
export class SlotRequest {
  state: 'queued' | 'held' | 'gone' = 'queued';
  readonly holder: SlotHolder;
  constructor(holder: SlotHolder) {
    this.holder = holder;
  }
}

export class Slots {
  /** Infinity for no limit. */
  readonly limit: number;
  readonly #maxQueued: number;
  /** Requests wait, whatever is free, until the builder is ready. */
  #open = false;
  #held = 0;
  #queue: SlotRequest[] = [];
  /** Left the queue without a slot; they are skipped when their turn comes. */
  #withdrawn = 0;

  constructor(limit: number, maxQueued: number) {
    this.limit = limit > 0 ? limit : Number.POSITIVE_INFINITY;
    this.#maxQueued = maxQueued;
  }

  get held(): number {
    return this.#held;
  }

  get queued(): number {
    return this.#queue.length - this.#withdrawn;
  }

  /** Whether a start would be refused. Those that resume are never refused: they were let in once. */
  get isFull(): boolean {
    return this.queued >= this.#maxQueued && (!this.#open || this.#held >= this.limit);
  }

  refuseIfFull(): void {
    if (!this.isFull) return;
    const detail = `${this.#held} runs execute and ${this.queued} wait, which is the limit; try again later.`;
    throw new Failure('queue_full', { detail, retryAfterMs: 1_000 });
  }

  /** Calls `slotGranted` at once if a slot is free, else when its turn comes. */
  request(request: SlotRequest): void {
    if (this.#open && this.#held < this.limit) this.#grant(request);
    else this.#queue.push(request);
  }

  /** Gives a slot back, or leaves the queue. Twice is harmless. */
  release(request: SlotRequest): void {
    const { state } = request;
    request.state = 'gone';
    if (state === 'queued') this.#withdrawn += 1;
    if (state !== 'held') return;
    this.#held -= 1;
    this.#serve();
  }

  /** The builder is ready. */
  open(): void {
    this.#open = true;
    this.#serve();
  }

  #grant(request: SlotRequest): void {
    this.#held += 1;
    request.state = 'held';
    request.holder.slotGranted();
  }

  #serve(): void {
    while (this.#open && this.#held < this.limit) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      if (next.state === 'queued') this.#grant(next);
      else this.#withdrawn -= 1;
    }
  }
}
