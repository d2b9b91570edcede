/** What a journal says. */
import type { JournalEntry } from '../../../machines/facts.ts';

/** Whether the execution is blocked at the end of the journal. */
export const isBlocked = (journal: readonly JournalEntry[]): boolean => {
  const types = journal.map(({ type }): string => type);
  return types.lastIndexOf('execution.blocked') > types.lastIndexOf('execution.unblocked');
};

/** How many prompts of this text were answered. */
export const answersTo = (text: string, journal: readonly JournalEntry[]): number => {
  const ids = new Set(
    journal.flatMap((entry) =>
      entry.type === 'interaction.requested' && entry.prompt.text === text ? [entry.id] : [],
    ),
  );
  return journal.filter((entry) => entry.type === 'interaction.answered' && ids.has(entry.id)).length;
};

/** Names of the steps that have ended. */
export const stepsOver = (journal: readonly JournalEntry[]): ReadonlySet<string> => {
  const ended = new Set(
    journal.flatMap((entry) => (entry.type === 'step.completed' || entry.type === 'step.failed' ? [entry.call] : [])),
  );
  return new Set(
    journal.flatMap((entry) => (entry.type === 'step.started' && ended.has(entry.call) ? [entry.name] : [])),
  );
};
