/** Reads the configuration of a server process: from command line, environment and file to one checked value. */
import { dirname } from 'node:path';
import { type RuntimeOptions, resolveOptions } from '../../runtime/index.ts';
import { type CorsOptions, corsFault } from '../../server/http/cors.ts';
import type { ServerOptions } from '../../server/options.ts';
import { noFile, parseConfigFile, readConfigFile } from './file.ts';
import { readIdentity } from './identity.ts';
import type { Variables } from './interpolate.ts';
import { camelled, pick } from './option-names.ts';
import {
  type Endpoint,
  type RouteBlock,
  readData,
  readEndpoints,
  readNetwork,
  readObjectStore,
  readProviders,
  readStepAdaptor,
  readWorkflow,
} from './parts.ts';
import { type Flags, Reader } from './reader.ts';
import { schema, type Values } from './schema.ts';
import { fileVariable } from './setting.ts';
import { unusable } from './unusable.ts';

/** Can be passed to `createServer` unchanged. */
export interface ServerConfig extends ServerOptions {
  readonly cors: Required<CorsOptions>;
  readonly workflow: RouteBlock;
  readonly endpoints: readonly Endpoint[];
  readonly runtime: Required<RuntimeOptions>;
  readonly logLevel: Values['fermata']['log_level'];
  /** Warnings for the log at the start about settings without effect. */
  readonly warnings: readonly string[];
}

export interface ConfigSource {
  /** Path of the YAML file. Default: the variable `FERMATA_CONFIG`, else none. */
  readonly file?: string | undefined;
  /** Its content, if it was read before. */
  readonly text?: string | undefined;
  readonly env: Variables;
  /** Command line options by name: `--port`. */
  readonly flags?: Flags;
}

/** Throws a Failure `options_invalid` with one line per problem. Lines never contain secrets. */
export const readConfig = ({ file, text, env, flags = {} }: ConfigSource): ServerConfig => {
  if (file === '') throw unusable(['--config: expected the path of a file, got ""']);
  const name = file ?? (env[fileVariable] || undefined);
  const reader = new Reader(open(name, text, env), env, flags);
  const values = reader.read(schema);
  if (values === undefined) throw unusable(reader.problems);
  const { general, fermata } = values;
  const { front_end: frontEnd } = general;
  const isKeyInFile = reader.sourceOf(['fermata', 'jwt', 'public_key_file']) === 'file';
  const data = readData(reader, values);
  const own = camelled(fermata);

  const config: ServerConfig = {
    ...pick(own, ['console', 'cancelOnDisconnect', 'asyncJobs', 'maxFileBytes', 'maxStoreBytes']),
    ...pick(own, ['sharedAnonymousNames', 'maxDataBytes', 'logLevel', 'bindConsents', 'consentReturnOrigins']),
    ...pick(camelled(frontEnd), ['host', 'port', 'rootPath', 'disableLegacyRoutes', 'enableInteractiveExtensions']),
    cors: readCors(reader, values),
    workflow: readWorkflow(reader, values),
    endpoints: readEndpoints(reader, values),
    oauthCallbackPath: frontEnd.oauth2_callback_path,
    stepAdaptor: readStepAdaptor(reader, values),
    monitorUsers: general.enable_per_user_monitoring,
    objectStore: readObjectStore(reader, values),
    sockets: {
      maxMessageBytes: fermata.websocket.max_message_bytes,
      messagesPerSecond: fermata.websocket.messages_per_second,
      idleTimeoutMs: fermata.websocket.idle_timeout,
    },
    identity: readIdentity(reader, values, isKeyInFile && name ? dirname(name) : '.'),
    ...readNetwork(reader, values),
    providers: readProviders(reader, values),
    runtime: resolveOptions(runtimeOptions(values), data !== null),
    adapter: own.adapter,
    data,
    dataSecret: own.dataSecret,
    limits: { ...pick(own, ['maxBodyBytes', 'maxHeaderBytes']), requestTimeoutMs: own.requestTimeout },
    warnings: [],
  };
  if (config.oauthCallbackPath === null && Object.keys(config.providers).length > 0) {
    reader.warn(['authentication'], 'no consent can be given, since oauth2_callback_path is null');
  }
  if (reader.problems.length > 0) throw unusable(reader.problems);
  return { ...config, warnings: reader.warnings };
};

const runtimeOptions = ({ general, fermata }: Values) => ({
  ...pick(camelled(fermata), [
    'maxConcurrency',
    'maxQueued',
    'maxBuilders',
    'maxRecordBytes',
    'maxSettled',
    'maxRecoveries',
    'maxConsents',
    'maxJournalFacts',
    'maxJournalBytes',
  ]),
  builderIdleMs: general.per_user_workflow_timeout,
  retentionMs: fermata.retention,
  restAfterMs: fermata.rest_after,
  hibernateAfterMs: fermata.hibernate_after,
  parkedTimeoutMs: fermata.parked_timeout,
  promptGraceMs: fermata.prompt_grace,
  oauthTimeoutMs: fermata.oauth_timeout,
  tokenRetentionMs: fermata.token_retention,
  stopTimeoutMs: fermata.stop_timeout,
  leaseMs: fermata.lease,
  stallTimeoutMs: fermata.stall_timeout,
});

const readCors = (reader: Reader, { general }: Values): Required<CorsOptions> => {
  const { max_age: maxAgeS, ...others } = general.front_end.cors;
  const cors = { ...camelled(others), maxAgeS };
  const fault = corsFault(cors);
  if (fault !== undefined) reader.refuse(['general', 'front_end', 'cors'], fault);
  return cors;
};

const open = (name: string | undefined, text: string | undefined, env: Variables) => {
  if (text !== undefined) return parseConfigFile(text, name ?? 'configuration', env);
  return name === undefined ? noFile : readConfigFile(name, env);
};
