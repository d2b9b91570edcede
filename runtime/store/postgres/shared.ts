/** Executions of the database in the memory of one process: which of them it executes, and what other processes have done with the others. */
import type { JournalEntry } from '../../../machines/facts.ts';
import type { News, SharedArchive } from '../archive.ts';
import { weigh } from '../journal-writer.ts';
import type { Hints } from './hints.ts';
import type { PostgresMail } from './mail.ts';
import type { PostgresReader } from './reader.ts';
import { SharedJournal, type SharedJournalDeps } from './shared-journal.ts';

export interface SharedDeps {
  readonly journals: Map<string, SharedJournal>;
  readonly reader: PostgresReader;
  readonly hints: Hints;
  readonly mail: PostgresMail;
  readonly journal: SharedJournalDeps;
  /** Reads the whole journal of an execution in memory. */
  reload(executionId: string): Promise<SharedJournal | undefined>;
}

export class Shared implements SharedArchive {
  readonly mail: PostgresMail;
  readonly #deps: SharedDeps;

  constructor(deps: SharedDeps) {
    this.#deps = deps;
    this.mail = deps.mail;
  }

  owns(executionId: string): boolean {
    return this.#deps.journals.get(executionId)?.isOwn === true;
  }

  isCurrent(executionId: string, seq: number): boolean {
    const journal = this.#deps.journals.get(executionId);
    if (journal === undefined || journal.through > seq) return false;
    // Another process may have read facts from the database, and shown them, before their commit was confirmed here.
    return journal.isSettled || (journal.isOwn && !journal.isBeingWritten);
  }

  onChanged(changed: (executionIds: readonly string[] | undefined) => void): void {
    this.#deps.hints.onHint = changed;
  }

  hasHints(): boolean {
    return this.#deps.hints.check();
  }

  owners(executionIds: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    return this.#deps.reader.owners(executionIds);
  }

  async refresh(id: string): Promise<News | undefined> {
    const { journals, reader, reload } = this.#deps;
    const before = journals.get(id);
    if (before === undefined) return reload(id);
    const { through } = before;
    const found = await reader.news(id, through);
    const journal = journals.get(id);
    if (journal === undefined) return this.refresh(id); // it has left memory meanwhile
    if (!journal.isIdle) return journal; // this process appends to it
    if (found === undefined) {
      journals.delete(id);
      return undefined;
    }
    if (found.last < journal.through) return journal; // the reply is old
    if (found.last === journal.through) return journal.stands(found);
    if (journal.through !== through) return this.refresh(id);
    if (found.entries?.[0]?.seq !== through + 1) return reload(id);
    return this.#continued(journal, found.entries).stands(found);
  }

  #continued({ id, journal }: SharedJournal, entries: readonly JournalEntry[]): SharedJournal {
    const { journals, journal: deps } = this.#deps;
    let isOver = false;
    for (const entry of entries) isOver = journal.append(entry, weigh(entry), deps.limits, weigh) || isOver;
    if (isOver) journal.truncate(deps.limits, weigh);
    const continued = new SharedJournal(0, id, journal, deps);
    journals.set(id, continued);
    return continued;
  }
}
