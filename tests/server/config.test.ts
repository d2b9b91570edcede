import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ConfigSource, readConfig, type ServerConfig } from '../../server/config.ts';

const read = (text: string, { env = {}, flags = {} }: Partial<ConfigSource> = {}): ServerConfig =>
  readConfig({ text, env, flags });

const defaults: ServerConfig = {
  host: 'localhost',
  port: 8000,
  rootPath: '',
  cors: {
    allowOrigins: [],
    allowOriginRegex: null,
    allowMethods: ['GET'],
    allowHeaders: [],
    allowCredentials: false,
    exposeHeaders: [],
    maxAgeS: 600,
  },
  workflow: {
    method: 'POST',
    path: '/v1/workflow',
    websocketPath: '/websocket',
    openaiApiPath: '/v1/chat',
    openaiApiV1Path: '/v1/chat/completions',
    legacyPath: '/generate',
    legacyOpenaiApiPath: '/chat',
  },
  endpoints: [],
  oauthCallbackPath: '/auth/redirect',
  disableLegacyRoutes: false,
  enableInteractiveExtensions: false,
  stepAdaptor: { mode: 'default', customEventTypes: [] },
  monitorUsers: false,
  identity: { allowUnverifiedJwts: false },
  providers: {},
  runtime: {
    maxConcurrency: 8,
    maxQueued: 1_000,
    maxBuilders: 10_000,
    retentionMs: 600_000,
    maxSettled: 20_000,
    parkedTimeoutMs: 604_800_000,
    promptGraceMs: 5_000,
    oauthTimeoutMs: 300_000,
    builderIdleMs: 1_800_000,
    maxJournalFacts: 10_000,
    maxJournalBytes: 4_194_304,
    stopTimeoutMs: 5_000,
  },
  limits: { maxBodyBytes: 1_048_576, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
  logLevel: 'info',
  warnings: [],
};

const nowhere = {
  method: 'POST',
  path: null,
  websocketPath: null,
  openaiApiPath: null,
  openaiApiV1Path: null,
  legacyPath: null,
  legacyOpenaiApiPath: null,
} as const;

test('without file, variables and options everything has the defaults of NAT', () => {
  assert.deepEqual(readConfig({ env: {} }), defaults);
});

const frontEnd = (...lines: string[]): string =>
  ['general:', '  front_end:', '    _type: fastapi', ...lines.map((line) => `    ${line}`)].join('\n');

/** The profiles of the conformance kit that need more than a workflow. */
const profiles: [name: string, text: string, expected: Partial<ServerConfig>][] = [
  ['text', 'fermata: {jwt: {allow_unverified: true}}', { identity: { allowUnverifiedJwts: true } }],
  ['chat-interactive', frontEnd('enable_interactive_extensions: true'), { enableInteractiveExtensions: true }],
  [
    'per-user',
    'general: {per_user_workflow_timeout: 3, enable_per_user_monitoring: true}',
    { monitorUsers: true, runtime: { ...defaults.runtime, builderIdleMs: 3_000 } },
  ],
  [
    'oauth',
    `
authentication:
  lab:
    _type: oauth2_auth_code_flow
    client_id: lab-client
    client_secret: lab-secret
    authorization_url: http://127.0.0.1:19099/authorize
    token_url: http://127.0.0.1:19099/token
    redirect_uri: http://127.0.0.1:8000/auth/redirect
    scopes: [read, write]
    use_pkce: true
    token_endpoint_auth_method: client_secret_basic
`,
    {
      providers: {
        lab: {
          clientId: 'lab-client',
          clientSecret: 'lab-secret',
          authorizationUrl: 'http://127.0.0.1:19099/authorize',
          tokenUrl: 'http://127.0.0.1:19099/token',
          redirectUri: 'http://127.0.0.1:8000/auth/redirect',
          scopes: ['read', 'write'],
          requireIssuerParameter: false,
          tokenEndpointAuthMethod: 'client_secret_basic',
          allowInsecureHttp: false,
        },
      },
    },
  ],
  [
    'cors',
    frontEnd(
      'cors:',
      '  allow_origins: [http://app.example]',
      '  allow_methods: [GET, POST]',
      '  allow_headers: [x-lab]',
      '  allow_credentials: true',
      '  expose_headers: [Observability-Trace-Id]',
    ),
    {
      cors: {
        ...defaults.cors,
        allowOrigins: ['http://app.example'],
        allowMethods: ['GET', 'POST'],
        allowHeaders: ['x-lab'],
        allowCredentials: true,
        exposeHeaders: ['Observability-Trace-Id'],
      },
    },
  ],
  ['prefix', frontEnd('root_path: /pfx'), { rootPath: '/pfx' }],
  [
    'custom-routes',
    frontEnd(
      'disable_legacy_routes: true',
      'oauth2_callback_path: null',
      'workflow:',
      '  method: POST',
      '  description: moved',
      '  path: /api/run',
      '  openai_api_path: /api/chat',
      '  openai_api_v1_path: /api/completions',
      '  legacy_path: /old/run',
      '  legacy_openai_api_path: /old/chat',
    ).replace('general:', 'general:\n  enable_per_user_monitoring: true'),
    {
      disableLegacyRoutes: true,
      oauthCallbackPath: null,
      monitorUsers: true,
      workflow: {
        method: 'POST',
        path: '/api/run',
        websocketPath: null,
        openaiApiPath: '/api/chat',
        openaiApiV1Path: '/api/completions',
        legacyPath: '/old/run',
        legacyOpenaiApiPath: '/old/chat',
      },
    },
  ],
  [
    'endpoints',
    frontEnd(
      'endpoints:',
      '  - {method: POST, description: sum, path: /extra/sum, function_name: sum, openai_api_path: /extra/chat}',
      '  - {method: POST, description: records, path: /extra/records, function_name: records}',
      '  - {method: POST, description: values, path: /extra/values, function_name: values}',
      '  - {method: POST, description: order, path: /extra/order, function_name: order}',
      '  - {method: GET, description: peek, path: /extra/peek, function_name: order}',
    ),
    {
      endpoints: [
        { ...nowhere, functionName: 'sum', path: '/extra/sum', openaiApiPath: '/extra/chat' },
        { ...nowhere, functionName: 'records', path: '/extra/records' },
        { ...nowhere, functionName: 'values', path: '/extra/values' },
        { ...nowhere, functionName: 'order', path: '/extra/order' },
        { ...nowhere, functionName: 'order', method: 'GET', path: '/extra/peek' },
      ],
    },
  ],
  ['steps-off', frontEnd('step_adaptor: {mode: off}'), { stepAdaptor: { mode: 'off', customEventTypes: [] } }],
  [
    'steps-custom',
    frontEnd('step_adaptor: {mode: custom, custom_event_types: [LLM_END, CUSTOM_START, CUSTOM_END]}'),
    { stepAdaptor: { mode: 'custom', customEventTypes: ['LLM_END', 'CUSTOM_START', 'CUSTOM_END'] } },
  ],
  ['retention', 'fermata: {retention: 2}', { runtime: { ...defaults.runtime, retentionMs: 2_000 } }],
];

for (const [name, text, expected] of profiles) {
  test(`the profile ${name} of the conformance kit can be configured`, () => {
    assert.deepEqual(read(text), { ...defaults, ...expected });
  });
}

test('a section that names some paths of the workflow leaves it without the others, as on NAT', () => {
  const { workflow, warnings } = read(frontEnd('workflow: {path: /run}'));

  assert.deepEqual(workflow, { ...nowhere, path: '/run' });
  assert.deepEqual(warnings, []);
});

test('a variable replaces one path, and leaves the others', () => {
  const env = { FERMATA_WORKFLOW_PATH: '/run', FERMATA_WORKFLOW_WEBSOCKET_PATH: 'null' };

  assert.deepEqual(read('', { env }).workflow, { ...defaults.workflow, path: '/run', websocketPath: null });
});

test('an option counts before a variable, a variable before the file, and the file before the default', () => {
  const text = frontEnd('port: 1', 'host: file', 'root_path: /file', 'cors: {max_age: 1}');
  const env = { FERMATA_PORT: '2', FERMATA_HOST: 'variable', FERMATA_ROOT_PATH: '', FERMATA_LOG_LEVEL: 'warn' };
  const flags = { '--port': '3' };

  const { port, host, rootPath, logLevel, cors } = read(text, { env, flags });

  assert.deepEqual([port, host, rootPath, logLevel, cors.maxAgeS], [3, 'variable', '/file', 'warn', 1]);
});

test('what an option or a variable replaces is not looked at', () => {
  const text = `${frontEnd('port: many', 'host: $' + '{UNSET}')}`;

  const { port, host } = read(text, { env: { FERMATA_HOST: 'here' }, flags: { '--port': '1' } });

  assert.deepEqual([port, host], [1, 'here']);
});

test('null takes a path away, and gives back the default of a CORS setting', () => {
  const config = read(frontEnd('oauth2_callback_path: null', 'cors: {allow_methods: null, allow_origins: null}'));

  assert.equal(config.oauthCallbackPath, null);
  assert.deepEqual(config.cors, defaults.cors);
});

test('a section without entries is as good as none', () => {
  assert.deepEqual(read('general:\n  front_end:\n    workflow:\n    cors:\nfermata:\nauthentication:\n'), defaults);
});

test('lists are written with commas where there are no lists', () => {
  const env = { FERMATA_CORS_ALLOW_ORIGINS: 'https://a.example, https://b.example', ORIGINS: '*' };

  assert.deepEqual(read('', { env }).cors.allowOrigins, ['https://a.example', 'https://b.example']);
  assert.deepEqual(
    read(frontEnd('cors: {allow_origins: "$' + '{ORIGINS}"}'), { env: { ORIGINS: '*' } }).cors.allowOrigins,
    ['*'],
  );
});

test('the words that PyYAML takes for a boolean are one here', () => {
  const words = ['yes', 'on', 'True', 'no', 'off', '"false"'];
  const values = words.map((word) => read(frontEnd(`disable_legacy_routes: ${word}`)).disableLegacyRoutes);

  assert.deepEqual(values, [true, true, true, false, false, false]);
});

test('the prefix may end with a slash, and be nothing but one', () => {
  assert.equal(read(frontEnd('root_path: /pfx/')).rootPath, '/pfx');
  assert.equal(read(frontEnd('root_path: /pfx'), { env: { FERMATA_ROOT_PATH: '/' } }).rootPath, '');
});

test('custom steps without a list are those of type CUSTOM, and a list without mode custom says nothing', () => {
  const custom = read(frontEnd('step_adaptor: {mode: custom}'));
  const other = read(frontEnd('step_adaptor: {custom_event_types: [LLM_END]}'));

  assert.deepEqual(custom.stepAdaptor.customEventTypes, ['CUSTOM_START', 'CUSTOM_END']);
  assert.deepEqual(other.stepAdaptor.customEventTypes, []);
  assert.match(other.warnings.join(), /custom_event_types: has no effect, since mode is not custom/);
});

test('a file of NAT is read, and what it says without effect becomes a warning each', () => {
  const text = `
general:
  use_uvloop: true
  telemetry: {logging: {console: {_type: console, level: WARN}}}
  per_user_workflow_timeout: PT10M
  per_user_workflow_cleanup_interval: 00:01:00
  front_end:
    _type: fastapi
    reload: false
    workers: 1
    use_gunicorn: false
    runner_class: null
    object_store: null
    scheduler_address: null
    db_url: null
    max_running_async_jobs: 10
    dask_workers: processes
    dask_threads_per_worker: 1
    dask_worker_memory_limit: "0"
    dask_log_level: WARNING
    evaluate: {method: POST, path: /evaluate, description: evaluates}
    evaluate_item: {method: POST, path: /evaluate/item, description: evaluates}
authentication:
  bank:
    _type: oauth2_auth_code_flow
    client_id: a
    client_secret: b
    authorization_url: https://bank.example/authorize
    token_url: https://bank.example/token
    redirect_uri: https://app.example/auth/redirect
    use_pkce: false
    preflight_auth: true
    token_endpoint_auth_method: null
    authorization_kwargs: null
llms: {nim: {_type: nim, api_key: "$\{NOT_SET_HERE}"}}
workflow: {_type: react_agent}
`;

  const { runtime, providers, warnings } = read(text.replace('\\{', '{'));

  assert.equal(runtime.builderIdleMs, 600_000);
  assert.equal(providers.bank?.clientId, 'a');
  assert.deepEqual(
    warnings.map((warning) => warning.split(':')[0]),
    [
      'general.use_uvloop',
      'general.telemetry',
      'general.per_user_workflow_cleanup_interval',
      'llms',
      'workflow',
      'authentication.bank.use_pkce',
      'authentication.bank.preflight_auth',
    ],
  );
});

test('a workflow without any path, and providers without a callback, are worth a warning', () => {
  const provider = 'client_id: a, authorization_url: https://a.example, token_url: https://a.example';
  const text = `${frontEnd('workflow: {path: null}', 'oauth2_callback_path: null')}
authentication: {bank: {${provider}, redirect_uri: https://b.example, authorization_kwargs: {prompt: consent}}}`;

  const { providers, warnings } = read(text);

  assert.deepEqual(warnings, [
    'general.front_end.workflow: names no path, so the workflow is not served (configuration:4)',
    'authentication: no consent can be given, since oauth2_callback_path is null (configuration:6)',
  ]);
  assert.deepEqual(providers.bank?.authorizationParams, { prompt: 'consent' });
  assert.equal('clientSecret' in (providers.bank ?? {}), false);
});

test('the settings of jwt are those of the identifier', () => {
  const secret = 'a shared secret of thirty-two bytes, or more';
  const text =
    'fermata: {user_ids: nat, operator_key: [first-operator-key, other-operator-key], jwt: {audience: a, clock_tolerance: PT1M}}';

  const { identity } = read(text, { env: { FERMATA_JWT_SECRET: secret, FERMATA_JWT_ISSUER: 'i, j' } });

  assert.deepEqual(identity, {
    operatorKey: ['first-operator-key', 'other-operator-key'],
    userIds: 'nat',
    allowUnverifiedJwts: false,
    jwt: { secret, issuer: ['i', 'j'], audience: ['a'], jwksTimeoutMs: 5_000, clockToleranceS: 60 },
  });
});

test('a public key lies beside the file that names it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeFileSync(join(folder, 'key.pem'), pem);
  writeFileSync(join(folder, 'fermata.yaml'), 'fermata: {jwt: {public_key_file: key.pem}}');

  const { identity } = readConfig({ env: { FERMATA_CONFIG: join(folder, 'fermata.yaml') } });

  assert.equal(identity.jwt?.publicKey, pem);
});

test('a default is for a variable that is unset or empty, and two dollar signs are for none at all', () => {
  const text = `fermata: {jwt: {issuer: ['\${A}', '\${B:-b}', '\${C:-c}', 'x\${A}y\${A}', '$\${A}', '\${A:-d}', '\${E:-}f'], secret: '\${S}'}}`;
  const env = { A: 'a', C: '', S: 'a shared secret of thirty-two bytes, or more' };

  const { identity, warnings } = read(text, { env });

  assert.deepEqual(identity.jwt?.issuer, ['a', 'b', 'c', 'xaya', '${A}'.slice(0), 'a', 'f']);
  assert.deepEqual(warnings, []);
});

test('a variable without braces is taken as it stands, with a warning', () => {
  const { warnings } = read('fermata: {operator_key: $OPERATOR_KEY_OF_US}');

  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^fermata\.operator_key: is taken as it stands/);
  assert.doesNotMatch(warnings[0] ?? '', /OPERATOR_KEY_OF_US/);
});

test('what Kubernetes sets beside a service of our name is not ours', () => {
  const env = {
    FERMATA_PORT: 'tcp://10.0.0.1:80',
    FERMATA_PORT_80_TCP: 'tcp://10.0.0.1:80',
    FERMATA_PORT_80_TCP_ADDR: '10.0.0.1',
    FERMATA_SERVICE_HOST: '10.0.0.1',
    FERMATA_SERVICE_PORT_HTTP: '80',
    FERMATA_STORE_PORT: 'tcp://10.0.0.2:80',
  };

  assert.deepEqual(read('', { env }), defaults);
});
