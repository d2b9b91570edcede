/** One stored execution, for people: its status, its open prompts, and its facts with the times between them. */
import {
  aboutFact,
  type ExecutionContext,
  type JournalEntry,
  type Pause,
  type StoredJournal,
  type Summary,
  shownDueAt,
} from '../../runtime/index.ts';
import { shown } from './screen.ts';
import { spell } from './spell.ts';
import { nextOf, timeOf } from './stored.ts';

/** Maximum number of characters of a value or a text. */
const MAX_DETAIL = 120;

export const historyOf = (
  summary: Summary,
  standing: ExecutionContext,
  journal: StoredJournal,
  now: number,
): string => {
  const { id, status, workflow, version, owner, startedAt, settledAt } = summary;
  const facts: [string, string][] = [
    ['status', status],
    ['workflow', version === '' ? workflow : `${workflow}, version ${version}`],
    ['owner', owner ?? 'none'],
    ['started', `${timeOf(startedAt)}, ${spell(now - startedAt)} ago`],
    ...(settledAt === null
      ? []
      : [['ended', `${timeOf(settledAt)}, ${spell(now - settledAt)} ago`] as [string, string]]),
    ['next', nextOf(summary, now)],
    ...blockedLines(standing, now),
  ];
  const waits = standing.pauses.map((pause) => `  ${waitOf(pause, now)}\n`).join('');
  return [
    `Execution ${id}\n${facts.map(([name, text]) => `  ${name.padEnd(9)} ${oneLine(text)}\n`).join('')}`,
    ...(waits === '' ? [] : [`Waits for\n${waits}`]),
    `Journal\n${linesOf(journal)}`,
    ...stackOf(journal),
  ].join('\n');
};

/** The stack of the workflow's error. */
const stackOf = ({ entries }: StoredJournal): string[] => {
  const failed = entries.findLast((entry) => entry.type === 'execution.failed');
  if (failed?.type !== 'execution.failed' || failed.error.stack === undefined) return [];
  return [
    `Stack\n${failed.error.stack
      .split('\n')
      .map((line) => `  ${oneLine(line)}\n`)
      .join('')}`,
  ];
};

const blockedLines = ({ executionId, blocked }: ExecutionContext, now: number): [string, string][] => {
  if (blocked === null) return [];
  const { expected, came, version, since } = blocked;
  return [
    ['blocked', `for ${spell(now - since)}: the code of version ${version} does not do what the journal has`],
    ['expected', cut(expected)],
    ['came', cut(came)],
    ['to do', `serve code that fits, or: fermata executions retry -- ${executionId}`],
  ];
};

const waitOf = (pause: Pause, now: number): string => {
  const dueAt = shownDueAt(pause);
  const time = dueAt === null ? 'without limit' : dueAt > now ? `${spell(dueAt - now)} left` : 'its time is over';
  return `${oneLine(whatOf(pause))}: ${time}, since ${spell(now - pause.openedAt)}`;
};

const whatOf = (pause: Pause): string => {
  if (pause.kind === 'sleep') return 'the end of its sleep';
  if (pause.kind === 'oauth') return `a consent at ${pause.provider}`;
  return `an answer to ${JSON.stringify(cut(pause.prompt.text))} (${pause.prompt.input_type})`;
};

const linesOf = ({ entries, truncatedThrough }: StoredJournal): string => {
  const width = String(entries.at(-1)?.seq ?? 0).length;
  const gap =
    truncatedThrough === 0 ? '' : `  Output up to number ${truncatedThrough} was dropped: there was too much.\n`;
  const steps = new Map(entries.flatMap((entry) => (entry.type === 'step.started' ? [[entry.call, entry.name]] : [])));
  const lines = entries.map((entry, index) => {
    const before = entries[index - 1];
    const time = before === undefined ? timeOf(entry.at) : `+${spell(entry.at - before.at)}`;
    return `  ${String(entry.seq).padStart(width)}  ${time.padEnd(12)}  ${oneLine(`${entry.type} ${detailOf(entry, steps)}`)}\n`;
  });
  return gap + lines.join('');
};

/** The rest of a line after the name of the fact. It contains nothing that allows acting as the owner. */
const detailOf = (entry: JournalEntry, steps: ReadonlyMap<number, string>): string => {
  const words = { step: (call: number) => steps.get(call), user: (id: string) => id, time: timeOf };
  const { detail, value } = aboutFact(entry, words);
  return [detail === undefined ? [] : cut(detail), value === undefined ? [] : brief(value)].flat().join(': ');
};

const brief = (value: unknown): string => cut(JSON.stringify(value) ?? '');

const cut = (text: string): string => (text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}...` : text);

const oneLine = (text: string): string => shown(text).replaceAll(/\s+/g, ' ').trimEnd();
