/** Plays one case: the program without cuts, with hibernation at each wait, and with each list of its cuts. */
import { differencesOf, problemsOf } from './oracle.ts';
import { play } from './play.ts';
import type { Plan, Played } from './played.ts';
import type { Case } from './program.ts';
import type { OpenPlayed } from './store.ts';

export interface Checked {
  /** What was wrong, run by run; empty if nothing was. */
  readonly wrong: readonly string[];
  readonly played: readonly Played[];
}

/** `openStore`: a store in memory by default. */
export const check = async ({ program, schedule, cuts }: Case, openStore?: OpenPlayed): Promise<Checked> => {
  const first = await play(program, schedule, { cuts: [], hibernates: false }, openStore);
  const facts = first.journal.length;
  const played = [first];
  const wrong = named('without cuts', problemsOf(program, first));
  const compare = async (name: string, plan: Plan, isSamePace: boolean): Promise<void> => {
    const second = await play(program, schedule, plan, openStore);
    played.push(second);
    wrong.push(...named(name, [...problemsOf(program, second), ...differencesOf(program, first, second, isSamePace)]));
  };
  await compare('hibernated at each wait', { cuts: [], hibernates: true }, true);
  for (const list of cuts) {
    const at = list.map(({ at, ...cut }) => ({ ...cut, fact: 1 + Math.floor((at / 1000) * facts) }));
    const plan = { cuts: at.sort((a, b) => a.fact - b.fact), hibernates: false };
    const name = plan.cuts.map(({ how, fact, turns }) => `${how} at fact ${fact} and ${turns} turns`).join(', ');
    await compare(name, plan, false);
  }
  return { wrong, played };
};

const named = (name: string, problems: readonly string[]): string[] => problems.map((problem) => `${name}: ${problem}`);
