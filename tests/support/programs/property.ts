/** Checks many random programs. A failure is given as small as fast-check can make it, with all that it takes to play it again. */
import fc from 'fast-check';
import { check } from './check.ts';
import { cases, type Family } from './generate.ts';
import type { Case } from './program.ts';
import type { OpenPlayed } from './store.ts';

export interface Tally {
  programs: number;
  /** Executions: each program has several. */
  runs: number;
  /** How often a function was executed. */
  lives: number;
  blocked: number;
}

export interface Wrong {
  readonly seed: number;
  /** Where fast-check finds the case. */
  readonly path: string;
  readonly given: Case;
  readonly problems: string;
}

export interface Asked {
  readonly families: ReadonlySet<Family>;
  readonly count: number;
  readonly seed: number;
  readonly path?: string | undefined;
  /** A store in memory by default. */
  readonly openStore?: OpenPlayed;
}

/** Undefined: nothing was wrong. */
export const firstWrong = async (asked: Asked, tally: Tally): Promise<Wrong | undefined> => {
  const { families, count, seed, path, openStore } = asked;
  const property = fc.asyncProperty(cases(families), async (given) => {
    const { wrong, played } = await check(given, openStore);
    tally.programs += 1;
    tally.runs += played.length;
    for (const { end, lives } of played) {
      tally.lives += lives;
      if (end === 'blocked') tally.blocked += 1;
    }
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
  });
  const details = await fc.check(property, { seed, numRuns: count, ...(path !== undefined && { path }) });
  if (!details.failed) return undefined;
  const { counterexample, counterexamplePath, errorInstance } = details;
  const problems = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return { seed, path: counterexamplePath ?? '', given: counterexample![0], problems };
};

/** The text for a person who looks for the cause. */
export const reportOf = ({ seed, path, given, problems }: Wrong): string =>
  `seed ${seed}, path ${path}\n${problems}\n${JSON.stringify(given)}`;
