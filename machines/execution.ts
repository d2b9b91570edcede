/**
 * One execution of a workflow: everything that has happened to it, folded into where it stands.
 *
 * Every event is a fact. It is judged here and nowhere else: if the present state lists it and its guard agrees, it
 * is folded into the context and takes the next sequence number; otherwise nothing changes, the number included. Only
 * `record.forgotten` takes none: when it comes there is no journal any more.
 *
 * Where an execution stands follows from two questions. Does some branch of the run have work to do (`working`)? Then
 * it is running, and needs a run slot to execute. Otherwise: for whom does it wait (`pauses`)?
 */
import { assign, type SnapshotFrom, setup } from 'xstate';
import type { ExecutionError, ExecutionEvent, JournalEntry, Pause } from './facts.ts';

export type ExecutionInput = {
  readonly executionId: string;
  readonly workflow: string;
  /** User id of whoever started it; null if nobody said, and then the unguessable id is the capability. */
  readonly owner: string | null;
  /** How its starter is shown the result: a word of theirs that nobody here reads; null: as it is. */
  readonly form: string | null;
  readonly startedAt: number;
};

export type ExecutionContext = ExecutionInput & {
  /** Number of the last fact. `execution.started` is 1. */
  readonly seq: number;
  readonly working: boolean;
  /** What the run waits for, oldest first. */
  readonly pauses: readonly Pause[];
  /** Steps begun and not ended: while there are any, the run does not park. */
  readonly steps: number;
  readonly parkedAt: number | null;
  readonly settledAt: number | null;
  readonly result: unknown;
  readonly error: ExecutionError | null;
  /** Why it does not go on; null while it does. */
  readonly blocked: Blocked | null;
  /** The version of the workflow that it goes on with; null: the one that it was started with. */
  readonly version: string | null;
  /** Id of the run in the system of an exporter, once there is one. */
  readonly traceId: string | null;
};

/** The code that is served does not fit the journal: what the journal has, what came instead, and since when. */
export type Blocked = {
  readonly expected: string;
  readonly came: string;
  /** Of the workflow that was tried. */
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
export const publicError = ({ code, message, name }: ExecutionError): ExecutionError => ({ code, message, name });

type Changes = { -readonly [Key in keyof ExecutionContext]?: ExecutionContext[Key] };

/** What a fact changes, beside the sequence number. Whether it may happen has been decided before. */
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
      const working = context.steps > 0;
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
      return {
        result: fact.result,
        settledAt: fact.at,
        pauses: [],
        working: false,
        steps: 0,
        parkedAt: null,
        blocked: null,
      };
    case 'execution.failed':
      return {
        error: publicError(fact.error),
        settledAt: fact.at,
        pauses: [],
        working: false,
        steps: 0,
        parkedAt: null,
        blocked: null,
      };
    default:
      return {};
  }
};

type Judged = { context: ExecutionContext; event: ExecutionEvent };

/** Facts about a pause are named after its kind: `oauth.granted` can only close a pause of kind `oauth`. */
const isOpen = ({ context, event }: Judged): boolean =>
  'id' in event && context.pauses.some(({ id, kind }) => id === event.id && event.type.startsWith(kind));

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
      // An entry of a journal that is folded again brings its number: some before it may have been dropped.
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
      },
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
