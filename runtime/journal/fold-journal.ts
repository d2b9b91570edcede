/** Folds a journal into the state of its execution. */
import { type ExecutionSnapshot, statusOf } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import { firstSnapshot, foldEvent } from '../actors/system.ts';
import { damaged } from '../store/damage.ts';

/** Throws `execution_damaged` if an entry is not possible at its position. */
export const foldJournal = (executionId: string, entries: readonly JournalEntry[]): ExecutionSnapshot => {
  const [started] = entries;
  if (started?.type !== 'execution.started')
    throw damaged(executionId, 'its journal does not begin with execution.started');
  const { workflow, owner, form, at: startedAt } = started;
  let snapshot = firstSnapshot({ executionId, workflow, owner, form, startedAt });
  for (let index = 1; index < entries.length; index += 1) {
    const entry = entries[index]!;
    const before = snapshot;
    if (entry.type !== 'execution.started') snapshot = foldEvent(before, entry);
    if (snapshot === before)
      throw damaged(executionId, `its journal has ${entry.type} while it is ${statusOf(before)}`);
  }
  return snapshot;
};
