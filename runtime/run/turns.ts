/**
 * Turns of the event loop in which runs go on.
 *
 * A run is woken by one fact in a turn, and has all microtasks behind that to itself before the next fact wakes it. So what follows
 * from a fact does not depend on how many facts came with it. Runs share turns: each gets one fact in each.
 */
export interface TurnTaker {
  /** A turn of its own is to come. Kept by `Turns`. */
  hasTurn: boolean;
  /** Wakes the next call that waits. */
  turn(): void;
  /** The microtasks behind the turn are over, and nothing else has happened since. True: there is more to do. */
  endTurn(): boolean;
}

export class Turns {
  #next: TurnTaker[] = [];
  #now: TurnTaker[] = [];
  #isScheduled = false;
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether a turn is to come, or under way. */
  get isBusy(): boolean {
    return this.#isScheduled;
  }

  /** Gives it a turn; once, however often it is asked for before. */
  add(taker: TurnTaker): void {
    if (taker.hasTurn) return;
    taker.hasTurn = true;
    this.#next.push(taker);
    if (!this.#isScheduled) this.#schedule();
  }

  /** Two in a row: Node runs the microtasks of the first before the second, and waits for no I/O between them. */
  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(begin, this);
    setImmediate(end, this);
  }

  begin(): void {
    this.#now = this.#next;
    this.#next = [];
    for (const taker of this.#now) {
      taker.hasTurn = false;
      try {
        taker.turn();
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  end(): void {
    const ended = this.#now;
    this.#now = [];
    for (const taker of ended) {
      try {
        if (taker.endTurn()) this.add(taker);
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#isScheduled = false;
    if (this.#next.length > 0) this.#schedule();
  }
}

const begin = (turns: Turns): void => turns.begin();
const end = (turns: Turns): void => turns.end();
