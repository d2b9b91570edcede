/** Random cases. What is left out by name is in no program. */
import fc from 'fast-check';
import type { Case, Cut, InnerCall, Leaf, Node, Program, Schedule } from './program.ts';

/** Kinds of programs that can be left out, or asked for. */
export const FAMILIES = [
  'parallel',
  'races',
  'unstable',
  'mutated',
  'transforms',
  'inner',
  'insist',
  'outside',
  'callbacks',
  'keys',
  'branches',
  'withdrawn',
  'consents',
  'yields',
  'emitting',
  'retries',
  'kills',
  'stops',
  'failures',
  'refusals',
] as const;
export type Family = (typeof FAMILIES)[number];

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

export const cases = (families: ReadonlySet<Family>): fc.Arbitrary<Case> =>
  fc.record({
    program: programs(families),
    schedule: schedules(families),
    cuts: cutLists(families),
  });

const schedules = (families: ReadonlySet<Family>): fc.Arbitrary<Schedule> =>
  fc.record({
    choices: fc.array(fc.nat(59), { minLength: 1, maxLength: 12 }),
    commitTurns: fc.nat(3),
    atOnce: fc.integer({ min: 1, max: 4 }),
    cancelAfter: families.has('insist') ? fc.option(fc.nat(5), { nil: undefined, freq: 3 }) : fc.constant(undefined),
  });

const CUTS = { kills: 'kill', stops: 'stop', failures: 'fail', refusals: 'refuse' } as const;

const cutLists = (families: ReadonlySet<Family>): fc.Arbitrary<Case['cuts']> => {
  const hows = (['kills', 'stops', 'failures', 'refusals'] as const).filter((family) => families.has(family));
  if (hows.length === 0) return fc.constant([]);
  const weighed = hows.map((family) => ({ weight: family === 'kills' ? 3 : 1, arbitrary: fc.constant(CUTS[family]) }));
  const cut: fc.Arbitrary<Cut> = fc.record({ how: fc.oneof(...weighed), at: fc.nat(999), turns: some(0, 0, 1, 3, 8) });
  return fc.array(fc.array(cut, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
};

const programs = (families: ReadonlySet<Family>): fc.Arbitrary<Program> =>
  fc.record({
    input: families.has('transforms') ? some<Program['input']>('plain', 'plain', 'transforms') : fc.constant('plain'),
    yields: families.has('yields') ? some(false, false, false, true) : fc.constant(false),
    body: fc.array(nodes(families), { minLength: 1, maxLength: 5 }),
  });

const leaves = (families: ReadonlySet<Family>): fc.Arbitrary<Leaf> => {
  const has = (family: Family): boolean => families.has(family);
  const says = has('unstable') ? some('own', 'own', 'shared', 'unstable') : some('own', 'own', 'shared');
  const inner = has('inner')
    ? some<InnerCall | 'none'>(
        'none',
        'none',
        'none',
        'emit',
        'span',
        'log',
        'now',
        'random',
        'notify',
        'step',
        'sleep',
        'prompt',
      )
    : fc.constant<'none'>('none');
  const mutates = has('mutated') ? fc.boolean() : fc.constant(false);
  const prompt = fc.record({
    do: some('prompt'),
    kind: some('text', 'text', 'text', 'binary', 'radio', 'dropdown', 'checkbox'),
    says,
    keyed: has('keys') ? fc.boolean() : fc.constant(false),
    deadline: some('none', 'none', 'due', 'late', 'late with default'),
  });
  const step = fc.record({
    do: some('step'),
    value: some('object', 'list', 'text', 'date', 'nothing', 'error'),
    says,
    turns: some(0, 0, 1, 2, 5),
    emits: has('emitting') ? some(0, 0, 1, 3) : fc.constant(0),
    inner,
    mutates,
  });
  const weighed: [number, fc.Arbitrary<unknown>][] = [
    [8, prompt],
    [7, step],
    [has('retries') ? 1 : 0, fc.record({ do: some('retry'), fails: fc.nat(3) })],
    [2, fc.record({ do: some('sleep'), seconds: some(0, 1, 15, 60) })],
    [2, fc.record({ do: some('now', 'random', 'notify', 'observe') })],
    [2, fc.record({ do: some('emit'), times: fc.integer({ min: 1, max: 4 }), mutates })],
    [1, fc.record({ do: some('span'), mutates })],
    [2, fc.record({ do: some('hops'), count: fc.integer({ min: 1, max: 9 }) })],
    [has('outside') ? 1 : 0, fc.record({ do: some('turns'), count: fc.integer({ min: 1, max: 5 }) })],
    [has('outside') ? 1 : 0, fc.record({ do: some('outside') })],
    [has('consents') ? 1 : 0, fc.record({ do: some('authorize') })],
    [has('insist') ? 1 : 0, fc.record({ do: some('insist'), on: some('prompt', 'step', 'sleep') })],
    [
      has('callbacks') ? 1 : 0,
      fc.record({ do: some('callback'), turns: fc.nat(6), call: some('emit', 'now', 'span', 'prompt') }),
    ],
  ];
  return fc.oneof(
    ...weighed.flatMap(([weight, arbitrary]) => (weight > 0 ? [{ weight, arbitrary }] : [])),
  ) as fc.Arbitrary<Leaf>;
};

const nodes = (families: ReadonlySet<Family>): fc.Arbitrary<Node> => {
  const has = (family: Family): boolean => families.has(family);
  const ways = has('branches') ? some('promises', 'branches') : fc.constant('promises');
  const leaf = leaves(families);
  const withdrawn = has('consents') ? some('prompt', 'sleep', 'authorize') : some('prompt', 'sleep');
  const { node } = fc.letrec<{ node: Node }>((tie) => {
    const inner = tie('node');
    const several = fc.array(inner, { minLength: 2, maxLength: 4 });
    const weighed: [number, fc.Arbitrary<unknown>][] = [
      [10, leaf],
      [3, fc.record({ do: some('seq'), way: some('await', 'then'), of: several })],
      [has('parallel') ? 5 : 0, fc.record({ do: some('all'), way: ways, of: several })],
      [has('races') ? 2 : 0, fc.record({ do: some('race'), way: ways, of: several })],
      [1, fc.record({ do: some('loop'), times: fc.integer({ min: 1, max: 3 }), of: inner })],
      [3, fc.record({ do: some('try'), of: inner })],
      [has('branches') ? 2 : 0, fc.record({ do: some('branch'), of: inner })],
      [has('withdrawn') ? 2 : 0, fc.record({ do: some('withdraw'), what: withdrawn, after: inner })],
      [has('unstable') ? 1 : 0, fc.record({ do: some('choice'), of: fc.tuple(inner, inner) })],
    ];
    return {
      node: fc.oneof(
        { maxDepth: 3, depthIdentifier: 'program' },
        ...weighed.flatMap(([weight, arbitrary]) => (weight > 0 ? [{ weight, arbitrary }] : [])),
      ) as fc.Arbitrary<Node>,
    };
  });
  return node;
};
