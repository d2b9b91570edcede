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
    'The directory for executions, created if missing. It belongs to one process at a time.',
    { flag: '--data <directory>' },
  ),
  memory: key('fermata.memory', yesOrNo, false, 'Keeps executions in memory instead; they end with the process.', {
    flag: '--memory',
  }),
  maxDataBytes: key(
    'fermata.max_data_bytes',
    integer(1),
    serverDefaults.maxDataBytes,
    'Maximum bytes of the file in this directory. Beyond it, ended executions are deleted early.',
  ),
  dataSecret: optional(
    'fermata.data_secret',
    textOf(LEAST_DATA_SECRET),
    'Encrypts tokens and credentials in this directory. Default: they are in memory only, and end with the process.',
    secret,
  ),
  maxConcurrency: key(
    'fermata.max_concurrency',
    integer(0),
    defaults.maxConcurrency,
    'Maximum number of concurrent runs: per user of a per-user workflow, else per workflow. 0: no limit.',
    { flag: '--max-concurrency <number>' },
  ),
  maxQueued: key(
    'fermata.max_queued',
    integer(0),
    defaults.maxQueued,
    'Maximum number of runs that wait for a run slot; further ones are refused with 429.',
  ),
  maxBuilders: key(
    'fermata.max_builders',
    integer(1),
    defaults.maxBuilders,
    'Maximum number of users with open resources, per workflow. Beyond it, those of the user that was idle longest are closed.',
  ),
  retentionMs: optional(
    'fermata.retention',
    duration(),
    'How long an execution can be read after its end. Default: a week (`P7D`), in memory ten minutes (`PT10M`).',
    { flag: '--retention <duration>' },
  ),
  maxRecordBytes: optional(
    'fermata.max_record_bytes',
    integer(1),
    'Approximate maximum of heap bytes for executions in memory. Beyond it ended ones leave memory, then starts are refused with 429. Default: a quarter of the heap limit of Node.',
  ),
  maxSettled: key(
    'fermata.max_settled',
    integer(0),
    defaults.maxSettled,
    'Maximum number of ended executions in memory, without a directory; beyond it the oldest are deleted early.',
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
    'How long an execution is parked before it leaves memory, if executions are stored in a file.',
  ),
  maxRecoveries: key(
    'fermata.max_recoveries',
    integer(1),
    defaults.maxRecoveries,
    'How often the process may die while only this execution is replayed, before it fails as interrupted.',
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
    'How long an execution may wait for people before it fails as abandoned, if it has no other deadline.',
  ),
  promptGraceMs: key(
    'fermata.prompt_grace',
    duration(),
    defaults.promptGraceMs,
    'How long after the timeout of a prompt an answer is still accepted.',
  ),
  oauthTimeoutMs: key('fermata.oauth_timeout', duration(1), defaults.oauthTimeoutMs, 'Timeout of a consent.'),
  maxConsents: key(
    'fermata.max_consents',
    integer(1),
    defaults.maxConsents,
    'Maximum number of pending consents; a run without a place waits for one. A caller may have as many as are free, and all callers at one address three times as many.',
  ),
  maxJournalFacts: key(
    'fermata.max_journal_facts',
    integer(1),
    defaults.maxJournalFacts,
    'Maximum number of facts per execution; beyond it the oldest output is dropped.',
  ),
  maxJournalBytes: key(
    'fermata.max_journal_bytes',
    integer(1),
    defaults.maxJournalBytes,
    'Maximum bytes of facts per execution besides its input, as JSON.',
  ),
  stopTimeoutMs: key(
    'fermata.stop_timeout',
    duration(),
    defaults.stopTimeoutMs,
    'How long running executions have to finish at a shutdown. Then they are left to the next process, or cancelled.',
    { flag: '--stop-timeout <duration>' },
  ),
  maxBodyBytes: key(
    'fermata.max_body_bytes',
    integer(1),
    limits.maxBodyBytes,
    'Maximum bytes of a request body; more gets 413. Chats may have 16 MB, unless this is set below its default.',
  ),
  asyncJobs: key(
    'fermata.async_jobs',
    yesOrNo,
    serverDefaults.asyncJobs,
    'Serves jobs as on NAT, at `/async` below `path` and `legacy_path`.',
  ),
  objectStore: key(
    'fermata.object_store',
    orNull(text),
    serverDefaults.objectStore,
    'Serves `/static`: from `memory`, or from a directory. With an operator key, writers need an identity.',
  ),
  maxFileBytes: key(
    'fermata.max_file_bytes',
    integer(1),
    serverDefaults.maxFileBytes,
    'Maximum bytes of a file of `/static`; more gets 413.',
  ),
  maxStoreBytes: key(
    'fermata.max_store_bytes',
    integer(1),
    serverDefaults.maxStoreBytes,
    'Maximum bytes of all files of `/static` in memory; more gets 507.',
  ),
  maxHeaderBytes: key(
    'fermata.max_header_bytes',
    integer(1_024),
    limits.maxHeaderBytes,
    'Maximum bytes of all headers of a request; more gets 431.',
  ),
  requestTimeoutMs: key(
    'fermata.request_timeout',
    duration(1),
    limits.requestTimeoutMs,
    'Timeout for a complete request body; then 408.',
  ),
  maxMessageBytes: key(
    'fermata.websocket.max_message_bytes',
    integer(1),
    sockets.maxMessageBytes,
    'Maximum bytes of a socket message; a longer one gets an error.',
  ),
  messagesPerSecond: key(
    'fermata.websocket.messages_per_second',
    integer(1),
    sockets.messagesPerSecond,
    'Maximum number of socket messages per second of a client, on average; ten times as many in a burst. Further ones are dropped.',
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
  logLevel: key('fermata.log_level', choice(...logLevels), 'info', 'The lowest level that is logged.', {
    flag: '--log-level <level>',
  }),
};

/** An entry of `authentication`. Its name is the name of the provider in workflows. */
export const providerKeys = {
  clientId: required('client_id', text, 'The client id at the provider.'),
  clientSecret: optional('client_secret', text, 'Default: a public client.', secret),
  provider: optional(
    'provider',
    choice(...presetNames),
    'A built-in provider: its URLs and its differences. Other settings here override it.',
  ),
  authorizationUrl: optional(
    'authorization_url',
    url,
    'URL of the consent page. https, or http on loopback. Required without `provider`.',
  ),
  tokenUrl: optional('token_url', url, 'URL for exchanging codes for tokens. Required without `provider`.'),
  revocationUrl: optional('revocation_url', url, 'URL for revoking tokens. Default: the provider is not notified.'),
  redirectUri: required('redirect_uri', url, 'The callback URL, exactly as registered at the provider.'),
  scopes: optional('scopes', texts, 'Scopes for workflows that name none. Default: those of `provider`, or none.'),
  issuer: optional('issuer', url, 'Callbacks with another issuer are refused.'),
  requireIssuerParameter: key(
    'require_issuer_parameter',
    yesOrNo,
    false,
    'Refuses callbacks that do not name their issuer.',
  ),
  tokenEndpointAuthMethod: optional(
    'token_endpoint_auth_method',
    choice('client_secret_basic', 'client_secret_post', 'none'),
    'How the client authenticates. Default: that of `provider`, else `client_secret_basic`, or `none` without a secret.',
  ),
  authorizationParams: optional(
    'authorization_kwargs',
    mapOfTexts,
    'Further query parameters for `authorization_url`.',
  ),
  allowInsecureHttp: key('allow_insecure_http', yesOrNo, false, 'Allows http beyond loopback, for safe networks.'),
  useRedirectAuth: key(
    'use_redirect_auth',
    yesOrNo,
    false,
    'The page itself goes to the consent, and back to its origin. False: the consent opens in a new window. The choice of a page on its socket (`oauth_mode_preference`) overrides it.',
  ),
  preflightAuth: key(
    'preflight_auth',
    yesOrNo,
    false,
    'A user is asked for consent when their socket connects, before a run needs it.',
  ),
};
