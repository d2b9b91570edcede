/** How a program is played, and what came of it. */
import type { JournalEntry } from '../../../machines/facts.ts';
import type { Cut } from './program.ts';
import type { Seen } from './world.ts';

export type End = 'completed' | 'failed' | 'blocked' | 'cancelled' | 'stuck';

export interface Played {
  readonly end: End;
  readonly result: readonly Seen[] | undefined;
  readonly error: { readonly name: string; readonly message: string } | null;
  /** As it is on the disk. */
  readonly journal: readonly JournalEntry[];
  readonly problems: readonly string[];
  /** Sites of the calls that the last life has made. */
  readonly made: ReadonlySet<string>;
  readonly begun: ReadonlyMap<string, number>;
  /** How often the function was called. */
  readonly lives: number;
}

/** What is done to the execution: cuts at numbers of its journal. */
export interface Plan {
  readonly cuts: readonly (Omit<Cut, 'at'> & { readonly fact: number })[];
  /** It leaves memory each time when it waits. */
  readonly hibernates: boolean;
}
