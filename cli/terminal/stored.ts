/** Prints stored executions: as lines of JSON for programs, and as a table for people. */
import {
  type Blocked,
  type JournalEntry,
  LAST_DATE,
  type StoredJournal,
  type Summary,
  secretsOf,
} from '../../runtime/index.ts';
import { HIDDEN } from '../../server/operator/inspector/redact.ts';
import { shown } from './screen.ts';
import { spell } from './spell.ts';

/** One line of JSON, with the names of the HTTP API. */
export const jsonOf = (summary: Summary, blocked: Blocked | null = null): object => {
  const { id, status, workflow, version, owner, startedAt, settledAt, dueAt } = summary;
  const isSettled = settledAt !== null;
  return {
    execution_id: id,
    status,
    workflow,
    version,
    owner,
    started_at: timeOf(startedAt),
    settled_at: isSettled ? timeOf(settledAt) : null,
    due_at: isSettled || dueAt === null ? null : timeOf(dueAt),
    forgotten_at: isSettled && dueAt !== null ? timeOf(dueAt) : null,
    blocked: blocked && { ...blocked, since: timeOf(blocked.since) },
  };
};

export const exportOf = (
  summary: Summary,
  { entries, truncatedThrough }: StoredJournal,
  blocked: Blocked | null = null,
): object => ({
  ...jsonOf(summary, blocked),
  truncated_through: truncatedThrough === 0 ? null : truncatedThrough,
  entries: entries.map(withoutSecrets),
});

/** The state of a consent would allow ending it, and an idempotency key would allow acting as the owner. */
const withoutSecrets = (entry: JournalEntry): object => {
  const there = secretsOf(entry).filter((name) => name in entry);
  return { ...entry, ...Object.fromEntries(there.map((name) => [name, HIDDEN])) };
};

export const timeOf = (ms: number): string => new Date(Math.min(ms, LAST_DATE)).toISOString();

/** Its next deadline. */
export const nextOf = ({ settledAt, dueAt }: Summary, now: number): string => {
  if (dueAt === null) return '-';
  const what = settledAt === null ? 'due' : 'forgotten';
  return dueAt > now ? `${what} in ${spell(dueAt - now)}` : `${what} since ${spell(now - dueAt)}`;
};

const HEADS = ['EXECUTION', 'STATUS', 'WORKFLOW', 'OWNER', 'STARTED', 'NEXT'];

/** A table with a head; columns fit their content. */
export const tableOf = (
  summaries: readonly Summary[],
  now: number,
  blocked: ReadonlyMap<string, Blocked> = new Map(),
): string => {
  const rows = summaries.map((summary) => {
    const { id, status, workflow, owner, startedAt } = summary;
    const stands = blocked.has(id) ? `${status}, blocked` : status;
    return [id, stands, workflow, owner ?? '-', timeOf(startedAt), nextOf(summary, now)].map(cell);
  });
  const all = [HEADS, ...rows];
  const widths = HEADS.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
};

/** Names may come from anywhere. */
const cell = (text: string): string => shown(text).replaceAll(/\s+/g, ' ');
