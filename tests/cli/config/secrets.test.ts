/** No message contains a secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { readConfig } from '../../../cli/config/read.ts';
import { settings } from '../../../cli/config/schema.ts';
import { variableOf } from '../../../cli/config/setting.ts';
import { problemsOf, type Surroundings } from '../../support/configs.ts';

const s3cr3t = 's3cr3t';
const leaks: [text: string, outside?: Surroundings][] = [
  [`fermata: {operator_key: ${s3cr3t}}`],
  [`fermata: {operator_key: {key: ${s3cr3t}}}`],
  [`fermata: {jwt: {secret: [${s3cr3t}]}}`],
  [`fermata: {jwt: {secret: ${s3cr3t}}}`],
  [`fermata: {jwt: {public_key: ${s3cr3t}}}`],
  [`authentication: {bank: {client_secret: [${s3cr3t}]}}`],
  [`authentication: {bank: {client_secret: ${s3cr3t}}}`],
  [`authentication: {bank: {authorization_kwargs: [${s3cr3t}]}}`],
  [`authentication: {bank: {authorization_kwargs: {assertion: [${s3cr3t}]}}}`],
  [`authentication: {bank: ${s3cr3t}}`],
  [`authentication: ${s3cr3t}`],
  [`fermata: {jwt: ${s3cr3t}}`],
  [`fermata: ${s3cr3t}`],
  [`general: {front_end: {endpoints: [${s3cr3t}]}}`],
  [`authentication: {bank: {token_url: 'htps://a:${s3cr3t}@bank.example'}}`],
  [`authentication: {bank: {client_secret: "${s3cr3t}}}`],
  [`general: {front_end: {port: "\${PORT}"}}`, { env: { PORT: s3cr3t } }],
  ['', { env: { FERMATA_OPERATOR_KEY: s3cr3t } }],
  ['', { env: { FERMATA_JWT_SECRET: s3cr3t } }],
  ['', { env: { FERMATA_UNKNOWN: s3cr3t } }],
];

for (const [text, outside] of leaks) {
  test(`what is wrong with ${text || JSON.stringify(outside)} is said without the secret`, () => {
    const problems = problemsOf(text, outside);

    assert.ok(problems.length > 0);
    assert.ok(!problems.join().includes(s3cr3t), problems.join());
  });
}

const secrets = settings.filter(({ secret }) => secret);
const digits = 5_319_872;

/** Ways in which a person writes a secret where another kind of value belongs. */
const shapes: unknown[] = [
  s3cr3t,
  [s3cr3t],
  { [s3cr3t]: 1 },
  { value: s3cr3t },
  [[s3cr3t]],
  [digits],
  digits,
  [s3cr3t, 1],
];

/** All that is said about a configuration: its problems, or its warnings. */
const wordsAbout = (text: string, env: Record<string, string> = {}): string => {
  try {
    return readConfig({ text, env }).warnings.join('\n');
  } catch (thrown) {
    return String(thrown);
  }
};

for (const { name, path, ...setting } of secrets) {
  test(`whatever stands at ${name}, nothing that is said contains it`, () => {
    for (const shape of shapes) {
      const nested = path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), shape);
      const inFile = stringify(nested);
      const said = [
        wordsAbout(inFile),
        wordsAbout(inFile.replace(s3cr3t, '$' + '{V}'), { V: s3cr3t }),
        wordsAbout(inFile.replace(/\w+:/, 'fermatta:')),
        wordsAbout('', { [variableOf({ name })]: String(shape) }),
        wordsAbout('', { [`${variableOf({ name })}S`]: String(shape) }),
      ];

      const isName = typeof shape === 'object' && !Array.isArray(shape) && s3cr3t in (shape as object);
      for (const words of said) {
        if (!isName) assert.ok(!words.includes(s3cr3t), words);
        assert.ok(!words.includes(String(digits)), words);
      }
    }
    assert.equal(setting.flag, undefined);
  });
}
