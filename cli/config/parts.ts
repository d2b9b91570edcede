/** Parts of a configuration with several values: providers, endpoints, steps. */
import type { OAuthProviderConfig } from '../../runtime/index.ts';
import { isIssuer } from './identity.ts';
import type { ValuesOf } from './key.ts';
import { isMap } from './kinds.ts';
import { endpointKeys, type natKeys, type stepEvents } from './nat-keys.ts';
import { foreignInEndpoint, foreignInProvider, otherCredential } from './nat-names.ts';
import { ownKeys, providerKeys } from './own-keys.ts';
import { present } from './present.ts';
import { type ConfigReader, sources } from './reader.ts';
import { hasPath, type RouteBlock } from './route-block.ts';

type StepEvent = (typeof stepEvents)[number];
export type StepAdaptor = {
  readonly mode: 'default' | 'custom' | 'off';
  readonly customEventTypes: readonly StepEvent[];
};
export type Endpoint = RouteBlock & { readonly functionName: string };

type OwnValues = ValuesOf<typeof ownKeys>;

const frontEnd = ['general', 'front_end'];

/** As on NAT: the list counts only in mode `custom`, and an empty list means the custom steps. */
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
  const providers = consents(found).map((name) => {
    const path = ['authentication', name];
    const other = otherCredential(found[name]);
    if (other !== undefined) {
      reader.warn(path, other);
      return [name, undefined] as const;
    }
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

/** Entries that are not issuers of JWTs. */
const consents = (found: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(found).filter((name) => !isIssuer(found[name]));

/** Chooses between a directory and memory, by precedence of their sources; null: memory. */
export const readData = (reader: ConfigReader, { data, memory }: OwnValues): string | null => {
  if (!memory) return data;
  const [aboutData, aboutMemory] = [ownKeys.data, ownKeys.memory].map((key) => sources.indexOf(reader.sourceOf(key)));
  if (aboutData === aboutMemory) reader.refuse(['fermata', 'memory'], 'excludes data, and both are given');
  return aboutData! > aboutMemory! ? data : null;
};

/**
 * NAT's name of an in-memory store means one in memory. Other stores of NAT do not exist here, so one of ours must be
 * named.
 */
export const readObjectStore = (reader: ConfigReader, { objectStore }: OwnValues): string | null => {
  const path = [...frontEnd, 'object_store'];
  const name = reader.lookUp(path) ?? null;
  if (objectStore !== null || name === null) return objectStore;
  if (reader.lookUp(['object_stores', String(name), '_type']) === 'in_memory') return 'memory';
  reader.refuse(path, 'only stores of NAT with _type in_memory are known; set fermata.object_store to a directory');
  return null;
};
