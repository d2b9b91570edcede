/**
 * The resources of a workflow, opened once and used by many runs: one builder per user of a per-user workflow, one in
 * all for a shared workflow. It is built, used, idle, and disposed after `idleMs` without use.
 *
 * Only the first user and the last user are events; the lease book of the runtime counts the others. A request during
 * `idle-expiring` gets another builder, which is built after the disposal.
 */
import { assign, type SnapshotFrom, setup } from 'xstate';
import { port } from './port.ts';

export type BuilderInput = {
  readonly builderId: string;
  readonly workflow: string;
  /** Null for the builder of a shared workflow. */
  readonly user: string | null;
  /** Milliseconds; null: it stays until the manager stops it. */
  readonly idleMs: number | null;
};

export type BuilderEvent =
  | { type: 'use.began' }
  | { type: 'use.ended' }
  /** The manager is shutting down, or another user needs the room. */
  | { type: 'builder.stop' };

export type BuilderContext = BuilderInput & { readonly error: unknown };

/** The longest delay of `setTimeout`, for a builder that does not expire: the guard decides after it. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** @internal */
export const builderMachine = setup({
  types: {
    input: {} as BuilderInput,
    context: {} as BuilderContext,
    events: {} as BuilderEvent,
    tags: {} as 'open' | 'busy' | 'closing',
  },
  actors: {
    build: port<void, BuilderInput>('build'),
    dispose: port<void, BuilderInput>('dispose'),
  },
  actions: { keepError: assign({ error: (_, { error }: { error: unknown }) => error }) },
  guards: { expires: ({ context }) => context.idleMs !== null },
  delays: { idle: ({ context }) => context.idleMs ?? LONGEST_DELAY_MS },
}).createMachine({
  id: 'builder',
  context: ({ input }) => ({ ...input, error: undefined }),
  initial: 'building',
  states: {
    building: {
      tags: ['open', 'busy'],
      invoke: {
        src: 'build',
        input: ({ context }) => context,
        onDone: 'ready',
        onError: { target: 'failed', actions: { type: 'keepError', params: ({ event }) => event } },
      },
      on: { 'builder.stop': 'idle-expiring' },
    },
    ready: {
      tags: 'open',
      initial: 'idle',
      states: {
        idle: {
          after: { idle: { guard: 'expires', target: '#builder.idle-expiring' } },
          on: { 'use.began': 'in_use' },
        },
        in_use: {
          tags: 'busy',
          on: { 'use.ended': 'idle' },
        },
      },
      on: { 'builder.stop': 'idle-expiring' },
    },
    'idle-expiring': {
      tags: 'closing',
      invoke: {
        src: 'dispose',
        input: ({ context }) => context,
        onDone: 'done',
        onError: { target: 'done', actions: { type: 'keepError', params: ({ event }) => event } },
      },
    },
    failed: { type: 'final' },
    done: { type: 'final' },
  },
});

/** @internal */
export type BuilderSnapshot = SnapshotFrom<typeof builderMachine>;
