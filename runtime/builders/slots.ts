/** The run slots of one builder: a bounded number, and a bounded first-in-first-out queue before them. */
import { Failure } from '../errors.ts';

/** A run that requests a slot. */
export interface SlotHolder {
  slotGranted(): void;
}

/** One place in the queue or in a slot. The queue is a linked ring, so any place can leave it at any time. */
export class SlotRequest {
  state: 'queued' | 'held' | 'gone' = 'queued';
  readonly holder: SlotHolder;
  previous: SlotRequest = this;
  next: SlotRequest = this;

  constructor(holder: SlotHolder) {
    this.holder = holder;
  }
}

export class Slots {
  /** Infinity for no limit. */
  readonly limit: number;
  readonly #maxQueued: number;
  /** Requests wait until the builder is ready, even if slots are free. */
  #open = false;
  #held = 0;
  #queued = 0;
  /** The sentinel of the ring, before the first place and after the last. */
  readonly #queue = new SlotRequest({ slotGranted: () => {} });
  #isServing = false;

  constructor(limit: number, maxQueued: number) {
    this.limit = limit > 0 ? limit : Number.POSITIVE_INFINITY;
    this.#maxQueued = maxQueued;
  }

  get held(): number {
    return this.#held;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Whether a start would be refused. A run that resumes is never refused, because it was admitted before. */
  get isFull(): boolean {
    const free = this.#open ? this.limit - this.#held : 0;
    return this.#queued - free >= this.#maxQueued;
  }

  refuseIfFull(): void {
    if (!this.isFull) return;
    const detail = `${this.#held} runs execute and ${this.#queued} wait, which is the limit; try again later.`;
    throw new Failure('queue_full', { detail, retryAfterMs: 1_000 });
  }

  /** Calls `slotGranted` when its turn comes: synchronously if a slot is free, unless slots are just being granted. */
  request(request: SlotRequest): void {
    const last = this.#queue.previous;
    request.previous = last;
    request.next = this.#queue;
    last.next = this.#queue.previous = request;
    this.#queued += 1;
    this.#serve();
  }

  /** Returns a slot, or leaves the queue. A second call has no effect. */
  release(request: SlotRequest): void {
    if (request.state === 'queued') this.#leaveQueue(request);
    else if (request.state === 'held') this.#held -= 1;
    request.state = 'gone';
    this.#serve();
  }

  /** The builder is ready. */
  open(): void {
    this.#open = true;
    this.#serve();
  }

  get #isFree(): boolean {
    return this.#open && this.#held < this.limit;
  }

  #leaveQueue(request: SlotRequest): void {
    request.previous.next = request.next;
    request.next.previous = request.previous;
    request.previous = request.next = request;
    this.#queued -= 1;
  }

  /** A run may return its slot, or request another one, in the callback. One loop serves all, in order. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      while (this.#queued > 0 && this.#isFree) {
        const { next } = this.#queue;
        this.#leaveQueue(next);
        this.#held += 1;
        next.state = 'held';
        next.holder.slotGranted();
      }
    } finally {
      this.#isServing = false;
    }
  }
}
