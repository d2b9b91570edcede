/** What the recorded traffic needs can be configured. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerConfig } from '../../../cli/config/read.ts';
import { defaults, noPaths, read } from '../../support/configs.ts';

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
          preflightAuth: false,
          useRedirectAuth: false,
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
        { ...noPaths, functionName: 'sum', path: '/extra/sum', openaiApiPath: '/extra/chat' },
        { ...noPaths, functionName: 'records', path: '/extra/records' },
        { ...noPaths, functionName: 'values', path: '/extra/values' },
        { ...noPaths, functionName: 'order', path: '/extra/order' },
        { ...noPaths, functionName: 'order', method: 'GET', path: '/extra/peek' },
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
    const config = read(text);
    assert.deepEqual(config, { ...defaults, ...expected });
  });
}
