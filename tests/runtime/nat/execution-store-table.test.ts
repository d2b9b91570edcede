/** The store on every cell of its table: each event in each state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_EXECUTION_TTL, type ExecutionStore, type RecordStatus } from '../../../runtime/index.ts';
import { executionStore, question, refusal, reply } from '../../support/execution-store.ts';
import type { SimulatedClock } from '../../support/simulated-clock.ts';
import { type Outcome, storeStates, storeTable } from '../../support/store-table.ts';

type Prepare = (store: ExecutionStore, id: string, clock: SimulatedClock) => Promise<unknown>;

/** Prompts are called p, consents c; both were opened in the order in which the name of the state tells. */
const states: Record<(typeof storeStates)[number], Prepare> = {
  running: async () => {},
  'waiting for an answer': (store, id) => store.setInteractionRequired(id, question, 'p'),
  'waiting for a consent': (store, id) => store.setOauthRequired(id, 'https://idp.example', 'c'),
  'waiting for a consent and an answer': async (store, id) => {
    await store.setOauthRequired(id, 'https://idp.example', 'c');
    await store.setInteractionRequired(id, question, 'p');
  },
  'running with an answer': async (store, id) => {
    await store.setInteractionRequired(id, question, 'p');
    await store.resolveInteraction(id, 'p', reply);
  },
  'running without an answer in time': async (store, id, clock) => {
    await store.setInteractionRequired(id, question, 'p');
    clock.advance(65_000);
  },
  'completed while it waited for an answer': async (store, id) => {
    await store.setInteractionRequired(id, question, 'p');
    await store.setCompleted(id, 'done');
  },
  'failed while it waited for an answer': async (store, id) => {
    await store.setInteractionRequired(id, question, 'p');
    await store.setFailed(id, 'broken');
  },
  unknown: (store, id) => store.remove(id),
};

const events: Record<keyof typeof storeTable, Prepare> = {
  'an interaction is required': (store, id) => store.setInteractionRequired(id, question, 'p2'),
  'a consent is required': (store, id) => store.setOauthRequired(id, 'https://idp.example', 'c2'),
  'it is set running': (store, id) => store.setRunning(id),
  'it is set completed': (store, id) => store.setCompleted(id, 'again'),
  'it is set failed': (store, id) => store.setFailed(id, 'again'),
  'the prompt is answered': (store, id) => store.resolveInteraction(id, 'p', reply),
  'another prompt is answered': (store, id) => store.resolveInteraction(id, 'unheard-of', reply),
  'the prompt takes too long': async (_store, _id, clock) => clock.advance(65_000),
  'expired ones are cleaned up': (store) => store.cleanupExpired(),
  'the time to live passes': async (_store, _id, clock) => clock.advance(DEFAULT_EXECUTION_TTL * 1000),
  'it is removed': (store, id) => store.remove(id),
};

const statuses: readonly Outcome[] = ['running', 'interaction_required', 'oauth_required', 'completed', 'failed'];
const isStatus = (outcome: Outcome): outcome is RecordStatus => statuses.includes(outcome);

for (const [event, outcomes] of Object.entries(storeTable)) {
  for (const [index, state] of storeStates.entries()) {
    const outcome = outcomes[index]!;
    test(`an execution is ${state}, and ${event}: ${outcome}`, async (t) => {
      const { store, clock } = executionStore(t);
      const { executionId } = await store.createExecution();
      await states[state](store, executionId, clock);
      const record = await store.get(executionId);
      const before = record && { status: record.status, result: record.result, error: record.error };

      const thrown = await events[event as keyof typeof storeTable](store, executionId, clock).then(
        () => undefined,
        (error: unknown) => error,
      );

      const after = await store.get(executionId);
      if (outcome === 'gone') {
        assert.equal(thrown, undefined);
        assert.equal(after, undefined);
      } else if (isStatus(outcome)) {
        assert.equal(thrown, undefined);
        assert.equal(after?.status, outcome);
      } else {
        assert.ok(refusal(outcome)(thrown), `refused with ${thrown}`);
        assert.deepEqual(after && { status: after.status, result: after.result, error: after.error }, before);
      }
    });
  }
}
