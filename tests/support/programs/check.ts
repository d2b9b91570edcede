/** Plays one case: the program without cuts, with hibernation at each wait, and with each list of its cuts. */
import { differencesOf, problemsOf } from './oracle.ts';
import { type Plan, type Played, play } from './play.ts';
import type { Case } from './program.ts';

/** What was wrong, run by run; empty if nothing was. */
export const wrongIn = async ({ program, schedule, cuts }: Case): Promise<string[]> => {
  const first = await play(program, schedule, { cuts: [], hibernates: false });
  const facts = first.journal.length;
  const found = named('without cuts', problemsOf(program, first));
  const compare = async (name: string, plan: Plan, isSamePace: boolean): Promise<void> => {
    const second: Played = await play(program, schedule, plan);
    found.push(...named(name, [...problemsOf(program, second), ...differencesOf(program, first, second, isSamePace)]));
  };
  await compare('hibernated at each wait', { cuts: [], hibernates: true }, true);
  for (const list of cuts) {
    const at = list.map(({ at, ...cut }) => ({ ...cut, fact: 1 + Math.floor((at / 1000) * facts) }));
    const plan = { cuts: at.sort((a, b) => a.fact - b.fact), hibernates: false };
    await compare(plan.cuts.map(({ how, fact, turns }) => `${how} at ${fact} +${turns}`).join(', '), plan, false);
  }
  return found;
};

const named = (name: string, problems: readonly string[]): string[] => problems.map((problem) => `${name}: ${problem}`);
