import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfigFile, readConfigFile } from '../../../cli/config/file.ts';
import { Failure } from '../../../runtime/index.ts';

const folder = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

const problemsOf = (read: () => unknown): readonly string[] => {
  try {
    read();
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    return thrown.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return assert.fail('it was read');
};

test('entries are found by line, through aliases and lists, and what is missing by what is around it', () => {
  const file = parseConfigFile('a:\n  b: &x\n    - c: 1\n    - d: 2\ne: *x\n', 'f.yaml');

  assert.equal(file.find(['a', 'b', 1, 'd']).place(), ' (f.yaml:4)');
  assert.equal(file.find(['e', 0, 'c']).place(), ' (f.yaml:3)');
  assert.equal(file.find(['a', 'missing', 'deeper']).place(), ' (f.yaml:1)');
  assert.equal(file.find(['missing']).place(), '');
});

test('sections may share entries as PyYAML lets them', () => {
  const { root } = parseConfigFile('x: &x {port: 1}\ny:\n  <<: *x\n  host: h\n', 'f.yaml');

  assert.deepEqual(root, { x: { port: 1 }, y: { port: 1, host: 'h' } });
});

for (const text of ['', '# nothing\n', '---\n', '\ufeff']) {
  test(`a file of ${JSON.stringify(text)} says nothing`, () => {
    assert.deepEqual(parseConfigFile(text, 'f.yaml').root, {});
  });
}

const faults: [text: string, problem: RegExp][] = [
  ['a: 1\nb: [1, 2\nc: 3\n', /^f\.yaml:3:1: the indentation/],
  ['a:\n\tb: 1\n', /^f\.yaml:2:1: tabs/],
  ['a: 1\na: 2\n', /^f\.yaml:2:1: this name is here twice/],
  ['a: s3cr3t: x\n', /^f\.yaml:1:4: a text with a colon needs quotes/],
  ['a: "s3cr3t\n', /^f\.yaml:\d+:\d+: something is not closed/],
  ["a: 's3cr3t' s3cr3t\n", /^f\.yaml:1:13: nothing is expected here/],
  ['a: "\\s3cr3t"\n', /^f\.yaml:1:5: a backslash/],
  ['a: @s3cr3t\n', /^f\.yaml:1:4: .* needs quotes/],
  ['a: *s3cr3t\n', /^f\.yaml:1:4: no such anchor above/],
  ['a: 1\n---\nb: 2\n', /^f\.yaml:2:1: a file holds one document/],
  ['%YAML 9.9 s3cr3t\n---\na: 1\n', /^f\.yaml:1:\d+: this is not YAML/],
  ['a: !include s3cr3t\n', /^f\.yaml:1:4: this tag is not known here; a text that begins with ! needs quotes/],
  ['a: {<<: 3}\n', /^f\.yaml: << merges maps only/],
  ['- s3cr3t\n', /^f\.yaml: expected a map of sections/],
  ['s3cr3t\n', /^f\.yaml: expected a map of sections/],
];

for (const [text, problem] of faults) {
  test(`${JSON.stringify(text)} is refused with its place, and without quoting it`, () => {
    const problems = problemsOf(() => parseConfigFile(text, 'f.yaml'));

    assert.match(problems[0] ?? '', problem);
    assert.doesNotMatch(problems.join('\n'), /s3cr3t/);
  });
}

test('a file that would grow without bounds, or is nested without, is refused', () => {
  const nine = (name: string) => `[${Array.from({ length: 9 }, () => `*${name}`).join(', ')}]`;
  const levels = Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} ${nine(`l${at}`)}`);

  assert.match(
    problemsOf(() => parseConfigFile(['l0: &l0 x', ...levels].join('\n'), 'f.yaml'))[0]!,
    /too many aliases/,
  );
  for (const opening of ['[', '{a: ', '- ', '? ']) {
    const text = opening.repeat(100_000);
    assert.match(problemsOf(() => parseConfigFile(text, 'f.yaml'))[0]!, /nested more than 100 levels deep/);
  }
  assert.match(problemsOf(() => parseConfigFile('#'.repeat(1024 * 1024 + 1), 'f.yaml'))[0]!, /1048576 bytes at most/);
});

test('a file is read from disk', (t) => {
  const path = join(folder(t), 'f.yaml');
  writeFileSync(path, 'fermata: {retention: 2}');

  assert.deepEqual(readConfigFile(path).root, { fermata: { retention: 2 } });
});

test('a file that is missing, a directory, too large or not UTF-8 is refused by its name', (t) => {
  const here = folder(t);
  const large = join(here, 'large.yaml');
  const binary = join(here, 'binary.yaml');
  writeFileSync(large, ' '.repeat(1024 * 1024 + 1));
  const wide = join(here, 'wide.yaml');
  writeFileSync(binary, Buffer.from([0x61, 0x3a, 0x20, 0xff]));
  writeFileSync(wide, Buffer.from('a: 1', 'utf16le'));

  const missing = join(here, 'missing.yaml');
  assert.deepEqual(
    [missing, here, large, binary, wide].map((path) => problemsOf(() => readConfigFile(path))[0]),
    [
      `${missing}: there is no such file`,
      `${here}: this is a directory`,
      `${large}: a configuration may have 1048576 bytes at most`,
      `${binary}: this is not UTF-8; save it in that encoding`,
      `${wide}: this is not UTF-8; save it in that encoding`,
    ],
  );
});
