import type { JournalEntry } from '../../machines/facts.ts';
import { WithdrawnError } from '../authoring/errors.ts';
import type { PauseFact } from './calls.ts';

export type SleepFact = Extract<PauseFact, { type: 'sleep.started' }>;

/** The outcome of a sleep. */
export const slept = (_: SleepFact, closed: JournalEntry): void => {
  if (closed.type === 'sleep.withdrawn') throw new WithdrawnError('The sleep was withdrawn.');
};
