/** Behind each promise of durability stands a test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync(new URL('../../docs/durability.md', import.meta.url), 'utf8');

const chapter = page.slice(page.indexOf('## What is promised'), page.indexOf('## What is not promised'));
const promises = chapter.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Promise'));

test('every promise names a test, and every test that is named exists and tests something', () => {
  assert.ok(promises.length > 8);
  for (const promise of promises) {
    const named = [...promise.matchAll(/`(tests\/[\w./-]+\.test\.ts)`/g)].map(([, file]) => file!);
    assert.ok(named.length > 0, promise);
    for (const file of named) {
      const path = new URL(`../../${file}`, import.meta.url);
      assert.ok(existsSync(path), file);
      assert.match(readFileSync(path, 'utf8'), /test\(|Contract\(/, file);
    }
  }
});

test('every benchmark that is named is a question of the benchmarks', () => {
  const questions = readFileSync(new URL('../../bench/main.ts', import.meta.url), 'utf8');
  for (const [, name] of page.matchAll(/npm run bench -- (\w+)/g))
    assert.match(questions, new RegExp(`\\b${name}: async`));
});
