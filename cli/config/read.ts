/** Reads the configuration of a server process: from command line, environment and file to one checked value. */
import { dirname } from 'node:path';
import { defaults, Failure, type RuntimeOptions, resolveOptions } from '../../runtime/index.ts';
import { type CorsOptions, corsFault } from '../../server/http/cors.ts';
import type { ServerOptions } from '../../server/options.ts';
import { checkNames, fileVariable, unknownVariables } from './check-names.ts';
import { noFile, parseConfigFile, readConfigFile, UnreadableFile } from './file.ts';
import { readIdentity, readNetwork } from './identity.ts';
import type { Variables } from './interpolate.ts';
import { natKeys } from './nat-keys.ts';
import { type logLevels, ownKeys } from './own-keys.ts';
import {
  type Endpoint,
  readData,
  readEndpoints,
  readObjectStore,
  readProviders,
  readStepAdaptor,
  type StepAdaptor,
} from './parts.ts';
import { ConfigReader, type Flags } from './reader.ts';
import { hasPath, pathNames, type RouteBlock } from './route-block.ts';

/** Can be passed to `createServer` unchanged. */
export interface ServerConfig extends ServerOptions {
  readonly cors: Required<CorsOptions>;
  readonly workflow: RouteBlock;
  readonly endpoints: readonly Endpoint[];
  readonly runtime: Required<RuntimeOptions>;
  readonly enableInteractiveExtensions: boolean;
  readonly stepAdaptor: StepAdaptor;
  readonly logLevel: (typeof logLevels)[number];
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

/** Every setting with a variable. */
export const keys = { ...natKeys, ...ownKeys };

/** Throws a Failure `options_invalid` with one line per problem. Lines never contain secrets. */
export const readConfig = ({ file, text, env, flags = {} }: ConfigSource): ServerConfig => {
  const name = file ?? (env[fileVariable] || undefined);
  const reader = new ConfigReader(open(name, text, env), env, flags);
  checkNames(reader, keys);
  reader.problems.push(...unknownVariables(env, keys));
  const values = reader.values(keys);
  const folder = reader.sourceOf(keys.jwtPublicKeyFile) === 'file' && name ? dirname(name) : '.';
  const data = readData(reader, values);

  const config: ServerConfig = {
    adapter: values.adapter,
    host: values.host,
    port: values.port,
    rootPath: values.rootPath,
    cors: pick(values, corsNames),
    workflow: { method: values.method, ...pick(values, pathNames) },
    endpoints: readEndpoints(reader),
    oauthCallbackPath: values.oauthCallbackPath,
    disableLegacyRoutes: values.disableLegacyRoutes,
    enableInteractiveExtensions: values.enableInteractiveExtensions,
    stepAdaptor: readStepAdaptor(reader, values),
    monitorUsers: values.monitorUsers,
    console: values.console,
    cancelOnDisconnect: values.cancelOnDisconnect,
    asyncJobs: values.asyncJobs,
    objectStore: readObjectStore(reader, values),
    maxFileBytes: values.maxFileBytes,
    maxStoreBytes: values.maxStoreBytes,
    sockets: {
      maxMessageBytes: values.maxMessageBytes,
      messagesPerSecond: values.messagesPerSecond,
      idleTimeoutMs: values.socketIdleMs,
    },
    identity: readIdentity(reader, values, folder),
    ...readNetwork(reader, values),
    sharedAnonymousNames: values.sharedAnonymousNames,
    providers: readProviders(reader),
    runtime: resolveOptions(pick(values, runtimeNames), data !== null),
    data,
    maxDataBytes: values.maxDataBytes,
    dataSecret: values.dataSecret,
    limits: pick(values, ['maxBodyBytes', 'maxHeaderBytes', 'requestTimeoutMs']),
    logLevel: values.logLevel,
    warnings: [],
  };
  checkRoutes(reader, config);
  if (reader.problems.length > 0) throw invalid(reader.problems);
  return { ...config, warnings: reader.warnings };
};

const open = (name: string | undefined, text: string | undefined, env: Variables) => {
  try {
    if (text !== undefined) return parseConfigFile(text, name ?? 'configuration', env);
    return name === undefined ? noFile : readConfigFile(name, env);
  } catch (thrown) {
    throw thrown instanceof UnreadableFile ? invalid(thrown.problems) : thrown;
  }
};

/** Maximum number of reported problems. */
const maxProblems = 50;

const invalid = (problems: readonly string[]): Failure => {
  const more = problems.length > maxProblems ? [`and ${problems.length - maxProblems} more`] : [];
  const lines = [...problems.slice(0, maxProblems), ...more].map((line) => `  ${line}`);
  return new Failure('options_invalid', { detail: ['The configuration cannot be used:', ...lines].join('\n') });
};

const checkRoutes = (reader: ConfigReader, config: ServerConfig): void => {
  const place = ['general', 'front_end'];
  const blocks = [
    { place: [...place, 'workflow'], block: config.workflow },
    ...config.endpoints.map((block, at) => ({ place: [...place, 'endpoints', at], block })),
  ];
  for (const { place, block } of blocks) {
    const isForGet = block.openaiApiV1Path !== null && block.method !== 'POST';
    if (isForGet) reader.refuse([...place, 'openai_api_v1_path'], 'needs method POST, or null');
  }
  const fault = corsFault(config.cors);
  if (fault !== undefined) reader.refuse([...place, 'cors'], fault);
  if (!hasPath(config.workflow)) reader.warn([...place, 'workflow'], 'names no path, so the workflow is not served');
  if (config.oauthCallbackPath === null && Object.keys(config.providers).length > 0) {
    reader.warn(['authentication'], 'no consent can be given, since oauth2_callback_path is null');
  }
};

const corsNames = [
  'allowOrigins',
  'allowOriginRegex',
  'allowMethods',
  'allowHeaders',
  'allowCredentials',
  'exposeHeaders',
  'maxAgeS',
] as const;
const runtimeNames = Object.keys(defaults) as (keyof RuntimeOptions)[];

const pick = <From, Name extends keyof From>(from: From, names: readonly Name[]): Pick<From, Name> =>
  Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<From, Name>;
