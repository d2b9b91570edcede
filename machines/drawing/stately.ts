/**
 * A machine as JSON: the configuration that `createMachine` of XState takes, which is what the editor at stately.ai
 * exports as JSON, and imports in the parentheses of `createMachine(...)`.
 */
import type { AnyStateMachine } from 'xstate';

export type MachineJson = { readonly [key: string]: unknown };

/** What is code, and not named, becomes its name where it decides or acts; where it only makes data it is left out. */
export const statelyOf = (machine: AnyStateMachine): MachineJson =>
  JSON.parse(JSON.stringify(machine.config, inJson)) as MachineJson;

/** As JSON has lists, the members of one have numbers for keys. */
const acts = /^(guard|actions|entry|exit|src|\d+)$/;

const inJson = (key: string, value: unknown): unknown => {
  if (typeof value === 'function') return acts.test(key) ? value.name || 'inline' : undefined;
  const isLogic = typeof value === 'object' && value !== null && 'transition' in value;
  return isLogic && typeof value.transition === 'function' ? 'inline' : value;
};
