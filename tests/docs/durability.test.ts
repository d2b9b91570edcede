/** Behind each promise of durability stands a test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync(new URL('../../docs/durability.md', import.meta.url), 'utf8');
const [, chapter = ''] = /^## What is promised$([\s\S]*?)^## What is not promised$/m.exec(page) ?? [];
const promises = chapter.split('\n').filter((line) => /^\| (?!Promise|---)/.test(line));

const questions = readFileSync(new URL('../../bench/main.ts', import.meta.url), 'utf8');

/** Tests and benchmarks that a text names, and those of them that are not there. */
const behind = (text: string): { readonly named: readonly string[]; readonly missing: readonly string[] } => {
  const tests = [...text.matchAll(/`(tests\/[\w./-]+\.test\.ts)`/g)].map(([, file]) => file!);
  const benches = [...text.matchAll(/npm run bench -- (\w+)/g)].map(([, name]) => name!);
  const isTest = (file: string): boolean => {
    const path = new URL(`../../${file}`, import.meta.url);
    return existsSync(path) && /test\(|Contract\(/.test(readFileSync(path, 'utf8'));
  };
  const isBench = (name: string): boolean => new RegExp(`^  ${name}: async`, 'm').test(questions);
  return {
    named: [...tests, ...benches],
    missing: [...tests.filter((file) => !isTest(file)), ...benches.filter((name) => !isBench(name))],
  };
};

test('the page has its chapter of promises, and its benchmarks', () => {
  assert.ok(promises.length > 20, `${promises.length} promises`);
  assert.ok(
    promises.every((line) => line.split('|').length === 4),
    'each is a row of two cells',
  );
  assert.deepEqual(
    new Set(behind(page).named.filter((name) => !name.startsWith('tests/'))),
    new Set(['crash', 'mistakes', 'hibernated', 'durable']),
  );
});

test('every promise names a test, and every test that is named exists and tests something', () => {
  for (const promise of promises) {
    const { named, missing } = behind(promise);
    assert.ok(
      named.some((name) => name.startsWith('tests/')),
      promise,
    );
    assert.deepEqual(missing, [], promise);
  }
});

test('every benchmark that is named is a question of the benchmarks', () => {
  assert.deepEqual(behind(page).missing, []);
});

test('a test or a benchmark that is not there is noticed', () => {
  const { missing } = behind(
    '| It stays. | `tests/runtime/nowhere.test.ts`, `tests/docs/durability.test.ts`, `npm run bench -- nothing` |',
  );

  assert.deepEqual(missing, ['tests/runtime/nowhere.test.ts', 'nothing']);
});
