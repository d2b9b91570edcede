/** Unknown names: typing errors, and names that only NAT has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { frontEnd, problemsOf } from '../../support/configs.ts';

const ofNat: [name: string, value: string, instead: RegExp][] = [
  ['general.per_user_workflow_cleanup_interval', 'often', /expected a duration/],
  ['general.front_end._type', 'mcp', /only the front end fastapi/],
  ['general.front_end.reload', 'true', /npm run dev/],
  ['general.front_end.workers', '4', /one process/],
  ['general.front_end.use_gunicorn', 'true', /listens itself/],
  ['general.front_end.runner_class', 'a.b.Worker', /Python class/],
  ['general.front_end.object_store', 'files', /set fermata.object_store/],
  ['general.front_end.evaluate', '{path: /other}', /evaluations are not served/],
  ['general.front_end.evaluate_item', '{path: /other}', /evaluations are not served/],
  ['general.front_end.scheduler_address', 'tcp://a:1', /no Dask jobs/],
  ['general.front_end.db_url', 'postgres://a:s3cr3t@b/c', /no Dask jobs/],
  ['general.front_end.max_running_async_jobs', '4', /no Dask jobs/],
  ['general.front_end.dask_workers', 'threads', /no Dask jobs/],
  ['general.front_end.dask_threads_per_worker', '2', /no Dask jobs/],
  ['general.front_end.dask_worker_memory_limit', '4GB', /no Dask jobs/],
  ['general.front_end.dask_log_level', 'INFO', /no Dask jobs/],
];

/** A file with one entry. */
const fileWith = (path: string, value: unknown): string =>
  stringify(path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value));

for (const [name, value, instead] of ofNat) {
  test(`${name}: ${value}, which NAT would follow, is refused with what to do instead`, () => {
    const problems = problemsOf(fileWith(name, 0).replace(/0$/m, value));

    assert.equal(problems.length, 1);
    assert.ok(problems[0]?.startsWith(`${name}: `));
    assert.match(problems[0] ?? '', instead);
    assert.doesNotMatch(problems[0] ?? '', /s3cr3t/);
  });
}

const slips: [text: string, problem: string][] = [
  ['genral: {}', 'genral: there is no such setting, did you mean general?'],
  ['port: 1', 'port: there is no such setting, did you mean general.front_end.port?'],
  ['cors: {}', 'cors: there is no such setting, did you mean general.front_end.cors?'],
  ['fermata: {port: 1}', 'fermata.port: there is no such setting, did you mean general.front_end.port?'],
  ['fermata: {maxConcurrency: 1}', 'fermata.maxConcurrency: there is no such setting, did you mean max_concurrency?'],
  ['fermata: {jwt: {pubic_key: a}}', 'fermata.jwt.pubic_key: there is no such setting, did you mean public_key?'],
  [frontEnd('prot: 1'), 'general.front_end.prot: there is no such setting, did you mean port?'],
  ['fermata: {constructor: 1}', 'fermata.constructor: there is no such setting'],
  ['fermata: {__proto__: {max_queued: 1}}', 'fermata.__proto__: there is no such setting'],
  [
    'general: &g {front_end: *g}',
    'general.front_end.front_end: there is no such setting, did you mean general.front_end?',
  ],
];

for (const [text, problem] of slips) {
  test(`${text} is refused, with what may be meant`, () => {
    assert.deepEqual(problemsOf(text), [`${problem} (configuration:1)`]);
  });
}

test('an unknown variable is refused with a suggestion, and a variable of other programs is not', () => {
  const env = {
    FERMATA_PROT: '1',
    FERMATA_SOMETHING_ELSE: '1',
    FERMATA_GENERAL_FRONT_END_ROOT_PATH: '/a',
    OTHER_PORT: '1',
    FERMATACY: '1',
  };

  assert.deepEqual(problemsOf('', { env }), [
    'FERMATA_PROT: there is no such variable, did you mean FERMATA_PORT?',
    'FERMATA_SOMETHING_ELSE: there is no such variable',
    'FERMATA_GENERAL_FRONT_END_ROOT_PATH: there is no such variable, did you mean FERMATA_ROOT_PATH?',
  ]);
});
