/** How things are told: statuses, facts, times. */
import type { ListedExecution } from '../../client/index.ts';
import type { ExecutionContext } from '../../machines/execution.ts';
import { type JournalEntry, LAST_DATE, type Pause } from '../../machines/facts.ts';

/** How an execution stands, as people see it. */
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

/** User ids that are made of credentials are long and say nothing; their beginning tells them apart. */
export const shortId = (id: string): string => (/^[\da-f]{8}-[\da-f-]{27}$/.test(id) ? id.slice(0, 8) : id);

/** What a fact says, and what there is to say beside. `steps` are the names of steps, by the number of their call. */
export const told = (
  entry: JournalEntry,
  steps: ReadonlyMap<number, string>,
): { readonly title: string; readonly more?: string | undefined } => {
  switch (entry.type) {
    case 'execution.started':
      return { title: 'Started', more: entry.owner === null ? undefined : `by ${shortId(entry.owner)}` };
    case 'slot.granted':
      return { title: 'Got a run slot' };
    case 'step.started':
      return { title: 'Step began', more: entry.name };
    case 'step.completed':
      return { title: 'Step done', more: steps.get(entry.call) };
    case 'step.failed':
      return { title: 'Step failed', more: `${steps.get(entry.call) ?? entry.name}: ${entry.message}` };
    case 'value.recorded':
      return { title: 'Value recorded', more: entry.name };
    case 'interaction.requested':
      return { title: 'Asked', more: entry.prompt.text };
    case 'interaction.answered':
      return {
        title: entry.by === null ? 'Answered' : `Answered by ${shortId(entry.by)}`,
        more: answerText(entry.answer),
      };
    case 'interaction.expired':
      return { title: 'Nobody answered in time' };
    case 'interaction.withdrawn':
    case 'oauth.withdrawn':
      return { title: 'Withdrawn', more: 'the run does not need it any more' };
    case 'oauth.requested':
      return { title: 'Asked for consent', more: entry.provider };
    case 'oauth.granted':
      return { title: 'Consent granted' };
    case 'oauth.refused':
      return { title: 'Consent refused', more: entry.reason };
    case 'oauth.expired':
      return { title: 'Nobody consented in time' };
    case 'sleep.started':
      return { title: 'Went to sleep', more: `until ${clockTime(Math.min(entry.dueAt, LAST_DATE))}` };
    case 'sleep.elapsed':
      return { title: 'Woke up' };
    case 'sleep.withdrawn':
      return { title: 'Sleep withdrawn' };
    case 'branch.started':
      return { title: 'Branch began', more: entry.name };
    case 'output.restarted':
      return { title: 'Output begins anew', more: steps.get(entry.step) };
    case 'notification.sent':
      return { title: 'Told', more: entry.prompt.text };
    case 'output.emitted':
      return { title: 'Output' };
    case 'trace.emitted':
      return { title: 'Trace', more: `${entry.step.event} ${entry.step.name}` };
    case 'trace.identified':
      return { title: 'Traced', more: entry.traceId };
    case 'execution.parked':
      return { title: 'Parked' };
    case 'execution.recovered':
      return { title: 'Taken over', more: 'by a server that was started anew' };
    case 'execution.blocked':
      return { title: 'Blocked', more: entry.came };
    case 'execution.unblocked':
      return { title: 'Tries again', more: entry.version && `with version ${entry.version}` };
    case 'execution.continued':
      return { title: 'Began anew', more: 'with another input' };
    case 'execution.completed':
      return { title: 'Completed' };
    case 'execution.failed':
      return { title: entry.error.code === 'cancelled' ? 'Cancelled' : 'Failed', more: entry.error.message };
    default:
      return { title: entry.type };
  }
};

const answerText = (answer: Extract<JournalEntry, { type: 'interaction.answered' }>['answer']): string => {
  if ('text' in answer) return answer.text;
  if ('option' in answer) return answer.option.label;
  return answer.options.map(({ label }) => label).join(', ') || 'none of them';
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

/** Of what is shown by the second. */
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
