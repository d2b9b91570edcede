/** What executions are tested with, at every level: a finite set of facts, and what has to come of each of them. */
import {
  type ExecutionEvent,
  type ExecutionSnapshot,
  type ExecutionStatus,
  executionMachine,
  type Pause,
} from '../../machines/execution.ts';
import { readAnswer, text } from '../../runtime/prompts.ts';
import { modelOf, type Path, pathsOf } from './model.ts';

export type ExecutionPath = Path<typeof executionMachine>;

export const input = { executionId: 'e1', workflow: 'puppet', owner: 'alice', startedAt: 1_000 };

const kinds: Readonly<Record<string, Pause['kind']>> = { p1: 'interaction', p2: 'interaction', o1: 'oauth', s1: 'sleep' };
const ids = Object.keys(kinds);

const { prompt } = text({ text: 'Which?' });
const answer = readAnswer(prompt, { kind: 'text', text: 'This.' });
const step = { id: 't1', parentId: 'root', event: 'TOOL_START', name: 'tool' };
const error = { code: 'workflow_error', message: 'It broke.', name: 'Error' } as const;
const at = 0;

/** Every fact there is, about every pause: also those that name a pause of another kind. */
export const alphabet: readonly ExecutionEvent[] = [
  { type: 'slot.granted', at },
  { type: 'step.started', call: 1, name: 'pay', at },
  { type: 'step.completed', call: 1, value: 1, at },
  { type: 'step.failed', call: 1, message: 'It broke.', at },
  { type: 'value.recorded', call: 2, name: 'now', value: 1, at },
  { type: 'notification.sent', prompt, at },
  { type: 'output.emitted', value: 'a part', at },
  { type: 'trace.emitted', step, at },
  { type: 'trace.identified', traceId: 'trace-1', at },
  { type: 'execution.parked', at },
  { type: 'execution.completed', result: 'done', at },
  { type: 'execution.failed', error, at },
  { type: 'retention.elapsed', at },
  { type: 'record.forgotten', at },
  ...ids.flatMap((id): ExecutionEvent[] => [
    { type: 'interaction.requested', call: 3, id, prompt, dueAt: null, at },
    { type: 'interaction.answered', id, answer, by: 'alice', at },
    { type: 'interaction.expired', id, at },
    { type: 'oauth.requested', call: 4, id, provider: 'bank', authUrl: 'https://bank.example/auth', dueAt: 9_000, at },
    { type: 'oauth.granted', id, at },
    { type: 'oauth.refused', id, reason: 'No.', at },
    { type: 'oauth.expired', id, at },
    { type: 'sleep.started', call: 5, id, dueAt: 9_000, at },
    { type: 'sleep.elapsed', id, at },
  ]),
];

/** Keeps the states finite: two pauses, one step, and no pause with the id of another kind. */
const isInBounds = ({ context: { pauses, steps } }: ExecutionSnapshot, fact: ExecutionEvent): boolean => {
  if (fact.type === 'step.started') return steps === 0;
  if (!('call' in fact && 'id' in fact)) return true;
  return pauses.some(({ id }) => id === fact.id) || (pauses.length < 2 && fact.type.startsWith(kinds[fact.id]!));
};

/** What is tried in a state. */
export const tried = (state: ExecutionSnapshot): ExecutionEvent[] => alphabet.filter((fact) => isInBounds(state, fact));

/** Two executions are in the same state when the same may happen to them from now on. */
const keyOf = ({ value, context: { pauses, working, steps } }: ExecutionSnapshot): string =>
  JSON.stringify([value, pauses.map(({ id }) => id), working, steps]);

export const executionPaths = (): ExecutionPath[] =>
  pathsOf(modelOf(executionMachine), { input, events: tried, key: keyOf });

/** An execution as it has to be, told in another way than the machine tells it. */
export type Expected = {
  readonly seq: number;
  /** Whether it holds a run slot; whether it has given one back and nobody has woken it since. */
  readonly slot: boolean;
  readonly parked: boolean;
  readonly working: boolean;
  readonly open: readonly string[];
  readonly steps: number;
  readonly end: 'live' | 'completed' | 'failed' | 'expiring' | 'gone';
};

export const begun: Expected = {
  seq: 1,
  slot: false,
  parked: false,
  working: true,
  open: [],
  steps: 0,
  end: 'live',
};

/** The execution after the fact, or undefined if the fact may not happen. */
export const after = (now: Expected, fact: ExecutionEvent): Expected | undefined => {
  const change = changeBy(now, fact);
  if (change === undefined) return undefined;
  const next = { ...now, seq: now.seq + 1, ...change };
  if (next.end !== 'live') return { ...next, slot: false, parked: false, working: false, open: [], steps: 0 };
  if (next.slot && !next.working) return { ...next, slot: false, parked: true };
  if (next.parked && next.working) return { ...next, parked: false };
  return next;
};

const changeBy = (now: Expected, fact: ExecutionEvent): Partial<Expected> | undefined => {
  const { seq, slot, parked, open, steps, end } = now;
  if (fact.type === 'retention.elapsed') return end === 'completed' || end === 'failed' ? { end: 'expiring' } : undefined;
  // The journal is gone with everything that was counted in it.
  if (fact.type === 'record.forgotten') return end === 'expiring' ? { end: 'gone', seq } : undefined;
  if (end !== 'live') return undefined;
  switch (fact.type) {
    case 'slot.granted':
      return slot || parked ? undefined : { slot: true, working: true };
    case 'execution.parked':
      return slot && open.length > 0 && steps === 0 ? { working: false } : undefined;
    case 'execution.completed':
      return { end: 'completed' };
    case 'execution.failed':
      return { end: 'failed' };
    case 'step.started':
      return { steps: steps + 1, working: true };
    case 'step.completed':
    case 'step.failed':
      return steps > 0 ? { steps: steps - 1 } : undefined;
    case 'interaction.requested':
    case 'oauth.requested':
    case 'sleep.started':
      return open.includes(fact.id) ? undefined : { open: [...open, fact.id], working: steps > 0 };
    case 'interaction.answered':
    case 'interaction.expired':
      return closed(now, fact.id, 'interaction');
    case 'oauth.granted':
    case 'oauth.refused':
    case 'oauth.expired':
      return closed(now, fact.id, 'oauth');
    case 'sleep.elapsed':
      return closed(now, fact.id, 'sleep');
    default:
      return {};
  }
};

const closed = ({ open }: Expected, id: string, kind: Pause['kind']): Partial<Expected> | undefined =>
  open.includes(id) && kinds[id] === kind ? { open: open.filter((other) => other !== id), working: true } : undefined;

/** What the public sees of it. */
export const expectedStatus = ({ end, parked, open }: Expected): ExecutionStatus => {
  if (end !== 'live') return end === 'expiring' || end === 'gone' ? 'idle-expiring' : end;
  if (parked && open.some((id) => kinds[id] === 'oauth')) return 'awaiting_oauth';
  if (parked && open.some((id) => kinds[id] === 'interaction')) return 'awaiting_interaction';
  return 'running';
};
