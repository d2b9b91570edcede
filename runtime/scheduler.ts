import type { AnyActorRef } from 'xstate';
import type { TimingWheel } from './timing-wheel.ts';
export const installScheduler = (_root: AnyActorRef, _wheel: TimingWheel): void => {};
