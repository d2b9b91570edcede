/**
 * The turns of the event loop in which runs resume.
 *
 * One fact wakes a run per turn, and all microtasks of the run finish before the next fact wakes it. So the results of
 * a fact do not depend on the number of facts that arrive together. Runs share turns: each gets one fact in each.
 *
 * A run that ends in a turn passes its slot to another run, which needs the next turn. Node runs immediates that are
 * set during immediates only after it has polled for I/O. With few slots, each round of the event loop would then serve
 * few runs. So several turns are set at once, in advance. Superfluous ones cost a function call each.
 */
export interface TurnTaker {
  /** A turn is scheduled for it. Managed by `Turns`. */
  hasTurn: boolean;
  /** Wakes the next waiting call. */
  turn(): void;
  /** The microtasks of the turn have finished. True: there is more to do. */
  endTurn(): boolean;
}

export class Turns {
  #next: TurnTaker[] = [];
  #now: TurnTaker[] = [];
  /** Turns that are set and have not ended. */
  #scheduled = 0;
  /** How many are set at once: it adapts to the number of useful turns. */
  #atOnce = 1;
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether a turn is scheduled or running. */
  get isBusy(): boolean {
    return this.#next.length > 0 || this.#now.length > 0;
  }

  /** Schedules a turn for it; once, for any number of calls. */
  add(taker: TurnTaker): void {
    if (taker.hasTurn) return;
    taker.hasTurn = true;
    this.#next.push(taker);
    if (this.#scheduled === 0) this.#schedule();
  }

  /**
   * Two immediates per turn: Node runs the microtasks of the first before the second, without polling for I/O between
   * them.
   */
  #schedule(): void {
    for (let more = this.#atOnce; more > 0; more -= 1) {
      this.#scheduled += 1;
      setImmediate(begin, this);
      setImmediate(end, this);
    }
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
    this.#scheduled -= 1;
    if (this.#scheduled > 0) return;
    this.#atOnce = ended.length > 0 ? Math.min(this.#atOnce * 2, MOST_AT_ONCE) : Math.max(this.#atOnce >> 1, 1);
    if (this.#next.length > 0) this.#schedule();
  }
}

/** Between two polls for I/O. */
const MOST_AT_ONCE = 16;

const begin = (turns: Turns): void => turns.begin();
const end = (turns: Turns): void => turns.end();
