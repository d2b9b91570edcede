/** The execution machine against a second telling of it: in every state that can be reached, with every fact there is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createActor, type Snapshot } from 'xstate';
import { type ExecutionSnapshot, executionMachine, statusOf } from '../../machines/execution.ts';
import type { ExecutionEvent } from '../../machines/facts.ts';
import {
  afterFact,
  type ExecutionPath,
  type Expected,
  everyFact,
  executionPaths,
  expectedStatus,
  expectedTags,
  factsToTry,
  input,
  startedExecution,
} from '../support/execution-model.ts';
import { Coverage } from '../support/machine-model.ts';

const coverage = new Coverage(executionMachine);

/** An execution beside what is expected of it. Time passes with every fact that is offered. */
class Walk {
  readonly actor = createActor(executionMachine, { input, inspect: coverage.inspect }).start();
  readonly accepted: ExecutionEvent[] = [];
  expected: Expected = startedExecution;
  #now = input.startedAt;

  get state(): ExecutionSnapshot {
    return this.actor.getSnapshot();
  }

  follow(facts: readonly ExecutionEvent[]): this {
    for (const fact of facts) this.offer(fact);
    return this;
  }

  /** Whether it was accepted, as it should have been. */
  offer(given: ExecutionEvent): boolean {
    const fact = { ...given, at: (this.#now += 1) };
    const before = this.state;
    const expected = afterFact(this.expected, fact);

    this.actor.send(fact);

    if (expected === undefined) {
      assert.deepEqual(storable(this.state), storable(before), `${fact.type} may not happen here`);
      return false;
    }
    this.expected = expected;
    this.accepted.push(fact);
    verify(this.state, expected);
    return true;
  }
}

const storable = ({ status, value, context }: ExecutionSnapshot) => ({ status, value, context });

const verify = (state: ExecutionSnapshot, expected: Expected): void => {
  const { context, tags, status } = state;
  const { seq, pauses, steps, working, parkedAt, settledAt, result, error } = context;
  const { end } = expected;
  assert.deepEqual(
    { seq, steps, open: pauses.map(({ id, kind }) => ({ id, kind })), status: statusOf(state), tags: [...tags] },
    {
      seq: expected.seq,
      steps: expected.steps,
      open: expected.open,
      status: expectedStatus(expected),
      tags: expectedTags(expected),
    },
  );
  assert.equal(status, end === 'gone' ? 'done' : 'active');
  assert.equal(settledAt === null, end === 'live');
  if (end === 'live') assert.equal(parkedAt, expected.idleSince);
  assert.equal(working, end === 'live' && !expected.blocked && expected.idleSince === null);
  if (end === 'completed') assert.deepEqual([result, error], ['done', null]);
  if (end === 'failed') assert.deepEqual([result, error?.code], [null, 'workflow_error']);
  assert.ok(
    !tags.has('waiting') || tags.has('blocked') || (pauses.length > 0 && steps === 0),
    'only who waits for something is parked',
  );
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a.openedAt - b.openedAt),
    'the oldest pause comes first',
  );
};

const paths = executionPaths();

test('an execution changes as expected with every fact that may happen to it, and with no other, in every state', (t) => {
  let [accepted, refused] = [0, 0];

  for (const { events, state } of paths) {
    const stubborn = new Walk().follow(events);
    for (const fact of factsToTry(state)) {
      if (afterFact(stubborn.expected, fact) === undefined) {
        stubborn.offer(fact);
        refused += 1;
      } else {
        assert.ok(new Walk().follow(events).offer(fact));
        accepted += 1;
      }
    }
  }

  t.diagnostic(`reached ${paths.length} states; ${accepted} facts accepted there, ${refused} refused`);
  t.diagnostic(`covered ${coverage.summary}`);
  assert.deepEqual(coverage.missing, []);
});

test('an execution hears any facts in any order and is never in an unexpected state', () => {
  const facts = fc.array(fc.constantFrom(...everyFact), { maxLength: 80, size: 'max' });

  fc.assert(
    fc.property(facts, (some) => {
      new Walk().follow([{ type: 'slot.granted', at: 0 }, ...some]);
    }),
    { numRuns: 200 },
  );
});

test('the facts that were accepted fold to the same execution, whatever was refused between them', () => {
  for (const { events } of paths) {
    const pestered = new Walk();
    for (const event of events) {
      for (const fact of everyFact) if (afterFact(pestered.expected, fact) === undefined) pestered.offer(fact);
      pestered.offer(event);
    }

    const folded = createActor(executionMachine, { input }).start();
    for (const fact of pestered.accepted) folded.send(fact);

    assert.deepEqual(storable(folded.getSnapshot()), storable(pestered.state));
    assert.equal(pestered.state.context.seq, 1 + pestered.accepted.filter(isNumbered).length);
  }
});

const isNumbered = ({ type }: ExecutionEvent): boolean => type !== 'record.forgotten';

test('an execution that was stored and restored anywhere on its way ends like one that was not', () => {
  for (const { events } of paths) {
    for (let stop = 0; stop <= events.length; stop += 1) {
      assert.deepEqual(interrupted(events, stop), interrupted(events, events.length + 1));
    }
  }
});

/** Where an execution ends that is stored before one of its facts, and goes on from there. */
const interrupted = (events: ExecutionPath['events'], stop: number): unknown => {
  let actor = createActor(executionMachine, { input }).start();
  for (const [index, event] of events.entries()) {
    if (index === stop) {
      const snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot())) as Snapshot<unknown>;
      actor = createActor(executionMachine, { input, snapshot }).start();
    }
    actor.send(event);
  }
  return storable(actor.getSnapshot());
};
