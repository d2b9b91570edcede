/** Output that does not count any more: of a step that was cut off, and has begun anew. */
import type { JournalEntry } from './facts.ts';

/**
 * Which of these facts are void, which is known by the facts behind them: those of a step whose output begins anew later.
 * Undefined if none is, as nearly always.
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
      restarted.clear(); // numbers begin anew with the function
    else if ('inStep' in entry && entry.inStep !== undefined && restarted.has(entry.inStep)) voids.add(entry);
  }
  return voids;
};
