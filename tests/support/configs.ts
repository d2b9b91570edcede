/** Configurations for tests, as texts and as values. */

import assert from 'node:assert/strict';
import { type ConfigSource, readConfig, type ServerConfig } from '../../cli/config/read.ts';
import { Failure, defaults as runtimeDefaults } from '../../runtime/index.ts';

export type Surroundings = Partial<Pick<ConfigSource, 'env' | 'flags'>>;

/** The lines of the refusal, without the first one. */
export const problemsOf = (text: string, { env = {}, flags = {} }: Surroundings = {}): string[] => {
  try {
    readConfig({ text, env, flags });
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    assert.equal(thrown.code, 'options_invalid');
    const [first, ...lines] = thrown.message.split('\n');
    assert.equal(first, 'The configuration cannot be used:');
    return lines.map((line) => line.trim());
  }
  return [];
};

export const read = (text: string, { env = {}, flags = {} }: Surroundings = {}): ServerConfig =>
  readConfig({ text, env, flags });

/** A section `general.front_end` with these entries, on one line. */
export const frontEnd = (entries: string): string => `general: {front_end: {${entries}}}`;

/** The defaults. */
export const defaults: ServerConfig = {
  adapter: undefined,
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
  bindConsents: false,
  consentReturnOrigins: [],
  disableLegacyRoutes: false,
  enableInteractiveExtensions: false,
  stepAdaptor: { mode: 'default', customEventTypes: [] },
  monitorUsers: false,
  console: true,
  cancelOnDisconnect: false,
  asyncJobs: false,
  objectStore: null,
  data: './.fermata',
  maxDataBytes: 4_294_967_296,
  dataSecret: undefined,
  maxFileBytes: 10_485_760,
  maxStoreBytes: 268_435_456,
  sockets: { maxMessageBytes: 16 * 1024 * 1024, messagesPerSecond: 20, idleTimeoutMs: 120_000 },
  identity: { allowUnverifiedJwts: false },
  trustProxy: [],
  allowedHosts: undefined,
  sharedAnonymousNames: false,
  providers: {},
  runtime: {
    maxConcurrency: 8,
    maxQueued: 1_000,
    maxBuilders: 10_000,
    retentionMs: 604_800_000,
    maxSettled: 20_000,
    maxRecordBytes: runtimeDefaults.maxRecordBytes,
    restAfterMs: 1_000,
    hibernateAfterMs: 60_000,
    maxRecoveries: 10,
    parkedTimeoutMs: 604_800_000,
    promptGraceMs: 5_000,
    oauthTimeoutMs: 300_000,
    maxConsents: 10_000,
    tokenRetentionMs: 7_776_000_000,
    builderIdleMs: 1_800_000,
    maxJournalFacts: 10_000,
    maxJournalBytes: 4_194_304,
    stopTimeoutMs: 5_000,
    leaseMs: 5_000,
    stallTimeoutMs: 30_000,
  },
  limits: { maxBodyBytes: 1_048_576, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
  logLevel: 'info',
  warnings: [],
};

/** Paths of what names none. */
export const noPaths = {
  method: 'POST',
  path: null,
  websocketPath: null,
  openaiApiPath: null,
  openaiApiV1Path: null,
  legacyPath: null,
  legacyOpenaiApiPath: null,
} as const;
