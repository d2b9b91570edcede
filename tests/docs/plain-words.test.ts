/** Comments, messages and docs name the caller, the owner or the subscriber, and use the field's terms. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path/posix';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);

/** Folders and files of which every word counts, code included. */
const places = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'examples', 'client', 'console', 'testing', 'machines', 'runtime', 'server', 'cli', 'tools', 'bench'],
];

const rules: readonly { readonly word: RegExp; readonly instead: string }[] = [
  { word: /\b(?:nobody|no one)\b/gi, instead: 'no caller, no client, no subscriber' },
  {
    word: /\b(?:somebody|someone|anybody|everybody|whoever)\b/gi,
    instead: 'the caller, the owner, a person, any client',
  },
  { word: /\b(?:is|are|was|were|been|be|being|has|have|had) told\b/gi, instead: 'is notified, published to, said' },
  { word: /\b(?:is|are|was|were|been|be) let go\b/gi, instead: 'is released, is stopped' },
  { word: /\b(?:puppet|theatre)s?\b/gi, instead: 'controlled workflow, many executions' },
  { word: /(?<=\*\* |\/\/ |\. |^|^\* )Who (?![^.]*\?)[a-z]+/gm, instead: 'a subject: "A caller who ..."' },
];

/** Where a word is right: it is a value of the API, or the words of another product. */
const allowed: readonly { readonly file: string; readonly text: string; readonly because: string }[] = [
  { file: 'docs/testing.md', text: '`somebody`', because: 'the default user id of testWorkflow' },
  { file: 'testing/index.ts', text: '`somebody`', because: 'the default user id of testWorkflow' },
  { file: 'testing/index.ts', text: "'somebody'", because: 'the default user id of testWorkflow' },
  { file: 'server/identity/caller.ts', text: "'everybody'", because: 'stored names contain it' },
];

const filesIn = async (place: string): Promise<string[]> => {
  if (/\.\w+$/.test(place)) return [place];
  const names = await readdir(new URL(place, root), { recursive: true });
  return names
    .filter((name) => /\.(tsx?|mjs|md)$/.test(name) && !/(^|\/)dist\//.test(name))
    .map((name) => join(place, name));
};

/** Of tests, which use these words as values, only comments and names count, and only the words for persons. */
const proseOf = (text: string): string =>
  text
    .split('\n')
    .map((line) => (/^\s*(?:\/\*\*|\*|\/\/)|\btest\(/.test(line) ? line : ''))
    .join('\n');

const foundIn = (file: string, text: string, words = rules): string[] => {
  const exceptions = allowed.filter((exception) => exception.file === file);
  const plain = exceptions.reduce((rest, exception) => rest.replaceAll(exception.text, ''), text);
  return words.flatMap(({ word, instead }) =>
    [...plain.matchAll(word)].map(({ 0: found, index }) => {
      const line = plain.slice(0, index).split('\n').length;
      return `${file}:${line}: "${found}"; write ${instead}`;
    }),
  );
};

test('no comment, message or page uses a word that is out', async () => {
  const files = (await Promise.all(places.map(filesIn))).flat();
  assert.ok(files.length > 20);

  const texts = await Promise.all(files.map((file) => readFile(new URL(file, root), 'utf8')));

  assert.deepEqual(
    files.flatMap((file, index) => foundIn(file, texts[index]!)),
    [],
  );
});

test('no comment and no name of a test speaks of nobody and somebody', async () => {
  const files = (await filesIn('tests')).filter((file) => file !== 'tests/docs/plain-words.test.ts');
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, root), 'utf8').catch(() => '')));

  assert.ok(files.length > 300);
  assert.deepEqual(
    files.flatMap((file, index) => foundIn(file, proseOf(texts[index]!), rules.slice(0, 2))),
    [],
  );
});

test('each exception is still needed', async () => {
  for (const { file, text } of allowed) {
    assert.ok((await readFile(new URL(file, root), 'utf8')).includes(text), `${file}: ${text}`);
  }
});

test('a word that is out is found with its line, and a question is not', () => {
  const text = '/** Who has a key may look. */\n// Nobody was told.\n\n/** Who is calling? */\n';

  const found = foundIn('a.ts', text);

  assert.deepEqual(
    found.map((line) => line.split(';')[0]),
    ['a.ts:2: "Nobody"', 'a.ts:2: "was told"', 'a.ts:1: "Who has"'],
  );
});
