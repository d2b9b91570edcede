/** Where executions are kept, as it is configured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, read } from '../../support/configs.ts';

test('executions are kept in a directory, for a week, unless something else is said', () => {
  const { data, runtime } = read('');

  assert.equal(data, './.fermata');
  assert.equal(runtime.retentionMs, 7 * 24 * 3_600_000);
});

test('executions in memory are kept for ten minutes, unless something else is said', () => {
  const unsaid = read('fermata: {memory: true}');
  const said = read('fermata: {memory: true, retention: PT1H}');

  assert.deepEqual([unsaid.data, unsaid.runtime.retentionMs], [null, 600_000]);
  assert.deepEqual([said.data, said.runtime.retentionMs], [null, 3_600_000]);
});

const ways: [what: string, given: Parameters<typeof read>, data: string | null][] = [
  ['an option before a variable', ['', { env: { FERMATA_MEMORY: 'true' }, flags: { '--data': 'a' } }], 'a'],
  ['the other option before a variable', ['', { env: { FERMATA_DATA: 'a' }, flags: { '--memory': 'true' } }], null],
  ['a variable before the file', ['fermata: {memory: true}', { env: { FERMATA_DATA: 'a' } }], 'a'],
  ['the other variable before the file', ['fermata: {data: a}', { env: { FERMATA_MEMORY: 'true' } }], null],
  ['a directory, where memory is said to be off', ['fermata: {data: a, memory: false}'], 'a'],
];

for (const [what, given, data] of ways) {
  test(`of a directory and memory, ${what} counts`, () => assert.equal(read(...given).data, data));
}

test('a directory and memory in one place are a mistake', () => {
  const excludes = 'excludes data, and both are given';

  assert.deepEqual(problemsOf('fermata: {data: a, memory: true}'), [`fermata.memory: ${excludes} (configuration:1)`]);
  assert.deepEqual(problemsOf('', { flags: { '--data': 'a', '--memory': 'true' } }), [`--memory: ${excludes}`]);
});

test('a secret that is too short is refused, and not shown', () => {
  const problems = problemsOf('', { env: { FERMATA_DATA_SECRET: 'hunter2' } });

  assert.deepEqual(problems, ['FERMATA_DATA_SECRET: expected a text of at least 16 characters, got a text']);
});
