/** What executions are tested with, at every level: a finite set of facts, and what has to come of each of them. */
import { type ExecutionSnapshot, type ExecutionStatus, executionMachine } from '../../machines/execution.ts';
import type { ExecutionEvent, Pause } from '../../machines/facts.ts';
import { readAnswer, text } from '../../runtime/authoring/prompts.ts';
import { modelOf, type Path, pathsOf } from './machine-model.ts';

export type ExecutionPath = Path<typeof executionMachine>;

export const input = { executionId: 'e1', workflow: 'controlled', owner: 'alice', form: null, startedAt: 1_000 };

const kinds: Readonly<Record<string, Pause['kind']>> = {
  p1: 'interaction',
  p2: 'interaction',
  o1: 'oauth',
  s1: 'sleep',
};
const ids = Object.keys(kinds);

const { prompt } = text({ text: 'Which?' });
const answer = readAnswer(prompt, { kind: 'text', text: 'This.' });
const step = { id: 't1', parentId: 'root', functionId: 'root', event: 'TOOL_START', name: 'tool' };
const error = { code: 'workflow_error', message: 'It broke.', name: 'Error' } as const;
const authUrl = 'https://bank.example/auth';
const at = 0;

/** Every fact there is, about every pause: also those that name a pause of another kind. */
export const everyFact: readonly ExecutionEvent[] = [
  { type: 'slot.granted', at },
  { type: 'step.started', call: 1, name: 'pay', at },
  { type: 'step.completed', call: 1, value: 1, at },
  { type: 'step.failed', call: 1, message: 'It broke.', name: 'Error', at },
  { type: 'value.recorded', call: 2, name: 'now', value: 1, at },
  { type: 'notification.sent', call: 6, prompt, at },
  { type: 'output.emitted', call: 7, value: 'a part', at },
  { type: 'trace.emitted', call: 8, step, at },
  { type: 'trace.identified', call: 9, traceId: 'trace-1', at },
  { type: 'execution.parked', at },
  { type: 'execution.recovered', at },
  { type: 'execution.resumed', at },
  { type: 'execution.blocked', expected: 'a step', came: 'another one', version: '1', at },
  { type: 'execution.unblocked', at },
  { type: 'execution.continued', input: 1, at },
  { type: 'branch.started', call: 10, name: 'branch', at },
  { type: 'output.restarted', step: 1, at },
  { type: 'execution.completed', result: 'done', at },
  { type: 'execution.failed', error, at },
  { type: 'retention.elapsed', at },
  { type: 'record.forgotten', at },
  ...ids.flatMap((id): ExecutionEvent[] => [
    ...[{}, { working: true } as const].flatMap((beside): ExecutionEvent[] => [
      { type: 'interaction.requested', call: 3, id, prompt, dueAt: null, ...beside, at },
      { type: 'oauth.requested', call: 4, id, provider: 'bank', authUrl, dueAt: 9_000, ...beside, at },
      { type: 'sleep.started', call: 5, id, dueAt: 9_000, ...beside, at },
    ]),
    { type: 'interaction.answered', id, answer, by: 'alice', at },
    { type: 'interaction.expired', id, at },
    { type: 'interaction.withdrawn', id, at },
    { type: 'oauth.granted', id, at },
    { type: 'oauth.refused', id, reason: 'No.', at },
    { type: 'oauth.expired', id, at },
    { type: 'oauth.withdrawn', id, at },
    { type: 'sleep.elapsed', id, at },
    { type: 'sleep.withdrawn', id, at },
  ]),
];

/** Keeps the states finite: two pauses, one step, and no pause with the id of another kind. */
const isInBounds = ({ context: { pauses, steps } }: ExecutionSnapshot, fact: ExecutionEvent): boolean => {
  if (fact.type === 'step.started') return steps === 0;
  if (!('call' in fact && 'id' in fact)) return true;
  return pauses.some(({ id }) => id === fact.id) || (pauses.length < 2 && fact.type.startsWith(kinds[fact.id]!));
};

/** What is tried in a state. */
export const factsToTry = (state: ExecutionSnapshot): ExecutionEvent[] =>
  everyFact.filter((fact) => isInBounds(state, fact));

/** Two executions are in the same state when the same may happen to them from now on. A run that begins is told apart. */
const keyOf = ({ value, context: { seq, pauses, working, steps, blocked } }: ExecutionSnapshot): string =>
  JSON.stringify([value, pauses.map(({ id }) => id), blocked === null, working, steps, seq === 1]);

export const executionPaths = (events = factsToTry): ExecutionPath[] =>
  pathsOf(modelOf(executionMachine), { input, events, key: keyOf });

/** An execution as it has to be, told in another way than the machine tells it. */
export type Expected = {
  readonly seq: number;
  readonly end: 'live' | 'completed' | 'failed' | 'expiring' | 'gone';
  /** Whether it holds a run slot; whether it has returned one and was not resumed since. */
  readonly slot: boolean;
  readonly parked: boolean;
  /** It waits for code that fits its journal. */
  readonly blocked: boolean;
  /** Since when no branch of it works; null while one does. */
  readonly idleSince: number | null;
  readonly steps: number;
  readonly open: readonly { readonly id: string; readonly kind: string }[];
};

export const startedExecution: Expected = {
  seq: 1,
  end: 'live',
  slot: false,
  parked: false,
  blocked: false,
  idleSince: null,
  steps: 0,
  open: [],
};

/** The execution after the fact, or undefined if the fact may not happen. */
export const afterFact = (now: Expected, fact: ExecutionEvent): Expected | undefined => {
  const change = changeBy(now, fact);
  if (change === undefined) return undefined;
  const { works, ...changed } = change;
  const next = { ...now, seq: now.seq + 1, ...changed };
  if (next.end !== 'live')
    return { ...next, slot: false, parked: false, blocked: false, idleSince: null, steps: 0, open: [] };
  if (next.blocked) return { ...next, slot: false, parked: false, idleSince: null };
  const isWorking = works ?? now.idleSince === null;
  return {
    ...next,
    slot: next.slot && isWorking,
    parked: (next.slot || next.parked) && !isWorking,
    idleSince: isWorking ? null : (now.idleSince ?? fact.at),
  };
};

type Change = Partial<Expected> & { readonly works?: boolean };

const changeBy = (now: Expected, fact: ExecutionEvent): Change | undefined => {
  const { seq, end, slot, parked, blocked, steps, open } = now;
  if (fact.type === 'retention.elapsed')
    return end === 'completed' || end === 'failed' ? { end: 'expiring' } : undefined;
  // The journal is gone, and with it whatever could be numbered.
  if (fact.type === 'record.forgotten') return end === 'expiring' ? { end: 'gone', seq } : undefined;
  if (end !== 'live') return undefined;
  switch (fact.type) {
    case 'slot.granted':
      return slot || parked || blocked ? undefined : { slot: true, works: true };
    case 'execution.parked':
      return slot && open.length > 0 && steps === 0 ? { works: false } : undefined;
    case 'execution.recovered':
      return parked || blocked ? undefined : { slot: false, works: true, steps: 0 };
    case 'execution.resumed':
      return now.idleSince === null || blocked ? undefined : { works: true };
    case 'execution.blocked':
      return parked || blocked ? undefined : { slot: false, blocked: true };
    case 'execution.unblocked':
      return blocked ? { blocked: false, works: true } : undefined;
    case 'execution.continued':
      return { slot: false, parked: false, blocked: false, works: true, steps: 0, open: [] };
    case 'execution.completed':
      return { end: 'completed' };
    case 'execution.failed':
      return { end: 'failed' };
    case 'step.started':
      return { steps: steps + 1, works: true };
    case 'step.completed':
    case 'step.failed':
      return steps > 0 ? { steps: steps - 1 } : undefined;
    case 'interaction.requested':
    case 'oauth.requested':
    case 'sleep.started':
      if (open.some(({ id }) => id === fact.id)) return undefined;
      return { open: [...open, { id: fact.id, kind: kindOf(fact) }], works: steps > 0 || fact.working === true };
    case 'interaction.answered':
    case 'interaction.expired':
    case 'interaction.withdrawn':
    case 'oauth.withdrawn':
    case 'sleep.withdrawn':
    case 'oauth.granted':
    case 'oauth.refused':
    case 'oauth.expired':
    case 'sleep.elapsed':
      if (!open.some(({ id, kind }) => id === fact.id && kind === kindOf(fact))) return undefined;
      return { open: open.filter(({ id }) => id !== fact.id), works: true };
    default:
      return {};
  }
};

const kindOf = ({ type }: ExecutionEvent): string => type.slice(0, type.indexOf('.'));

/** What the public sees of it. */
export const expectedStatus = ({ end, parked, open }: Expected): ExecutionStatus => {
  if (end === 'completed' || end === 'failed') return end;
  if (end !== 'live') return 'idle-expiring';
  if (parked && open.some(({ kind }) => kind === 'oauth')) return 'awaiting_oauth';
  if (parked && open.some(({ kind }) => kind === 'interaction')) return 'awaiting_interaction';
  return 'running';
};

export const expectedTags = ({ end, slot, parked, blocked }: Expected): string[] => {
  if (end !== 'live') return ['settled'];
  if (blocked) return ['live', 'waiting', 'blocked'];
  return ['live', slot ? 'slot' : parked ? 'waiting' : 'queued'];
};
