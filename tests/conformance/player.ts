/** Plays a scenario against a running server, step by step, up to the first step that is not as it should be. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { matchExpectation } from './expectations.ts';
import { httpActions } from './http-actions.ts';
import { type Difference, fill, type Names } from './matchers.ts';
import type { Provider } from './provider.ts';
import type { PlayedStep, Scenario } from './scenarios.ts';
import { socketActions } from './socket-actions.ts';
import { streamActions } from './stream-actions.ts';
import type { Action, World } from './world.ts';

const sleep: Action = async (seconds: number) => {
  await wait(seconds * 1000);
  return undefined;
};

const provider: Action = async (order: 'requests' | Partial<Provider>, world) => {
  if (!world.provider) throw new Error('there is no provider in this profile');
  if (order === 'requests') return { requests: world.provider.requests.splice(0) };
  Object.assign(world.provider, order);
  return undefined;
};

const actions: Readonly<Record<string, Action>> = {
  ...httpActions,
  ...streamActions,
  ...socketActions,
  sleep,
  provider,
};

/** Throws, with the differing places, what the first course has to say if no course passes. */
export const play = async (scenario: Scenario, base: string, oauth?: Provider): Promise<void> => {
  const failures: unknown[] = [];
  for (const course of scenario.courses) {
    try {
      return await playCourse(course, base, oauth);
    } catch (failure) {
      failures.push(failure);
    }
  }
  throw failures[0];
};

const playCourse = async (course: readonly PlayedStep[], base: string, oauth: Provider | undefined): Promise<void> => {
  const { origin, host } = new URL(base);
  if (oauth) Object.assign(oauth, { requests: [], clientCredentials: 'refuse' });
  const open: World['open'] = new Map();
  let names: Names = { base: origin, host, run: randomBytes(4).toString('hex') };
  try {
    for (const [index, step] of course.entries()) {
      const title = `step ${index + 1}${step.id === undefined ? '' : ` (${step.id})`}, ${step.action}`;
      names = await playStep(step, { base, provider: oauth, names, open }).catch((failure: Error) => {
        throw new Error(`${title}: ${failure.message}`, { cause: failure });
      });
    }
  } finally {
    for (const left of open.values()) left.close();
  }
};

/** Gives the names that are known after the step. */
const playStep = async ({ action, order, accepted }: PlayedStep, world: World): Promise<Names> => {
  const act = actions[action];
  if (!act) throw new Error('no action has this name');
  const filled = fill(order, world.names);
  const [unknown] = /\{\{\w+\}\}/.exec(JSON.stringify(filled) ?? '') ?? [];
  if (unknown) throw new Error(`${unknown} has no value yet`);
  const seen = await act(filled as never, world);
  const outcomes = accepted.map((expected) => matchExpectation(expected, seen ?? {}, world.names));
  const passed = outcomes.find(({ differences }) => differences.length === 0);
  if (passed) return passed.names;
  if (outcomes[0]) throw new Error(outcomes[0].differences.map(describe).join(''));
  return world.names;
};

const describe = ({ at, expected, actual }: Difference): string =>
  `\n  ${at}\n    expected ${show(expected)}\n    but got  ${show(actual)}`;

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text;
};
