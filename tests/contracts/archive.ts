/** What `runtime/store/archive.ts` promises (A1, A2), for every durable store there is. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Archive } from '../../runtime/store/archive.ts';
import type { Store } from '../../runtime/store/store.ts';
import { answered, completed, granted, Journaling, type JournalingOptions, prompted } from '../support/journaling.ts';

interface ArchiveWorld {
  readonly store: Store & { readonly archive: Archive };
  /** The process ends in order, and another one opens the same data. */
  reopen(): Promise<Store & { readonly archive: Archive }>;
}

/** Opens an empty store; it ends with the test. */
export type OpenArchive = (t: TestContext) => Promise<ArchiveWorld>;

const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id);

export const archiveContract = (name: string, open: OpenArchive): void => {
  const contract = (what: string, check: (world: ArchiveWorld) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => check(await open(t)));

  /** A committed execution that waits for an answer since then. */
  const waiting = async (store: Store, given: JournalingOptions, dueAt: number | null = null) => {
    const execution = new Journaling(store, given);
    await Promise.all([execution.begin(), execution.append(granted), execution.append(prompted('p', dueAt))]);
    return execution;
  };
  const begun = async (store: Store, given: JournalingOptions) => {
    const execution = new Journaling(store, given);
    await execution.begin();
    return execution;
  };
  const ended = async (store: Store, given: JournalingOptions) => {
    const execution = await begun(store, given);
    await Promise.all([execution.append(granted), execution.append(completed)]);
    return execution;
  };

  contract(
    'an execution is found with its committed facts and its start, also by the next process (A1)',
    async (world) => {
      const { id, entries, origin } = await waiting(world.store, { id: 'e1', version: '7' });

      const next = await world.reopen();

      const found = await next.archive.find(id);
      assert.deepEqual(found?.entries, entries);
      assert.deepEqual(found?.origin, { ...origin, request: undefined });
      assert.equal(await next.archive.find('never'), undefined);
      assert.equal(await next.archive.find('a\0b'), undefined);
    },
  );

  contract('what is read again after it has left memory is appended to', async ({ store }) => {
    const execution = await waiting(store, { id: 'e1' });
    store.archive.release('e1');
    assert.equal(store.archive.bytesOf('e1'), 0);

    const found = await store.archive.find('e1');
    assert.ok(store.archive.bytesOf('e1') > 0);
    await execution.append(answered('p'));

    assert.equal(found?.entries.length, 3);
    assert.deepEqual((await store.read('e1'))?.entries, execution.entries);
    store.archive.release('e1');
    assert.deepEqual((await store.archive.find('e1'))?.entries, execution.entries);
  });

  contract(
    'reads of one execution at the same time do not disturb each other, nor what is appended',
    async ({ store }) => {
      const execution = await waiting(store, { id: 'e1' });
      store.archive.release('e1');

      const [first, second] = await Promise.all([store.archive.find('e1'), store.archive.find('e1')]);
      const third = store.archive.find('e1');
      const appended = execution.append(answered('p'));
      await Promise.all([third, appended]);
      await execution.append(completed);

      assert.deepEqual(first?.entries, second?.entries);
      assert.deepEqual((await store.read('e1'))?.entries, execution.entries);
    },
  );

  contract('a name finds the last execution that was started with it, until that is deleted', async (world) => {
    const { store } = world;
    const names = [
      { name: 'key-1', fingerprint: 'f' },
      { name: 'talk', fingerprint: '' },
    ];
    await begun(store, { id: 'e1', names });
    assert.deepEqual(await store.archive.named('key-1'), { executionId: 'e1', fingerprint: 'f' });
    const turns = ['e2', 'e3'].map((id) => begun(store, { id, names: [{ name: 'talk', fingerprint: '' }] }));
    await Promise.all(turns); // in one commit

    const { archive } = await world.reopen();
    assert.equal((await archive.named('talk'))?.executionId, 'e3');
    assert.equal((await archive.named('key-1'))?.executionId, 'e1');
    assert.equal(await archive.named('other'), undefined);
  });

  contract('a deleted execution is gone, with its names', async (world) => {
    const { store } = world;
    await ended(store, { id: 'e1', names: [{ name: 'key', fingerprint: '' }] });
    await ended(store, { id: 'e2' });

    await Promise.all([store.forget('e1'), store.forget('never')]);

    for (const open of [() => store, () => world.reopen()]) {
      const { archive } = await open();
      assert.equal(await archive.find('e1'), undefined);
      assert.equal(await archive.named('key'), undefined);
      assert.deepEqual(ids((await archive.page(undefined, { limit: 10 })).rows), ['e2']);
    }
  });

  contract('lists are newest first, by owner, status, workflow and beginning of the id, in pages', async (world) => {
    const { store } = world;
    const all = [
      await ended(store, { id: 'aa', owner: 'ann', workflow: 'w', startedAt: 10 }),
      await waiting(store, { id: 'ab', owner: 'ann', workflow: 'v', startedAt: 20 }),
      await begun(store, { id: 'b_', owner: 'bob', workflow: 'w', startedAt: 30 }),
      await waiting(store, { id: 'b%', workflow: 'w', startedAt: 40 }),
    ];
    const { archive } = await world.reopen();
    const found = async (...[owner, filter]: [string | undefined, Partial<Parameters<Archive['page']>[1]>]) =>
      ids((await archive.page(owner, { limit: 10, ...filter })).rows);

    assert.deepEqual(await found(undefined, {}), ids(all).reverse());
    assert.deepEqual(await found('ann', {}), ['ab', 'aa']);
    assert.deepEqual(await found(undefined, { status: 'interaction_required' }), ['b%', 'ab']);
    assert.deepEqual(await found(undefined, { status: 'completed', workflow: 'w' }), ['aa']);
    assert.deepEqual(await found(undefined, { workflow: 'w' }), ['b%', 'b_', 'aa']);
    assert.deepEqual(await found(undefined, { id: 'a' }), ['ab', 'aa']);
    assert.deepEqual(await found(undefined, { id: 'b_' }), ['b_']);
    const first = await archive.page(undefined, { limit: 3 });
    assert.deepEqual([ids(first.rows), typeof first.next], [['b%', 'b_', 'ab'], 'string']);
    const rest = await archive.page(undefined, { limit: 3, before: first.next });
    assert.deepEqual([ids(rest.rows), rest.next], [['aa'], undefined]);
    assert.equal((await archive.page(undefined, { limit: 4 })).next, undefined);
    await assert.rejects(async () => archive.page(undefined, { limit: 4, before: 'x' }), { code: 'request_invalid' });
  });

  contract(
    'a page goes on where the last one ended, also if that execution was deleted meanwhile',
    async ({ store }) => {
      for (const [place, id] of ['a', 'b', 'c'].entries()) await ended(store, { id, startedAt: 10 + place });
      const { next } = await store.archive.page(undefined, { limit: 2 });

      await store.forget('b');

      assert.deepEqual(ids((await store.archive.page(undefined, { limit: 2, before: next })).rows), ['a']);
    },
  );

  contract('a list shows what an execution shows of itself', async ({ store }) => {
    const [asks, done] = [await waiting(store, { id: 'e1', owner: 'ann' }), await ended(store, { id: 'e2' })];

    const { rows } = await store.archive.page(undefined, { limit: 10 });

    for (const [row, { applied, id }] of [
      [rows[1], asks],
      [rows[0], done],
    ] as const) {
      const { executionId, workflow, owner, form, startedAt, settledAt, pauses, result, error, blocked } =
        applied.context;
      const context = { executionId, workflow, owner, form, startedAt, settledAt, pauses, result, error, blocked };
      assert.deepEqual([row?.id, row?.view?.context], [id, context]);
      assert.equal(row?.view?.isSettled, applied.tags.has('settled'));
    }
  });

  contract('executions that wait for a person are found, the longest waiting first', async ({ store }) => {
    await waiting(store, { id: 'e1', owner: 'ann', startedAt: 30 });
    await waiting(store, { id: 'e2', owner: 'bob', startedAt: 20 });
    const third = await waiting(store, { id: 'e3', owner: 'ann', startedAt: 10 });
    await begun(store, { id: 'e4', owner: 'ann' });
    const { archive } = store;

    assert.deepEqual(ids(await archive.awaiting(undefined, 10)), ['e3', 'e2', 'e1']);
    assert.deepEqual(ids(await archive.awaiting('ann', 10)), ['e3', 'e1']);
    assert.deepEqual(ids(await archive.awaiting('ann', 1)), ['e3']);
    await third.append(answered('p'));
    assert.deepEqual(ids(await archive.awaiting('ann', 10)), ['e1']);
  });

  contract('what was running or queued is unfinished, and what another process cannot replay', async (world) => {
    const { store } = world;
    await begun(store, { id: 'queued' });
    await (await begun(store, { id: 'executing' })).append(granted);
    await waiting(store, { id: 'waiting' });
    await waiting(store, { id: 'driven outside', recover: 'fail' });
    await ended(store, { id: 'ended', recover: 'fail' });
    await (await waiting(store, { id: 'answered' })).append(answered('p'));

    const { archive } = await world.reopen();

    assert.deepEqual(await archive.unfinished(), ['queued', 'executing', 'driven outside', 'answered']);
  });

  contract(
    'passed deadlines and retentions are due, the earliest first, and the next one is known',
    async ({ store }) => {
      const { archive } = store;
      assert.equal(await archive.nextDueAt(), undefined);
      await waiting(store, { id: 'later' }, 5_000);
      await waiting(store, { id: 'sooner' }, 300);
      await ended(store, { id: 'ended', startedAt: 1_000, retentionMs: 1_000 });
      await begun(store, { id: 'running' });

      assert.deepEqual(await archive.due(299, 10), []);
      assert.deepEqual(await archive.due(2_000, 10), [
        { id: 'sooner', isSettled: false },
        { id: 'ended', isSettled: true },
      ]);
      assert.deepEqual(await archive.due(9_000, 1), [{ id: 'sooner', isSettled: false }]);
      assert.deepEqual([await archive.nextDueAt(), await archive.nextDueAt(300)], [300, 2_000]);
      assert.equal(await archive.nextDueAt(5_000), undefined);
    },
  );

  contract('live executions are counted by workflow and version', async ({ store }) => {
    await begun(store, { id: 'e1', workflow: 'w', version: '1' });
    await waiting(store, { id: 'e2', workflow: 'w', version: '1' });
    await begun(store, { id: 'e3', workflow: 'w', version: '2' });
    await ended(store, { id: 'e4', workflow: 'w', version: '3' });

    const counted = await store.archive.open();

    assert.deepEqual(
      counted.toSorted((a, b) => (a.version < b.version ? -1 : 1)),
      [
        { workflow: 'w', version: '1', count: 2 },
        { workflow: 'w', version: '2', count: 1 },
      ],
    );
  });
};
