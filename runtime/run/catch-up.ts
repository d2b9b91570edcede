/**
 * A run that does again what a run before it has done. Until it has caught up with its journal it does and records nothing new,
 * so that code which does something else than before has done nothing when this is found out. If the calls of the journal do not
 * come, the execution is blocked; if they come after all, it goes on.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import { Replay } from './replay.ts';

/** What the run before has done: the journal, since the function began. `isTruncated`: it has dropped output or traces. */
export type Past = { readonly entries: readonly JournalEntry[]; readonly isTruncated: boolean };

export interface CatchUpDeps {
  /** Calls back in so many milliseconds, unless what is returned is called before. */
  after(ms: number, run: () => void): () => void;
  /** Whether the run waits for one of these pauses, which were opened beyond what the journal has. */
  waitsFor(ids: ReadonlySet<string | number>): boolean;
  blocked(expected: string, came: string): void;
  unblocked(): void;
}

/** A replay in which nothing happens for so long is of another workflow. */
export const STALL_MS = 60_000;
/** The same where something else has come than the journal has. */
export const DIVERGED_MS = 2_000;

export class CatchUp {
  readonly replay: Replay;
  readonly #deps: CatchUpDeps;
  /** What is new, in the order in which it came; the last may be the end of the function. */
  readonly #held: { readonly words: string; readonly act: () => void }[] = [];
  /** Pauses that were opened all the same: their calls are in the journal, and ask for more than they did before. */
  readonly again = new Set<string | number>();
  #isBlocked = false;
  #callOffStall: (() => void) | undefined;

  constructor({ entries, isTruncated }: Past, deps: CatchUpDeps) {
    this.replay = new Replay(entries, isTruncated);
    this.#deps = deps;
  }

  /** Done when the run has caught up. `words`: what came, should the execution be blocked. */
  hold(words: string, act: () => void): void {
    this.#held.push({ words, act });
    this.watch();
  }

  /** A fact of the journal may wake the run, or there is none any more: what it was blocked for has come after all. */
  progressed(): void {
    if (!this.#isBlocked || !(this.replay.isReady || this.replay.isOver)) return;
    this.#isBlocked = false;
    this.#deps.unblocked();
  }

  /** Nothing can be told to the run before it makes a call: looks after a while whether that has come. */
  watch(): void {
    if (this.#callOffStall !== undefined) return;
    const { progress } = this.replay;
    const isDiverged = this.#held.length > 0;
    this.#callOffStall = this.#deps.after(isDiverged ? DIVERGED_MS : STALL_MS, () => {
      this.#callOffStall = undefined;
      if (this.#isBlocked) return;
      const { expected } = this.replay;
      const hasCome = this.replay.progress !== progress || (!isDiverged && this.#held.length > 0);
      if (hasCome || this.#deps.waitsFor(this.again)) this.watch();
      else if (expected !== undefined) this.block(expected, this.#held[0]?.words ?? 'nothing yet');
    });
  }

  block(expected: string, came: string): void {
    this.#isBlocked = true;
    this.#deps.blocked(expected, came);
  }

  /** It is over, because the run has caught up or has left. Gives what was held. */
  end(): readonly { readonly act: () => void }[] {
    this.#callOffStall?.();
    this.#callOffStall = undefined;
    return this.#held;
  }
}
