/**
 * A machine as JSON: the configuration for XState's `createMachine`. The editor at stately.ai imports it in the
 * parentheses of `createMachine(...)`.
 */
import type { AnyStateMachine } from 'xstate';

export type MachineJson = { readonly [key: string]: unknown };

/** Unnamed code becomes its name if it is a guard or an action. Code that only makes data is left out. */
export const statelyOf = (machine: AnyStateMachine): MachineJson =>
  JSON.parse(JSON.stringify(machine.config, inJson)) as MachineJson;

/** JSON lists: their items have numbers as keys. */
const acts = /^(guard|actions|entry|exit|src|\d+)$/;

const inJson = (key: string, value: unknown): unknown => {
  if (typeof value === 'function') return acts.test(key) ? value.name || 'inline' : undefined;
  const isLogic = typeof value === 'object' && value !== null && 'transition' in value;
  return isLogic && typeof value.transition === 'function' ? 'inline' : value;
};
