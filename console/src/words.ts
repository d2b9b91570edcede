/** The wording of statuses, facts and times. */
import type { ListedExecution } from '../../client/index.ts';
import type { ExecutionContext } from '../../machines/execution.ts';
import { aboutFact, FACTS } from '../../machines/fact-table.ts';
import type { JournalEntry, Pause } from '../../machines/facts.ts';

/** The status of an execution, in words for people. */
export const standings = {
  queued: 'Queued',
  executing: 'Running',
  sleeping: 'Sleeping',
  blocked: 'Blocked',
  answer: 'Needs answer',
  consent: 'Needs consent',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const;
export type Standing = keyof typeof standings;

export const standingOf = ({ status, phase, code, blocked }: ListedExecution): Standing => {
  if (blocked !== undefined) return 'blocked';
  if (status === 'interaction_required') return 'answer';
  if (status === 'oauth_required') return 'consent';
  if (status === 'completed') return 'completed';
  if (status === 'failed') return code === 'cancelled' ? 'cancelled' : 'failed';
  return phase === 'queued' ? 'queued' : phase === 'waiting' ? 'sleeping' : 'executing';
};

const leaves: Readonly<Record<string, Standing>> = {
  'active.running.queued': 'queued',
  'active.running.executing': 'executing',
  'active.running.sleeping': 'sleeping',
  'active.awaiting_interaction': 'answer',
  'active.awaiting_oauth': 'consent',
};

export const standingAt = (active: string, { settledAt, error, blocked }: ExecutionContext): Standing => {
  if (blocked !== null) return 'blocked';
  if (settledAt === null) return leaves[active] ?? 'executing';
  return error === null ? 'completed' : error.code === 'cancelled' ? 'cancelled' : 'failed';
};

/** User ids made from credentials are long; their beginning distinguishes them. */
export const shortId = (id: string): string => (/^[\da-f]{8}-[\da-f-]{27}$/.test(id) ? id.slice(0, 8) : id);

/** The words for a fact, and further details. `steps` are the names of steps by the number of their call. */
export const describeFact = (
  entry: JournalEntry,
  steps: ReadonlyMap<number, string>,
): { readonly title: string; readonly more?: string | undefined } => {
  if (entry.type === 'execution.failed') {
    const { code, stack, message } = entry.error;
    // The stack begins with the message. Only operators get it.
    return { title: code === 'cancelled' ? 'Cancelled' : 'Failed', more: stack ?? message };
  }
  const words = { step: (call: number) => steps.get(call), user: shortId, time: clockTime };
  return { title: FACTS[entry.type].title, more: aboutFact(entry, words).detail };
};

/** The CSS class of its line. */
export const toneOf = ({ type }: JournalEntry): string => {
  const row = FACTS[type];
  return 'tone' in row ? row.tone : '';
};

export const waitsFor = (pause: Pause): string => {
  if (pause.kind === 'interaction') return pause.prompt.text;
  return pause.kind === 'oauth' ? `Consent at ${pause.provider}` : 'Its own timer';
};

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 4 min`, `3 d 4 h`. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return longDuration(Math.round(ms / 1000));
};

const longDuration = (seconds: number): string => {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
};

/** Times that are shown to the second. */
export const countdown = (ms: number): string => (ms < 1000 ? 'any moment' : longDuration(Math.floor(ms / 1000)));

export const ago = (ms: number): string =>
  ms < 5000
    ? 'just now'
    : `${longDuration(Math.floor(ms / 1000))
        .split(' ')
        .slice(0, 2)
        .join(' ')} ago`;

export const clockTime = (at: number): string => new Date(at).toLocaleTimeString(undefined, { hour12: false });

export const dateTime = (at: number): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium', hour12: false });
