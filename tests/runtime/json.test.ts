/** What workflows give is journaled as JSON, or they are told why not. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Workflow, workflow } from '../../runtime/index.ts';
import { alice, given } from '../support/given.ts';

const circular: Record<string, unknown> = {};
circular.self = circular;

/** Fine as JSON, and endless in memory. */
class Entity {
  readonly parent = { child: this };
  toJSON() {
    return { entity: 1 };
  }
}

class Plain {
  readonly a = 1;
}

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

/** Few objects, and no end of them when they are walked. */
const shared = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { left: value, right: value };
  return value;
};

const poisoned = {
  get value(): never {
    throw new Error('not to be read');
  },
};

/** What comes of a value when it is written and read again; undefined: it cannot be written. */
const values: readonly (readonly [what: string, value: unknown, kept: unknown])[] = [
  ['nothing', undefined, null],
  ['not a number', Number.NaN, undefined],
  ['a number without end', { list: [Number.NEGATIVE_INFINITY] }, undefined],
  ['a function', () => 1, undefined],
  ['a symbol', Symbol('x'), undefined],
  ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['a map', new Map([[1, 2]]), undefined],
  ['a set inside of something', [{ it: new Set([1]) }], undefined],
  ['an instance of a class', new Plain(), undefined],
  ['members that are not there', { a: undefined, b: 1 }, { b: 1 }],
  ['an entity', new Entity(), { entity: 1 }],
  ['an entity inside of something', [{ it: new Entity() }], [{ it: { entity: 1 } }]],
  ['a list with a hole', Object.assign([], { 1: 1 }), [null, 1]],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ['a member named __proto__', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ['a thousand levels', deep(1_000), deep(1_000)],
  ['five thousand levels', deep(5_000), undefined],
  ['a thousand and one levels', deep(1_001), undefined],
  ['a circle', circular, undefined],
  ['a big integer', 1n, undefined],
  ['a big integer inside of something', { list: [1n] }, undefined],
  ['what cannot be read', poisoned, undefined],
  ['a hundred thousand levels', deep(100_000), undefined],
  ['sixty levels that have the next one twice', shared(60), undefined],
  ['the same in a toJSON', { toJSON: () => shared(60) }, undefined],
  ['a list that is only long', new Array(2 ** 32 - 1), undefined],
  ['a large buffer', Buffer.alloc(10_000_000), undefined],
];

const run = async (t: TestContext, served: Workflow, read?: { readonly value: unknown }) => {
  const world = await given.runtime(t, { workflows: [served], options: { maxConcurrency: 1 } });
  const execution = await world.start({ by: alice, ...(read && { read }) });
  const journal = await world.runtime.facts(execution.id, 0, alice);
  return { ...world, execution, facts: journal?.entries ?? [] };
};

for (const [what, value, kept] of values) {
  test(`a workflow that returns ${what} ends, with that as JSON or with the reason why not`, async (t) => {
    const { execution, facts } = await run(t, workflow({ name: 'w', run: () => value }));

    const { context, status } = execution;
    if (kept === undefined) {
      assert.deepEqual([status, context.error?.code, context.error?.name], ['failed', 'workflow_error', 'TypeError']);
      assert.match(context.error!.message, /^The result cannot be written as JSON: \S[^\n]*$/);
    } else {
      assert.deepEqual([status, context.result], ['completed', kept]);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
  });

  test(`a workflow that emits ${what} streams that as JSON, or gets the reason why not and may go on`, async (t) => {
    const served = workflow({
      name: 'w',
      run: async (_input: unknown, ctx) => {
        try {
          ctx.emit(value);
          return 'emitted';
        } catch (error) {
          return (error as Error).message.slice(0, 34);
        }
      },
    });

    const { execution, facts } = await run(t, served);

    const emitted = facts.flatMap((fact) => (fact.type === 'output.emitted' ? [fact.value] : []));
    assert.equal(execution.context.result, kept === undefined ? 'Output cannot be written as JSON: ' : 'emitted');
    assert.deepEqual(emitted, kept === undefined ? [] : [kept]);
  });

  test(`an input that the schema has made ${what} of reaches the workflow as it is`, async (t) => {
    let seen: unknown;
    const served = workflow({
      name: 'w',
      run: (input: unknown) => {
        seen = input;
        return 'done';
      },
    });

    const { execution, facts } = await run(t, served, { value });

    assert.equal(seen, value);
    assert.equal(execution.status, 'completed');
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
  });
}

test('a step gives its value to the workflow as JSON, as it does when it is replayed, and fails if it cannot', async (t) => {
  const entity = new Entity();
  const served = workflow({
    name: 'w',
    run: async (_input: unknown, ctx) => {
      const got = await ctx.step('fine', () => entity);
      const failed = await ctx.step('circular', () => circular).catch((error: Error) => error.message);
      return [got, failed];
    },
  });

  const { execution, facts } = await run(t, served);

  const [got, reason] = execution.context.result as [unknown, string];
  assert.deepEqual(got, JSON.parse(JSON.stringify(entity)));
  assert.match(reason, /^The value of step "circular" cannot be written as JSON: /);
  assert.deepEqual(
    facts.map(({ type }) => type).filter((type) => type.startsWith('step.')),
    ['step.started', 'step.completed', 'step.started', 'step.failed'],
  );
});
