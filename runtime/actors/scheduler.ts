/**
 * Schedules XState's delayed events on the timing wheel: `after`, and `raise` and `sendTo` with a delay. XState's own
 * scheduler has one table for a whole system, and reads all of it whenever an actor stops. Here each actor has its own
 * table.
 *
 * One difference: when an id is reused while its first event is pending, `cancel` cancels both, as SCXML (6.3,
 * `<cancel>`) requires, and not only the later one.
 */
import type { AnyActorRef, EventObject } from 'xstate';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';

/** A method of XState's system that its types omit: like `target.send`, with the sender for inspection. */
type Relay = { _relay(source: AnyActorRef, target: AnyActorRef, event: EventObject): void };

/** Call it before `rootActor.start()`. Pending events are not part of a snapshot, as with XState's `after`. */
export const installScheduler = (rootActor: AnyActorRef, wheel: TimingWheel): void => {
  const system = rootActor.system as AnyActorRef['system'] & Relay;
  const timers = new Map<AnyActorRef, Map<WheelTimer, string | undefined>>();

  const drop = (source: AnyActorRef, timer: WheelTimer): void => {
    const own = timers.get(source);
    if (own?.delete(timer) && own.size === 0) timers.delete(source);
  };

  const scheduler: typeof system.scheduler = {
    schedule: (source, target, event, delay, id) => {
      const timer = wheel.schedule(wheel.clock.now() + delay, () => {
        drop(source, timer);
        system._relay(source, target, event);
      });
      const own = timers.get(source);
      if (own === undefined) timers.set(source, new Map([[timer, id]]));
      else own.set(timer, id);
    },
    cancel: (source, id) => {
      for (const [timer, timerId] of timers.get(source) ?? []) {
        if (timerId !== id) continue;
        wheel.cancel(timer);
        drop(source, timer);
      }
    },
    cancelAll: (source) => {
      for (const timer of timers.get(source)?.keys() ?? []) wheel.cancel(timer);
      timers.delete(source);
    },
  };
  Object.assign(system.scheduler, scheduler); // XState itself holds a reference to the object, so it stays
};
