/** The section `fermata` of the file. */
import { z } from 'zod';
import { defaults } from '../../runtime/index.ts';
import { adapterNames } from '../../server/http/adapter.ts';
import { LEAST_DATA_SECRET, serverDefaults } from '../../server/options.ts';
import {
  choice,
  duration,
  integer,
  longestTimerMs,
  orNull,
  text,
  textOf,
  textOrTexts,
  texts,
  url,
  yesOrNo,
} from './kinds.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const { limits, sockets } = serverDefaults;

export const fermata = z.strictObject({
  adapter: choice(...adapterNames)
    .optional()
    .meta({
      description:
        'What speaks HTTP: `uws` (uWebSockets.js, the faster one) or `node` (node:http and ws, on every machine). Without: `uws` where its binary loads, else `node`; with `identity_header` always `node`.',
      flag: '--adapter <uws|node>',
    }),
  data: text.default('./.fermata').meta({
    description:
      'The directory for executions, created if missing, or a database: `postgres://host/name`. It belongs to one process at a time.',
    flag: '--data <directory>',
  }),
  memory: yesOrNo
    .default(false)
    .meta({ description: 'Keeps executions in memory instead; they end with the process.', flag: '--memory' }),
  max_data_bytes: integer(1)
    .default(serverDefaults.maxDataBytes)
    .describe('Maximum bytes of the file in this directory. Beyond it, ended executions are deleted early.'),
  data_secret: textOf(LEAST_DATA_SECRET).optional().meta({
    description:
      'Encrypts tokens and credentials in this directory. Default: they are in memory only, and end with the process.',
    secret: true,
  }),
  max_concurrency: integer(0).default(defaults.maxConcurrency).meta({
    description: 'Maximum number of concurrent runs: per user of a per-user workflow, else per workflow. 0: no limit.',
    flag: '--max-concurrency <number>',
  }),
  max_queued: integer(0)
    .default(defaults.maxQueued)
    .describe('Maximum number of runs that wait for a run slot; further ones are refused with 429.'),
  max_builders: integer(1)
    .default(defaults.maxBuilders)
    .describe(
      'Maximum number of users with open resources, per workflow. Beyond it, those of the user that was idle longest are closed.',
    ),
  retention: duration().optional().meta({
    description:
      'How long an execution can be read after its end. Default: a week (`P7D`), in memory ten minutes (`PT10M`).',
    flag: '--retention <duration>',
  }),
  max_record_bytes: integer(1)
    .optional()
    .describe(
      'Approximate maximum of heap bytes for executions in memory. Beyond it ended ones leave memory, then starts are refused with 429. Default: a quarter of the heap limit of Node.',
    ),
  max_settled: integer(0)
    .default(defaults.maxSettled)
    .describe(
      'Maximum number of ended executions in memory, without a directory; beyond it the oldest are deleted early.',
    ),
  rest_after: duration()
    .default(defaults.restAfterMs)
    .describe('How long an execution is parked before its actor is stopped. The next fact starts a new actor.'),
  hibernate_after: duration()
    .default(defaults.hibernateAfterMs)
    .describe('How long an execution is parked before it leaves memory, if executions are stored in a file.'),
  max_recoveries: integer(1)
    .default(defaults.maxRecoveries)
    .describe('How often the process may die while only this execution is replayed, before it fails as interrupted.'),
  cancel_on_disconnect: yesOrNo
    .default(serverDefaults.cancelOnDisconnect)
    .describe(
      'Cancels a streamed run when its client disconnects. Older routes always do, because their runs cannot be found again.',
    ),
  parked_timeout: duration(1)
    .default(defaults.parkedTimeoutMs)
    .describe('How long an execution may wait for people before it fails as abandoned, if it has no other deadline.'),
  prompt_grace: duration()
    .default(defaults.promptGraceMs)
    .describe('How long after the timeout of a prompt an answer is still accepted.'),
  oauth_timeout: duration(1).default(defaults.oauthTimeoutMs).describe('Timeout of a consent.'),
  bind_consents: yesOrNo
    .default(serverDefaults.bindConsents)
    .describe(
      'Lets only the user of a run give its consents: the link leads through this server, and runs without a user get none. See `docs/oauth.md`.',
    ),
  consent_return_origins: texts
    .default([])
    .describe('Origins of pages to which `return_to` of such a link may lead, besides that of `redirect_uri`.'),
  token_retention: duration(1)
    .default(defaults.tokenRetentionMs)
    .describe('How long the token of a consent stays if no run uses it. Then the user is asked for consent again.'),
  max_consents: integer(1)
    .default(defaults.maxConsents)
    .describe(
      'Maximum number of pending consents; a run without a place waits for one. A caller may have as many as are free, and all callers at one address three times as many.',
    ),
  max_journal_facts: integer(1)
    .default(defaults.maxJournalFacts)
    .describe('Maximum number of facts per execution; beyond it the oldest output is dropped.'),
  max_journal_bytes: integer(1)
    .default(defaults.maxJournalBytes)
    .describe('Maximum bytes of facts per execution besides its input, as JSON.'),
  stop_timeout: duration(0, longestTimerMs).default(defaults.stopTimeoutMs).meta({
    description:
      'How long running executions have to finish at a shutdown. Then they are left to the next process, or cancelled.',
    flag: '--stop-timeout <duration>',
  }),
  lease: duration(1)
    .default(defaults.leaseMs)
    .describe(
      'With a database: how long other servers wait for a sign of life of this one before they take what it executes.',
    ),
  stall_timeout: duration(1)
    .default(defaults.stallTimeoutMs)
    .describe('With a database: how long a step may block the event loop before other servers take over.'),
  max_body_bytes: integer(1)
    .default(limits.maxBodyBytes)
    .describe(
      'Maximum bytes of a request body; more gets 413. Chats may have 16 MB, unless this is set below its default.',
    ),
  async_jobs: yesOrNo
    .default(serverDefaults.asyncJobs)
    .describe('Serves jobs as on NAT, at `/async` below `path` and `legacy_path`.'),
  object_store: orNull(text)
    .default(serverDefaults.objectStore)
    .describe('Serves `/static`: from `memory`, or from a directory. With an operator key, writers need an identity.'),
  max_file_bytes: integer(1)
    .default(serverDefaults.maxFileBytes)
    .describe('Maximum bytes of a file of `/static`; more gets 413.'),
  max_store_bytes: integer(1)
    .default(serverDefaults.maxStoreBytes)
    .describe('Maximum bytes of all files of `/static` in memory; more gets 507.'),
  max_header_bytes: integer(1_024)
    .default(limits.maxHeaderBytes)
    .describe('Maximum bytes of all headers of a request; more gets 431.'),
  request_timeout: duration(1, longestTimerMs)
    .default(limits.requestTimeoutMs)
    .describe('Timeout for a complete request body; then 408.'),
  websocket: z.strictObject({
    max_message_bytes: integer(1)
      .default(sockets.maxMessageBytes)
      .describe('Maximum bytes of a socket message; a longer one gets an error.'),
    messages_per_second: integer(1)
      .default(sockets.messagesPerSecond)
      .describe(
        'Maximum number of socket messages per second of a client, on average; ten times as many in a burst. Further ones are dropped.',
      ),
    idle_timeout: duration(8_000, 960_000)
      .default(sockets.idleTimeoutMs)
      .describe('Silence, pings included, after which a socket is closed: 8 seconds to 16 minutes.'),
  }),
  console: yesOrNo.default(serverDefaults.console).meta({
    description:
      'Serves pages for operators: `/console` and `/inspect`. They need the operator key, except on loopback.',
    flag: '--console <true|false>',
  }),
  operator_key: textOrTexts.optional().meta({
    description:
      'The operator key, sent as `X-Operator-Key`: at least 16 characters. Several keys allow a change without downtime.',
    secret: true,
  }),
  trust_proxy: texts
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted: addresses, networks such as `10.0.0.0/8`, or `loopback`. With any, only the operator key makes an operator.',
    ),
  allowed_hosts: texts
    .optional()
    .describe(
      'Accepted host names (`Host`), without port; `.example` is every name below it. Default: those of loopback if it listens there and trusts no proxy, else any.',
    ),
  shared_anonymous_names: yesOrNo
    .default(false)
    .describe(
      'Lets callers without identity share the ids of jobs and conversations, as on NAT: a guessed id gives access.',
    ),
  user_ids: choice('nat', 'by_kind')
    .optional()
    .describe(
      'How ids of users are made, see `docs/decisions/0002-user-ids.md`. Default: `by_kind` if JWTs are verified, else `nat`.',
    ),
  jwt: z.strictObject({
    secret: text
      .optional()
      .meta({ description: 'The secret of HS256, HS384 and HS512 signatures: at least 32 bytes.', secret: true }),
    public_key: text.optional().describe('The key that verifies tokens, as PEM: RSA, EC or Ed25519.'),
    public_key_file: text
      .optional()
      .describe(
        'A file with that key. A relative path begins at the configuration file, or in a variable at the working directory.',
      ),
    jwks_url: url.optional().describe('URL of the keys of the issuer: https, or http on loopback.'),
    jwks_timeout: duration(1, longestTimerMs).default(5_000).describe('Timeout for fetching these keys.'),
    issuer: texts.optional().describe('Accepted issuers (`iss`). Default: any with a valid signature.'),
    audience: texts.optional().describe('Required audience (`aud`). Default: any.'),
    allow_without_expiry: yesOrNo.default(false).describe('Accepts tokens that never expire (without `exp`).'),
    algorithms: texts.optional().describe('Restricts the algorithms. Default: all that fit the key.'),
    clock_tolerance: duration().default(5_000).describe('Tolerated clock difference.'),
    allow_unverified: yesOrNo
      .default(false)
      .describe(
        'Accepts forged and expired tokens too, as NAT does: only behind a proxy that has checked them. Excludes the keys above.',
      ),
  }),
  log_level: choice(...logLevels)
    .default('info')
    .meta({ description: 'The lowest level that is logged.', flag: '--log-level <level>' }),
});
