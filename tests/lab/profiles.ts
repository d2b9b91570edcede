/** Which workflow a lab server runs, and how it is configured, for each profile of the recordings. */

import type { ServerConfig } from '../../cli/config/read.ts';
import type { OAuthProviderConfig, Workflow } from '../../runtime/index.ts';
import type { ServerOptions } from '../../server/index.ts';
import { labProvider } from './commands.ts';
import {
  labChat,
  labChatSingle,
  labMessage,
  labModel,
  labPerUser,
  labPerUserChat,
  labRecords,
  labStream,
  labSum,
  labText,
  labValues,
} from './workflows.ts';

type LabConfig = Partial<ServerOptions> &
  Partial<Pick<ServerConfig, 'workflow' | 'endpoints' | 'enableInteractiveExtensions' | 'stepAdaptor'>>;

export interface Profile {
  readonly workflow: Workflow;
  /** Those that endpoints name. */
  readonly workflows?: readonly Workflow[];
  /** What differs from the defaults. */
  readonly config?: LabConfig;
}

export const TOKEN_PORT = 19_099;
/** Unless it is told another one. */
export const LAB_PORT = 8_000;

/** The token endpoint listens on loopback; the authorization page is never opened. `port` is that of the lab. */
export const providersAt = (tokenPort: number, port: number): Record<string, OAuthProviderConfig> => ({
  [labProvider]: {
    clientId: 'lab-client',
    clientSecret: 'lab-secret',
    authorizationUrl: 'http://127.0.0.1:19099/authorize',
    tokenUrl: `http://127.0.0.1:${tokenPort}/token`,
    redirectUri: `http://localhost:${port}/auth/redirect`,
    scopes: ['read', 'write'],
  },
});

/** As behind a proxy that has checked the tokens. */
export const everyProfile: LabConfig = { identity: { allowUnverifiedJwts: true } };

const text: Profile = { workflow: labText };

const perUser: LabConfig = { monitorUsers: true, runtime: { builderIdleMs: 3000 } };

/** An endpoint finds its workflow by name. */
const named = (name: string, workflow: Workflow): Workflow => ({ ...workflow, name });

const noPaths = {
  websocketPath: null,
  openaiApiPath: null,
  openaiApiV1Path: null,
  legacyPath: null,
  legacyOpenaiApiPath: null,
} as const;

const extra = (functionName: string, path: string, more: { method?: 'GET'; openaiApiPath?: string } = {}) => ({
  ...noPaths,
  method: 'POST' as const,
  functionName,
  path,
  ...more,
});

export const profiles: Readonly<Record<string, Profile>> = {
  text,
  model: { workflow: labModel },
  stream: { workflow: labStream },
  chat: { workflow: labChat },
  'chat-single': { workflow: labChatSingle },
  'chat-interactive': { workflow: labChat, config: { enableInteractiveExtensions: true } },
  message: { workflow: labMessage },
  'per-user': { workflow: labPerUser, config: perUser },
  'per-user-chat': { workflow: labPerUserChat, config: perUser },
  oauth: { workflow: labText, config: { providers: providersAt(TOKEN_PORT, LAB_PORT) } },
  cors: {
    workflow: labText,
    config: {
      cors: {
        allowOrigins: ['http://app.example'],
        allowMethods: ['GET', 'POST'],
        allowHeaders: ['x-lab'],
        allowCredentials: true,
        exposeHeaders: ['Observability-Trace-Id'],
      },
    },
  },
  prefix: { workflow: labText, config: { rootPath: '/pfx' } },
  'custom-routes': {
    workflow: labText,
    config: {
      disableLegacyRoutes: true,
      oauthCallbackPath: null,
      monitorUsers: true,
      workflow: {
        method: 'POST',
        path: '/api/run',
        websocketPath: '/websocket',
        openaiApiPath: '/api/chat',
        openaiApiV1Path: '/api/completions',
        legacyPath: '/old/run',
        legacyOpenaiApiPath: '/old/chat',
      },
    },
  },
  endpoints: {
    workflow: labText,
    workflows: [
      named('sum', labSum),
      named('records', labRecords),
      named('values', labValues),
      named('order', labModel),
    ],
    config: {
      endpoints: [
        extra('sum', '/extra/sum', { openaiApiPath: '/extra/chat' }),
        extra('records', '/extra/records'),
        extra('values', '/extra/values'),
        extra('order', '/extra/order'),
        extra('order', '/extra/peek', { method: 'GET' }),
      ],
    },
  },
  'steps-off': { workflow: labStream, config: { stepAdaptor: { mode: 'off', customEventTypes: [] } } },
  'steps-custom': {
    workflow: labStream,
    config: { stepAdaptor: { mode: 'custom', customEventTypes: ['LLM_END', 'CUSTOM_START', 'CUSTOM_END'] } },
  },
  jobs: { workflow: labModel, config: { asyncJobs: true, sharedAnonymousNames: true } },
  static: { workflow: labText, config: { objectStore: 'memory' } },
  websocket: text,
  retention: { workflow: labText, config: { runtime: { retentionMs: 2000 } } },
  faults: text,
  slots: text,
  'websocket-faults': text,
  'per-user-faults': { workflow: labPerUser, config: perUser },
};
