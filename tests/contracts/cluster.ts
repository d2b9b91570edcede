/** What several runtimes on one store promise together: every runtime serves every execution. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ExecutionView, type JournalEntry, type JournalPage, text, workflow } from '../../runtime/index.ts';
import { alice } from '../support/callers.ts';
import type { ClusterNode, ClusterWorld } from '../support/cluster-world.ts';
import { turns } from '../support/given.ts';

/** Opens so many runtimes on one empty store; they end with the test. */
export type OpenCluster = (
  t: TestContext,
  count: number,
  workflows: Parameters<typeof ClusterWorld.open>[2],
  setup?: Parameters<typeof ClusterWorld.open>[3],
) => Promise<ClusterWorld>;

const yes = { kind: 'text', text: 'yes' } as const;

const asks = workflow({
  name: 'asks',
  run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text,
});

/** Opens for each execution that a test names. */
const gate = () => {
  const released = new Set<string>();
  const waiting: { readonly id: string; go(): void }[] = [];
  const passes = (id: string): Promise<void> =>
    released.has(id) ? Promise.resolve() : new Promise((go) => waiting.push({ id, go }));
  const release = (id: string): void => {
    released.add(id);
    for (const one of waiting) if (one.id === id) one.go();
  };
  return { passes, release };
};

/** Works until it is released. */
const works = () => {
  const { passes, release } = gate();
  const definition = workflow({
    name: 'works',
    run: async (_input, ctx) => {
      ctx.emit('begun');
      await passes(ctx.executionId);
      ctx.emit('released');
      return 'done';
    },
  });
  return { definition, release };
};

/** Asks, and works meanwhile until it is released. */
const both = () => {
  const { passes, release } = gate();
  const definition = workflow({
    name: 'both',
    run: async (_input, ctx) => {
      const [answer] = await Promise.all([
        ctx.prompt(text({ text: 'Go on?' })),
        ctx.step('work', () => passes(ctx.executionId)),
      ]);
      return answer.text;
    },
  });
  return { definition, release };
};

const hasSettled = ({ isSettled }: ExecutionView): boolean => isSettled;
const typesOf = (entries: readonly JournalEntry[]) => entries.map(({ type }) => type);
const seqsOf = (entries: readonly JournalEntry[]) => entries.map(({ seq }) => seq);
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, index) => from + index);

/** Records what a subscriber gets. */
const watched = (execution: ExecutionView) => {
  const entries: JournalEntry[] = [];
  const seen = { entries, isGone: false, unwatch: (): void => {} };
  seen.unwatch = execution.watch(
    (entry) => {
      assert.ok(execution.context.seq >= entry.seq, 'the view shows it');
      entries.push(entry);
    },
    () => {
      seen.isGone = true;
    },
  );
  return seen;
};

const journalOf = async ({ runtime }: ClusterNode, id: string): Promise<JournalPage> =>
  (await runtime.facts(id, 0, alice))!;

const begun = async (world: ClusterWorld, node: ClusterNode, name = 'asks') => {
  const execution = await world.start(node, { workflow: name });
  await world.until(() => execution.context.pauses.length > 0, 'the prompt');
  return { id: execution.id, execution, prompt: execution.context.pauses[0]!.id };
};

export const clusterContract = (name: string, open: OpenCluster): void => {
  const contract = (what: string, check: (t: TestContext) => Promise<void>) => test(`${name}: ${what}`, check);

  contract('an execution starts at one runtime, is answered at another, and is followed at a third', async (t) => {
    const world = await open(t, 3, [asks]);
    const [first, second, third] = world.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const { id, prompt, execution } = await begun(world, first);
    const atFirst = watched(execution);
    const view = await third.get(id);
    const seen = watched(view);
    const from = view.context.seq;

    assert.equal(await second.runtime.answer(id, prompt, yes, alice), 'accepted');

    await world.until(() => view.isSettled, 'the third sees the end');
    assert.equal(view.context.result, 'yes');
    assert.deepEqual(seqsOf(seen.entries), upTo(view.context.seq, from + 1));
    const { entries } = await journalOf(third, id);
    assert.deepEqual(seqsOf(entries), upTo(view.context.seq));
    await world.until(() => execution.isSettled, 'the first sees the end');
    assert.deepEqual(atFirst.entries, seen.entries, 'each subscriber got the same');
    assert.ok(!atFirst.isGone && !seen.isGone, 'no subscriber had to come back');
  });

  contract('what was acknowledged is seen at every runtime at once', async (t) => {
    const world = await open(t, 3, [asks]);
    const [first, second, third] = world.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const { id, prompt } = await begun(world, first);
    for (const node of world.nodes) assert.equal((await node.get(id)).status, 'awaiting_interaction');

    await second.runtime.answer(id, prompt, yes, alice);

    for (const node of [first, third]) {
      const { context } = await node.get(id);
      assert.deepEqual(context.pauses, [], 'the prompt is closed');
      const { executions } = await node.runtime.list(alice, { limit: 10 });
      assert.deepEqual(executions[0]?.context.pauses, []);
      assert.deepEqual(await node.runtime.inbox(alice, 10), []);
      assert.equal(await node.runtime.answer(id, prompt, yes, alice), 'already_answered');
    }
  });

  contract('what one runtime shows is not undone at another one, whose commit is not confirmed yet', async (t) => {
    const { definition, release } = works();
    const world = await open(t, 2, [definition]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    const execution = await world.start(first, { workflow: 'works' });
    await world.until(() => execution.context.seq >= 3, 'it has begun');
    const held = first.proxy.hold();
    release(execution.id);
    const confirm = await held;
    let shown: string | undefined;

    assert.equal((await second.get(execution.id)).status, 'completed');
    const asked = first.get(execution.id).then(({ status }) => (shown = status));
    await second.get(execution.id);
    assert.equal(shown, undefined, 'it is not shown as it was before');
    confirm();
    assert.equal(await asked, 'completed');
  });

  contract('of answers at all runtimes at the same time one counts', async (t) => {
    const world = await open(t, 3, [asks]);
    for (let round = 0; round < 5; round += 1) {
      const { id, prompt } = await begun(world, world.nodes[round % 3]!);
      const words = ['a', 'b', 'c', 'd', 'e', 'f'];

      const outcomes = await Promise.all(
        words.map((word, place) =>
          world.nodes[place % 3]!.runtime.answer(id, prompt, { kind: 'text', text: word }, alice),
        ),
      );

      assert.deepEqual(outcomes.toSorted(), ['accepted', ...Array(5).fill('already_answered')]);
      await world.until(async () => (await world.nodes[0]!.get(id)).isSettled, 'the end');
      for (const node of world.nodes)
        assert.equal((await node.get(id)).context.result, words[outcomes.indexOf('accepted')]);
      const { entries } = await journalOf(world.nodes[0]!, id);
      assert.deepEqual(seqsOf(entries), upTo(entries.length));
      assert.equal(typesOf(entries).filter((type) => type === 'interaction.answered').length, 1);
    }
  });

  contract('an execution that works at one runtime is followed at another, which cancels it', async (t) => {
    const { definition } = works();
    const world = await open(t, 2, [definition]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    const execution = await world.start(first, { workflow: 'works' });
    await world.until(() => execution.context.seq >= 3, 'it has begun');
    const view = await second.get(execution.id);
    const seen = watched(view);

    await second.runtime.cancel(execution.id, alice);

    assert.deepEqual([view.status, view.context.error?.code], ['failed', 'cancelled'], 'when the call resolves');
    assert.equal(typesOf(seen.entries).at(-1), 'execution.failed');
    await world.until(() => execution.isSettled, 'the first has it too');
    await assert.rejects(second.runtime.cancel(execution.id, alice), { code: 'execution_settled' });
    await assert.rejects(first.runtime.cancel(execution.id, alice), { code: 'execution_settled' });
  });

  contract('an answer while another branch works elsewhere reaches that runtime, once, with its outcome', async (t) => {
    const { definition, release } = both();
    const world = await open(t, 3, [definition]);
    const [first, second, third] = world.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const { id, prompt, execution } = await begun(world, first, 'both');
    await world.until(() => execution.context.steps > 0, 'the step has begun');

    const outcomes = await Promise.all([
      second.runtime.answer(id, prompt, yes, alice),
      third.runtime.answer(id, prompt, yes, alice),
      second.runtime.answer(id, prompt, yes, alice, 'key'),
    ]);

    assert.equal(outcomes.filter((outcome) => outcome === 'accepted').length, 1, outcomes.join());
    assert.equal(execution.phase, 'executing', 'the step goes on');
    release(id);
    await world.until(() => execution.isSettled, 'the end');
    const { entries } = await journalOf(third, id);
    assert.equal(typesOf(entries).filter((type) => type === 'interaction.answered').length, 1);
    assert.equal(typesOf(entries).filter((type) => type === 'step.started').length, 1, 'no step was done again');
  });

  contract('a poll that waits and a stream end with an execution that works elsewhere', async (t) => {
    const { definition, release } = works();
    const world = await open(t, 2, [definition]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    const { id } = await world.start(first, { workflow: 'works' });
    const view = await second.get(id);
    const polled = second.runtime.waitUntil(view, hasSettled);

    release(id);

    assert.ok(await polled);
    assert.equal(view.context.result, 'done');
    assert.deepEqual(seqsOf((await journalOf(second, id)).entries), upTo(view.context.seq));
  });

  contract('one that no caller watches leaves memory, and is found again', async (t) => {
    const { definition, release } = works();
    const world = await open(t, 2, [definition]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    const { id } = await world.start(first, { workflow: 'works' });
    const seen = watched(await second.get(id));
    await world.pass(60_000);
    assert.ok(second.isInMemory(id), 'a subscriber keeps it');

    seen.unwatch();
    await world.pass(10_000);

    await world.until(() => !second.isInMemory(id), 'it leaves memory');
    assert.equal((await second.get(id)).phase, 'executing');
    release(id);
    await world.until(async () => (await second.get(id)).isSettled, 'the end');
  });

  contract(
    'a run that is parked here leaves when it is answered elsewhere, and goes on here with the next answer',
    async (t) => {
      const begins: number[] = [];
      const twice = workflow({
        name: 'asks',
        run: async (_input, ctx) => {
          begins.push(1);
          const one = await ctx.prompt(text({ text: 'One?' }));
          const two = await ctx.prompt(text({ text: 'Two?' }));
          return [one.text, two.text];
        },
      });
      const world = await open(t, 2, [twice]);
      const [first, second] = world.nodes as [ClusterNode, ClusterNode];
      const { id, prompt, execution } = await begun(world, first);
      const seen = watched(execution);

      await second.runtime.answer(id, prompt, yes, alice);
      await world.until(
        () => execution.context.pauses[0]?.id !== prompt && execution.context.pauses.length > 0,
        'the second prompt',
      );
      await first.runtime.answer(id, execution.context.pauses[0]!.id, { kind: 'text', text: 'no' }, alice);

      await world.until(() => execution.isSettled, 'the end');
      assert.deepEqual(execution.context.result, ['yes', 'no']);
      assert.equal(begins.length, 3, 'each runtime replayed what the other one did');
      assert.deepEqual(seqsOf(seen.entries).at(-1), execution.context.seq);
      assert.deepEqual(seqsOf(seen.entries), upTo(execution.context.seq, seen.entries[0]!.seq));
    },
  );

  contract('without any hint the same happens, some seconds later', async (t) => {
    const { definition, release } = both();
    const world = await open(t, 3, [definition], { losesHints: true });
    const [first, second, third] = world.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const { id, prompt, execution } = await begun(world, first, 'both');
    await world.until(() => execution.context.steps > 0, 'the step has begun');
    const seen = watched(await third.get(id));
    let outcome = '';

    void second.runtime.answer(id, prompt, yes, alice).then((answered) => (outcome = answered));
    await world.until(() => outcome !== '', 'the outcome');
    release(id);

    assert.equal(outcome, 'accepted');
    await world.until(() => typesOf(seen.entries).at(-1) === 'execution.completed', 'the end');
    assert.deepEqual(seqsOf(seen.entries), upTo(seen.entries.at(-1)!.seq, seen.entries[0]!.seq));
  });

  contract('when the runtime is killed that executes it, another one goes on, and subscribers stay', async (t) => {
    const { definition, release } = works();
    const world = await open(t, 3, [definition]);
    const [first, second, third] = world.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const { id, context } = await world.start(first, { workflow: 'works' });
    await world.until(async () => (await third.get(id)).context.seq >= 3, 'it has begun');
    const view = await third.get(id);
    const seen = watched(view);

    await world.kill(first);
    release(id);

    await world.until(() => view.isSettled, 'the end', 500);
    assert.equal(view.context.result, 'done');
    assert.equal(context.result, null, 'the killed one has not seen it');
    assert.equal(typesOf(seen.entries)[0], 'execution.recovered');
    assert.deepEqual(seqsOf(seen.entries), upTo(view.context.seq, seen.entries[0]!.seq));
    assert.equal((await second.get(id)).context.result, 'done');
  });

  contract('mail for a runtime that is lost is seen to by the one that goes on', async (t) => {
    const { definition } = works();
    const world = await open(t, 3, [definition]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const execution = await world.start(first, { workflow: 'works' });
    await world.until(() => execution.context.seq >= 3, 'it has begun');
    await second.get(execution.id);
    world.cutOff(first);
    let isCancelled = false;

    void second.runtime.cancel(execution.id, alice).then(() => (isCancelled = true));
    await world.pass(3_000);
    assert.ok(!isCancelled, 'it waits for the outcome');
    await world.expire(first);

    await world.until(() => isCancelled, 'the outcome', 500);
    const { status, context } = await second.get(execution.id);
    assert.deepEqual([status, context.error?.code], ['failed', 'cancelled']);
    assert.deepEqual(await world.sql('SELECT * FROM fermata.mail WHERE outcome IS NULL'), []);
  });

  for (const moment of ['before', 'after'] as const) {
    contract(`a letter counts once if the connection of its receiver breaks ${moment} the commit`, async (t) => {
      const { definition, release } = both();
      const world = await open(t, 2, [definition]);
      const [first, second] = world.nodes as [ClusterNode, ClusterNode];
      const { id, prompt, execution } = await begun(world, first, 'both');
      await world.until(() => execution.context.steps > 0, 'the step has begun');
      await second.get(id);
      const lost = first.proxy.lose(moment);

      const outcome = await second.runtime.answer(id, prompt, yes, alice);

      await lost;
      assert.equal(outcome, 'accepted');
      release(id);
      await world.until(() => execution.isSettled, 'the end', 500);
      const { entries } = await journalOf(second, id);
      assert.equal(typesOf(entries).filter((type) => type === 'interaction.answered').length, 1);
      assert.deepEqual(seqsOf(entries), upTo(entries.length));
    });
  }

  contract(
    'a runtime that was taken for dead and goes on writes nothing more, and follows the one that has taken over',
    async (t) => {
      const { definition, release } = works();
      const world = await open(t, 2, [definition]);
      const [first, second] = world.nodes as [ClusterNode, ClusterNode];
      const execution = await world.start(first, { workflow: 'works' });
      await world.until(() => execution.context.seq >= 3, 'it has begun');
      const seen = watched(execution);
      await world.expire(first);
      await world.until(
        async () => typesOf((await journalOf(second, execution.id)).entries).includes('execution.recovered'),
        'the takeover',
        500,
      );

      release(execution.id);

      await world.until(() => execution.isSettled, 'the end', 500);
      const { entries } = await journalOf(second, execution.id);
      assert.deepEqual(seqsOf(entries), upTo(entries.length));
      assert.equal(typesOf(entries).filter((type) => type === 'execution.completed').length, 1);
      assert.deepEqual(seqsOf(seen.entries), upTo(entries.length, seen.entries[0]!.seq));
      assert.ok(!seen.isGone);
    },
  );

  contract('an answer that meets the end of the other work counts, wherever that is', async (t) => {
    const { definition, release } = both();
    const world = await open(t, 2, [definition]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    for (let round = 0; round < 12; round += 1) {
      const { id, prompt, execution } = await begun(world, first, 'both');
      await world.until(() => execution.context.steps > 0, 'the step has begun');
      await second.get(id);

      const answered = second.runtime.answer(id, prompt, yes, alice);
      await turns(round);
      release(id);

      assert.equal(await answered, 'accepted');
      await world.until(async () => (await second.get(id)).isSettled, 'the end');
      const { entries } = await journalOf(second, id);
      assert.equal(typesOf(entries).filter((type) => type === 'interaction.answered').length, 1);
      assert.equal(typesOf(entries).filter((type) => type === 'step.completed').length, 1);
    }
  });

  contract('a conversation gives its last turn, wherever that was started', async (t) => {
    const world = await open(t, 2, [asks]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    await world.start(first, { workflow: 'asks', conversation: 'c' });

    const last = await world.start(second, { workflow: 'asks', conversation: 'c' });

    for (const { runtime } of world.nodes) {
      assert.equal((await runtime.conversation('asks', 'c', alice))?.id, last.id);
    }
  });

  contract(
    'a page of executions is notified of those that other runtimes start and change, with their owners',
    async (t) => {
      const world = await open(t, 2, [asks]);
      const [first, second] = world.nodes as [ClusterNode, ClusterNode];
      const changes: (string | null)[][] = [];
      let isUnknown = false;
      const unwatch = second.runtime.inspection.watchElsewhere((changed) => {
        if (changed === undefined) isUnknown = true;
        else for (const { executionId, owner } of changed) changes.push([executionId, owner]);
      });

      const { id, prompt } = await begun(world, first);

      await world.until(() => changes.some(([changed]) => changed === id), 'the start');
      assert.deepEqual(changes[0], [id, 'alice']);
      const before = changes.length;
      await first.runtime.answer(id, prompt, yes, alice);
      await world.until(() => changes.length > before, 'the answer');
      assert.ok(!second.isInMemory(id), 'it is not loaded for that');
      second.proxy.losesHints = true;
      second.proxy.cut();
      await world.until(() => isUnknown, 'without hints every one may have changed', 500);
      unwatch();
    },
  );

  contract('an execution whose retention has ended is gone at every runtime', async (t) => {
    const quick = workflow({ name: 'quick', run: async () => 'done' });
    const world = await open(t, 2, [quick], { options: { retentionMs: 60_000 } });
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    const { id } = await world.start(first, { workflow: 'quick' });
    await world.until(async () => (await second.get(id)).isSettled, 'the end');
    assert.ok(world.nodes.every((node) => node.isInMemory(id)));

    await world.pass(61_000);

    for (const { runtime } of world.nodes)
      await world.until(async () => (await runtime.get(id, alice)) === undefined, 'it is gone', 500);
  });

  contract('a runtime that stops does not wait for what another one executes, and its subscribers leave', async (t) => {
    const { definition, release } = works();
    const world = await open(t, 2, [definition, { ...definition, name: 'once', recover: 'fail' }]);
    const [first, second] = world.nodes as [ClusterNode, ClusterNode];
    const begun = [
      await world.start(first, { workflow: 'works' }),
      await world.start(first, { workflow: 'once' }),
    ] as const;
    const seen = [];
    for (const { id } of begun) seen.push(watched(await second.get(id)));

    await second.runtime.stop();

    assert.deepEqual(
      seen.map(({ isGone }) => isGone),
      [true, true],
    );
    for (const execution of begun) {
      release(execution.id);
      await world.until(() => execution.isSettled, 'the end');
      assert.equal(execution.context.result, 'done');
    }
  });
};
