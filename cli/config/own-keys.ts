/** Settings of Fermata (`fermata`), and the providers of consents (`authentication`). */
import { defaults, presetNames } from '../../runtime/index.ts';
import { adapterNames } from '../../server/http/adapter.ts';
import { LEAST_DATA_SECRET, serverDefaults } from '../../server/options.ts';
import { identityKeys } from './identity-keys.ts';
import { key, optional, required } from './key.ts';
import { choice, duration, integer, mapOfTexts, orNull, text, textOf, texts, url, yesOrNo } from './kinds.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const { limits, sockets } = serverDefaults;
const secret = { isSecret: true } as const;

export const ownKeys = {
  adapter: optional(
    'fermata.adapter',
    choice(...adapterNames),
    'What speaks HTTP: `uws` (uWebSockets.js, the faster one) or `node` (node:http and ws, on every machine). Without: `uws` where its binary loads, else `node`; with `identity_header` always `node`.',
    { flag: '--adapter <uws|node>' },
  ),
  data: key(
    'fermata.data',
    text,
    './.fermata',
    'The directory in which executions are kept, made if it is not there. It belongs to one process at a time.',
    { flag: '--data <directory>' },
  ),
  memory: key('fermata.memory', yesOrNo, false, 'Keeps executions in memory instead; they end with the process.', {
    flag: '--memory',
  }),
  maxDataBytes: key(
    'fermata.max_data_bytes',
    integer(1),
    serverDefaults.maxDataBytes,
    'Bytes of the file in this directory; beyond it ended executions go before their time.',
  ),
  dataSecret: optional(
    'fermata.data_secret',
    textOf(LEAST_DATA_SECRET),
    'Seals tokens and credentials in this directory. Without: they are in memory only, and end with the process.',
    secret,
  ),
  maxConcurrency: key(
    'fermata.max_concurrency',
    integer(0),
    defaults.maxConcurrency,
    'Runs that may execute at once: per user of a per-user workflow, else per workflow. 0: any number.',
    { flag: '--max-concurrency <number>' },
  ),
  maxQueued: key(
    'fermata.max_queued',
    integer(0),
    defaults.maxQueued,
    'Runs that may wait for one of these places; further ones are refused with 429.',
  ),
  maxBuilders: key(
    'fermata.max_builders',
    integer(1),
    defaults.maxBuilders,
    'Users whose resources may be open at once, per workflow; the longest idle ones make room.',
  ),
  retentionMs: optional(
    'fermata.retention',
    duration(),
    'How long an execution can be asked for after its end. Without: a week (`P7D`), in memory ten minutes (`PT10M`).',
    { flag: '--retention <duration>' },
  ),
  maxRecordBytes: optional(
    'fermata.max_record_bytes',
    integer(1),
    'Bytes of the heap that executions in memory may take, about. Beyond it ended ones leave memory, then starts are refused with 429. Without: a quarter of the heap of Node.',
  ),
  maxSettled: key(
    'fermata.max_settled',
    integer(0),
    defaults.maxSettled,
    'Ended executions kept in memory at most, without a directory; beyond it the oldest are forgotten before their time.',
  ),
  restAfterMs: key(
    'fermata.rest_after',
    duration(),
    defaults.restAfterMs,
    'How long an execution is parked before its actor is stopped. The next fact starts a new actor.',
  ),
  hibernateAfterMs: key(
    'fermata.hibernate_after',
    duration(),
    defaults.hibernateAfterMs,
    'How long an execution is parked before it leaves memory, if executions are kept in a file.',
  ),
  maxRecoveries: key(
    'fermata.max_recoveries',
    integer(1),
    defaults.maxRecoveries,
    'How often the process may die while an execution is executed again, and no other is, before it fails as interrupted.',
  ),
  cancelOnDisconnect: key(
    'fermata.cancel_on_disconnect',
    yesOrNo,
    serverDefaults.cancelOnDisconnect,
    'Cancels a streamed run when its client disconnects. Older routes always do, because their runs cannot be found again.',
  ),
  parkedTimeoutMs: key(
    'fermata.parked_timeout',
    duration(1),
    defaults.parkedTimeoutMs,
    'How long an execution may wait for people before it fails as abandoned, if nothing it waits for has a deadline of its own.',
  ),
  promptGraceMs: key(
    'fermata.prompt_grace',
    duration(),
    defaults.promptGraceMs,
    'How long after the timeout of a prompt an answer is still taken.',
  ),
  oauthTimeoutMs: key(
    'fermata.oauth_timeout',
    duration(1),
    defaults.oauthTimeoutMs,
    'How long a consent may take before it expires.',
  ),
  maxConsents: key(
    'fermata.max_consents',
    integer(1),
    defaults.maxConsents,
    'Consents that may be pending at once; a run that finds no place waits for one. A caller may have as many as are free, and all at one address three times as many.',
  ),
  maxJournalFacts: key(
    'fermata.max_journal_facts',
    integer(1),
    defaults.maxJournalFacts,
    'Facts kept per execution; beyond it the oldest output goes.',
  ),
  maxJournalBytes: key(
    'fermata.max_journal_bytes',
    integer(1),
    defaults.maxJournalBytes,
    'Bytes of facts kept per execution beside its input, as JSON.',
  ),
  stopTimeoutMs: key(
    'fermata.stop_timeout',
    duration(),
    defaults.stopTimeoutMs,
    'How long executing runs get to finish when the server stops. Then they are left to the next process, or cancelled.',
    { flag: '--stop-timeout <duration>' },
  ),
  maxBodyBytes: key(
    'fermata.max_body_bytes',
    integer(1),
    limits.maxBodyBytes,
    'Bytes a request body may have; beyond it 413. Chats may have 16 MB, unless this is set below its default.',
  ),
  asyncJobs: key(
    'fermata.async_jobs',
    yesOrNo,
    serverDefaults.asyncJobs,
    'Lets workflows be started as jobs, at `/async` below `path` and `legacy_path`.',
  ),
  objectStore: key(
    'fermata.object_store',
    orNull(text),
    serverDefaults.objectStore,
    'Serves `/static`: from `memory`, or from a directory. With an operator key, only those who say who they are may write.',
  ),
  maxFileBytes: key(
    'fermata.max_file_bytes',
    integer(1),
    serverDefaults.maxFileBytes,
    'Bytes a file of `/static` may have; beyond it 413.',
  ),
  maxStoreBytes: key(
    'fermata.max_store_bytes',
    integer(1),
    serverDefaults.maxStoreBytes,
    'Bytes all files of `/static` may have together in memory; beyond it 507.',
  ),
  maxHeaderBytes: key(
    'fermata.max_header_bytes',
    integer(1_024),
    limits.maxHeaderBytes,
    'Bytes all headers of a request may have together; beyond it 431.',
  ),
  requestTimeoutMs: key(
    'fermata.request_timeout',
    duration(1),
    limits.requestTimeoutMs,
    'How long a request body may take to come whole; then 408.',
  ),
  maxMessageBytes: key(
    'fermata.websocket.max_message_bytes',
    integer(1),
    sockets.maxMessageBytes,
    'Bytes a message on a socket may have; a longer one is answered with an error.',
  ),
  messagesPerSecond: key(
    'fermata.websocket.messages_per_second',
    integer(1),
    sockets.messagesPerSecond,
    'Messages a client may send on a socket, on average; ten times as many at once. Beyond it they are dropped.',
  ),
  socketIdleMs: key(
    'fermata.websocket.idle_timeout',
    duration(8_000),
    sockets.idleTimeoutMs,
    'Silence, pings included, after which a socket is closed: 8 seconds to 16 minutes.',
  ),
  console: key(
    'fermata.console',
    yesOrNo,
    serverDefaults.console,
    'Serves pages for operators: `/console` and `/inspect`. They need the operator key, except on loopback.',
    { flag: '--console <true|false>' },
  ),
  ...identityKeys,
  logLevel: key('fermata.log_level', choice(...logLevels), 'info', 'The least that is logged.', {
    flag: '--log-level <level>',
  }),
};

/** An entry of `authentication`. Its name is the name of the provider in workflows. */
export const providerKeys = {
  clientId: required('client_id', text, 'The client, as the provider knows it.'),
  clientSecret: optional('client_secret', text, 'Without: a public client.', secret),
  provider: optional(
    'provider',
    choice(...presetNames),
    'A provider that is known: its addresses and its way of answering. What else is set here counts before it.',
  ),
  authorizationUrl: optional(
    'authorization_url',
    url,
    'Where browsers are sent. https, or http on loopback. Required without `provider`.',
  ),
  tokenUrl: optional('token_url', url, 'Where codes are exchanged for tokens. Required without `provider`.'),
  revocationUrl: optional('revocation_url', url, 'Where tokens are revoked. Without: the provider is not told of it.'),
  redirectUri: required('redirect_uri', url, 'Where browsers come back to, exactly as the provider knows it.'),
  scopes: optional(
    'scopes',
    texts,
    'What is asked for when a workflow names no scopes. Without: what `provider` says, or none.',
  ),
  issuer: optional('issuer', url, 'Callbacks that say they are from another one are refused.'),
  requireIssuerParameter: key(
    'require_issuer_parameter',
    yesOrNo,
    false,
    'Refuses callbacks that do not name their issuer.',
  ),
  tokenEndpointAuthMethod: optional(
    'token_endpoint_auth_method',
    choice('client_secret_basic', 'client_secret_post', 'none'),
    'How the client says who it is. Without: what `provider` says, else `client_secret_basic`, or `none` if there is no secret.',
  ),
  authorizationParams: optional('authorization_kwargs', mapOfTexts, 'Sent along to `authorization_url`.'),
  allowInsecureHttp: key(
    'allow_insecure_http',
    yesOrNo,
    false,
    'Allows http beyond loopback, on networks safe otherwise.',
  ),
  useRedirectAuth: key(
    'use_redirect_auth',
    yesOrNo,
    false,
    'The page that asks goes to the consent itself, and back to its origin; else in a window of its own. What a page says on its socket (`oauth_mode_preference`) counts before it.',
  ),
  preflightAuth: key(
    'preflight_auth',
    yesOrNo,
    false,
    'A user is asked for consent when their socket connects, and not only when a run needs it.',
  ),
};
