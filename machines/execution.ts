/**
 * One execution of a workflow: all its facts, folded into its state.
 *
 * Every event is a fact. Only this machine judges facts. If the present state accepts the fact and its guard agrees,
 * the fact is folded into the context and takes the next sequence number. Otherwise nothing changes, not even the
 * number. Only `record.forgotten` takes no number: the journal no longer exists then.
 *
 * The state follows from two questions. Does a branch of the run have work to do (`working`)? Then the execution is
 * running, and needs a run slot to execute. Otherwise: what does it wait for (`pauses`)?
 */
import { assign, type SnapshotFrom, setup } from 'xstate';
import { closedBy } from './fact-table.ts';
import type { ExecutionError, ExecutionEvent, JournalEntry, Pause } from './facts.ts';

export type ExecutionInput = {
  readonly executionId: string;
  readonly workflow: string;
  /** User id of the caller who started it; null without identity. The unguessable id is then the capability. */
  readonly owner: string | null;
  /** How the caller shows the result: a word that the runtime does not interpret; null: unchanged. */
  readonly form: string | null;
  readonly startedAt: number;
};

export type ExecutionContext = ExecutionInput & {
  /** Number of the last fact. `execution.started` is 1. */
  readonly seq: number;
  readonly working: boolean;
  /** Open prompts, consents and sleeps, oldest first. */
  readonly pauses: readonly Pause[];
  /** Steps that have begun and not ended. While there are any, the run does not park. */
  readonly steps: number;
  readonly parkedAt: number | null;
  readonly settledAt: number | null;
  readonly result: unknown;
  readonly error: ExecutionError | null;
  /** Why it is blocked; null if it is not. */
  readonly blocked: Blocked | null;
  /** The version of the workflow that a retry has chosen; null: the version of the start. */
  readonly version: string | null;
  /** Id of the run at an exporter, if there is one. */
  readonly traceId: string | null;
};

/** The served code does not match the journal: the expected call, the actual call, and since when. */
export type Blocked = {
  readonly expected: string;
  readonly came: string;
  /** The version of the workflow that was tried. */
  readonly version: string;
  /** Epoch milliseconds. */
  readonly since: number;
};

/** The states of an execution that are public: on the wire, in lists, in the console. */
export type ExecutionStatus =
  | 'running'
  | 'awaiting_interaction'
  | 'awaiting_oauth'
  | 'completed'
  | 'failed'
  | 'idle-expiring';

/** The pause that a fact opens. */
export const opened = (fact: Extract<ExecutionEvent, { dueAt: number | null }>): Pause => {
  const { id, dueAt, at: openedAt } = fact;
  switch (fact.type) {
    case 'sleep.started':
      return { kind: 'sleep', id, openedAt, dueAt };
    case 'oauth.requested':
      return { kind: 'oauth', id, openedAt, dueAt, provider: fact.provider, authUrl: fact.authUrl };
    case 'interaction.requested': {
      const pause = { kind: 'interaction', id, openedAt, dueAt, prompt: fact.prompt } as const;
      return fact.fallback === undefined ? pause : { ...pause, fallback: fact.fallback };
    }
  }
};

/** Without the stack, which stays in the journal. */
const publicError = ({ code, message, name }: ExecutionError): ExecutionError => ({ code, message, name });

/** The same for a fact. Other facts stay the same objects. */
export const publicFact = (fact: JournalEntry): JournalEntry =>
  fact.type === 'execution.failed' ? { ...fact, error: publicError(fact.error) } : fact;

type Changes = { -readonly [Key in keyof ExecutionContext]?: ExecutionContext[Key] };

/** The changes of every end. */
const endedAt = (settledAt: number, result: unknown, error: ExecutionError | null): Changes => ({
  result,
  error,
  settledAt,
  pauses: [],
  working: false,
  steps: 0,
  parkedAt: null,
  blocked: null,
});

/** The changes of a fact, besides the sequence number. The machine has already decided that it may happen. */
const changes = (context: ExecutionContext, fact: ExecutionEvent): Changes => {
  switch (fact.type) {
    case 'slot.granted':
    case 'execution.resumed':
      return { working: true, parkedAt: null };
    case 'step.started':
      return { steps: context.steps + 1, working: true, parkedAt: null };
    case 'step.completed':
    case 'step.failed':
      return { steps: context.steps - 1 };
    case 'interaction.requested':
    case 'oauth.requested':
    case 'sleep.started': {
      const working = context.steps > 0 || fact.working === true;
      const parkedAt = working ? null : (context.parkedAt ?? fact.at);
      return { pauses: context.pauses.concat(opened(fact)), working, parkedAt };
    }
    case 'interaction.answered':
    case 'interaction.expired':
    case 'interaction.withdrawn':
    case 'oauth.granted':
    case 'oauth.refused':
    case 'oauth.expired':
    case 'oauth.withdrawn':
    case 'sleep.elapsed':
    case 'sleep.withdrawn':
      return { pauses: context.pauses.filter(({ id }) => id !== fact.id), working: true, parkedAt: null };
    case 'trace.identified':
      return { traceId: fact.traceId };
    case 'execution.parked':
      return { working: false, parkedAt: fact.at };
    case 'execution.recovered':
      return { working: true, steps: 0, parkedAt: null };
    case 'execution.blocked': {
      const { expected, came, version, at: since } = fact;
      return { blocked: { expected, came, version, since }, working: false, parkedAt: null };
    }
    case 'execution.unblocked':
      return { blocked: null, version: fact.version ?? context.version, working: true, parkedAt: null };
    case 'execution.continued':
      return { blocked: null, working: true, steps: 0, pauses: [], parkedAt: null };
    case 'execution.completed':
      return endedAt(fact.at, fact.result, null);
    case 'execution.failed':
      return endedAt(fact.at, null, publicError(fact.error));
    case 'value.recorded':
    case 'branch.started':
    case 'notification.sent':
    case 'output.emitted':
    case 'output.restarted':
    case 'trace.emitted':
    case 'retention.elapsed':
    case 'record.forgotten':
      return {};
  }
};

type Judged = { context: ExecutionContext; event: ExecutionEvent };

/** A fact closes only pauses of its own kind. */
const isOpen = ({ context, event }: Judged): boolean =>
  'id' in event && context.pauses.some(({ id, kind }) => id === event.id && kind === closedBy(event.type));

/** Facts that only some live states accept, or only ended executions. Live executions accept all other facts. */
type TakenInSomeStates =
  | 'slot.granted'
  | 'execution.parked'
  | 'execution.recovered'
  | 'execution.blocked'
  | 'execution.unblocked'
  | 'retention.elapsed'
  | 'record.forgotten';
type TakenWhileLive = {
  [Type in Exclude<ExecutionEvent['type'], TakenInSomeStates>]: {
    guard?: 'isNew' | 'isOpen' | 'hasSteps' | 'isIdle';
    target?: '.running' | 'completed' | 'failed';
    actions: 'fold';
  };
};

/** @internal */
export const executionMachine = setup({
  types: {
    input: {} as ExecutionInput,
    context: {} as ExecutionContext,
    events: {} as ExecutionEvent,
    tags: {} as 'live' | 'queued' | 'slot' | 'waiting' | 'blocked' | 'settled',
  },
  guards: {
    isNew: ({ context, event }) => 'id' in event && context.pauses.every(({ id }) => id !== event.id),
    isOpen,
    isWorking: ({ context }) => context.working,
    isIdle: ({ context }) => !context.working && context.blocked === null,
    hasSteps: ({ context }) => context.steps > 0,
    canPark: ({ context }) => context.pauses.length > 0 && context.steps === 0,
    awaitsConsent: ({ context }) => !context.working && context.pauses.some(({ kind }) => kind === 'oauth'),
    awaitsAnswer: ({ context }) => !context.working && context.pauses.some(({ kind }) => kind === 'interaction'),
    sleeps: ({ context }) => !context.working && context.pauses.length > 0,
  },
  actions: {
    fold: assign(({ context, event }) => {
      const changed = changes(context, event);
      if (context.blocked !== null && changed.blocked === undefined) {
        changed.working = false;
        changed.parkedAt = null;
      }
      // An entry of a journal has its number: earlier entries may have been dropped.
      changed.seq = (event as Partial<JournalEntry>).seq ?? context.seq + 1;
      return changed;
    }),
  },
}).createMachine({
  id: 'execution',
  context: ({ input }) => ({
    executionId: input.executionId,
    workflow: input.workflow,
    owner: input.owner,
    form: input.form,
    startedAt: input.startedAt,
    seq: 1,
    working: true,
    pauses: [],
    steps: 0,
    parkedAt: null,
    settledAt: null,
    result: null,
    error: null,
    blocked: null,
    version: null,
    traceId: null,
  }),
  initial: 'active',
  states: {
    active: {
      tags: 'live',
      initial: 'running',
      states: {
        running: {
          initial: 'queued',
          states: {
            queued: {
              tags: 'queued',
              on: {
                'slot.granted': { target: 'executing', actions: 'fold' },
                'execution.recovered': { actions: 'fold' },
                'execution.blocked': { target: 'blocked', actions: 'fold' },
              },
            },
            executing: {
              tags: 'slot',
              always: [
                { guard: 'awaitsConsent', target: '#execution.active.awaiting_oauth' },
                { guard: 'awaitsAnswer', target: '#execution.active.awaiting_interaction' },
                { guard: 'sleeps', target: 'sleeping' },
              ],
              on: {
                'execution.parked': { guard: 'canPark', actions: 'fold' },
                'execution.recovered': { target: 'queued', actions: 'fold' },
                'execution.blocked': { target: 'blocked', actions: 'fold' },
              },
            },
            blocked: {
              tags: ['waiting', 'blocked'],
              on: { 'execution.unblocked': { target: 'queued', actions: 'fold' } },
            },
            sleeping: {
              tags: 'waiting',
              always: [
                { guard: 'isWorking', target: 'queued' },
                { guard: 'awaitsConsent', target: '#execution.active.awaiting_oauth' },
                { guard: 'awaitsAnswer', target: '#execution.active.awaiting_interaction' },
              ],
            },
          },
        },
        awaiting_interaction: {
          tags: 'waiting',
          always: [
            { guard: 'isWorking', target: 'running' },
            { guard: 'awaitsConsent', target: 'awaiting_oauth' },
          ],
        },
        awaiting_oauth: {
          tags: 'waiting',
          always: { guard: 'isWorking', target: 'running' },
        },
      },
      on: {
        'step.started': { actions: 'fold' },
        'step.completed': { guard: 'hasSteps', actions: 'fold' },
        'step.failed': { guard: 'hasSteps', actions: 'fold' },
        'value.recorded': { actions: 'fold' },
        'interaction.requested': { guard: 'isNew', actions: 'fold' },
        'interaction.answered': { guard: 'isOpen', actions: 'fold' },
        'interaction.expired': { guard: 'isOpen', actions: 'fold' },
        'interaction.withdrawn': { guard: 'isOpen', actions: 'fold' },
        'oauth.requested': { guard: 'isNew', actions: 'fold' },
        'oauth.granted': { guard: 'isOpen', actions: 'fold' },
        'oauth.refused': { guard: 'isOpen', actions: 'fold' },
        'oauth.expired': { guard: 'isOpen', actions: 'fold' },
        'oauth.withdrawn': { guard: 'isOpen', actions: 'fold' },
        'sleep.started': { guard: 'isNew', actions: 'fold' },
        'sleep.elapsed': { guard: 'isOpen', actions: 'fold' },
        'sleep.withdrawn': { guard: 'isOpen', actions: 'fold' },
        'branch.started': { actions: 'fold' },
        'execution.resumed': { guard: 'isIdle', actions: 'fold' },
        'output.restarted': { actions: 'fold' },
        'execution.continued': { target: '.running', actions: 'fold' },
        'notification.sent': { actions: 'fold' },
        'output.emitted': { actions: 'fold' },
        'trace.emitted': { actions: 'fold' },
        'trace.identified': { actions: 'fold' },
        'execution.completed': { target: 'completed', actions: 'fold' },
        'execution.failed': { target: 'failed', actions: 'fold' },
      } satisfies TakenWhileLive,
    },
    completed: {
      tags: 'settled',
      on: { 'retention.elapsed': { target: 'idle-expiring', actions: 'fold' } },
    },
    failed: {
      tags: 'settled',
      on: { 'retention.elapsed': { target: 'idle-expiring', actions: 'fold' } },
    },
    'idle-expiring': {
      tags: 'settled',
      on: { 'record.forgotten': 'done' },
    },
    done: { type: 'final', tags: 'settled' },
  },
});

/** @internal */
export type ExecutionSnapshot = SnapshotFrom<typeof executionMachine>;

/** @internal */
export const statusOf = ({ value }: ExecutionSnapshot): ExecutionStatus => {
  if (typeof value === 'string') return value === 'done' ? 'idle-expiring' : value;
  return typeof value.active === 'object' ? 'running' : value.active;
};
