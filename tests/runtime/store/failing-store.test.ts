import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalEntry } from '../../../machines/facts.ts';
import { createRuntime, MemoryStore, type Recorded, text, workflow } from '../../../runtime/index.ts';
import { immediate } from '../../support/in-process.ts';
import { start } from '../../support/start.ts';

const asker = workflow({
  name: 'asker',
  run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
});
const options = { workflow: 'asker', by: { userId: undefined } };

/** Keeps what it can until the disk is full: at once or later, as the store says it. */
const storeThat = (refuses: (entry: JournalEntry) => boolean, fails: () => never | Promise<never>) => {
  class FullStore extends MemoryStore {
    override append(record: Recorded, entry: JournalEntry): never {
      return (refuses(entry) ? fails() : super.append(record, entry)) as never;
    }
  }
  return new FullStore({ maxJournalFacts: 100, maxJournalBytes: 10_000 });
};

const full = new Error('no space left on device');
const ways = {
  'at once': () => {
    throw full;
  },
  later: () => Promise.reject(full),
};

for (const [when, fails] of Object.entries(ways)) {
  test(`a start that the store cannot keep, as it says ${when}, is refused as store_unavailable`, async (t) => {
    const store = storeThat(({ type }) => type === 'execution.started', fails);
    const runtime = await createRuntime({ workflows: [asker], store });
    t.after(() => runtime.stop());

    await assert.rejects(start(runtime, options), { code: 'store_unavailable', retryable: true, cause: full });

    assert.deepEqual(immediate(runtime.list({ userId: undefined, isOperator: true }, { limit: 9 })).executions, []);
    assert.equal(runtime.builders('asker').get(null)?.refCount, 0);
  });

  test(`an answer that the store cannot keep, as it says ${when}, is not said to be accepted`, async (t) => {
    const store = storeThat(({ type }) => type === 'interaction.answered', fails);
    const runtime = await createRuntime({ workflows: [asker], store });
    t.after(() => runtime.stop());
    const { execution } = await start(runtime, options);
    await runtime.waitUntil(execution, ({ context }) => context.pauses.length > 0);
    const [pause] = execution.context.pauses;

    const answering = runtime.answer(execution.id, pause!.id, { kind: 'text', text: 'Ada' }, options.by);

    await assert.rejects(answering, { code: 'store_unavailable', cause: full });
  });
}
