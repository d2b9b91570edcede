/** Clients that ask any of three servers at any moment, while connections break and leases end: the journals stay right, and none is stuck. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { type ExecutionView, Failure, text, workflow } from '../../../../runtime/index.ts';
import { type ClusterNode, ClusterWorld } from '../../../support/cluster-world.ts';
import { alice, turns } from '../../../support/given.ts';
import { withoutPostgres } from '../../../support/postgres.ts';

const RUN_MS = 4_000;
const CLIENTS = 6;

/** What goes wrong every third of a second, and what is expected of a caller then: to send its request again. */
const troubles: Readonly<Record<string, (world: ClusterWorld, node: ClusterNode) => Promise<void> | void>> = {
  nothing: () => {},
  'a connection that breaks': (_world, { proxy }) => proxy.cut(),
  'a lease that ends': async (world, node) => {
    node.node.told('late');
    await world.expire(node);
    await pass(300);
    await world.sql(`UPDATE fermata.nodes SET expires_at = 'infinity' WHERE id = '${node.node.store.cluster.id}'`);
    node.node.told('extended');
  },
};

const below = (count: number): number => Math.floor(Math.random() * count);

/** Three prompts; beside the second one a step emits. */
const flow = workflow({
  name: 'flow',
  run: async (_input, ctx) => {
    const first = await ctx.prompt(text({ text: 'A?' }));
    const [second] = await Promise.all([
      ctx.prompt(text({ text: 'B?' })),
      ctx.step('work', async (step) => {
        for (let count = below(6); count > 0; count -= 1) {
          step.emit(count);
          await turns(below(30));
        }
      }),
    ]);
    const third = await ctx.prompt(text({ text: 'C?' }));
    return [first.text, second.text, third.text];
  },
});

/** Undefined if the caller has to send its request again. */
const unlessRefused = async <T>(ask: () => T | Promise<T>): Promise<T | undefined> => {
  try {
    return await ask();
  } catch (error) {
    if (['store_unavailable', 'draining', 'execution_settled'].includes(Failure.from(error).code)) return undefined;
    throw error;
  }
};

class Client {
  readonly #world: ClusterWorld;

  constructor(world: ClusterWorld) {
    this.#world = world;
  }

  get #any(): ClusterNode {
    return this.#world.nodes[below(this.#world.nodes.length)]!;
  }

  /** One execution from its start to its end. */
  async round(): Promise<void> {
    const started = await unlessRefused(() => this.#world.start(this.#any, { workflow: 'flow' }));
    if (started === undefined) return;
    const { id } = started;
    const numbers: number[] = [];
    const view = await unlessRefused(() => this.#any.get(id));
    view?.watch(({ seq }) => numbers.push(seq));
    const isCancelled = below(8) === 0;
    let accepted = 0;
    for (const until = Date.now() + 60_000; ; ) {
      assert.ok(Date.now() < until, `execution ${id} is stuck`);
      const now = await unlessRefused(() => this.#any.get(id));
      if (now?.isSettled) break;
      if (now !== undefined) accepted += await this.#goOn(now, isCancelled);
    }
    assert.deepEqual(
      numbers,
      numbers.map((_, place) => numbers[0]! + place),
      'a subscriber gets each fact once',
    );
    await this.#verify(id, accepted);
  }

  /** How many answers were accepted. */
  async #goOn(execution: ExecutionView, isCancelled: boolean): Promise<number> {
    const { id, context } = execution;
    const [pause] = context.pauses;
    if (pause === undefined && isCancelled) await unlessRefused(() => this.#any.runtime.cancel(id, alice));
    else if (pause === undefined) {
      const timeoutMs = 1_000;
      await unlessRefused(() =>
        this.#any.runtime.waitUntil(execution, ({ context: { pauses } }) => pauses.length > 0, { timeoutMs }),
      );
    }
    if (pause === undefined) return 0;
    const answers = ['x', 'y', 'z'].slice(below(3)).map((word) => {
      const response = { kind: 'text', text: word } as const;
      return unlessRefused(() => this.#any.runtime.answer(id, pause.id, response, alice));
    });
    const count = (await Promise.all(answers)).filter((outcome) => outcome === 'accepted').length;
    assert.ok(count <= 1, 'one answer counts');
    return count;
  }

  async #verify(id: string, accepted: number): Promise<void> {
    const page = await unlessRefused(() => this.#any.runtime.facts(id, 0, alice));
    if (page === undefined) return;
    const types = page.entries.map(({ type }) => type);
    const count = (type: string): number => types.filter((one) => one === type).length;
    assert.deepEqual(
      page.entries.map(({ seq }) => seq),
      types.map((_, place) => place + 1),
    );
    assert.ok(count('interaction.answered') <= 3 && count('interaction.answered') >= accepted, types.join());
    assert.ok(count('step.completed') <= 1, types.join());
    assert.equal(count('execution.completed') + count('execution.failed'), 1);
  }
}

for (const [what, happens] of Object.entries(troubles)) {
  test(`clients of three servers at random, with ${what}`, { skip: withoutPostgres }, async (t) => {
    const world = await ClusterWorld.open(t, 3, [flow]);
    let isOver = false;
    const until = Date.now() + RUN_MS;
    const time = (async () => {
      for (; !isOver; await turns(20)) await world.pass(100).catch(() => {});
    })();
    const trouble = (async () => {
      for (; Date.now() < until; await pass(300)) await happens(world, world.nodes[below(3)]!);
    })();
    try {
      const clients = Array.from({ length: CLIENTS }, async () => {
        for (const client = new Client(world); Date.now() < until; ) await client.round();
      });
      await Promise.all([...clients, trouble]);
    } finally {
      isOver = true;
      await time;
    }
  });
}
