/** What `runtime/store/store.ts` promises (S1 to S5), for every store there is. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { JournalEntry } from '../../machines/facts.ts';
import { firstSnapshot } from '../../runtime/actors/system.ts';
import { type JournalLimits, type JournalPage, type Recorded, Refused, type Store } from '../../runtime/store/store.ts';

/** Opens an empty store; what it needs beside ends with the test. The suite closes it. */
export type OpenStore = (t: TestContext, limits: JournalLimits) => Store | Promise<Store>;

const roomy: JournalLimits = { maxJournalFacts: 1_000, maxJournalBytes: 1_000_000 };

type Draft = { readonly kind: 'output' | 'trace' | 'step'; readonly size: number };

/** An entry of about so many bytes. Outputs and traces may be dropped, a step decides. */
const entry = (seq: number, { kind, size }: Draft = { kind: 'step', size: 1 }): JournalEntry => {
  const text = `${seq}:`.padEnd(size, '.');
  if (kind === 'output') return { type: 'output.emitted', call: seq, value: text, seq, at: seq };
  if (kind === 'step') return { type: 'step.completed', call: 0, value: text, seq, at: seq };
  return {
    type: 'trace.emitted',
    call: seq,
    step: { id: 't', parentId: 'root', functionId: 'root', event: 'LLM_START', name: text },
    seq,
    at: seq,
  };
};

/** An execution with this id, as far as a store looks at it. */
export const record = (id: string): Recorded => ({
  id,
  applied: firstSnapshot({ executionId: id, workflow: 'any', owner: null, form: null, startedAt: 1 }),
  origin: { request: undefined, recover: 'fail', version: '1', retentionMs: 1_000, names: [] },
});

const isDroppable = ({ type }: JournalEntry): boolean => type === 'output.emitted' || type === 'trace.emitted';
const decisive = (entries: readonly JournalEntry[]) => entries.filter((kept) => !isDroppable(kept));
const seqs = (page: JournalPage | undefined) => page?.entries.map(({ seq }) => seq);
const upTo = (last: number, from = 1) =>
  Array.from({ length: Math.max(0, last - from + 1) }, (_, index) => from + index);

/** What a durable store gives back has been JSON meanwhile, and a member without a value is none. */
const plain = (entries: readonly JournalEntry[] | undefined): unknown => JSON.parse(JSON.stringify(entries ?? null));

const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom('output', 'output', 'trace', 'step'),
  size: fc.constantFrom(1, 10, 100, 1_000),
});

interface StoreContractOptions {
  /** How many journals are tried where they are made at random: fewer for a store that has to be opened each time. */
  readonly runs?: number;
  /** Another process appends to an execution of the store. Without it no other process can. */
  readonly overtake?: (store: Store, executionId: string) => Promise<void>;
}

export const storeContract = (
  name: string,
  open: OpenStore,
  { runs = 150, overtake }: StoreContractOptions = {},
): void => {
  const opened = async (t: TestContext, limits = roomy): Promise<Store> => {
    const store = await open(t, limits);
    t.after(() => store.close());
    return store;
  };
  const contract = (what: string, check: (t: TestContext) => Promise<void>) => test(`${name}: ${what}`, check);

  contract('what was appended is read in order, also without waiting for its commit (S1, S2)', async (t) => {
    const store = await opened(t);
    const written = upTo(50).map((seq) => entry(seq, { kind: seq % 2 === 0 ? 'output' : 'step', size: 10 }));
    const kept: number[] = [];

    const appended = written.map(async (next) => {
      const full = await store.append(record('e1'), next);
      kept.push(next.seq);
      return full;
    });

    assert.deepEqual([...new Set(await Promise.all(appended))], [undefined]);
    assert.deepEqual(kept, upTo(50), 'the calls are answered in their order');
    const page = await store.read('e1');
    assert.deepEqual(plain(page?.entries), plain(written));
    assert.equal(page?.truncatedThrough, null);
  });

  contract('an entry for which `append` gives no promise is there as soon as it returns (S2)', async (t) => {
    const store = await opened(t);

    const appended = store.append(record('e1'), entry(1));
    if (appended instanceof Promise) await appended;

    assert.deepEqual(seqs(await store.read('e1')), [1]);
  });

  contract('a reader gets what is above the number it has seen, and nothing beyond the end (S3)', async (t) => {
    const store = await opened(t);
    for (const seq of upTo(10)) await store.append(record('e1'), entry(seq));

    for (const after of [0, 1, 5, 9, 10, 11, Number.MAX_SAFE_INTEGER]) {
      const page = await store.read('e1', after);
      assert.deepEqual(seqs(page), upTo(10, after + 1));
      assert.equal(page?.truncatedThrough, null);
    }
  });

  contract('a page that was read stays as it is when more is appended (S3)', async (t) => {
    const store = await opened(t);
    await store.append(record('e1'), entry(1));
    const [whole, rest] = [await store.read('e1'), await store.read('e1', 1)];

    await store.append(record('e1'), entry(2));

    assert.deepEqual([seqs(whole), seqs(rest)], [[1], []]);
  });

  const skip = overtake === undefined && 'no other process can change it';
  test(`${name}: what another process has appended to is refused, and others are appended to (S6)`, {
    skip,
  }, async (t) => {
    const store = await opened(t);
    await Promise.all(['e1', 'e2'].map((id) => store.append(record(id), entry(1))));
    await overtake!(store, 'e1');

    const [refused, kept] = await Promise.allSettled(
      ['e1', 'e2'].map(async (id) => store.append(record(id), entry(2))),
    );

    assert.ok(refused?.status === 'rejected' && refused.reason instanceof Refused);
    assert.equal(kept?.status, 'fulfilled');
    await assert.rejects(async () => store.append(record('e1'), entry(2)), Refused, 'and again');
    const numbers = seqs(await store.read('e1')) ?? [];
    assert.deepEqual([numbers, seqs(await store.read('e2'))], [upTo(numbers.length), [1, 2]]);
    assert.notEqual((await store.read('e1'))?.entries[1]?.at, 2, 'nothing of it was stored');
  });

  contract('executions do not see each other', async (t) => {
    const store = await opened(t);
    await store.append(record('e1'), entry(1, { kind: 'step', size: 5 }));
    await store.append(record('e2'), entry(1, { kind: 'step', size: 7 }));
    await store.append(record('e1'), entry(2));

    await store.forget('e1');

    assert.equal(await store.read('e1'), undefined);
    assert.deepEqual(plain((await store.read('e2'))?.entries), plain([entry(1, { kind: 'step', size: 7 })]));
  });

  contract('an execution that is unknown or forgotten has no journal, and may be forgotten again (S5)', async (t) => {
    const store = await opened(t);
    assert.equal(await store.read('never'), undefined);
    await store.forget('never');
    await store.append(record('e1'), entry(1));

    await store.forget('e1');
    await store.forget('e1');

    assert.equal(await store.read('e1'), undefined);
    assert.equal(await store.read('e1', 1), undefined);
  });

  contract('ids are any text: none is taken for another, or for something else', async (t) => {
    const store = await opened(t);
    const ids = [
      'a',
      'A',
      'a ',
      'ä',
      'a\u0308',
      '__proto__',
      'constructor',
      "'; DROP TABLE journal; --",
      'a/b',
      '%',
      '💡',
    ];

    for (const [index, id] of ids.entries())
      await store.append(record(id), entry(1, { kind: 'step', size: 10 + index }));

    for (const [index, id] of ids.entries()) {
      const page = await store.read(id);
      assert.deepEqual(plain(page?.entries), plain([entry(1, { kind: 'step', size: 10 + index })]), id);
    }
  });

  contract('values come back as they were: any JSON, any text', async (t) => {
    const store = await opened(t);
    let id = 0;

    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })), async (value) => {
        id += 1;
        const written: JournalEntry = { type: 'output.emitted', call: 0, value, seq: 1, at: 1 };

        await store.append(record(`e${id}`), written);

        assert.deepEqual(plain((await store.read(`e${id}`))?.entries), plain([written]));
      }),
      { numRuns: 100 },
    );
  });

  contract('within its limits nothing is lost, whatever comes in whichever order (S3)', async (t) => {
    const store = await opened(t);
    const of = fc.constantFrom('e1', 'e2', 'e3');
    let run = 0;

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(of, draft), { maxLength: 60 }), async (drafts) => {
        run += 1;
        const written = new Map<string, JournalEntry[]>();

        for (const [execution, next] of drafts) {
          const id = `${run}-${execution}`;
          const journal = written.get(id) ?? [];
          written.set(id, [...journal, entry(journal.length + 1, next)]);
          assert.equal(await store.append(record(id), entry(journal.length + 1, next)), undefined);
        }

        for (const [id, journal] of written) {
          const page = await store.read(id);
          assert.deepEqual(plain(page?.entries), plain(journal));
          assert.equal(page?.truncatedThrough, null);
        }
      }),
      { numRuns: 50 },
    );
  });

  contract('beyond its limits the oldest output goes, decisions stay, and readers are told (S3, S4)', async (t) => {
    const limits = fc.record({
      maxJournalFacts: fc.integer({ min: 1, max: 40 }),
      maxJournalBytes: fc.constantFrom(500, 5_000, 50_000),
    });

    await fc.assert(
      fc.asyncProperty(limits, fc.array(draft, { minLength: 1, maxLength: 120 }), async (given, drafts) => {
        const store = await open(t, given);
        const written: JournalEntry[] = [];
        let wasFull = false;

        for (const [index, next] of drafts.entries()) {
          written.push(entry(index + 1, next));
          const isFull = (await store.append(record('e1'), entry(index + 1, next))) === 'full';
          const page = await store.read('e1');
          assert.ok(page);
          verifyBounds(written, page, given, isFull);
          assert.ok(isFull || !wasFull, 'once full it stays full');
          wasFull = isFull;
        }

        await verifyReaders(store, written);
        await store.close();
      }),
      { numRuns: runs },
    );
  });

  contract('decisions that alone exceed the limits are kept, and `append` says `full` from then on (S4)', async (t) => {
    const store = await opened(t, { ...roomy, maxJournalFacts: 3 });

    const answers = [];
    for (const seq of upTo(3)) answers.push(await store.append(record('e1'), entry(seq)));
    for (const seq of upTo(6, 4)) answers.push(await store.append(record('e1'), entry(seq)));
    answers.push(await store.append(record('e1'), entry(7, { kind: 'output', size: 1 })));

    assert.deepEqual(answers, [undefined, undefined, 'nearly_full', 'full', 'full', 'full', 'full']);
    assert.deepEqual(seqs({ entries: decisive((await store.read('e1'))!.entries), truncatedThrough: null }), upTo(6));
  });

  contract('an output larger than all the room there is pushes out itself, and no decision (S4)', async (t) => {
    const store = await opened(t, { ...roomy, maxJournalBytes: 2_000 });
    await store.append(record('e1'), entry(1));

    const full = await store.append(record('e1'), entry(2, { kind: 'output', size: 10_000 }));

    const page = await store.read('e1');
    assert.deepEqual([full, seqs(page), page?.truncatedThrough], [undefined, [1], 2]);
    await store.append(record('e1'), entry(3, { kind: 'output', size: 10 }));
    assert.deepEqual(seqs(await store.read('e1')), [1, 3]);
  });
};

/** Bytes are counted about, by any store in its own way; that much may be missing from an estimate. */
const SLACK = 1.5;

const verifyBounds = (
  written: readonly JournalEntry[],
  { entries, truncatedThrough }: JournalPage,
  { maxJournalFacts, maxJournalBytes }: JournalLimits,
  isFull: boolean,
): void => {
  assert.deepEqual(plain(decisive(entries)), plain(decisive(written)), 'decisions are never dropped');
  const [oldest] = entries.filter(isDroppable);
  const dropped = written.filter(({ seq }) => !entries.some((kept) => kept.seq === seq));
  assert.ok(
    dropped.every(({ seq }) => oldest === undefined || seq < oldest.seq),
    'only the oldest are dropped',
  );
  assert.equal(truncatedThrough, dropped.at(-1)?.seq ?? null);
  const numbers = entries.map(({ seq }) => seq);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
  const bytes = JSON.stringify(entries).length;
  if (isFull) {
    assert.deepEqual(entries.filter(isDroppable), [], 'it is full of decisions');
    assert.ok(entries.length > maxJournalFacts || bytes > maxJournalBytes / SLACK);
  } else {
    assert.ok(entries.length <= maxJournalFacts);
    assert.ok(bytes <= maxJournalBytes * SLACK);
  }
};

/** Wherever a reader stands, it gets all that is left above, and hears of what is missing there and nothing else. */
const verifyReaders = async (store: Store, written: readonly JournalEntry[]): Promise<void> => {
  const { entries, truncatedThrough } = (await store.read('e1'))!;
  const lost = written.findLast(
    ({ seq, type }) => type === 'output.emitted' && !entries.some((kept) => kept.seq === seq),
  );
  for (const { seq: after } of written) {
    const page = await store.read('e1', after);
    assert.equal(page?.isOutputMissing, (lost?.seq ?? 0) > after);
    assert.deepEqual(plain(page?.entries), plain(entries.filter(({ seq }) => seq > after)));
    assert.equal(page?.truncatedThrough, (truncatedThrough ?? 0) > after ? truncatedThrough : null);
  }
};
