/**
 * `testWorkflow` generates the tests of a workflow: it runs every path of an execution.
 *
 * At each wait every choice happens in one path: each answer, all answers in one commit, the timeout, consent granted,
 * refused and late, cancelled, abandoned. Each path runs again with its process killed after each fact, with a disk
 * failure at each fact, and evicted from memory at each wait. It must reach the same end. Each process builds the
 * resources again. Time, randomness, the disk and providers are simulated; steps are executed as written.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Workflow } from '../runtime/index.ts';
import type { Answers } from './choices.ts';
import { nameOf, type Outcome, type Path, playPath } from './explore.ts';
import type { Cut, World } from './play.ts';
import { asTests, type Tester } from './runner.ts';

export type { Answers, Given } from './choices.ts';
export type { Outcome, Path } from './explore.ts';
export { hop } from './hops.ts';
export type { Cut } from './play.ts';
export { SimulatedClock } from './simulated-clock.ts';

export interface TestOptions {
  /** Inputs of the workflow, as callers send them. Default: one path without input. */
  readonly inputs?: readonly unknown[];
  /**
   * Answers by the text of the prompt: texts, ids of options, lists of ids. Text prompts need them. Default for
   * choices: each option once; for checkboxes: none, each option, and all options.
   */
  readonly answers?: Answers;
  /** Names of the providers that the workflow passes to `ctx.authorize`. Default none. */
  readonly providers?: readonly string[];
  /** The user id that starts and answers. Default `somebody`. */
  readonly user?: string;
  /** Checks the end of every path; throws if it is wrong. */
  readonly check?: (outcome: Outcome) => unknown;
  /** Values that must be the same after a cut. Default: status, result, error and output. */
  readonly same?: (outcome: Outcome) => unknown;
  /** The cuts to test. Default: all. */
  readonly cuts?: readonly Cut['how'][];
  /** Maximum number of paths, including those with cuts. Default 500. */
  readonly maxPaths?: number;
  /** Maximum number of waits on one path; later waits are not followed. Default 12. */
  readonly maxWaits?: number;
  /** Only the path of this name, as a failure prints it. */
  readonly only?: string;
  /** How long the workflow may be busy outside of calls of `ctx`. Milliseconds. Default 5_000. */
  readonly patienceMs?: number;
}

/** Call it where tests of node:test or vitest are defined. It is one test, with a subtest for each path. */
// biome-ignore lint/suspicious/noExplicitAny: a workflow of whatever it takes and gives
export const testWorkflow = (workflow: Workflow<any, any>, options: TestOptions = {}): void => {
  const { user = 'somebody', providers = [], patienceMs = 5_000 } = options;
  const world: World = { workflow, user, providers, patienceMs };
  asTests(workflow.name, (tester) => new Walk(tester, world, options).walk());
};

class Walk {
  readonly #tester: Tester;
  readonly #world: World;
  readonly #options: TestOptions;
  #played = 0;
  #leftOut = 0;
  /** The waits at which the unfinished paths stopped. */
  readonly #unfinished: string[] = [];
  #isFound = false;
  readonly #seen = new Set<string>();

  constructor(tester: Tester, world: World, options: TestOptions) {
    this.#tester = tester;
    this.#world = world;
    this.#options = options;
  }

  async walk(): Promise<void> {
    const { inputs = [undefined], only } = this.#options;
    for (const input of inputs) await this.#from({ input, choices: [] });
    this.#tester.note(`${this.#played} paths; facts that came about: ${[...this.#seen].sort().join(', ')}`);
    if (this.#leftOut > 0)
      this.#tester.note(`${this.#leftOut} paths or more were left out: raise maxPaths to play them`);
    const { length } = this.#unfinished;
    if (length > 0)
      this.#tester.note(
        `${length} paths were not followed to their end: raise maxWaits to do so. ${this.#unfinished[0]}`,
      );
    if (only !== undefined && !this.#isFound) throw new Error(`There is no path ${JSON.stringify(only)}.`);
  }

  /** Depth first. Only complete paths are tests. */
  async #from(path: Path): Promise<void> {
    if (this.#isFull()) return;
    let outcome: Outcome;
    try {
      outcome = await playPath(this.#world, path, this.#options.answers);
    } catch (error) {
      await this.#test(nameOf(path), () => Promise.reject(error));
      return;
    }
    if (outcome.status !== 'waiting') return this.#ended(outcome);
    const { maxWaits = 12 } = this.#options;
    if (path.choices.length >= maxWaits) this.#unfinished.push(outcome.lastCall);
    else for (const next of outcome.next) await this.#from({ ...path, choices: [...path.choices, next] });
  }

  async #ended(outcome: Outcome): Promise<void> {
    for (const { type } of outcome.journal) this.#seen.add(type);
    await this.#test(nameOf(outcome), async () => {
      if (outcome.problems.length > 0) throw new Error(outcome.problems.join('\n'));
      await this.#options.check?.(outcome);
    });
    const { cuts = EVERY_CUT } = this.#options;
    if (cuts.includes('hibernated')) await this.#cut(outcome, { how: 'hibernated' });
    for (let fact = 1; fact <= outcome.journal.length; fact += 1) {
      if (cuts.includes('killed') && fact < outcome.journal.length) await this.#cut(outcome, { how: 'killed', fact });
      if (cuts.includes('store fails') && fact > 1) await this.#cut(outcome, { how: 'store fails', fact });
    }
  }

  /** The same path with a cut. */
  async #cut(outcome: Outcome, cut: Cut): Promise<void> {
    const path: Path = { input: outcome.input, choices: outcome.choices, cut };
    if (this.#isFull()) return;
    await this.#test(nameOf(path, outcome.journal), async () => {
      const again = await playPath(this.#world, path, this.#options.answers);
      for (const { type } of again.journal) this.#seen.add(type);
      if (again.problems.length > 0) throw new Error(again.problems.join('\n'));
      const { same = endOf } = this.#options;
      if (!again.isDelayed && !isDeepStrictEqual(same(again), same(outcome))) {
        throw new Error(
          `It ends in another way: ${JSON.stringify(same(again))} instead of ${JSON.stringify(same(outcome))}. ` +
            'What is done outside of ctx.step is done again, and what it changes is changed twice. What was only in memory, such as in ' +
            'the resources of the workflow, is gone after a restart: keep it in the value of a step, or where it outlives the process.',
        );
      }
      await this.#options.check?.(again);
    });
  }

  #isFull(): boolean {
    const { maxPaths = 500 } = this.#options;
    if (this.#played < maxPaths) return false;
    this.#leftOut += 1;
    return true;
  }

  async #test(name: string, verify: () => Promise<void>): Promise<void> {
    const { only } = this.#options;
    this.#played += 1;
    if (only !== undefined && only !== name) return;
    this.#isFound = true;
    await this.#tester
      .test(name, async () => {
        try {
          await verify();
        } catch (cause) {
          const message = cause instanceof Error ? cause.message : String(cause);
          throw new Error(`${message}\nTo play this path alone: testWorkflow(..., { only: ${JSON.stringify(name)} })`, {
            cause,
          });
        }
      });
  }
}

const EVERY_CUT: readonly Cut['how'][] = ['killed', 'store fails', 'hibernated'];

const endOf = ({ status, result, error, output }: Outcome) => ({ status, result, error, output });
