/**
 * Random workflow programs get the same in every life, or are blocked: never another result, never stuck. More of them:
 * `npm run bench -- programs`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../support/programs/check.ts';
import { FAMILIES, type Family } from '../../support/programs/generate.ts';
import { differencesOf, problemsOf } from '../../support/programs/oracle.ts';
import { play } from '../../support/programs/play.ts';
import type { Played } from '../../support/programs/played.ts';
import type { Program, Schedule } from '../../support/programs/program.ts';
import { firstWrong, reportOf, type Tally } from '../../support/programs/property.ts';

const CUTS: readonly Family[] = ['kills', 'stops', 'failures', 'refusals'];

/** Kinds that have programs of their own, so that they are met often, and how many there are of them. */
const groups: readonly (readonly [name: string, count: number, families: readonly Family[]])[] = [
  ['calls in a row', 40, ['yields', 'retries', 'keys']],
  ['calls side by side', 60, ['parallel', 'yields']],
  ['calls side by side, behind awaits that are not of ctx', 50, ['parallel', 'outside']],
  ['races and withdrawn calls', 60, ['parallel', 'races', 'branches', 'withdrawn']],
  ['functions that do something else in the next life', 50, ['unstable', 'keys', 'parallel']],
  ['values that are changed afterwards, and inputs that are transformed', 40, ['mutated', 'transforms', 'parallel']],
  ['steps that emit and call ctx', 50, ['inner', 'emitting', 'parallel']],
  ['loops that never give up, and callbacks, of executions that are cancelled', 50, ['insist', 'callbacks', 'retries']],
  ['everything', 100, FAMILIES],
];

for (const [name, count, families] of groups) {
  test(`${count} random programs get the same in every life: ${name}`, async (t) => {
    const tally: Tally = { programs: 0, runs: 0, lives: 0, blocked: 0 };

    const wrong = await firstWrong({ families: new Set([...families, ...CUTS]), count, seed: 1 }, tally);

    assert.equal(wrong && reportOf(wrong), undefined);
    assert.ok(tally.lives > tally.runs, 'some have had several lives');
    assert.equal(
      families.includes('unstable'),
      tally.blocked > 0,
      'those that do something else are blocked, and no other',
    );
    t.diagnostic(JSON.stringify(tally));
  });
}

const schedule: Schedule = { choices: [0], commitTurns: 0, atOnce: 1, cancelAfter: undefined };
const asking: Program = {
  input: 'plain',
  yields: false,
  body: [0, 1].map(() => ({ do: 'prompt', kind: 'text', says: 'own', keyed: false, deadline: 'none' }) as const),
};

/** What was played, with something wrong about it. */
const tampered: Readonly<Record<string, (played: Played) => Played>> = {
  'has "re Q 1 0" in the result': ({ result, ...played }) => ({
    ...played,
    result: result!.map((seen) => (seen.asked === 'Q 0' ? { ...seen, got: 're Q 1 0' } : seen)),
  }),
  'the run that has completed has not made it': (played) => ({ ...played, made: new Set(['0']) }),
  'numbers of the journal': ({ journal, ...played }) => ({ ...played, journal: journal.toSpliced(3, 1) }),
  'neither goes on nor ends': (played) => ({ ...played, end: 'stuck' }),
  'is blocked': (played) => ({ ...played, end: 'blocked' }),
};

for (const [words, tamper] of Object.entries(tampered)) {
  test(`it is noticed when something is wrong: ${words}`, async () => {
    const played = await play(asking, schedule, { cuts: [], hibernates: true });
    assert.deepEqual(problemsOf(asking, played), []);

    const found = problemsOf(asking, tamper(played));

    assert.ok(found.join().includes(words), found.join());
  });
}

test('it is noticed when a life has another result, or another journal', async () => {
  const played = await play(asking, schedule, { cuts: [], hibernates: false });
  const result = played.result!.map((seen) => ({ ...seen, got: 'another' }));
  const journal = played.journal.filter(({ type }) => type !== 'interaction.requested');

  assert.deepEqual(differencesOf(asking, played, played, true), []);
  assert.match(differencesOf(asking, played, { ...played, result }, true).join(), /its result is/);
  assert.match(differencesOf(asking, played, { ...played, journal }, true).join(), /the journal has/);
});

test('a loop that lets nothing else happen is noticed, and left', async () => {
  const spinning: Program = { ...asking, body: [{ do: 'insist', on: 'prompt' }] };
  const { wrong, played } = await check({
    program: spinning,
    schedule: { ...schedule, cancelAfter: 0 },
    cuts: [[{ how: 'kill', at: 500, turns: 0 }]],
  });

  assert.deepEqual(wrong, []);
  assert.ok(played.some(({ end }) => end === 'cancelled'));
});

test('a run whose token is lost asks for consent again, wherever the next lives are cut', async () => {
  const program: Program = {
    input: 'plain',
    yields: false,
    body: [
      {
        do: 'race',
        way: 'promises',
        of: [
          { do: 'branch', of: { do: 'authorize' } },
          { do: 'prompt', kind: 'text', says: 'own', keyed: false, deadline: 'none' },
        ],
      },
      { do: 'authorize' },
      { do: 'retry', fails: 2 },
    ],
  };
  const answers: Schedule = { choices: [3, 49, 0], commitTurns: 0, atOnce: 2, cancelAfter: undefined };
  const first = await play(program, answers, { cuts: [], hibernates: false });
  const granted = first.journal.find(({ type }) => type === 'oauth.granted')!.seq;
  const wrong: string[] = [];
  for (let kill = granted + 1; kill <= first.journal.length; kill += 1) {
    for (let next = kill + 1; next <= first.journal.length; next += 1) {
      const kills = [kill, next].map((fact) => ({ how: 'kill', fact, turns: 0 }) as const);
      const cuts = [{ how: 'refuse', fact: granted, turns: 0 } as const, ...kills];
      const played = await play(program, answers, { cuts, hibernates: false });
      const problems = [...problemsOf(program, played), ...differencesOf(program, first, played, false)];
      wrong.push(...problems.map((problem) => `${kill}, ${next}: ${problem}`));
    }
  }
  assert.deepEqual(wrong, []);
});
