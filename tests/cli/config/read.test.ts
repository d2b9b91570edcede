import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../../cli/config/read.ts';
import { defaults, frontEnd, noPaths, problemsOf, read } from '../../support/configs.ts';

test('without file, variables and options everything has the defaults of NAT', () => {
  assert.deepEqual(readConfig({ env: {} }), defaults);
});

test('a section that names some paths of the workflow leaves it without the others, as on NAT', () => {
  const { workflow, warnings } = read(frontEnd('workflow: {path: /run}'));

  assert.deepEqual(workflow, { ...noPaths, path: '/run' });
  assert.deepEqual(warnings, []);
});

test('a variable replaces one path, and leaves the others', () => {
  const env = { FERMATA_WORKFLOW_PATH: '/run', FERMATA_WORKFLOW_WEBSOCKET_PATH: 'null' };

  assert.deepEqual(read('', { env }).workflow, { ...defaults.workflow, path: '/run', websocketPath: null });
});

test('an option counts before a variable, a variable before the file, and the file before the default', () => {
  const text = frontEnd('port: 1, host: file, root_path: /file, cors: {max_age: 1}');
  const env = { FERMATA_PORT: '2', FERMATA_HOST: 'variable', FERMATA_ROOT_PATH: '', FERMATA_LOG_LEVEL: 'warn' };
  const flags = { '--port': '3' };

  const { port, host, rootPath, logLevel, cors } = read(text, { env, flags });

  assert.deepEqual([port, host, rootPath, logLevel, cors.maxAgeS], [3, 'variable', '/file', 'warn', 1]);
});

test('what an option or a variable replaces is not looked at', () => {
  const text = frontEnd(`port: many, host: "\${UNSET}"`);

  const { port, host } = read(text, { env: { FERMATA_HOST: 'here' }, flags: { '--port': '1' } });

  assert.deepEqual([port, host], [1, 'here']);
});

test('null takes a path away, and gives back the default of a CORS setting', () => {
  const config = read(frontEnd('oauth2_callback_path: null, cors: {allow_methods: null, allow_origins: null}'));

  assert.equal(config.oauthCallbackPath, null);
  assert.deepEqual(config.cors, defaults.cors);
});

test('a section without entries is as good as none', () => {
  assert.deepEqual(read('general:\n  front_end:\n    workflow:\n    cors:\nfermata:\nauthentication:\n'), defaults);
});

test('lists are written with commas where there are no lists', () => {
  const env = { FERMATA_CORS_ALLOW_ORIGINS: 'https://a.example, https://b.example', HEADERS: 'x-a,x-b' };

  const { cors } = read(frontEnd(`cors: {allow_headers: "\${HEADERS}"}`), { env });

  assert.deepEqual(cors.allowOrigins, ['https://a.example', 'https://b.example']);
  assert.deepEqual(cors.allowHeaders, ['x-a', 'x-b']);
});

test('a variable may hold a list in brackets, with and without quotes', () => {
  const quoted = '["https://a.example", "https://b.example"]';
  for (const list of [quoted, quoted.replaceAll('"', '')]) {
    const { cors } = read('', { env: { FERMATA_CORS_ALLOW_ORIGINS: list } });

    assert.deepEqual(cors.allowOrigins, ['https://a.example', 'https://b.example']);
  }
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

test('the object store of a file of NAT is one in memory if it was, and otherwise ours must be named', () => {
  const nat = (type: string) => `object_stores: {files: {_type: ${type}}}\n${frontEnd('object_store: files')}`;

  assert.equal(read(nat('in_memory')).objectStore, 'memory');
  assert.match(problemsOf(nat('s3')).join(), /object_store: only stores .* in_memory/);
  assert.equal(read(`${nat('s3')}\nfermata: {object_store: files}`).objectStore, 'files');
  assert.equal(read(`${nat('in_memory')}\nfermata: {object_store: /var/files}`).objectStore, '/var/files');
  assert.equal(read('object_stores: {files: {_type: in_memory}}').objectStore, null);
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
llms: {nim: {_type: nim, api_key: "\${NOT_SET_HERE}"}}
workflow: {_type: react_agent}
`;

  const { runtime, providers, warnings } = read(text);

  assert.equal(runtime.builderIdleMs, 600_000);
  assert.equal(providers.bank?.clientId, 'a');
  assert.deepEqual([providers.bank?.preflightAuth, providers.bank?.useRedirectAuth], [true, false]);
  assert.deepEqual(
    warnings.map((warning) => warning.split(':')[0]),
    [
      'general.use_uvloop',
      'general.telemetry',
      'general.per_user_workflow_cleanup_interval',
      'llms, workflow',
      'authentication.bank.use_pkce',
    ],
  );
});

test('a workflow without any path, and providers without a callback, are worth a warning', () => {
  const provider = 'client_id: a, authorization_url: https://a.example, token_url: https://a.example';
  const text = `${frontEnd('workflow: {path: null}, oauth2_callback_path: null')}
authentication: {bank: {${provider}, redirect_uri: https://b.example, authorization_kwargs: {prompt: consent}}}`;

  const { providers, warnings } = read(text);

  assert.deepEqual(warnings, [
    'general.front_end.workflow: names no path, so the workflow is not served (configuration:1)',
    'authentication: no consent can be given, since oauth2_callback_path is null (configuration:2)',
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

  assert.deepEqual(identity.jwt?.issuer, ['a', 'b', 'c', 'xaya', `\${A}`, 'a', 'f']);
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

const corporate = '_type: jwt, issuer_url: "https://id.example", jwks_uri: "https://id.example/jwks", audience: api';

test('entries of authentication with the type jwt are issuers, if identity_authentication names them', () => {
  const text = `
general: {front_end: {identity_authentication: [corporate, other], accepted_identity_credentials: [jwt, session_cookie]}}
authentication:
  corporate: {${corporate}, scopes: [run], timeout: 2.5, leeway: 0}
  other: {_type: jwt, issuer_url: "http://localhost:1", jwks_uri: "http://localhost:1/keys", audience: web}
  idle: {${corporate}}`;

  const { identity, providers, warnings } = read(text);

  assert.deepEqual(identity, {
    allowUnverifiedJwts: false,
    accepted: ['jwt', 'session_cookie'],
    issuers: [
      {
        issuerUrl: 'https://id.example',
        jwksUri: 'https://id.example/jwks',
        audience: 'api',
        scopes: ['run'],
        timeoutMs: 2_500,
        leewayS: 0,
      },
      {
        issuerUrl: 'http://localhost:1',
        jwksUri: 'http://localhost:1/keys',
        audience: 'web',
        scopes: [],
        timeoutMs: 10_000,
        leewayS: 60,
      },
    ],
  });
  assert.deepEqual(providers, {});
  assert.match(
    warnings.join('\n'),
    /^authentication\.idle: has no effect, since .*identity_authentication does not name it/,
  );
});

test('a header that a proxy sets is taken from the file of NAT', () => {
  assert.equal(read(frontEnd('identity_header: X-User-ID')).identity.header, 'X-User-ID');
});

test('a provider that is known by name needs no addresses, and what the file says counts before it', () => {
  const client = 'client_id: a, client_secret: b, redirect_uri: https://b.example';
  const text = `
authentication:
  code: {provider: github, ${client}}
  crm: {provider: salesforce, ${client}, token_url: https://test.salesforce.com/services/oauth2/token, scopes: [full]}`;

  const { providers, warnings } = read(text);

  const switchedOff = { allowInsecureHttp: false, preflightAuth: false, useRedirectAuth: false };
  const config = { clientId: 'a', clientSecret: 'b', redirectUri: 'https://b.example', ...switchedOff };
  assert.deepEqual(warnings, []);
  assert.deepEqual(providers, {
    code: { ...config, provider: 'github', requireIssuerParameter: false },
    crm: {
      ...config,
      provider: 'salesforce',
      requireIssuerParameter: false,
      tokenUrl: 'https://test.salesforce.com/services/oauth2/token',
      scopes: ['full'],
    },
  });
});
