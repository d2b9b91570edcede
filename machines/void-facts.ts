/** Void output: the output of an interrupted step that runs again. */
import type { JournalEntry } from './facts.ts';

/**
 * Which of these facts are void: those of a step whose output restarts in a later fact. Undefined if there are none,
 * the usual case.
 */
export const voidIn = (entries: readonly JournalEntry[]): ReadonlySet<JournalEntry> | undefined => {
  let last = entries.length - 1;
  while (last >= 0 && entries[last]!.type !== 'output.restarted') last -= 1;
  if (last < 0) return undefined;
  const restarted = new Set<number>();
  const voids = new Set<JournalEntry>();
  for (let index = last; index >= 0; index -= 1) {
    const entry = entries[index]!;
    if (entry.type === 'output.restarted') restarted.add(entry.step);
    else if (entry.type === 'execution.continued')
      restarted.clear(); // numbers restart with the function
    else if ('inStep' in entry && entry.inStep !== undefined && restarted.has(entry.inStep)) voids.add(entry);
  }
  return voids;
};
