/** The calls that a program makes. Each gives what the run has seen of it, as data that nothing changes any more. */
import { type Answer, type Context, type Step, text } from '../../../runtime/index.ts';
import { turns } from '../given.ts';
import type { Leaf, Node, StepValue } from './program.ts';
import { givenIn, questionFor } from './questions.ts';
import type { Seen, World } from './world.ts';

/** For what a process was about to do when it was lost. */
const never = (): Promise<never> => new Promise(() => {});

const MICRO = null;

export abstract class Leaves {
  readonly ctx: Context;
  /** From 1: how often the function was called before, and this time. */
  readonly number: number;
  readonly #world: World;
  readonly #process: number;
  readonly #made = new Set<string>();

  constructor(world: World, ctx: Context) {
    this.ctx = ctx;
    this.#world = world;
    this.#process = world.process;
    this.number = world.attempts += 1;
    world.made.set(this.number, this.#made);
  }

  abstract play(node: Node, site: string, signal?: AbortSignal): Promise<Seen[]>;

  /** Its process is lost: it must not do anything. */
  get isLost(): boolean {
    return this.#process !== this.#world.process;
  }

  /** What a run sees after it was left has no effect: its calls never settle, so a race with another promise ends otherwise. */
  see(seen: Seen): Seen {
    const copy = structuredClone(seen);
    if (!this.isLost && !this.ctx.signal.aborted) this.#world.compare(copy);
    return copy;
  }

  /** A call is about to be made there. */
  make(site: string): void {
    this.#made.add(site);
  }

  async leaf(node: Leaf, site: string, signal?: AbortSignal): Promise<Seen[]> {
    if (this.isLost) return never();
    const options = signal && { signal };
    switch (node.do) {
      case 'prompt':
        return [await this.#prompt(node, site, signal)];
      case 'step':
        return [await this.#step(node, site)];
      case 'retry':
        return [await this.#retry(node.fails, site)];
      case 'insist':
        return [await this.#insist(node.on, site)];
      case 'sleep':
        this.make(site);
        await this.ctx.sleep(node.seconds * 1000, options);
        return [this.see({ site, did: 'sleep', got: 'over' })];
      case 'now':
      case 'random':
        return [this.see({ site, did: node.do, got: this.ctx[node.do]() })];
      case 'notify':
        this.make(site);
        return [this.see({ site, did: 'notify', asked: `N ${site}`, got: (await this.ctx.notify(`N ${site}`)).text })];
      case 'observe':
        this.ctx.observe(`trace ${site}`);
        return [];
      case 'authorize':
        this.make(site);
        return [this.see({ site, did: 'authorize', got: (await this.ctx.authorize('bank', options)).value })];
      case 'span':
        return [this.#span(node.mutates, site)];
      case 'emit':
        return [this.#emit(node, site)];
      case 'hops':
        for (let hop = 0; hop < node.count; hop += 1) await MICRO;
        return [];
      case 'turns':
        await this.#turns(node.count);
        return [];
      case 'outside':
        await new Promise<void>((resolve) => this.#world.outside.push({ site, resolve }));
        return this.isLost ? never() : [];
      case 'callback':
        this.#later(node, site);
        return [];
    }
  }

  async #prompt(node: Extract<Leaf, { do: 'prompt' }>, site: string, signal: AbortSignal | undefined): Promise<Seen> {
    const question = questionFor(node, site, this.number);
    this.make(site);
    const answer: Answer = await this.ctx.prompt(question, {
      ...(node.keyed && { key: site }),
      ...(signal && { signal }),
    });
    return this.see({ site, did: 'prompt', asked: question.prompt.text, got: givenIn(answer) });
  }

  async #step(node: Extract<Leaf, { do: 'step' }>, site: string): Promise<Seen> {
    const name =
      node.says === 'own' ? `S ${site}` : node.says === 'shared' ? `S ${node.value}` : `S ${site} life ${this.number}`;
    this.make(site);
    const value = await this.ctx.step(name, async (step) => {
      if (this.isLost) return never();
      const count = this.#world.begin(name, node.says === 'own');
      for (let token = 0; token < node.emits; token += 1) {
        step.emit({ of: `${site} token`, done: token, time: count });
        await this.#turns(1);
      }
      await this.#inner(node.inner, site, step);
      await this.#turns(node.turns);
      if (node.value === 'error') throw new RangeError(`${site} broke`);
      return valueGiven(node.value, site);
    });
    const seen = this.see({ site, did: 'step', asked: name, got: value ?? 'nothing' });
    if (node.mutates) spoil(value);
    return seen;
  }

  /** A call of `ctx` from within a step. Those that make no sense there reject; what is done then is up to the author. */
  async #inner(call: Extract<Leaf, { do: 'step' }>['inner'], site: string, step: Step): Promise<void> {
    const { ctx } = this;
    switch (call) {
      case 'none':
        return;
      case 'emit':
        return ctx.emit({ of: `${site} inner`, done: 1 });
      case 'span':
        return step.span('TOOL', `${site} inner`).end(1);
      case 'log':
        return ctx.log.info({ site }, 'within a step');
      case 'now':
      case 'random':
        ctx[call]();
        return;
      case 'notify':
        return void (await ctx.notify(`N ${site} inner`).catch(() => {}));
      case 'step':
        return void (await ctx.step(`S ${site} inner`, () => 1).catch(() => {}));
      case 'sleep':
        return ctx.sleep(1_000).catch(() => {});
      case 'prompt':
        return void (await ctx.prompt(text({ text: `Q ${site} inner` })).catch(() => {}));
    }
  }

  async #retry(fails: number, site: string): Promise<Seen> {
    const name = `S ${site}`;
    this.make(site);
    for (;;) {
      if (this.#world.spins(site)) return never();
      try {
        const got = await this.ctx.step(name, () => {
          if (this.isLost) return never();
          if (this.#world.begin(name, false) <= fails) throw new Error('not yet');
          return `${site} worked`;
        });
        return this.see({ site, did: 'retry', asked: name, got });
      } catch {}
    }
  }

  async #insist(on: Extract<Leaf, { do: 'insist' }>['on'], site: string): Promise<Seen> {
    this.make(site);
    for (;;) {
      if (this.#world.spins(site)) return never();
      try {
        if (on === 'sleep') await this.ctx.sleep(1_000);
        const got =
          on === 'prompt'
            ? givenIn(await this.ctx.prompt(text({ text: `Q ${site}` })))
            : await this.ctx.step(`S ${site}`, () => site);
        return this.see({ site, did: 'insist', got });
      } catch {}
    }
  }

  #span(mutates: boolean, site: string): Seen {
    const input = { of: site, done: 1 };
    const span = this.ctx.span('TOOL', `T ${site}`, { input });
    if (mutates) input.done = 99;
    span.chunk('a part');
    const output = { of: site, done: 2 };
    span.end(output);
    if (mutates) output.done = 99;
    return { site, did: 'span', got: 1 };
  }

  #emit({ times, mutates }: Extract<Leaf, { do: 'emit' }>, site: string): Seen {
    const progress = { of: site, done: 0, all: [] as number[] };
    const got: unknown[] = [];
    for (let time = 0; time < times; time += 1) {
      const value = mutates ? progress : structuredClone(progress);
      value.done = time;
      value.all.push(time);
      this.ctx.emit(value);
      got.push(structuredClone(value));
    }
    return { site, did: 'emit', got };
  }

  async #turns(count: number): Promise<void> {
    const mark = {};
    this.#world.busy.add(mark);
    await turns(count);
    this.#world.busy.delete(mark);
    if (this.isLost) await never();
  }

  /** No error of a call may leave a callback: there it would end the process. */
  #later({ turns: count, call }: Extract<Leaf, { do: 'callback' }>, site: string): void {
    void this.#turns(count).then(() => {
      try {
        if (call === 'emit') this.ctx.emit({ of: `${site} callback`, done: 1 });
        else if (call === 'now') this.ctx.now();
        else if (call === 'span') this.ctx.span('TOOL', `T ${site} callback`).end();
        else void this.ctx.prompt(text({ text: `Q ${site} callback` }));
      } catch (error) {
        this.#world.problem(`ctx.${call} of the callback ${site} threw ${String(error)}`);
      }
    });
  }
}

const valueGiven = (value: StepValue, site: string): unknown => {
  if (value === 'object') return { of: site, total: 5, list: [1, { deep: true }] };
  if (value === 'list') return [site, 5, [1]];
  if (value === 'date') return { of: site, at: new Date(0) };
  return value === 'text' ? `${site} done` : undefined;
};

/** Changes what an author has got, as he may. */
const spoil = (value: unknown): void => {
  if (Array.isArray(value)) value.push('spoiled');
  else if (typeof value === 'object' && value !== null) Object.assign(value, { total: 99, list: [] });
};
