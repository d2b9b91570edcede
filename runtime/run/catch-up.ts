/**
 * A replaying run. Until it has caught up with its journal it records nothing and has no effects, so code that does not
 * match has done nothing when that is found. If the calls of the journal do not come, the execution is blocked; if they
 * come later, it continues.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import { Replay } from './replay.ts';

/** The journal since the last start of the function. `isTruncated`: output or traces were dropped. */
export type Past = { readonly entries: readonly JournalEntry[]; readonly isTruncated: boolean };

export interface CatchUpDeps {
  /** Calls back after this delay in milliseconds, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;
  /** Whether the run waits for one of these pauses, which were opened beyond the journal. */
  waitsFor(ids: ReadonlySet<string | number>): boolean;
  blocked(expected: string, came: string): void;
  unblocked(): void;
}

/** A replay without progress for this long belongs to other code. */
export const STALL_MS = 60_000;
/** The same, if the run has made a call that the journal does not have. */
export const DIVERGED_MS = 2_000;

export class CatchUp {
  readonly replay: Replay;
  readonly #deps: CatchUpDeps;
  /** New calls, in their order; the last one may be the end of the function. */
  readonly #held: { readonly words: string; readonly act: () => void }[] = [];
  /** Pauses that were opened anyway: their calls are in the journal, and now ask for more. */
  readonly again = new Set<string | number>();
  #isBlocked = false;
  #cancelCheck: (() => void) | undefined;

  constructor({ entries, isTruncated }: Past, deps: CatchUpDeps) {
    this.replay = new Replay(entries, isTruncated);
    this.#deps = deps;
  }

  /** Runs `act` when the run has caught up. `words`: the call, in case the execution is blocked. */
  hold(words: string, act: () => void): void {
    this.#held.push({ words, act });
    this.watch();
  }

  /** A fact of the journal may wake the run, or there is none left: the missing call has come. */
  progressed(): void {
    if (!this.#isBlocked || !(this.replay.isReady || this.replay.isOver)) return;
    this.#isBlocked = false;
    this.#deps.unblocked();
  }

  /** The run gets no facts before its next call: checks after a while whether the call has come. */
  watch(): void {
    if (this.#cancelCheck !== undefined) return;
    const { progress } = this.replay;
    const isDiverged = this.#held.length > 0;
    this.#cancelCheck = this.#deps.after(isDiverged ? DIVERGED_MS : STALL_MS, () => {
      this.#cancelCheck = undefined;
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

  /** It ends, because the run has caught up or was detached. Returns the held calls. */
  end(): readonly { readonly act: () => void }[] {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    return this.#held;
  }
}
