/** What `runtime/runtime.ts` promises to a server, for every runtime and every store. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Caller,
  type ExecutionView,
  type JournalEntry,
  type Runtime,
  type RuntimeOptions,
  type StartRequest,
  text,
  type Workflow,
  workflow,
} from '../../runtime/index.ts';
import { alice, bob, operator } from '../support/callers.ts';
import { type StartOptions, start } from '../support/start.ts';

export interface ContractWorld {
  /** Of the present process. */
  readonly runtime: Runtime;
  /** Time passes, and everything happens that can by then. */
  pass(ms: number): Promise<void>;
  /** The process stops in order, and another one serves these workflows. Undefined for a runtime that keeps nothing. */
  readonly reopen?: ((...workflows: Workflow[]) => Promise<void>) | undefined;
}

/** Serves these workflows from an empty store; it ends with the test. */
export type OpenWorld = (
  t: TestContext,
  workflows: readonly Workflow[],
  options?: RuntimeOptions,
) => Promise<ContractWorld>;

const asks = workflow({
  name: 'asks',
  run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text,
});
const echo = workflow({ name: 'echo', run: async (input) => input });
const yes = { kind: 'text', text: 'yes' } as const;

const opened = async ({ runtime }: ContractWorld, options: StartOptions): Promise<ExecutionView> =>
  (await start(runtime, options)).execution;

/** An execution of `asks` whose prompt is open, and the id of that. */
const asking = async (world: ContractWorld, more: Partial<StartRequest> = {}) => {
  const execution = await opened(world, { workflow: 'asks', ...more });
  await world.runtime.waitUntil(execution, ({ status }) => status === 'awaiting_interaction');
  return { id: execution.id, execution, prompt: execution.context.pauses[0]!.id };
};

const hasSettled = ({ isSettled }: ExecutionView): boolean => isSettled;

export const runtimeContract = (name: string, open: OpenWorld): void => {
  const contract = (what: string, check: (t: TestContext) => Promise<void>) => test(`${name}: ${what}`, check);

  contract(
    'a start that has resolved is found by its owner and by operators, and by no other caller (R2)',
    async (t) => {
      const world = await open(t, [asks]);

      const { id } = await asking(world);

      const { runtime } = world;
      assert.equal((await runtime.get(id, alice))?.context.owner, 'alice');
      assert.equal((await runtime.get(id, operator))?.id, id);
      for (const by of [bob, { userId: undefined }]) {
        assert.equal(await runtime.get(id, by), undefined);
        assert.equal(await runtime.facts(id, 0, by), undefined);
        assert.equal(await runtime.job(id, by), undefined);
      }
      assert.equal(await runtime.get('no-such-execution', alice), undefined);
    },
  );

  contract('an execution without an owner is found by every caller that has its id', async (t) => {
    const world = await open(t, [asks]);

    const { id } = await asking(world, { by: { userId: undefined } });

    assert.equal((await world.runtime.get(id, bob))?.id, id);
  });

  contract('a start with the key or the job id of another one gives that one, to its owner only', async (t) => {
    const world = await open(t, [asks]);
    const named = { workflow: 'asks', idempotencyKey: 'key-1', jobId: 'job-1' };

    const first = await start(world.runtime, named);
    const again = await start(world.runtime, named);
    const keyed = { ...named, idempotencyKey: 'key-2', jobId: undefined };
    const race = await Promise.all(Array.from({ length: 5 }, () => start(world.runtime, keyed)));

    assert.deepEqual([first.isNew, again.isNew], [true, false]);
    assert.equal(again.execution.id, first.execution.id);
    assert.equal(new Set(race.map(({ execution }) => execution.id)).size, 1, 'starts in one turn');
    assert.equal(race.filter(({ isNew }) => isNew).length, 1);
    assert.equal((await world.runtime.job('job-1', alice))?.id, first.execution.id);
    assert.equal(await world.runtime.job('job-1', bob), undefined);
    const reused = start(world.runtime, { ...named, input: 'another', jobId: undefined });
    await assert.rejects(reused, { code: 'idempotency_key_reused' });
    assert.notEqual((await start(world.runtime, { ...named, by: bob })).execution.id, first.execution.id);
  });

  contract('a conversation gives its last turn to its owner', async (t) => {
    const world = await open(t, [asks]);
    await asking(world, { conversation: 'c' });
    const last = await asking(world, { conversation: 'c', userMessageId: 'm2' });

    const found = await world.runtime.conversation('asks', 'c', alice);

    assert.deepEqual([found?.id, found?.origin.request?.userMessageId], [last.id, 'm2']);
    assert.equal(await world.runtime.conversation('asks', 'c', bob), undefined);
    assert.equal(await world.runtime.conversation('asks', 'other', alice), undefined);
  });

  contract('a start of an unknown workflow, beyond the queue, or once it stops, is refused by name', async (t) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const busy = workflow({ name: 'busy', run: () => held });
    const world = await open(t, [busy], { maxConcurrency: 1, maxQueued: 1 });
    await opened(world, { workflow: 'busy' });
    await opened(world, { workflow: 'busy' });

    await assert.rejects(opened(world, { workflow: 'none' }), { code: 'workflow_not_found' });
    await assert.rejects(opened(world, { workflow: 'busy' }), { code: 'queue_full' });
    release();
    await world.pass(10);
    const stopped = world.runtime.stop();
    await assert.rejects(opened(world, { workflow: 'busy' }), { code: 'draining' });
    assert.equal(world.runtime.isAccepting, false);
    await stopped;
  });

  contract('an answer that has resolved is committed, and counts once (R2)', async (t) => {
    const world = await open(t, [asks]);
    const { id, execution, prompt } = await asking(world);

    const outcomes = await Promise.all([
      world.runtime.answer(id, prompt, yes, alice),
      world.runtime.answer(id, prompt, yes, alice),
    ]);

    assert.deepEqual(outcomes.sort(), ['accepted', 'already_answered']);
    await world.runtime.waitUntil(execution, hasSettled);
    assert.equal(execution.context.result, 'yes');
    assert.equal(await world.runtime.answer(id, prompt, yes, alice), 'already_answered', 'late');
    assert.equal(await world.runtime.answer(id, 'no-such-prompt', yes, alice), 'not_open');
    const answers = (await world.runtime.facts(id, 0, alice))?.entries.filter(isAnswer);
    assert.equal(answers?.length, 1);
  });

  contract('an answer of the wrong kind, or of another caller, changes nothing', async (t) => {
    const world = await open(t, [asks]);
    const { id, execution, prompt } = await asking(world);
    const { seq } = execution.context;

    const wrong = world.runtime.answer(id, prompt, { kind: 'radio', picks: [{ id: 'x' }] }, alice);
    await assert.rejects(wrong, { code: 'answer_invalid' });
    await assert.rejects(world.runtime.answer(id, prompt, yes, bob), { code: 'execution_not_found' });

    assert.deepEqual([execution.status, execution.context.seq], ['awaiting_interaction', seq]);
    assert.equal(await world.runtime.answer(id, prompt, yes, operator), 'accepted');
  });

  contract(
    'an answer that is repeated with its key is accepted again, and another answer with it is not',
    async (t) => {
      const world = await open(t, [asks]);
      const { id, prompt } = await asking(world);

      assert.equal(await world.runtime.answer(id, prompt, yes, alice, 'k'), 'accepted');
      assert.equal(await world.runtime.answer(id, prompt, yes, alice, 'k'), 'accepted');
      const other = world.runtime.answer(id, prompt, { kind: 'text', text: 'no' }, alice, 'k');
      await assert.rejects(other, { code: 'idempotency_key_reused' });
    },
  );

  contract('a cancelled execution has failed when the call resolves, and is not cancelled twice', async (t) => {
    const world = await open(t, [asks]);
    const { id, execution, prompt } = await asking(world);

    await assert.rejects(world.runtime.cancel(id, bob), { code: 'execution_not_found' });
    await world.runtime.cancel(id, alice);

    assert.deepEqual([execution.status, execution.context.error?.code], ['failed', 'cancelled']);
    await assert.rejects(world.runtime.cancel(id, alice), { code: 'execution_settled' });
    assert.equal(await world.runtime.answer(id, prompt, yes, alice), 'already_answered', 'it is open no longer');
  });

  contract(
    'a watcher gets each fact once, in order, and only committed ones; a page has the same (R2, R3)',
    async (t) => {
      const world = await open(t, [asks]);
      const { id, execution, prompt } = await asking(world);
      const from = execution.context.seq;
      const watched: JournalEntry[] = [];
      const unwatch = execution.watch((entry) => {
        watched.push(entry);
        assert.ok(execution.context.seq >= entry.seq, 'the view shows it');
      });

      await world.runtime.answer(id, prompt, yes, alice);
      await world.runtime.waitUntil(execution, hasSettled);

      unwatch();
      const page = await world.runtime.journal(execution, from);
      assert.deepEqual(
        watched.map(({ seq }) => seq),
        page?.entries.map(({ seq }) => seq),
      );
      assert.deepEqual(
        page?.entries.map(({ seq }) => seq),
        numbers(from + 1, execution.context.seq),
      );
      assert.deepEqual((await world.runtime.journal(execution, execution.context.seq))?.entries, []);
      assert.equal(execution.watchers, 0);
    },
  );

  contract('a wait ends when its condition holds, after its time, and when its client disconnects', async (t) => {
    const world = await open(t, [asks]);
    const { id, execution, prompt } = await asking(world);
    let disconnect = (): void => {};
    const client = { onGone: (listener: () => void) => void (disconnect = listener) };

    const settled = world.runtime.waitUntil(execution, hasSettled);
    const late = world.runtime.waitUntil(execution, hasSettled, { timeoutMs: 1_000 });
    const gone = world.runtime.waitUntil(execution, hasSettled, { client });
    disconnect();
    await world.pass(1_000);
    await world.runtime.answer(id, prompt, yes, alice);

    assert.deepEqual(await Promise.all([settled, late, gone]), [true, false, false]);
    assert.equal(execution.watchers, 0);
  });

  contract(
    'a list has the executions of its caller, newest first, in pages that neither repeat nor omit',
    async (t) => {
      const world = await open(t, [asks, echo]);
      const ids: string[] = [];
      for (let count = 0; count < 7; count += 1) {
        ids.unshift((await opened(world, { workflow: count % 2 === 0 ? 'asks' : 'echo' })).id);
        await world.pass(1);
      }
      const other = await opened(world, { workflow: 'echo', by: bob });

      const seen: string[] = [];
      let before: string | undefined;
      do {
        const page = await world.runtime.list(alice, { limit: 2, before });
        seen.push(...page.executions.map(({ id }) => id));
        before = page.next;
      } while (before !== undefined);

      assert.deepEqual(seen, ids);
      const count = async (by: Caller, filter: object) =>
        (await world.runtime.list(by, { limit: 100, ...filter })).executions.length;
      assert.deepEqual(
        await Promise.all([count(operator, {}), count(operator, { owner: 'bob' }), count(bob, {})]),
        [8, 1, 1],
      );
      assert.equal(await count(alice, { owner: 'bob' }), 0);
      assert.deepEqual([await count(alice, { status: 'completed' }), await count(alice, { workflow: 'asks' })], [3, 4]);
      assert.equal(await count(operator, { id: other.id.slice(0, 10) }), 1);
      await assert.rejects(async () => world.runtime.list({ userId: undefined }, { limit: 1 }), {
        code: 'identity_required',
      });
      await assert.rejects(async () => world.runtime.list(alice, { limit: 1, before: 'x' }), {
        code: 'request_invalid',
      });
    },
  );

  contract(
    'the inbox has what waits for its caller, the longest waiting first, and no more than was asked for',
    async (t) => {
      const world = await open(t, [asks]);
      const first = await asking(world);
      await world.pass(5);
      const second = await asking(world);
      await asking(world, { by: bob });
      const idsOf = async (by: Caller, limit: number) =>
        (await world.runtime.inbox(by, limit)).map(({ executionId }) => executionId);

      assert.deepEqual(await idsOf(alice, 10), [first.id, second.id]);
      assert.deepEqual(await idsOf(alice, 1), [first.id]);
      assert.equal((await idsOf(operator, 10)).length, 3);
      await world.runtime.answer(first.id, first.prompt, yes, alice);
      await world.pass(1);

      assert.deepEqual(await idsOf(alice, 10), [second.id]);
      await assert.rejects(world.runtime.inbox({ userId: undefined }, 1), { code: 'identity_required' });
    },
  );

  contract('a deadline ends a prompt by its default, and retention ends a record', async (t) => {
    const timed = workflow({
      name: 'timed',
      run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Now?', timeoutS: 10, default: 'late' }))).text,
    });
    const world = await open(t, [timed], { retentionMs: 60_000, promptGraceMs: 0 });
    const execution = await opened(world, { workflow: 'timed' });
    await world.pass(9_000);
    assert.equal(execution.status, 'awaiting_interaction');

    await world.pass(2_000);

    assert.equal((await world.runtime.get(execution.id, alice))?.context.result, 'late');
    await world.pass(59_000 - 2_000);
    assert.ok(await world.runtime.get(execution.id, alice));
    await world.pass(5_000);
    assert.equal(await world.runtime.get(execution.id, alice), undefined);
    assert.equal(await world.runtime.facts(execution.id, 0, alice), undefined);
  });

  contract('a stack is shown to operators, and to no owner', async (t) => {
    const throws = workflow({ name: 'throws', run: () => Promise.reject(new Error('no')) });
    const world = await open(t, [throws]);
    const { id } = await opened(world, { workflow: 'throws' });
    await world.pass(1);

    const errorOf = async (by: Caller) => (await world.runtime.facts(id, 0, by))?.entries.find(isFailure)?.error;

    assert.deepEqual(Object.keys((await errorOf(alice)) ?? {}).sort(), ['code', 'message', 'name']);
    assert.match(String((await errorOf(operator))?.stack), /no/);
  });

  contract('an execution that its caller drives takes the facts it is offered, until it has settled', async (t) => {
    const world = await open(t, []);
    const driver = { isReplaceable: false, told: () => {}, applied: () => {}, leave: () => {} };

    const { id } = await world.runtime.adopt('alice', () => driver);

    assert.equal(await world.runtime.offer(id, { type: 'slot.granted' }), true);
    assert.equal(await world.runtime.offer(id, { type: 'execution.completed', result: 1 }), true);
    assert.equal(await world.runtime.offer(id, { type: 'execution.completed', result: 2 }), false);
    assert.equal(await world.runtime.offer('no-such-execution', { type: 'slot.granted' }), false);
    assert.equal((await world.runtime.get(id, alice))?.context.result, 1);
    world.runtime.expire(id);
    await world.pass(1);
    assert.equal(await world.runtime.get(id, alice), undefined);
  });

  contract('what waits survives the process: names, conversation, inbox, stream number, answer', async (t) => {
    const world = await open(t, [asks]);
    if (world.reopen === undefined) {
      t.skip('executions of this runtime end with the process');
      return;
    }
    const named = { idempotencyKey: 'key-1', jobId: 'job-1', conversation: 'c' };
    const { id, prompt, execution } = await asking(world, named);
    const { seq } = execution.context;

    await world.reopen(asks);

    const { runtime } = world;
    const again = await start(runtime, { workflow: 'asks', idempotencyKey: 'key-1', jobId: 'job-1' });
    assert.deepEqual([again.isNew, again.execution.id], [false, id]);
    assert.equal((await runtime.job('job-1', alice))?.id, id);
    assert.equal((await runtime.conversation('asks', 'c', alice))?.id, id);
    assert.equal((await runtime.inbox(alice, 9)).length, 1);
    assert.equal(await runtime.answer(id, prompt, yes, alice), 'accepted');
    const view = await runtime.get(id, alice);
    assert.ok(view);
    await runtime.waitUntil(view, hasSettled);
    assert.equal(view.context.result, 'yes');
    const rest = await runtime.facts(id, seq, alice);
    assert.deepEqual(
      rest?.entries.map((entry) => entry.seq),
      numbers(seq + 1, view.context.seq),
    );
  });

  contract('an execution whose code has changed is blocked, keeps its prompt, and goes on by a retry', async (t) => {
    const changed = workflow({
      name: 'asks',
      run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Another question?' }))).text,
    });
    const world = await open(t, [asks]);
    const { id, execution, prompt } = await asking(world);
    await assert.rejects(world.runtime.retry(id, alice), { code: 'execution_not_blocked' });
    await assert.rejects(world.runtime.retry(id, bob), { code: 'execution_not_found' });
    if (world.reopen === undefined) {
      await world.runtime.cancel(id, alice);
      await assert.rejects(world.runtime.retry(id, alice), { code: 'execution_settled' });
      return;
    }
    assert.equal(execution.context.blocked, null);

    await world.reopen(changed);
    assert.equal(await world.runtime.answer(id, prompt, yes, alice), 'accepted');
    for (let seconds = 0; seconds < 5; seconds += 1) await world.pass(1_000);
    const blocked = await world.runtime.get(id, alice);
    assert.ok(blocked?.context.blocked, 'blocked');
    await world.reopen(asks);
    for (let seconds = 0; seconds < 5; seconds += 1) await world.pass(1_000);

    assert.equal((await world.runtime.get(id, alice))?.context.result, 'yes');
  });

  contract('a watcher is told when its runtime stops and the execution goes on in another one', async (t) => {
    const world = await open(t, [asks]);
    const { execution } = await asking(world);
    let isGone = false;
    execution.watch(
      () => {},
      () => (isGone = true),
    );
    const waiting = world.runtime.waitUntil(execution, () => isGone || execution.isSettled);

    await world.runtime.stop();

    assert.ok(isGone || execution.isSettled, 'left to the next process, or interrupted');
    await waiting;
  });
};

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const isAnswer = ({ type }: JournalEntry): boolean => type === 'interaction.answered';

const isFailure = (entry: JournalEntry): entry is Extract<JournalEntry, { type: 'execution.failed' }> =>
  entry.type === 'execution.failed';
