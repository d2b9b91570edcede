/**
 * XState's delayed events on the timing wheel: `after`, and `raise` and `sendTo` with a delay. Its own scheduler keeps
 * all of a system in one table and reads all of it whenever an actor stops; here each actor has a table of its own.
 *
 * It differs in one point: when an id is used again while its first event is pending, `cancel` takes both, as SCXML
 * (6.3, `<cancel>`) wants, and not only the later one.
 */
import type { AnyActorRef, EventObject } from 'xstate';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';

/** What XState's system has, and its types leave out: like `target.send`, but inspection sees who sent it. */
type Relay = { _relay(source: AnyActorRef, target: AnyActorRef, event: EventObject): void };

/** Call it before `rootActor.start()`. What is pending is not part of a snapshot, as XState's `after` never was. */
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
  Object.assign(system.scheduler, scheduler); // XState itself holds on to the object, so that stays
};
