/**
 * A supervisor: actor logic whose children are in a Map. (A machine that spawns copies all its children for each new
 * one, which is quadratic; measured in `docs/decisions/0001-supervisors.md`.)
 *
 * Its children are temporary, in OTP's terms: a child that ends is removed, a child that crashes is reported and
 * removed. Siblings are not affected, and no child is restarted: an execution that crashed on its own events would
 * crash again.
 */
import {
  type ActorRefFrom,
  type AnyActorLogic,
  type AnyActorRef,
  createActor,
  type EventObject,
  type Snapshot,
} from 'xstate';
import type { SupervisorLogic, SupervisorSnapshot } from '../../machines/manager.ts';

/** A child begins with its input, or continues from a snapshot. */
type Beginning = { readonly input: unknown } | { readonly snapshot: Snapshot<unknown> };

/** The prefix of the types of XState's own events about a child; the id of the child follows. */
const DONE = 'xstate.done.actor.';
const ERROR = 'xstate.error.actor.';

/** XState stores the options of each actor, 400 bytes that are not needed after its start. */
const STARTED = {};

export const supervisor = (hooks: {
  ended(id: string): void;
  crashed(id: string, error: unknown): void;
}): SupervisorLogic => ({
  getInitialSnapshot: ({ stopChild }) => ({
    status: 'active',
    output: undefined,
    error: undefined,
    children: new Map(),
    stopChild,
  }),
  getPersistedSnapshot: (snapshot) => snapshot,
  transition: (snapshot, event, scope) => {
    const { children } = snapshot;
    if (event.type.startsWith(DONE)) {
      const id = event.type.slice(DONE.length);
      if (children.delete(id)) hooks.ended(id);
    } else if (event.type.startsWith(ERROR)) {
      const id = event.type.slice(ERROR.length);
      if (children.delete(id)) hooks.crashed(id, (event as EventObject & { error?: unknown }).error);
    } else if (event.type === 'xstate.stop') {
      for (const child of children.values()) scope.stopChild(child);
      children.clear();
    }
    return snapshot;
  },
});

/** Starts a child and returns it. An event to the supervisor would do the same in more steps, for each execution. */
export const startChild = <Logic extends AnyActorLogic>(
  parent: AnyActorRef,
  id: string,
  logic: Logic,
  from: Beginning,
): ActorRefFrom<Logic> => {
  const { children } = parent.getSnapshot() as SupervisorSnapshot;
  const options = 'input' in from ? { parent, id, input: from.input } : { parent, id, snapshot: from.snapshot };
  const child = createActor<AnyActorLogic>(logic, options);
  children.set(id, child);
  child.start();
  (child as { options: object }).options = STARTED;
  return child as ActorRefFrom<Logic>;
};

/** Stops a child without a notification of its end. */
export const stopChild = (parent: AnyActorRef, id: string): void => {
  const { children, stopChild } = parent.getSnapshot() as SupervisorSnapshot;
  const child = children.get(id);
  if (child !== undefined) stopChild(child);
  children.delete(id);
};
