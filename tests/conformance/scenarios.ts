/**
 * The recorded scenarios as our server has to play them. A recording says what NAT does; a deviation says where our server
 * must differ (`required`) or may (`allowed`), for single steps or for the whole course.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Expectation } from './expectations.ts';

/** One action by its name, with its order; `id` names the step for deviations. */
export type Step = { id?: string; expect?: Expectation; [action: string]: unknown };

/** A step and every outcome that is acceptable, ours first; none: whatever comes. */
export type PlayedStep = { id?: string; action: string; order: unknown; accepted: readonly Expectation[] };

export type Recording = { name: string; profile: string; why: string; steps: readonly Step[] };

export type Deviation = {
  scenario: string;
  class: 'required' | 'allowed';
  defects: readonly string[];
  why: string;
  changes?: readonly { step: string; nat: Expectation; ours: Expectation }[];
  steps?: readonly Step[];
};

/** Passes if one of its courses does; the first is the one we want. */
export type Scenario = { name: string; profile: string; courses: readonly (readonly PlayedStep[])[] };

const read = (path: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8'));

export const readRecordings = (): Recording[] =>
  readdirSync(join(import.meta.dirname, 'scenarios')).flatMap(
    (file) => (read(join('scenarios', file)) as { scenarios: Recording[] }).scenarios,
  );

export const readDeviations = (): Deviation[] => (read('deviations.json') as { deviations: Deviation[] }).deviations;

export const scenarioOf = ({ name, profile, steps }: Recording, deviations: readonly Deviation[]): Scenario => {
  const own = deviations.filter(({ scenario }) => scenario === name);
  const replaced = own.find((deviation) => deviation.steps);
  const recorded = steps.map((step) => playedStep(step, own));
  if (!replaced?.steps) return { name, profile, courses: [recorded] };
  const ours = replaced.steps.map((step) => playedStep(step, []));
  return { name, profile, courses: replaced.class === 'allowed' ? [ours, recorded] : [ours] };
};

const playedStep = ({ id, expect, ...rest }: Step, deviations: readonly Deviation[]): PlayedStep => {
  const [action, order] = Object.entries(rest)[0] ?? ['nothing', undefined];
  const recorded = expect === undefined ? [] : [expect];
  const changed = deviations.flatMap((deviation) =>
    (deviation.changes ?? []).filter(({ step }) => step === id).map(({ ours }) => ({ ours, class: deviation.class })),
  );
  const accepted = changed.flatMap(({ ours, class: kind }) => (kind === 'allowed' ? [ours, ...recorded] : [ours]));
  return { ...(id !== undefined && { id }), action, order, accepted: changed.length > 0 ? accepted : recorded };
};
