import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frontEnd, problemsOf } from '../../support/configs.ts';

const takenPaths: [what: string, text: string, problem: string][] = [
  [
    'the health of the server',
    frontEnd('workflow: {method: GET, path: /health}'),
    'workflow.path: GET /health is there already, for the health of the server',
  ],
  [
    'the callback',
    frontEnd('endpoints: [{function_name: a, websocket_path: /auth/redirect}]'),
    'endpoints[0].websocket_path: GET /auth/redirect is there already, for general.front_end.oauth2_callback_path',
  ],
  ['executions', frontEnd('workflow: {path: /executions}'), 'workflow.path: paths below /executions are taken'],
  [
    'another endpoint, by what is below its path',
    frontEnd('endpoints: [{function_name: a, path: /a}, {function_name: b, openai_api_path: /a/full}]'),
    'endpoints[1].openai_api_path: POST /a/full is there already, for general.front_end.endpoints[0].path',
  ],
  [
    'the workflow itself',
    frontEnd('workflow: {path: /a, legacy_path: /a}'),
    'workflow.legacy_path: POST /a is there already, for general.front_end.workflow.path',
  ],
  [
    'its default paths',
    frontEnd('endpoints: [{function_name: a, path: /generate}]'),
    'endpoints[0].path: POST /generate is there already, for general.front_end.workflow.legacy_path',
  ],
];

for (const [what, text, problem] of takenPaths) {
  test(`a path that is taken by ${what} is refused`, () => {
    assert.deepEqual(problemsOf(text), [`general.front_end.${problem} (configuration:1)`]);
  });
}

test('paths of jobs and files are taken once these are served, and only then', () => {
  const jobs = frontEnd('endpoints: [{function_name: a, path: /b}, {function_name: a, openai_api_path: /b/async}]');
  const files = frontEnd('workflow: {path: /static/a}');

  assert.deepEqual(problemsOf(jobs), []);
  assert.deepEqual(problemsOf(files), []);
  assert.match(problemsOf(jobs, { env: { FERMATA_ASYNC_JOBS: 'true' } }).join(), /POST \/b\/async is there already/);
  assert.match(problemsOf(files, { env: { FERMATA_OBJECT_STORE: 'memory' } }).join(), /paths below \/static are taken/);
});

test('paths that only look alike are accepted', () => {
  const free = [
    frontEnd('endpoints: [{function_name: a, path: /a}, {function_name: a, method: GET, path: /a}]'),
    frontEnd('workflow: {openai_api_path: /a, openai_api_v1_path: /a}'),
    frontEnd('disable_legacy_routes: true, endpoints: [{function_name: a, path: /chat}]'),
    frontEnd('oauth2_callback_path: null, workflow: {method: GET, path: /auth/redirect}'),
    frontEnd('workflow: {method: GET, path: /monitor/users}'),
  ];

  assert.deepEqual(
    free.flatMap((text) => problemsOf(text)),
    [],
  );
});
