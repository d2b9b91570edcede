/**
 * Tests of a workflow that nobody has to write: `testWorkflow` plays every way that an execution of it may go.
 *
 * At each wait everything happens once: each answer, all answers in one commit, the end of the time, consent given, refused and too
 * late, cancelled, abandoned. Each of these paths is played again with its process killed after each of its facts, with a disk that fails
 * at each of them, and out of memory at each wait: it has to come to the same end. Each process builds the resources anew. Time, randomness,
 * the disk and providers are simulated; steps are done as they are written.
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
  /** What the workflow is started with, as callers send it. Default: once, with nothing. */
  readonly inputs?: readonly unknown[];
  /**
   * What people answer, by the text of the prompt: texts, ids of options, lists of ids. Needed for texts. Default for
   * choices: each option once; for checkboxes: none, each by itself, and all.
   */
  readonly answers?: Answers;
  /** Names of the providers that `ctx.authorize` is called with. Default none. */
  readonly providers?: readonly string[];
  /** Who starts it, and answers. Default `somebody`. */
  readonly user?: string;
  /** What has to be so at the end of every path; throws if it is not. */
  readonly check?: (outcome: Outcome) => unknown;
  /** What has to be the same after a cut. Default: status, result, error and output. */
  readonly same?: (outcome: Outcome) => unknown;
  /** What happens to processes and their disk on the way. Default: all of it. */
  readonly cuts?: readonly Cut['how'][];
  /** Paths that are played at most, those with cuts included. Default 500. */
  readonly maxPaths?: number;
  /** Waits on one path; what comes after is not followed. Default 12. */
  readonly maxWaits?: number;
  /** Only the path of this name, as a failure gives it. */
  readonly only?: string;
  /** How long the workflow may be busy with what is no call of `ctx`. Milliseconds. Default 5_000. */
  readonly patienceMs?: number;
}

/** To be called where tests of node:test or vitest are: it is one, with a subtest for each path. */
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
  /** Waits that paths which were not followed to their end have stopped at. */
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

  /** Depth first. A path that goes on is not a test by itself: those that it leads to are. */
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

  /** The same path, on which something happens to its process or its disk. */
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
