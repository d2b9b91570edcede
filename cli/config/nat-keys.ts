/** NAT's own settings (`general`), with NAT's names and defaults. Our settings are in `own-keys.ts`. */
import { defaults } from '../../runtime/index.ts';
import { acceptedKinds } from '../../server/identity/identifier.ts';
import { serverDefaults } from '../../server/options.ts';
import { key, optional, required } from './key.ts';
import {
  choice,
  duration,
  hostName,
  integer,
  listOf,
  orNull,
  path,
  pattern,
  prefix,
  text,
  texts,
  yesOrNo,
} from './kinds.ts';

/** NAT's types of intermediate steps. */
export const stepEvents = [
  'LLM_START',
  'LLM_END',
  'LLM_NEW_TOKEN',
  'TOOL_START',
  'TOOL_END',
  'WORKFLOW_START',
  'WORKFLOW_END',
  'TASK_START',
  'TASK_END',
  'TTC_START',
  'TTC_END',
  'FUNCTION_START',
  'FUNCTION_END',
  'CUSTOM_START',
  'CUSTOM_END',
  'SPAN_START',
  'SPAN_CHUNK',
  'SPAN_END',
] as const;

const methodKind = choice('GET', 'POST');
const pathOrNull = orNull(path);

/** A CORS setting that is unset or null has its default. */
const cors = { nullIsUnset: true } as const;
/** A `workflow` section names all of its paths; other paths are not served. */
const replaced = { initialInSection: null } as const;

export const natKeys = {
  host: key(
    'general.front_end.host',
    hostName,
    serverDefaults.host,
    'Name or address to listen on. `localhost` accepts connections from this machine only; `0.0.0.0` and `::` are all addresses.',
    { flag: '--host <name>' },
  ),
  port: key('general.front_end.port', integer(0, 65_535), serverDefaults.port, 'Port to listen on. 0 is a free port.', {
    flag: '--port <number>',
  }),
  rootPath: key(
    'general.front_end.root_path',
    prefix,
    serverDefaults.rootPath,
    'Prefix under which all routes also answer. URLs in bodies begin with it.',
    { flag: '--root-path <path>' },
  ),
  method: key(
    'general.front_end.workflow.method',
    methodKind,
    'POST',
    'Method of the routes of the workflow. With GET it runs without input and never pauses, and pages of other sites can start it only if CORS allows them.',
  ),
  path: key(
    'general.front_end.workflow.path',
    pathOrNull,
    serverDefaults.workflow.path,
    'Interactive routes: this path, and `/stream`, `/full` and `/atif` below it.',
    replaced,
  ),
  websocketPath: key('general.front_end.workflow.websocket_path', pathOrNull, '/websocket', 'The WebSocket.', replaced),
  openaiApiPath: key(
    'general.front_end.workflow.openai_api_path',
    pathOrNull,
    '/v1/chat',
    'Interactive chat routes: this path, and `/stream` below it.',
    replaced,
  ),
  openaiApiV1Path: key(
    'general.front_end.workflow.openai_api_v1_path',
    pathOrNull,
    '/v1/chat/completions',
    'Chat for OpenAI clients; the request chooses whether to stream. Only with POST.',
    replaced,
  ),
  legacyPath: key(
    'general.front_end.workflow.legacy_path',
    pathOrNull,
    serverDefaults.workflow.legacyPath,
    'Older routes, which never pause: this path, and `/stream` and `/full` below it.',
    replaced,
  ),
  legacyOpenaiApiPath: key(
    'general.front_end.workflow.legacy_openai_api_path',
    pathOrNull,
    '/chat',
    'Older chat routes, which never pause: this path, and `/stream` below it.',
    replaced,
  ),
  oauthCallbackPath: key(
    'general.front_end.oauth2_callback_path',
    pathOrNull,
    serverDefaults.oauthCallbackPath,
    'The callback path of consents. Null: consents are not possible.',
  ),
  disableLegacyRoutes: key(
    'general.front_end.disable_legacy_routes',
    yesOrNo,
    serverDefaults.disableLegacyRoutes,
    'Serves no older routes, even if they have paths.',
  ),
  enableInteractiveExtensions: key(
    'general.front_end.enable_interactive_extensions',
    yesOrNo,
    false,
    'Requests to `openai_api_v1_path` may pause too, which OpenAI clients do not expect.',
  ),
  stepMode: key(
    'general.front_end.step_adaptor.mode',
    choice('default', 'custom', 'off'),
    'default',
    'The intermediate steps that are streamed: those of models, tools and functions, the list below, or none.',
  ),
  stepEvents: key(
    'general.front_end.step_adaptor.custom_event_types',
    listOf(choice(...stepEvents), 'step types such as LLM_END'),
    [],
    'Steps that mode `custom` streams. Empty: `CUSTOM_START` and `CUSTOM_END`.',
  ),
  allowOrigins: key(
    'general.front_end.cors.allow_origins',
    texts,
    [],
    'Origins whose pages may send requests, such as `https://app.example`; `*` for any.',
    cors,
  ),
  allowOriginRegex: key(
    'general.front_end.cors.allow_origin_regex',
    orNull(pattern),
    null,
    'Further origins: a pattern for the whole origin.',
  ),
  allowMethods: key('general.front_end.cors.allow_methods', texts, ['GET'], 'Methods for these pages.', cors),
  allowHeaders: key(
    'general.front_end.cors.allow_headers',
    texts,
    [],
    'Request headers for these pages, besides those that browsers always allow.',
    cors,
  ),
  allowCredentials: key(
    'general.front_end.cors.allow_credentials',
    yesOrNo,
    false,
    'Whether they may send cookies.',
    cors,
  ),
  exposeHeaders: key(
    'general.front_end.cors.expose_headers',
    texts,
    [],
    'Response headers that they may read, besides ours. With a list, only clients that send `prefer` or `idempotency-key` may read `execution-id`.',
    cors,
  ),
  maxAgeS: key(
    'general.front_end.cors.max_age',
    integer(0),
    600,
    'Seconds for which a browser may cache these permissions.',
    cors,
  ),
  identityHeader: optional(
    'general.front_end.identity_header',
    text,
    'The header in which a proxy identifies the user. It overrides all credentials, and requests without it are refused.',
  ),
  acceptedCredentials: optional(
    'general.front_end.accepted_identity_credentials',
    listOf(choice(...acceptedKinds), `credentials such as ${acceptedKinds[0]}`),
    `The kinds of credentials that count: ${acceptedKinds.map((kind) => `\`${kind}\``).join(', ')}. Without: all of them.`,
  ),
  identityAuthentication: optional(
    'general.front_end.identity_authentication',
    texts,
    'Names of entries of `authentication` with `_type: jwt`: the issuers whose tokens are accepted. Excludes `fermata.jwt`.',
  ),
  builderIdleMs: key(
    'general.per_user_workflow_timeout',
    duration(1),
    defaults.builderIdleMs,
    'How long the resources of an idle user stay open.',
  ),
  monitorUsers: key(
    'general.enable_per_user_monitoring',
    yesOrNo,
    serverDefaults.monitorUsers,
    'Serves `/monitor/users`: to those with the operator key, or without one on this machine only.',
  ),
};

/** An entry of `general.front_end.endpoints`. */
export const endpointKeys = {
  functionName: required('function_name', text, 'Name of the workflow.'),
  method: key('method', methodKind, 'POST', natKeys.method.meaning),
  path: key('path', pathOrNull, null, natKeys.path.meaning),
  websocketPath: key('websocket_path', pathOrNull, null, natKeys.websocketPath.meaning),
  openaiApiPath: key('openai_api_path', pathOrNull, null, natKeys.openaiApiPath.meaning),
  openaiApiV1Path: key('openai_api_v1_path', pathOrNull, null, natKeys.openaiApiV1Path.meaning),
  legacyPath: key('legacy_path', pathOrNull, null, natKeys.legacyPath.meaning),
  legacyOpenaiApiPath: key('legacy_openai_api_path', pathOrNull, null, natKeys.legacyOpenaiApiPath.meaning),
};
