/** What values are refused, with which words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../cli/config/read.ts';
import { frontEnd, problemsOf } from '../../support/configs.ts';

const provider = 'client_id: a, authorization_url: https://a.example, token_url: https://a.example';
const refusals: [text: string, problems: string[]][] = [
  [frontEnd('port: x'), ['general.front_end.port: expected an integer between 0 and 65535, got "x"']],
  [frontEnd('port: 65536'), ['general.front_end.port: expected an integer between 0 and 65535, got 65536']],
  [frontEnd('port: null'), ['general.front_end.port: expected an integer between 0 and 65535, got nothing']],
  [
    frontEnd('host: "http://a:80"'),
    ['general.front_end.host: expected a host name or an address, without port, got "http://a:80"'],
  ],
  [frontEnd('root_path: api'), ['general.front_end.root_path: expected a path such as /api, or nothing, got "api"']],
  [
    frontEnd('oauth2_callback_path: /a/'),
    ['general.front_end.oauth2_callback_path: expected a path such as /v1/chat, or null, got "/a/"'],
  ],
  [
    frontEnd('oauth2_callback_path: "/a?b"'),
    ['general.front_end.oauth2_callback_path: expected a path such as /v1/chat, or null, got "/a?b"'],
  ],
  [frontEnd('disable_legacy_routes: 1'), ['general.front_end.disable_legacy_routes: expected true or false, got 1']],
  [
    frontEnd('cors: {allow_origins: [1]}'),
    ['general.front_end.cors.allow_origins[0]: expected a text, got 1; put it in quotes'],
  ],
  [
    frontEnd('cors: {allow_origin_regex: "("}'),
    ['general.front_end.cors.allow_origin_regex: expected a regular expression, or null, got "("'],
  ],
  [frontEnd('cors: [a]'), ['general.front_end.cors: expected a map, got a list']],
  [
    frontEnd('step_adaptor: {mode: all}'),
    ['general.front_end.step_adaptor.mode: expected one of default, custom, off, got "all"'],
  ],
  [
    frontEnd('step_adaptor: {mode: custom, custom_event_types: [LLM_END, LLM]}'),
    [
      'general.front_end.step_adaptor.custom_event_types[1]: expected one of LLM_START, LLM_END, TOOL_START, TOOL_END, WORKFLOW_START, WORKFLOW_END, TASK_START, TASK_END, TTC_START, TTC_END, FUNCTION_START, FUNCTION_END, CUSTOM_START, CUSTOM_END, SPAN_START, SPAN_END, LLM_NEW_TOKEN, SPAN_CHUNK, got "LLM"',
    ],
  ],
  [
    'general: {per_user_workflow_timeout: 1Y}',
    ['general.per_user_workflow_timeout: expected a duration above 0 (PT30M, 00:30:00 or seconds), got "1Y"'],
  ],
  ['fermata: {retention: -1}', ['fermata.retention: expected a duration (PT30M, 00:30:00 or seconds), got -1']],
  ['fermata: {max_builders: 0}', ['fermata.max_builders: expected an integer of at least 1, got 0']],
  ['fermata: {max_queued: 1.5}', ['fermata.max_queued: expected an integer of at least 0, got 1.5']],
  [
    'fermata: {log_level: verbose}',
    ['fermata.log_level: expected one of trace, debug, info, warn, error, fatal, silent, got "verbose"'],
  ],
  ['fermata: {operator_key: short}', ['fermata.operator_key: must have at least 16 characters']],
  [
    'general: {front_end: {identity_header: X-User, accepted_identity_credentials: [jwt]}}',
    [
      'general.front_end.identity_header: excludes fermata.jwt, general.front_end.identity_authentication, general.front_end.accepted_identity_credentials and fermata.jwt.allow_unverified',
    ],
  ],
  [
    'general: {front_end: {accepted_identity_credentials: [cookie]}}',
    [
      'general.front_end.accepted_identity_credentials[0]: expected one of session_cookie, jwt, api_key, basic, got "cookie"',
    ],
  ],
  [
    'general: {front_end: {identity_authentication: [nobody]}}',
    [
      'general.front_end.identity_authentication: expected names of entries of authentication with _type: jwt, got "nobody"',
    ],
  ],
  [
    '{authentication: {a: {_type: jwt, issuer_url: "http://a.example", jwks_uri: "https://a.example", audience: b}}, general: {front_end: {identity_authentication: a}}}',
    [
      'general.front_end.identity_authentication: expected https URLs, or http on the loopback interface, got http://a.example',
    ],
  ],
  [
    'general: {front_end: {cors: {allow_origins: ["*"], allow_credentials: true}}}',
    [
      'general.front_end.cors: lets pages of any origin call with cookies; list the origins, or set allow_credentials to false',
    ],
  ],
  [
    'general: {front_end: {cors: {allow_origin_regex: "https?://.*", allow_credentials: true}}}',
    [
      'general.front_end.cors: lets pages of any origin call with cookies; list the origins, or set allow_credentials to false',
    ],
  ],
  ['fermata: {jwt: {secret: short}}', ['fermata.jwt.secret: must have at least 32 bytes, got 5']],
  ['fermata: {jwt: {public_key: key}}', ['fermata.jwt.public_key: must be PEM']],
  ['fermata: {jwt: {public_key_file: /nowhere/key.pem}}', ['fermata.jwt.public_key_file: there is no such file']],
  ['fermata: {jwt: {public_key_file: /dev/null}}', ['fermata.jwt.public_key_file: the file is empty']],
  [
    'fermata: {jwt: {jwks_url: "http://keys.example"}}',
    [
      'fermata.jwt.jwks_url: must be a https URL, or http on the loopback interface: an attacker who replaces the keys in transit could be any user',
    ],
  ],
  [
    'fermata: {jwt: {secret: "a shared secret of thirty-two bytes", algorithms: [RS256]}}',
    ['fermata.jwt.algorithms: may hold HS256, HS384, HS512 with this key, got RS256'],
  ],
  [
    'fermata: {jwt: {secret: a, jwks_url: "https://keys.example"}}',
    ['fermata.jwt: needs exactly one of secret, public_key, public_key_file and jwks_url'],
  ],
  [
    'fermata: {jwt: {audience: a}}',
    ['fermata.jwt: needs exactly one of secret, public_key, public_key_file and jwks_url'],
  ],
  [
    'fermata: {jwt: {secret: a, allow_unverified: true}}',
    ['fermata.jwt: allow_unverified excludes every other setting here'],
  ],
  ['authentication: [bank]', ['authentication: expected a map of providers, got a list']],
  [
    'authentication: {bank: null}',
    [
      'authentication.bank.client_id: is missing: expected a text',
      'authentication.bank.redirect_uri: is missing: expected an http or https URL',
    ],
  ],
  [
    `authentication: {bank: {${provider}}}`,
    ['authentication.bank.redirect_uri: is missing: expected an http or https URL'],
  ],
  [
    'authentication: {bank: {client_id: a, redirect_uri: "https://b.example", token_url: "https://a.example"}}',
    ['authentication.bank.authorization_url: is missing: expected an http or https URL, or a provider that is known'],
  ],
  [
    'authentication: {bank: {client_id: a, redirect_uri: "https://b.example", provider: githup}}',
    [
      'authentication.bank.provider: expected one of github, google, linkedin, microsoft, notion, salesforce, slack, slack_user, twitch, got "githup"',
    ],
  ],
  [
    `authentication: {bank: {${provider}, redirect_uri: /auth/redirect, token_endpoint_auth_method: basic}}`,
    [
      'authentication.bank.redirect_uri: expected an http or https URL, got "/auth/redirect"',
      'authentication.bank.token_endpoint_auth_method: expected one of client_secret_basic, client_secret_post, none, got "basic"',
    ],
  ],
  [
    `authentication: {bank: {${provider}, redirect_uri: "https://b.example", scope: [a], use_pkce: maybe}}`,
    [
      'authentication.bank.scope: there is no such setting, did you mean scopes?',
      'authentication.bank.use_pkce: expected true or false, got "maybe"',
    ],
  ],
  [
    frontEnd('workflow: {method: PUT, path: /a}'),
    ['general.front_end.workflow.method: expected GET or POST, got "PUT"'],
  ],
  [frontEnd('endpoints: {path: /a}'), ['general.front_end.endpoints: expected a list, got a map']],
  [
    frontEnd('endpoints: [{function_name: a}]'),
    ['general.front_end.endpoints[0]: names no path, so nothing would be served'],
  ],
  [
    frontEnd('endpoints: [/a, {path: /a, metod: GET}]'),
    [
      'general.front_end.endpoints[0]: expected a map, got a text',
      'general.front_end.endpoints[1].metod: there is no such setting, did you mean method?',
      'general.front_end.endpoints[1].function_name: is missing: expected a text',
    ],
  ],
  [
    frontEnd('endpoints: [{function_name: a, method: DELETE, path: /a}]'),
    ['general.front_end.endpoints[0].method: expected GET or POST, got "DELETE"'],
  ],
  [
    frontEnd('workflow: {method: GET, openai_api_v1_path: /a}'),
    ['general.front_end.workflow.openai_api_v1_path: needs method POST, or null'],
  ],
  [
    `fermata: {jwt: {issuer: "\${NOT_SET}"}}`,
    [`fermata.jwt.issuer: the variable NOT_SET is not set; \${NOT_SET:-...} gives a default`],
  ],
  [
    'authentication: {a: {_type: jwt, issuer_url: "https://a", jwks_uri: "https://b", audience: [a]}}\ngeneral: {front_end: {identity_authentication: [a]}}',
    ['authentication.a.audience: expected a text, got a list'],
  ],
  [
    'general: {front_end: {identity_authentication: []}}',
    ['general.front_end.identity_authentication: expected at least one'],
  ],
  [
    'fermata: {websocket: {idle_timeout: PT1H}}',
    [
      'fermata.websocket.idle_timeout: expected a duration between PT8S and PT16M (PT30M, 00:30:00 or seconds), got "PT1H"',
    ],
  ],
  ...['request_timeout', 'jwt.jwks_timeout', 'stop_timeout'].map((name): [string, string[]] => [
    `fermata: {${name.replace('.', ': {')}: P30D${name.includes('.') ? '}' : ''}}`,
    [
      `fermata.${name}: expected a duration${name === 'stop_timeout' ? '' : ' above 0'}, up to P20D (PT30M, 00:30:00 or seconds), got "P30D"`,
    ],
  ]),
  ['fermata: {data: 5}', ['fermata.data: expected a text, got 5; put it in quotes']],
  [
    'fermata: {operator_key: 1234567890123456}',
    ['fermata.operator_key: expected a text, or a list of texts, got a number; put it in quotes'],
  ],
  [
    'fermata: {max_queued: 99999999999999999999}',
    ['fermata.max_queued: expected an integer of at least 0, got 100000000000000000000'],
  ],
  ['fermata: !!set {memory}', ['fermata: expected a map, got a value with a YAML tag']],
  ['fermata: {data: !!binary aGVsbG8=}', ['fermata.data: expected a text, got a value with a YAML tag']],
  ['fermata: {"a\\nb\\e[31m": 1}', ['fermata."a\\nb\\u001b[31m": there is no such setting']],
  ['fermata: {[a, b]: 1}', ['fermata."[ a, b ]": there is no such setting']],
  [`fermata: \${NOT_SET}`, [`fermata: the variable NOT_SET is not set; \${NOT_SET:-...} gives a default`]],
  [frontEnd(`host: "\${1}"`), [`general.front_end.host: a variable is written \${NAME} or \${NAME:-default}`]],
];

for (const [text, problems] of refusals) {
  test(`${text} is refused`, () => {
    assert.deepEqual(
      problemsOf(text),
      problems.map((problem) => `${problem} (configuration:1)`),
    );
  });
}

test('an empty path of the file is refused by the name of its option', () => {
  assert.throws(() => readConfig({ file: '', env: {} }), /--config: expected the path of a file, got ""/);
});

test('all problems are told at once, each with the line, the variable or the option it comes from', () => {
  const text = 'general:\n  front_end:\n    host: a b\nfermata:\n  retentoin: 1\n';
  const env = { FERMATA_MAX_QUEUED: 'many' };
  const flags = { '--port': '' };

  assert.deepEqual(problemsOf(text, { env, flags }), [
    'fermata.retentoin: there is no such setting, did you mean retention? (configuration:5)',
    'general.front_end.host: expected a host name or an address, without port, got "a b" (configuration:3)',
    '--port: expected an integer between 0 and 65535, got ""',
    'FERMATA_MAX_QUEUED: expected an integer of at least 0, got "many"',
  ]);
});

test('what an entry shares with others is refused at the place where it stands', () => {
  const text = 'general:\n  front_end:\n    cors: &shared\n      max_age: 1\n';
  const merged = `${text.replace('1', `"\${NO_AGE}"`)}    step_adaptor:\n      <<: *shared\n      mode: all\n`;

  assert.deepEqual(problemsOf(merged), [
    `general.front_end.cors.max_age: the variable NO_AGE is not set; \${NO_AGE:-...} gives a default (configuration:4)`,
    'general.front_end.step_adaptor.max_age: there is no such setting, did you mean general.front_end.cors.max_age? (configuration:4)',
    'general.front_end.step_adaptor.mode: expected one of default, custom, off, got "all" (configuration:7)',
  ]);
});

test('the time for a file of many mistakes grows with their number, and no faster', () => {
  const cpuMs = (count: number): number => {
    const many = (line: (at: number) => string) => Array.from({ length: count }, (_, at) => line(at)).join('');
    const { user } = process.cpuUsage();
    problemsOf(many((at) => `e${at}: 1\n`));
    problemsOf(`authentication:\n${many((at) => `  e${at}: {client_id: a}\n`)}`);
    return process.cpuUsage({ user, system: 0 }).user / 1_000;
  };
  cpuMs(1_000); // compiles
  const [few, many] = [cpuMs(1_000), cpuMs(8_000)];

  assert.ok(many < 12 * few, `${few} ms for 1,000, ${many} ms for 8,000`);
});

test('a file that is something else entirely is not listed to its end', () => {
  const problems = problemsOf(Array.from({ length: 2_000 }, (_, at) => `entry_of_another_program_${at}: 1`).join('\n'));

  assert.equal(problems.length, 51);
  assert.equal(problems.at(-1), 'and 1950 more');
});
