/** What outlives each life of a program in a test: the outside of its execution, and what has been seen of it. */
import { isDeepStrictEqual } from 'node:util';
import type { Traits } from './program.ts';

/** Something that a run has observed. `site` is the place in the program, with the count of each loop around it. */
export interface Seen {
  readonly site: string;
  readonly did: string;
  /** What the run had asked for: the text of a prompt, the name of a step. */
  readonly asked?: string;
  readonly got: unknown;
}

/** More iterations of a loop than that within one turn of the event loop mean that nothing else is ever heard. */
const SPINNING = 300;

/** What may be another value in a life that comes after a loss, for it need not have been kept. */
const UNSURE: ReadonlySet<string> = new Set(['now', 'random', 'span', 'emit']);
/** What depends on the order in which things end. */
const ORDERED: ReadonlySet<string> = new Set(['race', 'withdraw', 'catch']);

export class World {
  readonly problems: string[] = [];
  /** What comes first is the same in each life. */
  readonly #isOrderSure: boolean;
  /** How often the function was called. */
  attempts = 0;
  /** Number of the process. */
  process = 1;
  /** Turns of the event loop. */
  turn = 0;
  /** Hops and steps under way in the present process. */
  readonly busy = new Set<object>();
  /** What waits for the outside. */
  readonly outside: { readonly site: string; readonly resolve: () => void }[] = [];
  /** By site: what was observed there first. */
  readonly #seen = new Map<string, Seen>();
  /** Sites of the calls that each attempt has made. */
  readonly made = new Map<number, Set<string>>();
  /** How often the work of a step was begun. */
  readonly begun = new Map<string, number>();
  readonly #spins = new Map<string, { turn: number; count: number }>();
  /** Names of the steps that are over for good. */
  stepsOver: () => ReadonlySet<string> = () => new Set();

  problem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text);
  }

  constructor({ isLoose, isUnstable }: Traits) {
    this.#isOrderSure = !isLoose && !isUnstable;
  }

  /** The same in each life. */
  compare(seen: Seen): void {
    if (UNSURE.has(seen.did) || (!this.#isOrderSure && ORDERED.has(seen.did))) return;
    if (JSON.stringify(seen.got).includes('AbortError')) return; // it has ended
    const before = this.#seen.get(seen.site);
    if (before === undefined) this.#seen.set(seen.site, seen);
    else if (!isDeepStrictEqual(before.got, seen.got)) {
      this.problem(
        `${seen.did} ${seen.site} gave ${JSON.stringify(seen.got)}, and ${JSON.stringify(before.got)} before`,
      );
    }
  }

  /** The work of a step begins. Counts how often it has. */
  begin(name: string, isOwn: boolean): number {
    if (isOwn && this.stepsOver().has(name)) this.problem(`the step ${name} had ended, and is done again`);
    const count = (this.begun.get(name) ?? 0) + 1;
    this.begun.set(name, count);
    return count;
  }

  /** True: the loop there lets nothing else happen. */
  spins(site: string): boolean {
    const spin = this.#spins.get(site);
    if (spin === undefined || spin.turn !== this.turn) this.#spins.set(site, { turn: this.turn, count: 1 });
    else if ((spin.count += 1) > SPINNING) {
      this.problem(`the loop ${site} goes round in one turn of the event loop for ever`);
      return true;
    }
    return false;
  }
}
