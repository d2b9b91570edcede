/** The parts of a configuration that are more than one value: identity, providers, endpoints, steps. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, type OAuthProviderConfig } from '../runtime/index.ts';
import { whyUnreadable } from './config-file.ts';
import { foreignInEndpoint, foreignInProvider } from './config-foreign.ts';
import type { ValuesOf } from './config-key.ts';
import { endpointKeys, type natKeys, type stepEvents } from './config-keys.ts';
import { isMap } from './config-kinds.ts';
import { ownKeys, providerKeys } from './config-own-keys.ts';
import { type ConfigReader, sources } from './config-reader.ts';
import { hasPath, type RouteBlock } from './config-routes.ts';
import { createIdentifier, type IdentityOptions } from './identity.ts';

export type StepEvent = (typeof stepEvents)[number];
export type StepAdaptor = {
  readonly mode: 'default' | 'custom' | 'off';
  readonly customEventTypes: readonly StepEvent[];
};
export type Endpoint = RouteBlock & { readonly functionName: string };

type OwnValues = ValuesOf<typeof ownKeys>;

const frontEnd = ['general', 'front_end'];

/** As NAT: without mode `custom` the list counts for nothing, and an empty list means the custom steps. */
export const readStepAdaptor = (reader: ConfigReader, values: ValuesOf<typeof natKeys>): StepAdaptor => {
  const { stepMode: mode, stepEvents: events } = values;
  if (mode === 'custom') return { mode, customEventTypes: events.length > 0 ? events : ['CUSTOM_START', 'CUSTOM_END'] };
  const path = [...frontEnd, 'step_adaptor', 'custom_event_types'];
  if (events.length > 0) reader.warn(path, 'has no effect, since mode is not custom');
  return { mode, customEventTypes: [] };
};

export const readEndpoints = (reader: ConfigReader): Endpoint[] => {
  const path = [...frontEnd, 'endpoints'];
  const found = reader.lookUp(path) ?? [];
  if (!Array.isArray(found)) {
    reader.refuse(path, 'expected a list');
    return [];
  }
  return found.flatMap((_, at) => {
    const endpoint = reader.entry(endpointKeys, [...path, at], foreignInEndpoint);
    if (endpoint === undefined) return [];
    if (!hasPath(endpoint)) reader.refuse([...path, at], 'names no path, so nothing would be served');
    return [endpoint];
  });
};

export const readProviders = (reader: ConfigReader): Record<string, OAuthProviderConfig> => {
  const found = reader.lookUp(['authentication']) ?? {};
  if (!isMap(found)) {
    reader.refuse(['authentication'], 'expected a map of providers');
    return {};
  }
  const providers = Object.keys(found).map((name) => {
    const path = ['authentication', name];
    const values = reader.entry(providerKeys, path, foreignInProvider);
    const isSet = (member: string) => (reader.lookUp([...path, member]) ?? null) !== null;
    for (const url of ['authorization_url', 'token_url']) {
      if (values === undefined || isSet('provider') || isSet(url)) continue;
      reader.refuse([...path, url], 'is missing: expected an http or https URL, or a provider that is known');
    }
    return [name, values && present(values)] as const;
  });
  return Object.fromEntries(providers.flatMap(([name, values]) => (values ? [[name, values]] : [])));
};

/** Of a directory and of memory, what was said in the stronger way counts; null: memory. */
export const readData = (reader: ConfigReader, { data, memory }: OwnValues): string | null => {
  if (!memory) return data;
  const [aboutData, aboutMemory] = [ownKeys.data, ownKeys.memory].map((key) => sources.indexOf(reader.sourceOf(key)));
  if (aboutData === aboutMemory) reader.refuse(['fermata', 'memory'], 'excludes data, and both are given');
  return aboutData! > aboutMemory! ? data : null;
};

/** NAT's name of a store means one in memory, if it is such a one; the others are not here, and one of ours must be named. */
export const readObjectStore = (reader: ConfigReader, { objectStore }: OwnValues): string | null => {
  const path = [...frontEnd, 'object_store'];
  const name = reader.lookUp(path) ?? null;
  if (objectStore !== null || name === null) return objectStore;
  if (reader.lookUp(['object_stores', String(name), '_type']) === 'in_memory') return 'memory';
  reader.refuse(path, 'only stores of NAT with _type in_memory are known; set fermata.object_store to a directory');
  return null;
};

/** `folder` is where a relative `public_key_file` lies. */
export const readIdentity = (reader: ConfigReader, values: OwnValues, folder: string): IdentityOptions => {
  const { operatorKey, userIds, allowUnverifiedJwts } = values;
  const operator = present({ operatorKey });
  const users = present({ jwt: readJwt(reader, values, folder), userIds, allowUnverifiedJwts });
  // In two parts, since of each only the first problem is told.
  for (const part of [operator, users]) {
    const problem = identityProblem(part);
    if (problem !== undefined) reader.refuse(['fermata', ...problem.path], problem.what);
  }
  return { ...operator, ...users };
};

const readJwt = (reader: ConfigReader, values: OwnValues, folder: string): IdentityOptions['jwt'] => {
  const { jwtSecret: secret, jwtPublicKey, jwtPublicKeyFile, jwksUrl, allowUnverifiedJwts } = values;
  const checks = present({ issuer: values.jwtIssuer, audience: values.jwtAudience, algorithms: values.jwtAlgorithms });
  const keys = [secret, jwtPublicKey, jwtPublicKeyFile, jwksUrl].filter((given) => given !== undefined);
  const isMeant = keys.length > 0 || Object.keys(checks).length > 0;
  const path = ['fermata', 'jwt'];
  if (!isMeant) return undefined;
  if (allowUnverifiedJwts) {
    reader.refuse(path, 'allow_unverified excludes every other setting here');
    return undefined;
  }
  if (keys.length !== 1) {
    reader.refuse(path, 'needs exactly one of secret, public_key, public_key_file and jwks_url');
    return undefined;
  }
  const publicKey =
    jwtPublicKeyFile === undefined ? jwtPublicKey : readKeyFile(reader, resolve(folder, jwtPublicKeyFile));
  if (publicKey === '') return undefined;
  const { jwksTimeoutMs, jwtClockToleranceMs } = values;
  const times = { jwksTimeoutMs, clockToleranceS: jwtClockToleranceMs / 1_000 };
  return { ...present({ secret, publicKey, jwksUrl }), ...checks, ...times };
};

/** Empty if there is none, and then that has been said. */
const readKeyFile = (reader: ConfigReader, file: string): string => {
  const path = ['fermata', 'jwt', 'public_key_file'];
  try {
    const key = readFileSync(file, 'utf8');
    if (key === '') reader.refuse(path, 'the file is empty');
    return key;
  } catch (thrown) {
    reader.refuse(path, whyUnreadable(thrown));
    return '';
  }
};

const inFile: Readonly<Record<string, string>> = {
  operatorKey: 'operator_key',
  publicKey: 'public_key',
  jwksUrl: 'jwks_url',
};

/** What the options themselves know best. Their messages begin with the name of the option. */
const identityProblem = (options: IdentityOptions): { path: string[]; what: string } | undefined => {
  try {
    createIdentifier(options);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const [name = '', ...what] = thrown.message.split(' ');
    return { path: name.split('.').map((step) => inFile[step] ?? step), what: what.join(' ') };
  }
};

type Present<Given> = {
  [Name in keyof Given as undefined extends Given[Name] ? never : Name]: Given[Name];
} & {
  [Name in keyof Given as undefined extends Given[Name] ? Name : never]?: Exclude<Given[Name], undefined>;
};

const present = <Given extends object>(given: Given): Present<Given> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<Given>;
