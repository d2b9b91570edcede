/** Files as NAT reads them: variables in the text, files that inherit, sections that mean nothing here. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../../cli/config/read.ts';
import { Failure } from '../../../runtime/index.ts';
import { frontEnd, problemsOf, read } from '../../support/configs.ts';

test('a default keeps what YAML makes of it, and a variable may hold a list or a map', () => {
  const text = `
general:
  front_end:
    host: \${HOST:-"example.com"}
    port: \${PORT:-81}
    cors:
      allow_origins: \${ORIGINS}
      allow_origin_regex: \${NONE:-null}
    step_adaptor: \${STEPS}
`;
  const env = { ORIGINS: '["https://a.example", "https://b,c.example"]', STEPS: '{mode: off}' };

  const { host, port, cors, stepAdaptor } = read(text, { env });

  assert.deepEqual([host, port], ['example.com', 81]);
  assert.deepEqual(cors.allowOrigins, ['https://a.example', 'https://b,c.example']);
  assert.deepEqual([cors.allowOriginRegex, stepAdaptor.mode], [null, 'off']);
});

test('a variable without braces counts if it is set', () => {
  assert.equal(read(frontEnd('host: $HOST_HERE'), { env: { HOST_HERE: 'a.example' } }).host, 'a.example');
});

test('a text of a variable that YAML would take for something else stays a text where one is needed', () => {
  for (const secret of ['0123456789012345', '12345678901234567', 'true', '1e3', 'null']) {
    const text =
      'authentication: {bank: {client_id: a, client_secret: $' +
      '{S}, token_url: "https://b.example", authorization_url: "https://b.example", redirect_uri: "https://b.example"}}';

    assert.equal(read(text, { env: { S: secret } }).providers.bank?.clientSecret, secret);
  }
});

test('a variable of which YAML would read a part is refused, with its place and not its value', () => {
  const text = 'fermata:\n  operator_key: $' + '{KEY}\n';

  const problems = problemsOf(text, { env: { KEY: 'a key of some length #s3cr3t' } });

  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^fermata\.operator_key: .*quotes.*\(configuration:2\)$/);
  assert.doesNotMatch(problems[0]!, /s3cr3t|some length/);
});

test('a variable that is not set is refused only where it is needed', () => {
  const text = `llms: {nim: {api_key: \${NOT_SET}}}\n# \${NOT_SET_EITHER}\n${frontEnd('host: $' + '{NO_HOST}')}`;

  const problems = problemsOf(text);

  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^general\.front_end\.host: the variable NO_HOST is not set.*\(configuration:3\)$/);
});

test('places are those of the file, however long its variables are', () => {
  const text = `general:\n  front_end:\n    cors:\n      allow_origins: \${O}\n    port: many\n    nonsense: 1\n`;

  const problems = problemsOf(text, {
    env: { O: '[\n        "https://a.example",\n        "https://b.example"\n        ]' },
  });

  assert.deepEqual(problems.map((problem) => /\(configuration:\d\)$/.exec(problem)?.[0]).sort(), [
    '(configuration:5)',
    '(configuration:6)',
  ]);
});

const hidden = 's3cr3t';
const leaks: readonly [text: string, value: string][] = [
  [frontEnd('port: $' + '{V}'), hidden],
  [frontEnd('port: $' + '{V}'), `{${hidden}: 1}`],
  [`general:\n  front_end:\n    port: 1\n$` + '{V}', `    ${hidden}: 1`],
  [frontEnd('port: 1, $' + '{V}'), `${hidden}: 1`],
  ['$' + '{V}', `${hidden}: {x: 1}`],
  ['$' + '{V}', hidden],
  ['a: $' + '{V}', `[${hidden}`],
  ['a: *$' + '{V}', hidden],
];

for (const [text, value] of leaks) {
  test(`what is wrong with ${JSON.stringify(text)} of a variable is said without its value ${JSON.stringify(value)}`, () => {
    const problems = problemsOf(text, { env: { V: value } });

    assert.ok(problems.length > 0);
    assert.doesNotMatch(problems.join('\n'), /s3cr3t/);
  });
}

// --- base ----------------------------------------------------------------------------------------------------------

const folder = (t: TestContext, files: Readonly<Record<string, string>>): string => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, 'inner'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
};

const refusalOf = (file: string): string => {
  try {
    readConfig({ file, env: {} });
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    return thrown.message;
  }
  return '';
};

test('a file inherits from its base: maps are merged, all else is replaced', (t) => {
  const path = folder(t, {
    'base.yaml':
      'general:\n  front_end:\n    host: base.example\n    port: 1\n    cors: {allow_origins: ["https://a.example"], max_age: 5}\n',
    'inner/middle.yaml': 'base: ../base.yaml\ngeneral: {front_end: {port: 2}}\n',
    'top.yaml': 'base: inner/middle.yaml\ngeneral: {front_end: {cors: {allow_origins: ["https://b.example"]}}}\n',
  });

  const { host, port, cors } = readConfig({ file: join(path, 'top.yaml'), env: {} });

  assert.deepEqual([host, port, cors.maxAgeS, cors.allowOrigins], ['base.example', 2, 5, ['https://b.example']]);
});

test('what is wrong in a base is said with its place there', (t) => {
  const path = folder(t, {
    'base.yaml': '\nfermata:\n  nonsense: 1\n',
    'top.yaml': 'base: base.yaml\nfermata: {console: 7}\n',
  });

  const refusal = refusalOf(join(path, 'top.yaml'));

  assert.match(refusal, /fermata\.nonsense: .*base\.yaml:3\)/);
  assert.match(refusal, /fermata\.console: .*top\.yaml:2\)/);
});

test('a base that leads in a circle, that is not there, or that is no path is refused', (t) => {
  const path = folder(t, {
    'a.yaml': 'base: b.yaml\n',
    'b.yaml': 'base: a.yaml\n',
    'c.yaml': 'base: missing.yaml\n',
    'd.yaml': 'base: [a]\n',
    'e.yaml': 'base: null\n',
  });

  assert.match(refusalOf(join(path, 'a.yaml')), /b\.yaml: base: .*circle/);
  assert.match(refusalOf(join(path, 'c.yaml')), /missing\.yaml: there is no such file/);
  assert.match(refusalOf(join(path, 'd.yaml')), /d\.yaml: base: expected the path of a file/);
  assert.equal(refusalOf(join(path, 'e.yaml')), '');
});

test('a base and a file whose maps contain themselves are refused by name', (t) => {
  const text = 'llms: &itself {inner: *itself}\n';
  const path = folder(t, { 'base.yaml': text, 'top.yaml': `base: base.yaml\n${text}` });

  assert.match(refusalOf(join(path, 'top.yaml')), /top\.yaml: base: maps that contain themselves cannot be merged/);
});

// --- what means nothing here -----------------------------------------------------------------------------------------

test('sections of NAT that mean nothing here are one line, and other credentials another', () => {
  const text = `
llms: {nim: {_type: nim}}
functions: {f: {_type: g}}
workflow: {_type: react_agent}
authentication:
  key: {_type: api_key, raw_key: s3cr3t, header_name: x}
  other: {_type: http_basic_auth, username: a, password: s3cr3t}
`;

  const { warnings, providers } = read(text);

  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /^functions, llms, workflow: not read/);
  assert.match(warnings[1]!, /^authentication\.key, authentication\.other: not read/);
  assert.deepEqual(providers, {});
});
