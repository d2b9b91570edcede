/**
 * Turns of the event loop in which runs go on.
 *
 * A run is woken by one fact in a turn, and has all microtasks behind that to itself before the next fact wakes it. So what follows
 * from a fact does not depend on how many facts came with it. Runs share turns: each gets one fact in each.
 *
 * A run that is at rest need not wait for a turn to come. It takes the one that is under way: the callback that has brought the fact,
 * and the microtasks behind that. What a request causes is then done while it is still in the caches of the processor, which
 * halves the cost of a short run.
 *
 * A run that ends in a turn hands its slot to another, which wants the next turn. Node runs immediates that are set during
 * immediates only after it has waited for I/O. With few slots each round of the event loop would then serve few runs, so
 * several turns are set at once, in advance. Those that turn out to be superfluous cost a function call each.
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
  /** Turns that are set and have not ended. */
  #scheduled = 0;
  /** How many are set at once: it follows how many were of use. */
  #atOnce = 1;
  readonly #failed: (error: unknown) => void;
  /** Those that have taken the turn under way. */
  #early: TurnTaker[] = [];
  /** A tick runs behind all microtasks, if a microtask has set it. */
  readonly #behind = (): void => process.nextTick(endEarly, this);

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether a turn is to come, or under way. */
  get isBusy(): boolean {
    return this.#next.length > 0 || this.#now.length > 0 || this.#early.length > 0;
  }

  /** Gives it a turn; once, however often it is asked for before. */
  add(taker: TurnTaker): void {
    if (taker.hasTurn) return;
    taker.hasTurn = true;
    this.#next.push(taker);
    if (this.#scheduled === 0) this.#schedule();
  }

  /** Gives it the turn that is under way. It has to be at rest: no microtask of its own may be left. */
  take(taker: TurnTaker): void {
    if (this.#early.length === 0) NOW.then(this.#behind);
    this.#early.push(taker);
    taker.turn();
  }

  endEarly(): void {
    const ended = this.#early;
    this.#early = [];
    this.#endAll(ended);
  }

  #endAll(takers: readonly TurnTaker[]): void {
    for (const taker of takers) {
      try {
        if (taker.endTurn()) this.add(taker);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  /** Two immediates a turn: Node runs the microtasks of the first before the second, and waits for no I/O between them. */
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
    this.#endAll(ended);
    this.#scheduled -= 1;
    if (this.#scheduled > 0) return;
    this.#atOnce = ended.length > 0 ? Math.min(this.#atOnce * 2, MOST_AT_ONCE) : Math.max(this.#atOnce >> 1, 1);
    if (this.#next.length > 0) this.#schedule();
  }
}

/** Between two looks at I/O. */
const MOST_AT_ONCE = 16;

const NOW = Promise.resolve();

const begin = (turns: Turns): void => turns.begin();
const end = (turns: Turns): void => turns.end();
const endEarly = (turns: Turns): void => turns.endEarly();
