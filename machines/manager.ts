/**
 * The root of the actor system. It has two supervisors, for executions and for builders. It decides whether new work is
 * accepted, and the order of the shutdown: executions first, then builders.
 */
import { type ActorLogic, type AnyActorRef, assign, type EventObject, type Snapshot, setup } from 'xstate';
import { port } from './port.ts';

export type ManagerEvent = { type: 'manager.stop' };

/** A supervisor stores its children in a Map: a machine would copy all of them for each new one. */
export type SupervisorSnapshot = Snapshot<undefined> & {
  readonly children: Map<string, AnyActorRef>;
  readonly stopChild: (child: AnyActorRef) => void;
};
export type SupervisorLogic = ActorLogic<SupervisorSnapshot, EventObject>;

const unfilled = (name: string): SupervisorLogic => ({
  transition: (snapshot) => snapshot,
  getInitialSnapshot: () => {
    throw new Error(`The supervisor ${name} was not provided.`);
  },
  getPersistedSnapshot: (snapshot) => snapshot,
});

export const managerMachine = setup({
  types: {
    context: {} as { readonly error: unknown },
    events: {} as ManagerEvent,
    tags: {} as 'accepting',
  },
  actors: {
    executions: unfilled('executions'),
    builders: unfilled('builders'),
    /** Opens what every run needs: the store, the builders of shared workflows. */
    prepare: port<void, undefined>('prepare'),
    /** Gives running executions time to finish, then ends the others. */
    settleExecutions: port<void, undefined>('settleExecutions'),
    disposeBuilders: port<void, undefined>('disposeBuilders'),
  },
  actions: { keepError: assign({ error: (_, { error }: { error: unknown }) => error }) },
}).createMachine({
  id: 'manager',
  context: { error: undefined },
  invoke: [
    { src: 'executions', id: 'executions' },
    { src: 'builders', id: 'builders' },
  ],
  initial: 'starting',
  states: {
    starting: {
      invoke: {
        src: 'prepare',
        onDone: 'serving',
        onError: { target: 'draining', actions: { type: 'keepError', params: ({ event }) => event } },
      },
      on: { 'manager.stop': 'draining' },
    },
    serving: {
      tags: 'accepting',
      on: { 'manager.stop': 'draining' },
    },
    draining: {
      initial: 'executions',
      states: {
        executions: { invoke: { src: 'settleExecutions', onDone: 'builders', onError: 'builders' } },
        builders: { invoke: { src: 'disposeBuilders', onDone: '#manager.stopped', onError: '#manager.stopped' } },
      },
    },
    stopped: { type: 'final' },
  },
});
