/** The one workflow function that all programs are run by. */
import { z } from 'zod';
import { text, type Workflow, workflow } from '../../../runtime/index.ts';
import { Leaves } from './leaves.ts';
import type { Node, Program } from './program.ts';
import { givenIn } from './questions.ts';
import type { Seen, World } from './world.ts';

const transforming = z.object({
  at: z.coerce.date(),
  cents: z.number().transform((euros) => euros * 100),
});

export const BODY = { at: '2026-01-01T00:00:00.000Z', cents: 12 };

export const interpreted = (program: Program, world: World): Workflow =>
  workflow<unknown, unknown, undefined>({
    name: 'program',
    ...(program.input === 'transforms' && { input: transforming }),
    run: program.yields
      ? (input, ctx) => new Attempt(world, ctx).yield(program, input)
      : (input, ctx) => new Attempt(world, ctx).run(program, input),
  }) as Workflow;

/** One call of the function. */
class Attempt extends Leaves {
  async run(program: Program, input: unknown): Promise<Seen[]> {
    const seen = [this.see({ site: 'input', did: 'input', got: plain(input) })];
    for (const [index, node] of program.body.entries()) seen.push(...(await this.play(node, String(index))));
    return seen;
  }

  async *yield(program: Program, input: unknown): AsyncGenerator<unknown, Seen[], undefined> {
    const seen = [this.see({ site: 'input', did: 'input', got: plain(input) })];
    for (const [index, node] of program.body.entries()) {
      seen.push(...(await this.play(node, String(index))));
      yield { of: `yield ${index}`, done: 1 };
    }
    return seen;
  }

  override async play(node: Node, site: string, signal?: AbortSignal): Promise<Seen[]> {
    switch (node.do) {
      case 'seq':
        return node.way === 'then' ? this.#chained(node.of, site, signal) : this.#sequence(node.of, site, signal);
      case 'all':
        return node.way === 'branches' ? this.#allBranches(node.of, site) : this.#all(node.of, site);
      case 'race':
        return node.way === 'branches' ? this.#raceBranches(node.of, site) : this.#race(node.of, site);
      case 'branch':
        return this.ctx.branch(site, (own) => this.play(node.of, `${site}.b`, own));
      case 'loop': {
        const seen: Seen[] = [];
        for (let time = 0; time < node.times; time += 1)
          seen.push(...(await this.play(node.of, `${site}.${time}`, signal)));
        return seen;
      }
      case 'try':
        try {
          return await this.play(node.of, `${site}.t`, signal);
        } catch (error) {
          return [this.see({ site, did: 'catch', got: nameOf(error) })];
        }
      case 'choice': {
        const index = this.number % 2;
        return this.play(node.of[index]!, `${site}.${index}`, signal);
      }
      case 'withdraw':
        return this.#withdraw(node, site);
      default:
        return this.leaf(node, site, signal);
    }
  }

  async #sequence(of: readonly Node[], site: string, signal: AbortSignal | undefined): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const [index, node] of of.entries()) seen.push(...(await this.play(node, `${site}.${index}`, signal)));
    return seen;
  }

  #chained(of: readonly Node[], site: string, signal: AbortSignal | undefined): Promise<Seen[]> {
    return of.reduce<Promise<Seen[]>>(
      (before, node, index) =>
        before.then((seen) => this.play(node, `${site}.${index}`, signal).then((more) => [...seen, ...more])),
      Promise.resolve([]),
    );
  }

  async #all(of: readonly Node[], site: string): Promise<Seen[]> {
    return (await Promise.all(of.map((node, index) => this.play(node, `${site}.${index}`)))).flat();
  }

  async #allBranches(of: readonly Node[], site: string): Promise<Seen[]> {
    return Object.values(await this.ctx.all(this.#branches(of, site))).flat();
  }

  async #race(of: readonly Node[], site: string): Promise<Seen[]> {
    const racing = of.map(async (node, winner) => ({ winner, value: await this.play(node, `${site}.${winner}`) }));
    const { winner, value } = await Promise.race(racing);
    return [this.see({ site, did: 'race', got: winner }), ...value];
  }

  async #raceBranches(of: readonly Node[], site: string): Promise<Seen[]> {
    const { winner, value } = await this.ctx.race(this.#branches(of, site));
    return [this.see({ site, did: 'race', got: winner }), ...value];
  }

  #branches(of: readonly Node[], site: string): Record<string, (signal: AbortSignal) => Promise<Seen[]>> {
    return Object.fromEntries(
      of.map((node, index) => [`b${index}`, (signal: AbortSignal) => this.play(node, `${site}.${index}`, signal)]),
    );
  }

  async #withdraw({ what, after }: Extract<Node, { do: 'withdraw' }>, site: string): Promise<Seen[]> {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    this.make(site);
    const waiting: Promise<unknown> =
      what === 'prompt'
        ? this.ctx.prompt(text({ text: `Q ${site}` }), options).then(givenIn)
        : what === 'sleep'
          ? this.ctx.sleep(60_000, options)
          : this.ctx.authorize('bank', options).then(({ value }) => value);
    const got = waiting.then((value) => value ?? 'over', nameOf);
    const seen = await this.play(after, `${site}.w`);
    controller.abort();
    return [...seen, this.see({ site, did: 'withdraw', got: await got })];
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

const plain = (value: unknown): unknown => (value === undefined ? null : JSON.parse(JSON.stringify(value)));
